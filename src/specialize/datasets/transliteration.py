"""Transliteration into Latin letters, of words and of whole files of labeled data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from specialize.datasets.named_entities import EntitySentence, read_entities, write_entities
from specialize.datasets.treebanks import COLUMNS, FORM
from specialize.files import atomic_text, read_text

# Uyghur to the Turkish-like Latin of Muller et al. (2021), facts 9 and 10.
UYGHUR = dict(
    zip(
        "ئا ئە ئو ئۇ ئۆ ئۈ ئې ئى ا ە ب پ ت ج چ خ د ر ز ژ س ش غ ف ق ك گ ڭ ل م ن ھ ح و ۇ ۆ ۈ ۋ ي ې ى ع "
        "، ؛ ؟ ۰ ۱ ۲ ۳ ۴ ۵ ۶ ۷ ۸ ۹".split(),
        "a e o u ö ü ë i a e b p t c ç x d r z j s ş ğ f q k g ng l m n h h o u ö ü v y ë i kh "
        ", ; ? 0 1 2 3 4 5 6 7 8 9".split(),
        strict=True,
    )
) | {"ء": ""}
# Two letters that stand for one sound come before the first of them.
_UYGHUR_PATTERN = re.compile("|".join(sorted(UYGHUR, key=len, reverse=True)))
REMEMBERED_WORDS = 1 << 19  # so many distinct words are converted only once
ROMANIZED_AT_ONCE = 1000  # letters; uroman's time grows faster than a word, and it fails on numbers of 4,301 digits


def transliterator(scheme: str, language: str | None = None) -> Callable[[str], str]:
    """A function that turns text into Latin letters, word by word; each distinct word is converted once.

    Args:
        scheme: `uyghur` (NFKC, then the table), `transliterate` (the package of that name, reversed; fact 8) or
            `uroman` (any script).
        language: for `transliterate`, its language code, such as `ru`; for `uroman`, if wanted, one of ISO 639-3.
    """
    convert_word = lru_cache(maxsize=REMEMBERED_WORDS)(_word_converter(scheme, language))
    return lambda text: " ".join(map(convert_word, text.split(" ")))


def _word_converter(scheme: str, language: str | None) -> Callable[[str], str]:
    if scheme == "uyghur":
        return lambda word: _UYGHUR_PATTERN.sub(lambda match: UYGHUR[match[0]], unicodedata.normalize("NFKC", word))
    if scheme == "uroman":
        from uroman import Uroman

        romanizer = Uroman()
        return lambda word: "".join(
            str(romanizer.romanize_string(word[first : first + ROMANIZED_AT_ONCE], lcode=language))
            for first in range(0, len(word), ROMANIZED_AT_ONCE)
        )
    from transliterate import translit

    return lambda word: str(translit(word, language, reversed=True))


def transliterate_token(convert: Callable[[str], str], token: str) -> str:
    """Convert one token; one that would vanish or gain a space stays as it is, so that no token is lost."""
    converted = convert(token)
    return converted if converted and not re.search(r"\s", converted) else token


def transliterate_treebank(source: Path, destination: Path, convert: Callable[[str], str]) -> None:
    """Convert the FORM column and `# text` of a CoNLL-U file; every other byte stays."""
    with atomic_text(destination) as stream:
        lines = read_text(source).split("\n")
        stream.write("\n".join(_transliterate_line(convert, line) for line in lines))


def _transliterate_line(convert: Callable[[str], str], line: str) -> str:
    if line.startswith("# text = "):
        return "# text = " + convert(line.removeprefix("# text = "))
    if line.startswith("#") or line.count("\t") != COLUMNS - 1:
        return line
    columns = line.split("\t")
    columns[FORM] = transliterate_token(convert, columns[FORM])
    return "\t".join(columns)


def transliterate_entities(source: Path, destination: Path, convert: Callable[[str], str]) -> None:
    """Convert the tokens of a named-entity file; labels stay."""
    sentences = []
    for sentence in read_entities(source):
        tokens = tuple(transliterate_token(convert, token) for token in sentence.tokens)
        sentences.append(EntitySentence(tokens, sentence.labels))
    write_entities(destination, sentences)
