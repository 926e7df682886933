"""The named entities that there are for a language: MasakhaNER 2, Universal NER, and WikiAnn's silver."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from specialize.datasets import unpack_wikiann
from specialize.errors import SpecializeError
from specialize.new_language.labeled import Part, count_entities, count_tokens
from specialize.new_language.places import Places
from specialize.new_language.registry import TaggedLanguage
from specialize.new_language.treebanks import FOLDS, is_code_of, names_and_codes
from specialize.sources import PARTS, published, wikiann_archive

UNIVERSAL_NER = "orgs/UniversalNER/repos"
REPOSITORIES = 100  # on a page
UNIVERSAL_NAME = re.compile(r"UNER_([A-Za-z_]+)-([A-Za-z0-9]+)")
UNIVERSAL_PART = re.compile(r"([a-z]+)_[a-z0-9]+-ud-(train|dev|test)\.iob2")
ENDING_BYTES = 1 << 16  # of WikiAnn's collection, where it lists what it has


@dataclass(frozen=True)
class Entities:
    """Named entities.

    Attributes:
        kind: the key of the configuration.
        value: its value.
        files: the places of its parts.
        parts: what they hold, once they were read.
        prefix: of Universal NER, how the names of its files begin.
    """

    kind: Literal["masakhaner", "universal", "wikiann"]
    value: str
    files: dict[str, str]
    parts: dict[str, Part] = field(default_factory=dict)
    prefix: str = ""

    @property
    def is_gold(self) -> bool:
        """Whether people have annotated it."""
        return self.kind != "wikiann"

    @property
    def folds(self) -> int:
        """For cross-validation, where a part is missing; 0 for the parts as they are."""
        return FOLDS if self.is_gold and set(self.files) != set(PARTS) else 0

    @property
    def title(self) -> str:
        """Its name for people."""
        return {"masakhaner": "MasakhaNER", "universal": "Universal NER", "wikiann": "WikiAnn"}[self.kind]

    @property
    def letters(self) -> Counter[str]:
        """Of all parts."""
        return sum((part.letters for part in self.parts.values()), Counter())


def find_entities(language: TaggedLanguage, places: Places) -> list[Entities]:
    """A language's named entities, gold before silver; unread."""
    return [*_masakhaner(language, places), *_universal(language, places), *_wikiann(language, places)]


def read(entities: Entities, places: Places) -> Entities:
    """The named entities with what their parts hold; without parts where only all languages can be had together."""
    parts = {}
    for part, place in entities.files.items():
        content = places.get(place, "its named entities")
        if content is None:
            return entities
        if entities.kind == "wikiann":
            return replace(entities, parts=_unpacked(content, entities.value))
        parts[part] = count_tokens(content)
    return replace(entities, parts=parts)


def _masakhaner(language: TaggedLanguage, places: Places) -> Iterator[Entities]:
    for code in language.three_letters:
        files = {part: f"{published.GITHUB_FILES}/{published.MASAKHANER}/{code}/{part}.txt" for part in PARTS}
        if places.mirror:
            offered = places.offered(f"masakhaner/{code}", "MasakhaNER")
            files = {part: places.place(f"masakhaner/{code}/{part}.txt") for part in PARTS if f"{part}.txt" in offered}
        else:
            files = {part: url for part, url in files.items() if places.size(url, "MasakhaNER") is not None}
        if files:
            yield Entities("masakhaner", code, files)
            return


def _universal(language: TaggedLanguage, places: Places) -> list[Entities]:
    found = _universal_in_mirror(language, places) if places.mirror else _universal_published(language, places)
    return sorted(found, key=lambda one: (-len(one.files), one.value))


def _universal_in_mirror(language: TaggedLanguage, places: Places) -> Iterator[Entities]:
    for name in filter(UNIVERSAL_NAME.fullmatch, places.names("universal-ner", "Universal NER") or []):
        folder = f"universal-ner/{name}"
        named = [UNIVERSAL_PART.fullmatch(file) for file in places.offered(folder, "Universal NER")]
        files = {match[2]: places.place(f"{folder}/{match[0]}") for match in named if match}
        if any(match and is_code_of(language, match[1]) for match in named):
            prefix = next(match[0] for match in named if match).partition("-ud-")[0]
            there = {part: files[part] for part in PARTS if part in files}
            yield Entities("universal", name, there, prefix=prefix)


def _universal_published(language: TaggedLanguage, places: Places) -> Iterator[Entities]:
    names = _universal_names(places)
    if not names:
        return
    codes = {name: str(entry["lcode"]) for name, entry in names_and_codes(language, places).items()}
    codes = codes or {language.name: language.codes[0]}
    for match in filter(None, map(UNIVERSAL_NAME.fullmatch, names)):
        if (code := codes.get(match[1].replace("_", " "))) is None:
            continue
        prefix = f"{code}_{match[2].lower()}"
        start = f"{published.GITHUB_FILES}/UniversalNER/{match[0]}/HEAD/{prefix}"
        files = {part: f"{start}-ud-{part}.iob2" for part in PARTS}
        if files := {part: url for part, url in files.items() if places.size(url, "Universal NER") is not None}:
            yield Entities("universal", match[0], files, prefix=prefix)


def _universal_names(places: Places) -> list[str]:
    names: list[str] = []
    page = 1
    while len(names) == (page - 1) * REPOSITORIES:
        listing = f"{published.GITHUB_API}/{UNIVERSAL_NER}?per_page={REPOSITORIES}&page={page}"
        content = places.get(listing, "Universal NER")
        if content is None:
            break
        try:
            names += [repository["name"] for repository in json.loads(content)]
        except (ValueError, TypeError, KeyError):
            places.note_useless(
                f"{published.GITHUB_API}/{UNIVERSAL_NER}", "Universal NER", "it is not the list that it was"
            )
            break
        page += 1
    return sorted(names)


def _wikiann(language: TaggedLanguage, places: Places) -> Iterator[Entities]:
    there = _wikiann_in_mirror(places) if places.mirror else _wikiann_published(places)
    for code in language.wikipedias:
        if code in there:
            place = places.place(wikiann_archive(code).mirror_path) if places.mirror else ""
            yield Entities("wikiann", code, {"all": place} if place else {})
            return


def _wikiann_in_mirror(places: Places) -> set[str]:
    names = places.offered("wikiann", "WikiAnn")
    return {name.removesuffix(".tar.gz") for name in names if name.endswith(".tar.gz")}


def _wikiann_published(places: Places) -> set[str]:
    """The languages of the collection, as its end lists them; the whole has 234 million bytes."""
    ending = places.tail(published.WIKIANN, "WikiAnn", ENDING_BYTES)
    if ending is None:
        return set()
    try:
        with zipfile.ZipFile(io.BytesIO(ending)) as collection:  # which looks for its list from the end
            names = collection.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        places.note_useless(published.WIKIANN, "WikiAnn", "it is not the collection that it was")
        return set()
    return {Path(name).name.removesuffix(".tar.gz") for name in names if name.endswith(".tar.gz")}


def _unpacked(content: bytes, code: str) -> dict[str, Part]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "wikiann.tar.gz")
        archive.write_bytes(content)
        try:
            parts = unpack_wikiann(archive, code)
        except SpecializeError:  # for its own job to report
            return {}
    return {part: count_entities(sentences) for part, sentences in parts.items()}
