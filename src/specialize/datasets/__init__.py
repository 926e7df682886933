"""Labeled data: treebanks in CoNLL-U, named entities in IOB2, and their transliterated twins."""

from specialize.datasets.columns import check_prepared, prepare_treebank
from specialize.datasets.entity_layouts import LONGEST_SENTENCE
from specialize.datasets.folds import Folds, documents_of, in_folds, prepare_treebank_folds, write_entity_folds
from specialize.datasets.layout import PARTS
from specialize.datasets.named_entities import (
    EntitySentence,
    mend_labels,
    parse_entities,
    read_entities,
    read_own_entities,
    repair_entities,
    repair_labels,
    unpack_wikiann,
    write_entities,
)
from specialize.datasets.settings import LARGEST_SHARE_LEFT, described_transliteration
from specialize.datasets.shares import write_share
from specialize.datasets.tagged_text import UPOS_TAGS
from specialize.datasets.transliteration import (
    REMEMBERED_WORDS,
    UYGHUR,
    transliterate_entities,
    transliterate_parts,
    transliterate_token,
    transliterate_treebank,
    transliterate_word_list,
    transliterator,
)
from specialize.datasets.treebanks import (
    COLUMNS,
    DEPREL,
    DEPS,
    FORM,
    HEAD,
    UNPRINTABLE,
    UPOS,
    XPOS,
    Heads,
    Sentence,
    Word,
    parse_treebank,
    read_treebank,
    write_treebank,
)
from specialize.datasets.trees import NO_HEAD
from specialize.datasets.twin_input import (
    TRANSLITERATION,
    read_transliteration,
    token_converter,
    transliterate_text,
    transliterated_lines,
    warning_of_letters_left,
)
from specialize.datasets.untransliterated import Untransliterated, count_untransliterated, require_latin

__all__ = [
    "COLUMNS",
    "DEPREL",
    "DEPS",
    "FORM",
    "HEAD",
    "LARGEST_SHARE_LEFT",
    "LONGEST_SENTENCE",
    "NO_HEAD",
    "PARTS",
    "REMEMBERED_WORDS",
    "TRANSLITERATION",
    "UNPRINTABLE",
    "UPOS",
    "UPOS_TAGS",
    "UYGHUR",
    "XPOS",
    "EntitySentence",
    "Folds",
    "Heads",
    "Sentence",
    "Untransliterated",
    "Word",
    "check_prepared",
    "count_untransliterated",
    "described_transliteration",
    "documents_of",
    "in_folds",
    "mend_labels",
    "parse_entities",
    "parse_treebank",
    "prepare_treebank",
    "prepare_treebank_folds",
    "read_entities",
    "read_own_entities",
    "read_transliteration",
    "read_treebank",
    "repair_entities",
    "repair_labels",
    "require_latin",
    "token_converter",
    "transliterate_entities",
    "transliterate_parts",
    "transliterate_text",
    "transliterate_token",
    "transliterate_treebank",
    "transliterate_word_list",
    "transliterated_lines",
    "transliterator",
    "unpack_wikiann",
    "warning_of_letters_left",
    "write_entities",
    "write_entity_folds",
    "write_share",
    "write_treebank",
]
