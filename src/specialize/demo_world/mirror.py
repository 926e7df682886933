"""The world as a mirror: all files of all languages, with their checksums."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

from specialize.demo_world.entities import wikiann_archive
from specialize.demo_world.languages import LANGUAGES
from specialize.demo_world.lexicon import build_lexicon
from specialize.demo_world.speaker import Speaker
from specialize.demo_world.treebank import treebank_files
from specialize.demo_world.wikipedia import dump

DUMP_DATE = "20200101"
RELEASE = "r1"


def write_world(folder: Path, seed: int = 1) -> None:
    """Write the world as a mirror.

    Args:
        folder: where `wikipedia/`, `universal-dependencies/` and `wikiann/` appear.
        seed: of everything random; the same seed gives the same bytes.
    """
    archives = {}
    for language in LANGUAGES:
        lexicon = build_lexicon(language, seed)
        # Each product has random numbers of its own, so that one can change without the others.
        dump_speaker, treebank_speaker, entity_speaker = (
            Speaker(language, lexicon, Random(f"{seed} {language.code} {product}"))
            for product in ("dump", "treebank", "entities")
        )
        _write_wikipedia(folder, dump_speaker)
        if language.labeled:
            treebank = folder / "universal-dependencies" / language.treebank / RELEASE
            _write_folder(treebank, treebank_files(treebank_speaker))
            archives[f"{language.code}.tar.gz"] = wikiann_archive(entity_speaker)
    _write_folder(folder / "wikiann", archives)


def _write_wikipedia(folder: Path, speaker: Speaker) -> None:
    wiki = f"{speaker.language.code}wiki"
    name = f"{wiki}-{DUMP_DATE}"
    files = {f"{name}-pages-articles.xml.bz2": dump(speaker)}
    files[f"{name}-sha1sums.txt"] = checksums(files, "sha1")
    _write_folder(folder / "wikipedia" / wiki / DUMP_DATE, files)


def checksums(files: dict[str, bytes], algorithm: str) -> bytes:
    """A listing as `sha1sum` and its like print it."""
    lines = (f"{hashlib.new(algorithm, files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write files and, beside them, sha256sums.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (files | {"sha256sums.txt": checksums(files, "sha256")}).items():
        (folder / name).write_bytes(content)
