"""What upstream or a mirror offers at this moment: the newest dump of a Wikipedia, and the size of files."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import requests

from specialize.errors import DownloadError
from specialize.sources.published import Publication, Source, dumps_folder, place_in_mirror, wiki_name, wikipedia_dump
from specialize.sources.transfer import HEADERS, RefusedError, UnansweredError, download_url, is_url
from specialize.sources.verification import LISTING, read_listing

ASKING_TIMEOUT = 5.0  # seconds to learn a size
NAMES_SHOWN = 8  # of what a mirror has in place of what it lacks
LONGEST_PAGE = 1_000_000  # characters


def latest_dump(code: str, mirror: str | None) -> str:
    """The date of a Wikipedia's newest finished dump, at Wikimedia's or in a mirror.

    Raises:
        DownloadError: if there is none.
    """
    folder = dumps_folder(code, mirror)
    for date in sorted(_dates(folder), reverse=True):
        dump = wikipedia_dump(code, date)
        listing = f"{folder}/{date}/{LISTING if mirror else dump.sha1_listing}"
        try:
            if PurePosixPath(dump.mirror_path).name in read_listing(listing):
                return date
        except RefusedError:
            continue  # it has only begun
    there = f"; {what_a_mirror_has(f'wikipedia/{wiki_name(code)}/date', mirror)}" if mirror else ""
    raise DownloadError(f"{folder}: has no finished dump; is {code} the code of a Wikipedia?{there}")


def what_a_mirror_has(path: str, mirror: str) -> str:
    """Where a mirror lacks a file or folder, what it has in its place: how far the path leads, and the nearest names.

    Args:
        path: below the mirror.
        mirror: absolute path or URL.

    Returns:
        A clause for a message; empty if the mirror does not show what it has.
    """
    parts = PurePosixPath(path).parts
    for length in reversed(range(len(parts))):
        folder = "/".join(parts[:length])
        names = names_in(place_in_mirror(folder, mirror).rstrip("/"))
        if names is None:
            continue
        names = [name for name in names if name != LISTING]
        where = f"{folder}/" if folder else "it"
        if not names:
            return f"in {where} there is nothing" if folder else "it is empty"
        missing = f"it has no {parts[length]} in {folder or 'it'}"
        if len(names) <= NAMES_SHOWN:
            return f"{missing}; what there is: {', '.join(names)}"
        if near := difflib.get_close_matches(parts[length], names, n=NAMES_SHOWN, cutoff=0.5):
            return f"{missing}; nearest: {', '.join(near)}"
        return f"{missing}; what there is: {', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"
    return ""


def names_in(place: str) -> list[str] | None:
    """The names in a folder, or in the page that a server shows for one; None if there is none."""
    if not is_url(place):
        folder = Path(place)
        return sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else None
    try:
        response = requests.get(f"{place}/", headers=HEADERS, timeout=ASKING_TIMEOUT)
    except OSError:  # what requests raises is an OSError
        return None
    if not response.ok:
        return None
    return names_on_page(response.text[:LONGEST_PAGE])


def names_on_page(page: str) -> list[str]:
    """The names in a folder, of the page that a server shows for it."""
    links = re.findall(r'href="\.?/?([^"/?#:]+)/?"', page)
    return sorted({unquote(name) for name in links if name not in (".", "..")})


def _dates(folder: str) -> list[str]:
    if not is_url(folder):
        return [path.name for path in Path(folder).glob("[0-9]*")]
    with tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "index.html"
        try:
            download_url(f"{folder}/", page)
        except UnansweredError as error:
            raise UnansweredError(f"{error}; is the network up? Where there is none, give a --mirror") from error
        return re.findall(r'href="([0-9]{8})/"', page.read_text(encoding="utf-8", errors="replace"))


def upstream_bytes(sources: Sequence[Source | Publication], mirror: str | None) -> tuple[int, bool]:
    """How many bytes the files have where they are taken from, as far as that can be learned quickly.

    Returns:
        The bytes that are known, and whether they are all.
    """
    files: list[Source] = []
    all_known = True
    for source in sources:
        listed = [source] if isinstance(source, Source) else _listed_in(mirror, source)
        all_known = all_known and listed is not None
        files += listed or []
    if mirror:
        places: list[tuple[str, ...]] = [(place_in_mirror(source.mirror_path, mirror),) for source in files]
    else:
        places = [source.urls for source in files]
    total = 0
    with requests.Session() as session:
        for place in dict.fromkeys(places):  # each once: upstream, all of WikiAnn's languages are in one
            sizes = (_size(url, session) for url in place)
            size = next((size for size in sizes if size is not None), None)
            if size is None:  # nor need others have an answer
                return total, False
            total += size
    return total, all_known


def _listed_in(mirror: str | None, publication: Publication) -> list[Source] | None:
    """The files that a mirror has of a data set; None if there is no mirror, or it does not say so."""
    try:
        listing = read_listing(f"{place_in_mirror(publication.folder, mirror)}/{LISTING}") if mirror else {}
    except DownloadError:  # for its own job to report
        return None
    return [publication.source(name) for name in sorted(listing) if publication.part_of(name)] or None


def _size(place: str, session: requests.Session) -> int | None:
    try:
        if not is_url(place):
            return Path(place).stat().st_size
        response = session.head(place, headers=HEADERS, timeout=ASKING_TIMEOUT, allow_redirects=True)
        return int(response.headers["Content-Length"]) if response.ok else None
    except (OSError, KeyError, ValueError):  # what requests raises is an OSError
        return None
