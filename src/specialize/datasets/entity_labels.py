"""Labels of named entities as people write them, and what they are in IOB2."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from specialize.unicode import ZERO_WIDTH_SPACE, without_invisible

IOB2_LABEL = re.compile(r"O|[BI]-\S+")
# What each prefix of IOBES, BILOU and BMEWO is in IOB2; B and I are themselves.
BEGINS, GOES_ON, ENDS = "BSUW", "IMEL", "SUWEL"
# Letters of other scripts that look as the Latin ones do: Cyrillic, then Greek.
LOOK_ALIKES = str.maketrans("АВЕЅІЈКМНОРСТУХаеіјорсухѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABESIJKMHOPCTYXaeijopcyxsABEZHIKMNOPTYXo", "")
_HYPHENS = re.compile("[\u2010-\u2015\u2212\u2043\ufe58]")
# A label that holds a second one, as B-PER|B-ORG, O|B-LOC or B-PER+I-LOC do; but for |, a type may have these marks.
_NESTED = re.compile(r"\||[+,;/&#~](?:O|[BIMELSUW][-_]\S+)$")
_PREFIXED = re.compile(r"(.)[-_](\S+)")


def plain_label(label: str) -> str | None:
    """A label in Latin capitals with a hyphen, such as B-PER, of whatever scheme; None if it is no such label.

    Full-width and look-alike letters, other hyphens or an underscore, invisible marks and a small prefix are mended;
    the type stays as it is written but for invisible marks and compatibility forms.
    """
    if label.isascii() and label.isprintable() and IOB2_LABEL.fullmatch(label):
        return label
    plain = _HYPHENS.sub("-", unicodedata.normalize("NFKC", without_invisible(label.replace(ZERO_WIDTH_SPACE, ""))))
    if plain.translate(LOOK_ALIKES).upper() == "O":
        return "O"
    match = _PREFIXED.fullmatch(plain)
    if not match or not plain.isprintable():
        return None
    prefix = match[1].translate(LOOK_ALIKES).upper()
    return f"{prefix}-{match[2]}" if prefix in BEGINS + GOES_ON else None


def is_nested(label: str) -> bool:
    """Whether a label is of several entities at once, one within the other."""
    return bool(_NESTED.search(label))


def as_iob2(labels: Sequence[str]) -> tuple[str, ...]:
    """A sentence's labels of IOBES, BILOU or BMEWO in IOB2; labels of IOB2 and IOB1 stay as they are.

    After the end of an entity, the next label begins another one.
    """
    converted: list[str] = []
    before = "O"
    for label in labels:
        prefix, kind = label[0], label[1:]
        if label == "O":
            converted.append(label)
        elif prefix in BEGINS or (before[0] in ENDS and before[1:] == kind):
            converted.append("B" + kind)
        else:
            converted.append("I" + kind)
        before = label
    return tuple(converted)


def one_spelling(types: Mapping[str, int]) -> dict[str, str]:
    """The spelling of each type of entity: types that differ by case or look-alike letters only are one.

    Args:
        types: how often each occurs.

    Returns:
        The most frequent spelling of each one's kind; the first in order of those alike.
    """
    spellings: dict[str, Counter[str]] = {}
    for name, count in types.items():
        spellings.setdefault(name.translate(LOOK_ALIKES).casefold(), Counter())[name] = count
    return {
        name: min(group, key=lambda spelling: (-group[spelling], spelling))
        for group in spellings.values()
        for name in group
    }


def is_iob1(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether labels are IOB1: entities begin with I-, with B- only right after another one of their type."""
    begun_by_i = False
    for labels in sentences:
        before = "O"
        for label in labels:
            if label.startswith("B-") and before[1:] != label[1:]:
                return False
            begun_by_i = begun_by_i or (label.startswith("I-") and before[1:] != label[1:])
            before = label
    return begun_by_i
