"""One spelling of a word: its normal form, without the marks that nobody sees, by steps of the tokenizer itself.

The steps stand in tokenizer.json, so that whoever loads a folder cuts words as we do. Files, predictions and exports
keep the words as they were written.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from tokenizers import Regex, normalizers
from tokenizers.normalizers import Normalizer

from specialize.unicode import ZERO_WIDTH_SPACE, invisible_marks, without_invisible

Form: TypeAlias = Literal["NFC", "NFKC", "none"]

NO_FORM: Form = "none"
FORMS = {"NFC": normalizers.NFC, "NFKC": normalizers.NFKC}
FORM_STEPS = ("NFC", "NFD", "NFKC", "NFKD", "Precompiled")  # the last is SentencePiece's, an NFKC
# At the edge of a word there is nothing to part. However long a run of marks is, it is read once.
AT_AN_EDGE = f"^{ZERO_WIDTH_SPACE}+|(?<=\\s){ZERO_WIDTH_SPACE}+|(?<!{ZERO_WIDTH_SPACE}){ZERO_WIDTH_SPACE}+(?=\\s|$)"
# As `unicode.without_invisible`: a zero-width space parts words, other invisible marks are gone.
INVISIBLE = (
    normalizers.Replace(Regex(f"(?!{ZERO_WIDTH_SPACE})\\p{{Default_Ignorable_Code_Point}}"), ""),
    normalizers.Replace(Regex(AT_AN_EDGE), ""),
    normalizers.Replace(Regex(f"{ZERO_WIDTH_SPACE}+"), " "),
)


def with_normal_form(normalizer: Normalizer | None, form: Form) -> Normalizer | None:
    """A normalizer that makes one of all spellings of a word.

    Args:
        normalizer: a tokenizer's own; one that fixes a form already, as XLM-R's NFKC, gets no other.
        form: `NFC`, `NFKC`, or `none`: nothing changes.
    """
    if form == NO_FORM or has_normal_form(normalizer):
        return normalizer
    own = steps_of(normalizer)
    added = [] if any(map(_fixes_form, own)) else [FORMS[form]()]
    return normalizers.Sequence([*INVISIBLE, *added, *own])


def has_normal_form(normalizer: Normalizer | None) -> bool:
    """Whether it is one that `with_normal_form` makes."""
    first = steps_of(normalizer)[: len(INVISIBLE)]
    return list(map(_definition, first)) == list(map(_definition, INVISIBLE))


def steps_of(normalizer: Normalizer | None) -> list[Normalizer]:
    """The steps of a normalizer; a sequence's own sequences are taken apart by the library."""
    if normalizer is None:
        return []
    steps: Iterable[Normalizer] = normalizers.Sequence([normalizer])  # type: ignore[assignment]
    return list(steps)


def _definition(step: Normalizer) -> dict[str, Any]:
    """As tokenizer.json has it."""
    definition: dict[str, Any] = json.loads(step.__getstate__())
    return definition


def _fixes_form(step: Normalizer) -> bool:
    """Whether the spellings of a letter are one after a step. A BERT without accents has them decomposed first."""
    definition = _definition(step)
    if definition["type"] == "BertNormalizer":
        accents = definition["strip_accents"]
        return bool(definition["lowercase"] if accents is None else accents)
    return definition["type"] in FORM_STEPS


def spellings(words: Counter[str], normalizer: Normalizer | None, parted: bool = True) -> Counter[str]:
    """Words as a normalizer's steps spell them that make one of their spellings; all as they are if it has none.

    Args:
        words: with their counts, which are added up for those that become alike.
        normalizer: of a tokenizer.
        parted: of a word that falls into several count each, and leave one out that is invisible; else it stays one.
    """
    steps = steps_of(normalizer)
    fixing = [place for place, step in enumerate(steps) if _fixes_form(step)]
    if not fixing:
        return words
    spelling = normalizers.Sequence(steps[: fixing[0] + 1])
    spelled: Counter[str] = Counter()
    for word, count in words.items():
        parts = spelling.normalize_str(word).split()
        for part in parts if parted else [" ".join(parts)]:
            spelled[part] += count
    return spelled


def spelled(word: str, form: Form) -> str:
    """A word by itself in a normal form, without invisible marks; as it is for `none`. For what has no tokenizer."""
    if form == "none":
        return word
    return unicodedata.normalize(form, " ".join(without_invisible(word).split()))


def spelling_statistics(words: Counter[str], form: Form) -> dict[str, Any]:
    """How many words are in another normal form, and how many have which invisible marks.

    Args:
        words: with their counts.
        form: that they are compared with; NFC for `none`.

    Returns:
        `words`, `other_form`, and `invisible` by the marks' names, the most frequent first.
    """
    compared: Literal["NFC", "NFKC"] = "NFC" if form == "none" else form
    other = 0
    marks: Counter[str] = Counter()
    for word, count in words.items():
        if word.isascii():
            continue
        other += 0 if unicodedata.is_normalized(compared, word) else count
        for mark in set(invisible_marks(word)):
            marks[unicodedata.name(mark, f"U+{ord(mark):04X}")] += count
    ranked = sorted(marks, key=lambda name: (-marks[name], name))
    return {"words": words.total(), "other_form": other, "invisible": {name: marks[name] for name in ranked}}
