"""Transliteration into Latin letters, of words and of whole files of labeled data."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from specialize.datasets.named_entities import read_entities, write_entities
from specialize.datasets.settings import LARGEST_SHARE_LEFT, SCHEME_FORMS
from specialize.datasets.treebanks import COLUMNS, FORM
from specialize.datasets.untransliterated import count_untransliterated, require_latin
from specialize.files import atomic_text, read_text
from specialize.sources import read_word_list

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

# What the package `transliterate` 1.10 leaves or turns into something else than a letter in the alphabets that it is
# for. It writes և as &, and without it ու has no capitals; capitals with accents and Ь are missing, and Η and Ω become
# small letters. և is written as its two parts, ե and ւ, are.
PACKAGE_CORRECTIONS = {
    "bg": {"Ь": "Y", "ѝ": "i", "Ѝ": "I"},
    "el": dict(zip("ΆΈΉΊΌΎΏΪΫΗΩ", "AEIIOYOIYIO", strict=True)) | {"Ϊ\u0301": "I", "Ϋ\u0301": "Y"},
    "hy": {"և": "ev", "եւ": "ev", "Եւ": "Ev", "ԵՒ": "EV", "ու": "u", "Ու": "U", "ՈՒ": "U", "ւ": "v", "Ւ": "V"},
    "mk": {"ѐ": "e", "Ѐ": "E", "ѝ": "i", "Ѝ": "I"},
    "mn": {"ы": "y", "Ы": "Y", "щ": "shch", "Щ": "SHCH"},
}
# Capitals that uroman 1.3 makes small.
UROMAN_CORRECTIONS = {"Ә": "E", "Ø": "Oe", "Ⲉ": "E", "Ⲓ": "I", "Ⲱ": "O"}
_SPACE = re.compile(r"\s")
_GEORGIAN = re.compile("[\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f]+")
# uroman's time grows with the square of a word's length, and it fails on numbers of 4,301 digits; longer words, as of
# scripts without spaces, go in pieces.
ROMANIZED_AT_ONCE = 200


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
    convert: Callable[[str], str] = _uyghur
    if scheme != "uyghur":
        convert = _romanizer(language) if scheme == "uroman" else _package_converter(language)
    form = SCHEME_FORMS[scheme]
    return lambda word: convert(unicodedata.normalize(form, word))


def _uyghur(word: str) -> str:
    return _UYGHUR_PATTERN.sub(lambda match: UYGHUR[match[0]], word)


def _romanizer(language: str | None) -> Callable[[str], str]:
    from uroman import Uroman

    romanizer = Uroman()

    def romanized(run: str) -> str:
        run = "".join(UROMAN_CORRECTIONS.get(letter, letter) for letter in run)
        pieces = [run[start : start + ROMANIZED_AT_ONCE] for start in range(0, len(run), ROMANIZED_AT_ONCE)]
        # It writes some full stops with a space after them, which would part a word.
        return "".join("".join(str(romanizer.romanize_string(piece, lcode=language)).split()) for piece in pieces)

    return lambda word: re.sub(r"\S+", lambda match: romanized(match[0]), word)


def _package_converter(language: str | None) -> Callable[[str], str]:
    from transliterate import translit

    corrections = PACKAGE_CORRECTIONS.get(language or "", {})
    longest_first = sorted(corrections, key=len, reverse=True)
    corrected = re.compile("|".join(longest_first) or "(?!)")

    def convert(word: str) -> str:
        word = corrected.sub(lambda match: corrections[match[0]], word)
        return str(translit(word, language, reversed=True))

    def convert_georgian(match: re.Match[str]) -> str:
        converted = convert(match[0])
        return converted.upper() if match[0].isupper() else converted

    # The package makes all of a word small for Georgian, names in Latin letters too.
    return convert if language != "ka" else lambda word: _GEORGIAN.sub(convert_georgian, word)


def transliterate_token(convert: Callable[[str], str], token: str) -> str:
    """Convert one token; one that would vanish, or have other white space, stays as it is, so that none is lost."""
    converted = convert(token)
    return converted if converted and _SPACE.findall(converted) == _SPACE.findall(token) else token


def transliterate_treebank(source: Path, destination: Path, convert: Callable[[str], str]) -> Counter[str]:
    """Convert the FORM column and `# text` of a CoNLL-U file; every other byte stays.

    Returns:
        The forms, as they were, with their counts.
    """
    lines = read_text(source).split("\n")
    with atomic_text(destination) as stream:
        stream.write("\n".join(_transliterate_line(convert, line) for line in lines))
    return Counter(line.split("\t")[FORM] for line in lines if _is_row(line))


def _is_row(line: str) -> bool:
    return not line.startswith("#") and line.count("\t") == COLUMNS - 1


def _transliterate_line(convert: Callable[[str], str], line: str) -> str:
    if line.startswith("# text = "):
        return "# text = " + convert(line.removeprefix("# text = "))
    if not _is_row(line):
        return line
    columns = line.split("\t")
    columns[FORM] = transliterate_token(convert, columns[FORM])
    return "\t".join(columns)


def transliterate_entities(source: Path, destination: Path, convert: Callable[[str], str]) -> Counter[str]:
    """Convert the tokens of a named-entity file; labels stay.

    Returns:
        The tokens, as they were, with their counts.
    """
    sentences = read_entities(source)
    convert_token = partial(transliterate_token, convert)
    write_entities(
        destination,
        (replace(sentence, tokens=tuple(map(convert_token, sentence.tokens))) for sentence in sentences),
    )
    return Counter(token for sentence in sentences for token in sentence.tokens)


def transliterate_word_list(source: Path, destination: Path, scheme: str, language: str | None = None) -> None:
    """Write the twin of a bilingual word list: its words converted, each part of one by itself; translations stay.

    Args:
        source: see `sources.read_word_list`.
        destination: where the twin appears.
        scheme, language: see `transliterator`.
    """
    convert = partial(transliterate_token, transliterator(scheme, language))
    with atomic_text(destination) as stream:
        for word, translations in read_word_list(source).items():
            converted = " ".join(map(convert, word.split(" ")))
            stream.writelines(f"{converted}\t{translation}\n" for translation in translations)


def transliterate_parts(
    write_twin: Callable[[Path, Path, Callable[[str], str]], Counter[str]],
    paths: Iterable[tuple[Path, Path]],
    scheme: str,
    language: str | None = None,
    largest_share_left: float = LARGEST_SHARE_LEFT,
) -> None:
    """Write the twins of a data set's files.

    Args:
        write_twin: `transliterate_treebank` or `transliterate_entities`.
        paths: each file, and where its twin appears.
        scheme, language: see `transliterator`.
        largest_share_left: of the twins' letters that may be of another script than the Latin one.

    Raises:
        InputError: if more are.
    """
    convert = transliterator(scheme, language)
    paths = list(paths)
    words: Counter[str] = Counter()
    for source, destination in paths:
        words += write_twin(source, destination, convert)
    left = count_untransliterated(words, partial(transliterate_token, convert))
    require_latin(paths[0][0].parent, left, scheme, largest_share_left)
