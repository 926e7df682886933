"""The files of a text of one's own: one or several, by their names, a folder, or a pattern with asterisks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from specialize.errors import InputError, SpecializeError
from specialize.sources.text_formats import TextFormat, recognise


def own_files(given: str | list[str]) -> list[Path]:
    """The files that are meant, in a fixed order; of a folder all but hidden ones, however deep.

    Raises:
        SpecializeError: where there is none.
    """
    if isinstance(given, str):
        given = [given]
    return list(dict.fromkeys(path for one in given for path in _files_of(one)))


def _files_of(given: str) -> list[Path]:
    path = Path(given)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [
            Path(folder, name)
            for folder, _, names in os.walk(path)
            for name in names
            if not any(part.startswith(".") for part in Path(folder, name).relative_to(path).parts)
        ]
    elif has_magic(given):
        found = [Path(name) for name in glob(given, recursive=True)]  # noqa: PTH207  # Path takes no absolute pattern
    else:
        raise SpecializeError(f"there is no file {path.absolute()}")
    found = sorted(one for one in found if one.is_file())
    if not found:
        raise SpecializeError(f"there are no files in {path.absolute()}")
    braced = next((one for one in found if set("{}") & set(str(one))), None)
    if braced:  # Snakemake would read them as a pattern
        raise InputError(braced, "has braces in its name", remedy="rename it")
    return found


def own_text(corpus: Mapping[str, Any], most: int | None = None) -> dict[Path, TextFormat]:
    """The files of a language's own text with their formats.

    Args:
        corpus: an entry that says `text` or `dump`, perhaps `format` and `field`.
        most: how many files of a folder or a pattern are looked into; all if None.

    Raises:
        SpecializeError: for what is not there or cannot be read; see `recognise`.
    """
    key = "text" if "text" in corpus else "dump"
    found = recognised(corpus[key], corpus.get("format", ""), corpus.get("field", "text"), most)
    for path, known in found.items():
        if known.name == "mediawiki" and key == "text":
            raise InputError(path, "is a MediaWiki export", 1, "give it by the key `dump` in place of `text`")
        if known.name not in ("mediawiki", "empty") and key == "dump":
            raise InputError(path, "is not a MediaWiki export", 1, "give text by the key `text`")
    return found


def recognised(
    given: str | list[str], declared: str = "", field: str = "text", most: int | None = None
) -> dict[Path, TextFormat]:
    """The files that are meant with their formats.

    Args:
        given: files, folders or patterns; the files of one folder or pattern have one format.
        declared, field: see `recognise`.
        most: how many files are looked into; all if None.

    Raises:
        SpecializeError: for what is not there or cannot be read; see `recognise`.
    """
    formats: dict[Path, TextFormat] = {}
    for one in [given] if isinstance(given, str) else given:
        files = _files_of(one)
        here = {path: recognise(path, declared, field) for path in files[:most]}
        names = {known.name: path for path, known in reversed(here.items()) if known.name != "empty"}
        if not names and len(here) == len(files):
            raise InputError(files[0], "is empty", remedy="was it fetched, or written, to its end?")
        if len(names) > 1:
            (first, one_path), (second, other) = sorted(names.items(), key=lambda pair: pair[1])[:2]
            raise InputError(
                other,
                f"is read as {second}, but {one_path} as {first}",
                remedy="give the files of one format alone by a pattern, such as 'FOLDER/**/*.txt', or say `format`",
            )
        formats |= here
    return formats
