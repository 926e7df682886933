"""What is published, where it is, and how it is laid out in a mirror. Nothing here asks the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARTS = ("train", "dev", "test")  # of labeled data
WIKIMEDIA = "https://dumps.wikimedia.org"
WIKIANN = "https://s3.amazonaws.com/datasets.huggingface.co/wikiann/1.1.0/panx_dataset.zip"
# As the datasets library of its publisher has it (datasets/wikiann/dataset_infos.json, 234,008,884 bytes).
WIKIANN_SHA256 = "164814b64f749ad000988b5ab45050b5116913b3db466ab173008955ddf649a4"
GITHUB_FILES = "https://raw.githubusercontent.com"
GITHUB_API = "https://api.github.com"
# Repository, commit and folder of MasakhaNER 2.0 (Adelani et al. 2022) and MasakhaPOS (Dione et al. 2023).
MASAKHANER = "masakhane-io/masakhane-ner/ba5843cd08aa491d5f96a5e809e71eb9ec461391/MasakhaNER2.0/data"
MASAKHAPOS = "masakhane-io/masakhane-pos/376f4161f0425584d4bd7664122b56fa026926d3/data"
# The last release whose treebanks all have one file for each part; entries of it name their files without a list.
LAST_WITHOUT_LIST = (2, 5)
COMMIT = re.compile("[0-9a-f]{40}")
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes:
        urls: where it is published, tried in order.
        mirror_path: its path below a mirror.
        sha256: the digest that it must have, if any is known.
        known_from: who says so.
        sha1_listing: name of the listing of sha1 sums that is published beside it, if any.
        member: its name within the zip archive that the URLs give, if it is published as a part of one.
    """

    urls: tuple[str, ...]
    mirror_path: str
    sha256: str | None = None
    known_from: str = "the registry of languages"
    sha1_listing: str | None = None
    member: str | None = None

    @property
    def destination(self) -> str:
        """Where it lies in a run: `resources/` has the layout of a mirror."""
        return f"resources/{self.mirror_path}"


def place_in_mirror(path: str, mirror: str) -> str:
    """The full path or URL of a file or folder in a mirror."""
    return f"{mirror.rstrip('/')}/{path}"


def wikipedia_dump(code: str, date: str, sha256: str | None = None) -> Source:
    """The articles of a Wikipedia; dates that Wikimedia has deleted are kept by the Internet Archive."""
    wiki = wiki_name(code)
    name = f"{wiki}-{date}-pages-articles.xml.bz2"
    return Source(
        urls=(
            f"{WIKIMEDIA}/{wiki}/{date}/{name}",
            f"https://archive.org/download/{wiki}-{date}/{name}",
        ),
        mirror_path=f"wikipedia/{wiki}/{date}/{name}",
        sha256=sha256,
        sha1_listing=f"{wiki}-{date}-sha1sums.txt",
    )


def dumps_folder(code: str, mirror: str | None) -> str:
    """The folder or URL, at Wikimedia's or in a mirror, that has a folder for each date of a Wikipedia's dumps."""
    wikis = place_in_mirror("wikipedia", mirror) if mirror else WIKIMEDIA
    return f"{wikis}/{wiki_name(code)}"


def wiki_name(code: str) -> str:
    """A Wikipedia's name among the dumps, that of its database, which has no hyphens."""
    return f"{code.replace('-', '_')}wiki"


def treebank_files(name: str, release: str, prefix: str, sha256: dict[str, str]) -> dict[str, Source]:
    """The train, dev and test part of a treebank's release, with the digests that are pinned for them."""
    files = {}
    for part in PARTS:
        path = f"{name}/{release}/{prefix}-ud-{part}.conllu"
        files[part] = Source(
            urls=(f"{GITHUB_FILES}/UniversalDependencies/{path}",),
            mirror_path=f"universal-dependencies/{path}",
            sha256=sha256.get(part),
        )
    return files


def wikiann_archive(code: str, sha256: str | None = None) -> Source:
    """One language of WikiAnn's balanced splits; upstream it is a member of the collection."""
    return Source(
        urls=(WIKIANN,),
        mirror_path=f"wikiann/{code}.tar.gz",
        sha256=sha256,
        member=f"panx_dataset/{code}.tar.gz",
    )


def wikiann_collection() -> Source:
    """All languages of WikiAnn's balanced splits in one archive; a mirror has its members instead."""
    return Source(
        urls=(WIKIANN,),
        mirror_path="wikiann/panx_dataset.zip",
        sha256=WIKIANN_SHA256,
        known_from="this version of specialize",
    )


def masakhaner_files(code: str, sha256: Mapping[str, str]) -> dict[str, Source]:
    """The parts of a language of MasakhaNER 2.0, with the digests that are pinned for them."""
    return _masakhane_files(MASAKHANER, "masakhaner", code, sha256)


def masakhapos_files(code: str, sha256: Mapping[str, str]) -> dict[str, Source]:
    """The parts of a language of MasakhaPOS, with the digests that are pinned for them."""
    return _masakhane_files(MASAKHAPOS, "masakhapos", code, sha256)


def _masakhane_files(place: str, collection: str, code: str, sha256: Mapping[str, str]) -> dict[str, Source]:
    return {
        part: Source(
            urls=(f"{GITHUB_FILES}/{place}/{code}/{part}.txt",),
            mirror_path=f"{collection}/{code}/{part}.txt",
            sha256=sha256.get(part),
        )
        for part in PARTS
    }


@dataclass(frozen=True)
class Publication:
    """Published files of a data set whose parts are known only where it is published.

    Attributes:
        repository: at GitHub, with its owner.
        revision: a tag, branch or commit of it.
        folder: where its files lie below a mirror.
        prefix: how their names begin, before `-ud-`; empty if that is not known.
        ending: how they end, without the dot.
        list_name: name of the list of its files, which lies beside them.
    """

    repository: str
    revision: str
    folder: str
    prefix: str
    ending: str
    list_name: str

    @property
    def destination(self) -> str:
        """Where the list of its files lies in a run, beside them."""
        return f"resources/{self.folder}/{self.list_name}"

    @property
    def moves(self) -> bool:
        """Whether another version of it may be published under the same name: a branch, not a release or a commit."""
        return not (re.fullmatch(r"r[0-9.]+", self.revision) or COMMIT.fullmatch(self.revision))

    def part_of(self, name: str) -> str:
        """The part that a file is of, by its name; empty if it is none. Of treebanks, a part may have several files."""
        prefix = re.escape(self.prefix) or r"[A-Za-z0-9_]+"
        piece = r"(-[A-Za-z0-9-]+)?" if self.ending == "conllu" else ""  # as cs_pdt-ud-train-c, de_hdt-ud-train-a-1
        match = re.fullmatch(rf"{prefix}-ud-({'|'.join(PARTS)}){piece}\.{self.ending}", name)
        return match[1] if match else ""

    def source(self, name: str, sha256: str | None = None) -> Source:
        """One of its files."""
        return Source(
            urls=(f"{GITHUB_FILES}/{self.repository}/{self.revision}/{name}",),
            mirror_path=f"{self.folder}/{name}",
            sha256=sha256,
        )


def universal_entities(treebank: str, prefix: str = "") -> Publication:
    """A treebank of Universal NER, at the head of its repository's main branch."""
    folder = f"universal-ner/{treebank}"
    return Publication(f"UniversalNER/{treebank}", "HEAD", folder, prefix, "iob2", "ud-files.txt")


def treebank_publication(name: str, release: str, prefix: str) -> Publication:
    """A treebank's release, branch or commit, with whatever parts it has."""
    folder = f"universal-dependencies/{name}/{release}"
    repository = f"UniversalDependencies/{name}"
    return Publication(repository, release, folder, prefix, "conllu", f"{prefix}-ud-files.txt")


def is_listed(treebank: Mapping[str, Any]) -> bool:
    """Whether the files of a published treebank are known by a list: of an entry with folds, or newer than 2.5."""
    if "folder" in treebank or "masakhapos" in treebank or "release" not in treebank:
        return False
    numbers = re.findall("[0-9]+", treebank["release"]) if treebank["release"].startswith("r") else []
    return bool(treebank.get("folds")) or not numbers or tuple(map(int, numbers)) > LAST_WITHOUT_LIST
