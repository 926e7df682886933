"""Labeled data: treebanks in CoNLL-U, named entities in IOB2, and their transliterated twins."""

from specialize.datasets.columns import check_prepared, prepare_treebank
from specialize.datasets.layout import PARTS
from specialize.datasets.left_letters import LeftLetters, count_left, require_latin
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
    "LeftLetters",
    "Sentence",
    "Word",
    "check_prepared",
    "count_left",
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
    "transliterate_token",
    "transliterate_treebank",
    "transliterator",
    "unpack_wikiann",
    "write_entities",
    "write_treebank",
]
