"""Vocabularies: learn new pieces from text, choose n of them, and put them into a base vocabulary."""

from specialize.vocabularies.base import OLDER_FILES, load_base, settle_base
from specialize.vocabularies.build import build_byte_vocabulary, build_vocabulary
from specialize.vocabularies.coverage import Coverage, coverage, missing_letters
from specialize.vocabularies.ids import check_ids
from specialize.vocabularies.kinds import (
    Growth,
    Kind,
    copy_vocabulary,
    in_order,
    kind_named,
    kind_of,
    known_kinds,
    segment,
    set_positions,
    special_ids,
)
from specialize.vocabularies.kinds.byte_level import BYTE_SPECIAL_TOKENS, learn_byte_pieces, save_byte_tokenizer
from specialize.vocabularies.kinds.wordpiece import (
    SPECIAL_TOKENS,
    UNKNOWN,
    bert_tokenizer,
    cased_normalizer,
    choose_pieces,
    inject,
    learn_wordpieces,
    new_base_vocabulary,
    save_tokenizer,
)
from specialize.vocabularies.normal_form import NO_FORM, Form, spelled, spellings, with_normal_form
from specialize.vocabularies.reloading import check_reload
from specialize.vocabularies.settings import BytePieceTraining, PieceChoice, PieceTraining, VocabulariesSection
from specialize.vocabularies.trimming import build_trimmed_vocabulary, trimmed
from specialize.vocabularies.words import (
    WordCounts,
    count_labeled_words,
    count_words,
    first_words,
    letter_counts,
    script_shares,
    words_by_language,
)

__all__ = [
    "BYTE_SPECIAL_TOKENS",
    "NO_FORM",
    "OLDER_FILES",
    "SPECIAL_TOKENS",
    "UNKNOWN",
    "BytePieceTraining",
    "Coverage",
    "Form",
    "Growth",
    "Kind",
    "PieceChoice",
    "PieceTraining",
    "VocabulariesSection",
    "WordCounts",
    "bert_tokenizer",
    "build_byte_vocabulary",
    "build_trimmed_vocabulary",
    "build_vocabulary",
    "cased_normalizer",
    "check_ids",
    "check_reload",
    "choose_pieces",
    "copy_vocabulary",
    "count_labeled_words",
    "count_words",
    "coverage",
    "first_words",
    "in_order",
    "inject",
    "kind_named",
    "kind_of",
    "known_kinds",
    "learn_byte_pieces",
    "learn_wordpieces",
    "letter_counts",
    "load_base",
    "missing_letters",
    "new_base_vocabulary",
    "save_byte_tokenizer",
    "save_tokenizer",
    "script_shares",
    "segment",
    "set_positions",
    "settle_base",
    "special_ids",
    "spelled",
    "spellings",
    "trimmed",
    "with_normal_form",
    "words_by_language",
]
