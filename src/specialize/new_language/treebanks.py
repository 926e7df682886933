"""The treebanks that there are for a language: of Universal Dependencies, and MasakhaPOS."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import langcodes
import yaml

from specialize.datasets import FORM, HEAD, UPOS, XPOS
from specialize.new_language.labeled import Part, count_tokens, count_treebank
from specialize.new_language.places import Places
from specialize.new_language.registry import TaggedLanguage
from specialize.sources import PARTS, published

# Two indexes that Universal Dependencies keeps, asked once each: its names of languages with their codes, and the
# treebanks of every release.
UD_INDEX = "UniversalDependencies/docs-automation/master"
MIRROR_TREEBANKS = "universal-dependencies"
PART_NAME = re.compile(r"([a-z]+)_[a-z0-9]+-ud-(train|dev|test)\.conllu")
PIECE_NAME = re.compile(r"([a-z]+)_[a-z0-9]+-ud-(train|dev|test)-[A-Za-z0-9-]+\.conllu")
TREEBANK_NAME = re.compile(r"UD_[A-Za-z_]+-[A-Za-z0-9]+")
RELEASE = re.compile(r"r[0-9.]+")
UNRELEASED = "master"
SMALL = 20_000  # words; below that the guidelines of Universal Dependencies recommend ten-fold cross-validation
FOLDS = 10
FEWEST = 3 * FOLDS  # sentences, below which folds say nothing


@dataclass(frozen=True)
class Treebank:
    """A treebank.

    Attributes:
        name, release, prefix: of Universal Dependencies; of MasakhaPOS the name is its code, and the others are empty.
        sizes: bytes of its parts, as far as they are there.
        parts: what they hold, once they were read.
        license: the first line of its licence.
        in_pieces: some part has several files.
    """

    name: str
    release: str
    prefix: str
    sizes: dict[str, int]
    parts: dict[str, Part] = field(default_factory=dict)
    license: str = ""
    in_pieces: bool = False

    @property
    def is_masakhapos(self) -> bool:
        """Whether it is of MasakhaPOS: words and tags, without trees."""
        return not self.prefix

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"MasakhaPOS {self.name}" if self.is_masakhapos else self.name

    @property
    def sentences(self) -> int:
        """Of all parts."""
        return sum(part.sentences for part in self.parts.values())

    @property
    def words(self) -> int:
        """Of all parts."""
        return sum(part.words for part in self.parts.values())

    @property
    def letters(self) -> Counter[str]:
        """Of all parts."""
        return sum((part.letters for part in self.parts.values()), Counter())

    @property
    def tags(self) -> str:
        """The tags that can be learned from every part: `xpos` as in the paper, else `upos`, else none."""
        columns = {"xpos": XPOS, "upos": UPOS}
        return next((tags for tags, column in columns.items() if self._all_have(column)), "")

    @property
    def has_trees(self) -> bool:
        """Whether a parser can be learned from every part."""
        return self._all_have(HEAD)

    @property
    def folds(self) -> int:
        """For cross-validation, where a part is missing or the treebank is small; 0 for the parts as they are."""
        small = not self.is_masakhapos and self.words < SMALL
        return FOLDS if small or set(self.parts) != set(PARTS) else 0

    @property
    def problem(self) -> str:
        """Why it is not taken; empty if it can be."""
        if self.in_pieces:
            return "a part of it has several files"
        if not self.parts:
            return "it could not be read"
        if not all(part.words for part in self.parts.values()):
            return "a part of it has no words"
        if not self._all_have(FORM):
            return "its text is withheld, and must be merged in"
        if not (self.tags or self.has_trees):
            return "it has neither tags nor trees throughout"
        if self.folds and self.sentences < FEWEST:
            return f"its {self.sentences} sentences are too few for {FOLDS} folds"
        return ""

    def _all_have(self, column: int) -> bool:
        return bool(self.parts) and all(part.has(column) for part in self.parts.values())


def find_treebanks(language: TaggedLanguage, places: Places) -> tuple[list[Treebank], str]:
    """A language's treebanks, the largest first, MasakhaPOS last; unread.

    Returns:
        They, and the language's family as Universal Dependencies has it.
    """
    found, family = _in_mirror(language, places) if places.mirror else _published(language, places)
    found.sort(key=lambda one: (-sum(one.sizes.values()), one.name))
    return found + _masakhapos(language, places), family


def read(treebank: Treebank, places: Places) -> Treebank:
    """The treebank with what its parts hold; without parts if they cannot be had."""
    count: Callable[[bytes], Part] = count_tokens if treebank.is_masakhapos else count_treebank
    parts = {}
    for part in treebank.sizes:
        content = places.get(_part(treebank, part, places), "its treebanks")
        if content is None:
            return treebank
        parts[part] = count(content)
    license = "" if treebank.is_masakhapos else _license(treebank, places)
    return replace(treebank, parts=parts, license=license)


def _in_mirror(language: TaggedLanguage, places: Places) -> tuple[list[Treebank], str]:
    found = []
    for name in filter(TREEBANK_NAME.fullmatch, places.names(MIRROR_TREEBANKS, "its treebanks") or []):
        for release in sorted(places.names(f"{MIRROR_TREEBANKS}/{name}", "its treebanks") or [], key=_newest_first):
            if not (RELEASE.fullmatch(release) or release == UNRELEASED):
                continue
            folder = f"{MIRROR_TREEBANKS}/{name}/{release}"
            names = places.offered(folder, "its treebanks")
            whole = [match for match in map(PART_NAME.fullmatch, names) if match]
            pieces = [match for match in map(PIECE_NAME.fullmatch, names) if match]
            first = next(iter([*whole, *pieces]), None)
            if first is None:
                continue
            if not is_code_of(language, first[1]):
                break
            prefix = first[0].partition("-ud-")[0]
            there = {match[2] for match in whole}
            sizes = {
                part: places.size(places.place(f"{folder}/{prefix}-ud-{part}.conllu"), "its treebanks") or 0
                for part in PARTS
                if part in there
            }
            found.append(Treebank(name, release, prefix, sizes, in_pieces=bool(pieces)))
            break
    return found, ""


def _published(language: TaggedLanguage, places: Places) -> tuple[list[Treebank], str]:
    """Of the newest release; where its tag lacks the files, as they stand since then."""
    named = names_and_codes(language, places)
    releases = _index("valdan/releases.json", places).get("releases")
    if not named or not isinstance(releases, dict):
        return [], ""
    newest = max(releases, key=_numbers)
    found = []
    for name in sorted(releases[newest].get("treebanks", [])):
        spoken, _, treebank = name.removeprefix("UD_").rpartition("-")
        entry = named.get(spoken.replace("_", " "))
        if entry is None or not TREEBANK_NAME.fullmatch(name):
            continue
        unsized = Treebank(name, f"r{newest}", f"{entry['lcode']}_{treebank.lower()}", dict.fromkeys(PARTS, 0))
        for one in (unsized, replace(unsized, release=UNRELEASED)):
            asked = {part: places.size(_part(one, part, places), "its treebanks") for part in PARTS}
            sizes = {part: size for part, size in asked.items() if size is not None}
            in_pieces = "train" not in sizes and _is_in_pieces(one, places)
            if sizes or in_pieces:
                found.append(replace(one, sizes=sizes, in_pieces=in_pieces))
                break
    family = next((str(entry.get("family", "")) for entry in named.values()), "")
    return found, family


def _is_in_pieces(treebank: Treebank, places: Places) -> bool:
    """Whether a part that has no file of its name has several; GitHub allows sixty such questions an hour."""
    repository = f"{published.GITHUB_API}/repos/UniversalDependencies/{treebank.name}"
    content = places.get(f"{repository}/contents?ref={treebank.release}", "whether a treebank has parts in pieces")
    try:
        return any(PIECE_NAME.fullmatch(file["name"]) for file in json.loads(content or b"[]"))
    except (ValueError, TypeError, KeyError):
        return False


def names_and_codes(language: TaggedLanguage, places: Places) -> dict[str, dict[str, Any]]:
    """The language as Universal Dependencies knows it: for each name `lcode`, how its files begin, and `family`."""
    return {
        name: entry
        for name, entry in _index("codes_and_flags.yaml", places).items()
        if isinstance(entry, dict)
        and (entry.get("iso3") in language.three_letters[:1] or is_code_of(language, str(entry.get("lcode"))))
    }


def _index(path: str, places: Places) -> dict[str, Any]:
    """An index of Universal Dependencies; empty if it cannot be had."""
    content = places.get(f"{published.GITHUB_FILES}/{UD_INDEX}/{path}", "its treebanks")
    if content is None:
        return {}
    try:
        known = json.loads(content) if path.endswith(".json") else yaml.safe_load(content)
    except (ValueError, yaml.YAMLError):
        known = None
    if not isinstance(known, dict):
        index = f"{published.GITHUB_FILES}/{UD_INDEX}/{path}"
        places.note_useless(index, "its treebanks", "it is not the index that it was")
        return {}
    return known


def _masakhapos(language: TaggedLanguage, places: Places) -> list[Treebank]:
    for code in language.three_letters:
        if places.mirror:
            offered = places.offered(f"masakhapos/{code}", "MasakhaPOS")
            there = [part for part in PARTS if f"{part}.txt" in offered]
        else:
            one = Treebank(code, "", "", {})
            there = [part for part in PARTS if places.size(_part(one, part, places), "MasakhaPOS") is not None]
        if there:
            return [Treebank(code, "", "", dict.fromkeys(there, 0))]
    return []


def _part(treebank: Treebank, part: str, places: Places) -> str:
    if treebank.is_masakhapos:
        source = published.masakhapos_files(treebank.name, {})[part]
        return places.place(source.mirror_path) if places.mirror else source.urls[0]
    path = f"{treebank.name}/{treebank.release}/{treebank.prefix}-ud-{part}.conllu"
    if places.mirror:
        return places.place(f"{MIRROR_TREEBANKS}/{path}")
    return f"{published.GITHUB_FILES}/UniversalDependencies/{path}"


def _license(treebank: Treebank, places: Places) -> str:
    place = f"{_part(treebank, 'test', places).rpartition('/')[0]}/LICENSE.txt"
    content = places.get(place, "its treebanks", most=2000) or b""
    lines = content.decode("utf-8", errors="replace").splitlines()
    return next((" ".join(line.split()) for line in lines if line.strip()), "")


def is_code_of(language: TaggedLanguage, code: str) -> bool:
    """Whether Universal Dependencies' code is the language's; it has three letters for some that have two."""
    if code in language.codes:
        return True
    try:
        return langcodes.Language.get(code, normalize=False).to_alpha3() == language.three_letters[0]
    except (LookupError, ValueError):
        return False


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", release)))


def _newest_first(release: str) -> tuple[bool, tuple[int, ...]]:
    return release == UNRELEASED, tuple(-number for number in _numbers(release))
