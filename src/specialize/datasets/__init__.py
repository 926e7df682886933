"""Labeled data: treebanks in CoNLL-U, named entities in IOB2, and their transliterated twins."""

from specialize.datasets.columns import check_prepared, prepare_treebank
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
from specialize.datasets.settings import LARGEST_SHARE_LEFT
from specialize.datasets.transliteration import (
    REMEMBERED_WORDS,
    UYGHUR,
    transliterate_entities,
    transliterate_parts,
    transliterate_token,
    transliterate_treebank,
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
    read_treebank,
    write_treebank,
)
from specialize.datasets.trees import NO_HEAD
from specialize.datasets.untransliterated import Untransliterated, count_untransliterated, require_latin

__all__ = [
    "COLUMNS",
    "DEPREL",
    "DEPS",
    "FORM",
    "HEAD",
    "LARGEST_SHARE_LEFT",
    "NO_HEAD",
    "PARTS",
    "REMEMBERED_WORDS",
    "UNPRINTABLE",
    "UPOS",
    "UYGHUR",
    "XPOS",
    "EntitySentence",
    "Heads",
    "Sentence",
    "Untransliterated",
    "Word",
    "check_prepared",
    "count_untransliterated",
    "mend_labels",
    "parse_entities",
    "prepare_treebank",
    "read_entities",
    "read_own_entities",
    "read_treebank",
    "repair_entities",
    "repair_labels",
    "require_latin",
    "transliterate_entities",
    "transliterate_parts",
    "transliterate_token",
    "transliterate_treebank",
    "transliterator",
    "unpack_wikiann",
    "write_entities",
    "write_treebank",
]
