"""Kinds of vocabularies: how words are cut, what is unknown, how pieces are learned and injected, what a folder has."""

from specialize.vocabularies.kinds.fewer import freed, only
from specialize.vocabularies.kinds.kind import Growth, Kind, in_order, set_positions, special_ids, special_names
from specialize.vocabularies.kinds.known import copy_vocabulary, kind_named, kind_of, known_kinds, segment

__all__ = [
    "Growth",
    "Kind",
    "copy_vocabulary",
    "freed",
    "in_order",
    "kind_named",
    "kind_of",
    "known_kinds",
    "only",
    "segment",
    "set_positions",
    "special_ids",
    "special_names",
]
