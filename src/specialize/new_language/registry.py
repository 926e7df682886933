"""What the registry of language subtags says of a tag, and which tags are refused with what to write instead."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import langcodes
from langcodes.registry_parser import parse_registry

from specialize.errors import SpecializeError
from specialize.experiment.experiment import PAPER
from specialize.experiment.settings import TAG
from specialize.experiment.yaml_files import load

PRIVATE = re.compile("q[a-t][a-z]")  # qaa to qtz
# Codes of Wikipedias that are not the language's tag. Those that are the tag of another language stand here, too, so
# that als (Alemannic there) is not taken for Tosk Albanian, or nrm (Norman) for Narom.
WIKIPEDIAS = {
    "be-tarask": "be-x-old",
    "bho": "bh",
    "cbk": "cbk-zam",
    "egl": "eml",
    "gsw": "als",
    "lzh": "zh-classical",
    "nan": "zh-min-nan",
    "nb": "no",
    "nrf": "nrm",
    "rup": "roa-rup",
    "sgs": "bat-smg",
    "vro": "fiu-vro",
    "yue": "zh-yue",
}
# Scripts of the registry that Unicode has under another name.
UNICODE_SCRIPTS = {"Hans": "Han", "Hant": "Han", "Kore": "Hangul", "Aran": "Arabic"}
MOST_NEAREST = 5


@dataclass(frozen=True)
class TaggedLanguage:
    """A language by its tag.

    Attributes:
        tag: in BCP 47.
        name: in English.
        script: the name of the one that the registry has for it, such as Cyrillic; empty if it has none.
        codes: the tags that data sets may have for it: its own, then the one of the macrolanguage that it usually
            stands for, such as `kv` for Komi-Zyrian.
        wikipedias: the codes that its Wikipedia and WikiAnn may have.
        three_letters: its codes in ISO 639-3, in that order.
        private: it has a tag for private use, so that nobody else has data under it.
    """

    tag: str
    name: str
    script: str
    codes: tuple[str, ...]
    wikipedias: tuple[str, ...]
    three_letters: tuple[str, ...]
    private: bool = False


def tagged(tag: str, name: str = "") -> TaggedLanguage:
    """What the registry knows of a tag.

    Args:
        tag: as somebody has written it.
        name: in place of the registry's; a tag for private use needs it.

    Raises:
        SpecializeError: if it is no tag, or not the one to use, with those that could be meant.
    """
    if not re.fullmatch(TAG, tag):
        hyphens = re.sub(r"[_ .]+", "-", tag.strip())
        meant = _without_region(hyphens) if re.fullmatch(TAG, hyphens) and _is_known(hyphens) else ""
        raise SpecializeError(f"{tag!r} is not a BCP-47 tag{_meant(tag, meant)}")
    original = tag.removesuffix("-Latn")
    if original != tag and "transliteration" in paper_languages().get(original, {}):
        raise SpecializeError(f"{tag} is the twin that transliteration makes of {original}; write {original}")
    language = langcodes.Language.get(tag, normalize=False) if _parses(tag) else None
    subtag = (language.language if language else None) or ""
    if PRIVATE.fullmatch(subtag):
        if not name:
            raise SpecializeError(f"{tag} is for private use, and has no name in the registry; give it one by --name")
        return TaggedLanguage(tag, name, _script(tag), (), (), (), private=True)
    if language is None or not _is_known(tag):
        raise SpecializeError(f"the registry of languages has no tag {tag}{_meant(tag, _standard(tag))}")
    _require_one_language(tag, subtag)
    if (written := language.to_tag()) != tag:
        raise SpecializeError(f"the tag {tag} is written {written}; write it so")
    base = langcodes.standardize_tag(subtag, macro=True)
    codes = tuple(dict.fromkeys((subtag, base, *(["no"] if subtag == "nb" else []))))
    own = WIKIPEDIAS.get(tag) or WIKIPEDIAS.get(subtag)
    taken = set(WIKIPEDIAS.values()) & _subtags().keys() - {"no"}  # those of another language
    wikipedias = (own,) if own else tuple(code for code in codes if code not in taken)
    alpha3 = tuple(dict.fromkeys(langcodes.Language.get(code, normalize=False).to_alpha3() for code in codes))
    return TaggedLanguage(tag, name or language.display_name(), _script(tag), codes, wikipedias, alpha3)


@cache
def paper_languages() -> dict[str, dict[str, Any]]:
    """The languages of the paper's configuration, which lies beneath every other; not to be changed."""
    return load(PAPER)["languages"] if PAPER.is_file() else {}


def paper_base_model() -> str:
    """The base model of the paper's configuration, which a file has that names no other."""
    return str(load(PAPER)["base_model"]) if PAPER.is_file() else ""


def _require_one_language(tag: str, subtag: str) -> None:
    entry = _subtags()[subtag]
    if "Deprecated" in entry:
        instead = entry.get("Preferred-Value", "")
        raise SpecializeError(f"the registry has retired the tag {tag}{_meant(tag, instead)}")
    scope = entry.get("Scope", "")
    if scope == "macrolanguage":
        raise SpecializeError(
            f"{tag} ({entry['Description'][0]}) stands for several languages; give that of your text: "
            f"{', '.join(_members(subtag))}"
        )
    if scope or subtag in ("mis", "mul", "und", "zxx"):
        raise SpecializeError(f"{tag} ({entry['Description'][0]}) is not one language; give the tag of one")


def _members(macrolanguage: str) -> list[str]:
    """The languages that a macrolanguage encompasses, the one that its tag usually means first."""
    tags = [subtag for subtag, entry in _subtags().items() if entry.get("Macrolanguage") == macrolanguage]
    tags = [subtag for subtag in tags if "Deprecated" not in _subtags()[subtag]]
    tags.sort(key=lambda subtag: (langcodes.standardize_tag(subtag, macro=True) != macrolanguage, subtag))
    return [f"{subtag} ({_subtags()[subtag]['Description'][0]})" for subtag in tags]


def _meant(tag: str, instead: str) -> str:
    """The end of a message about a tag that cannot be used: what to write in its place."""
    if instead:
        return f"; write {instead}"
    words = re.sub(r"[^A-Za-z]+", " ", tag).strip()
    if words:
        try:
            named = langcodes.find(words).language
        except LookupError:
            named = None
        if named:
            return f"; {words} has the tag {named}"
    near = difflib.get_close_matches(tag.lower(), sorted(_subtags()), n=MOST_NEAREST, cutoff=0.5)
    return (
        f"; nearest: {', '.join(near)}"
        if near
        else "; look it up: https://www.iana.org/assignments/language-subtags-tags"
    )


def _standard(tag: str) -> str:
    """The tag that is known in place of one that is not, such as `en` for `eng`; empty if there is none."""
    if not _parses(tag):
        return ""
    standard = langcodes.standardize_tag(tag)
    return standard if standard != tag and _is_known(standard) else ""


def _without_region(tag: str) -> str:
    language = langcodes.Language.get(tag)
    return langcodes.Language.make(language.language, script=language.script).to_tag()


def _is_known(tag: str) -> bool:
    if not _parses(tag):
        return False
    language = langcodes.Language.get(tag, normalize=False)
    return language.language in _subtags() and language.is_valid()


def _parses(tag: str) -> bool:
    try:
        langcodes.Language.get(tag, normalize=False)
    except ValueError:  # of langcodes, LanguageTagError
        return False
    return True


def _script(tag: str) -> str:
    from fontTools.unicodedata import script_name

    code = langcodes.Language.get(tag, normalize=False).maximize().script
    if not code or PRIVATE.match(tag):
        return ""
    return UNICODE_SCRIPTS.get(code) or str(script_name(code, default=""))


@cache
def _subtags() -> dict[str, dict[str, str]]:
    """The languages of IANA's registry, as langcodes has it, by subtag."""
    entries = parse_registry()  # type: ignore[no-untyped-call]
    return {entry["Subtag"]: entry for entry in entries if entry["Type"] == "language" and "Subtag" in entry}
