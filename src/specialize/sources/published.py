"""What is published, where it is, and how it is laid out in a mirror. Nothing here asks the network."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("train", "dev", "test")  # of labeled data
WIKIMEDIA = "https://dumps.wikimedia.org"
WIKIANN = "https://s3.amazonaws.com/datasets.huggingface.co/wikiann/1.1.0/panx_dataset.zip"
# As the datasets library of its publisher has it (datasets/wikiann/dataset_infos.json, 234,008,884 bytes).
WIKIANN_SHA256 = "164814b64f749ad000988b5ab45050b5116913b3db466ab173008955ddf649a4"


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
            urls=(f"https://raw.githubusercontent.com/UniversalDependencies/{path}",),
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
