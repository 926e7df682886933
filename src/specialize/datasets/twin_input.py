"""How new text becomes what the model of a transliterated twin reads: what the model's folder says, and doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TextIO

from specialize.datasets.settings import LARGEST_SHARE_LEFT, SCHEME_FORMS, TRANSLITERATE_LANGUAGES
from specialize.datasets.transliteration import REMEMBERED_WORDS, transliterate_token, transliterator
from specialize.datasets.untransliterated import count_untransliterated
from specialize.errors import InputError, SpecializeError
from specialize.files import read_json

TRANSLITERATION = "transliteration.json"  # of a pretrained or exported model; a finetuned one has it in task.json


def read_transliteration(folder: Path) -> dict[str, Any]:
    """How the text of a model was transliterated; see `datasets.settings.described_transliteration`.

    Args:
        folder: of a finetuned, pretrained or exported model.

    Raises:
        InputError: if it is no model, or the model of no twin.
    """
    inner = folder / "model" if (folder / "model").is_dir() else folder
    known: dict[str, Any] | None = None
    if (inner / TRANSLITERATION).is_file():
        known = read_json(inner / TRANSLITERATION)
    elif (inner / "task.json").is_file():
        known = read_json(inner / "task.json").get("transliteration")
    else:
        remedy = "give a model's folder, of a finetuned one that was kept (keep_models=true), or name a --scheme"
        raise InputError(folder, f"has neither {TRANSLITERATION} nor task.json", remedy=remedy)
    if known is None:
        raise InputError(
            folder, "is the model of no transliterated twin", remedy="give it text as it is written, or name a --scheme"
        )
    return known


def token_converter(scheme: str, language: str | None = None) -> Callable[[str], str]:
    """A function that converts one token, as corpora and labeled data of a twin are; each distinct one once.

    Args:
        scheme, language: see `transliterator`.
    """
    convert = transliterator(scheme, language)
    return lru_cache(maxsize=REMEMBERED_WORDS)(partial(transliterate_token, convert))


def transliterated_lines(
    lines: Iterable[str], convert_token: Callable[[str], str], words: Counter[str] | None = None
) -> Iterator[str]:
    """The lines of a text, token for token, each ended by a newline.

    Args:
        lines: with or without their newline; tokens are parted by single blanks.
        convert_token: see `token_converter`.
        words: counts the tokens as they were, if it is given.
    """
    for line in lines:
        tokens = line.rstrip("\n").split(" ")
        if words is not None:
            words.update(tokens)
        yield " ".join(map(convert_token, tokens)) + "\n"


def transliterate_text(lines: Iterable[str], output: TextIO, scheme: str, language: str | None = None) -> str:
    """Write a text as the corpus of a twin has it, line for line and token for token.

    Args:
        lines: see `transliterated_lines`.
        output: where they go.
        scheme, language: see `transliterator`.

    Returns:
        See `warning_of_letters_left`.

    Raises:
        SpecializeError: if there is no such scheme, or it needs another language, or none.
    """
    if scheme not in SCHEME_FORMS:
        raise SpecializeError(f"there is no scheme {scheme!r}; there are: {', '.join(SCHEME_FORMS)}")
    if scheme == "transliterate" and language not in TRANSLITERATE_LANGUAGES:
        known = ", ".join(TRANSLITERATE_LANGUAGES)
        which = f"no alphabet of {language!r}" if language else "an alphabet for each language"
        raise SpecializeError(f"the scheme transliterate has {which}: give --language, one of {known}")
    if scheme == "uyghur" and language:
        raise SpecializeError(f"the scheme uyghur is for one language: leave --language {language} out")
    convert_token = token_converter(scheme, language)
    words: Counter[str] = Counter()
    output.writelines(transliterated_lines(lines, convert_token, words))
    return warning_of_letters_left(words, convert_token)


def warning_of_letters_left(words: Counter[str], convert_token: Callable[[str], str]) -> str:
    """A line that says which letters a scheme leaves in their script, if they are more than a twin may have."""
    left = count_untransliterated(words, convert_token)
    if left.share <= LARGEST_SHARE_LEFT:
        return ""
    return (
        f"Warning: {left.share:.1%} of {left.letters:,} letters stay in another script than the Latin one, most often "
        f"{' '.join(left.most())}: is this text in the language of the scheme?"
    )
