"""Downloading a published file, from upstream or a mirror, and verifying that it is the right one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from specialize.errors import DownloadError
from specialize.files import file_hash
from specialize.sources.availability import what_a_mirror_has
from specialize.sources.published import Source, place_in_mirror
from specialize.sources.transfer import (
    RefusedError,
    UnansweredError,
    disk_errors_reported,
    download_first,
    download_url,
    forget,
    is_url,
    start_over,
)
from specialize.sources.verification import (
    LISTING,
    published_sha1,
    read_listing,
    record_digest,
    verify,
    with_recorded_digest,
)


def fetch(source: Source, destination: Path, mirror: str | None) -> None:
    """Download a file and verify it, also against the digest that the first download of it has left.

    That digest is recorded beside the file, in a listing like a mirror's, which outlives the file. Where the registry
    pins another digest, that one counts.

    Args:
        source: the file.
        destination: where it appears once it is complete and verified.
        mirror: absolute path or URL of a mirror that is used in place of the source's own URLs.

    Raises:
        DownloadError: if it cannot be had, or is not the file that was promised.
    """
    download(with_recorded_digest(source, destination), destination, mirror)
    record_digest(destination)


def fetch_parts(files: Mapping[str, Source], destinations: Mapping[str, Path], mirror: str | None) -> None:
    """Download the parts of a data set, each verified and recorded as by `fetch`.

    Args:
        files: the parts.
        destinations: where each appears.
        mirror: absolute path or URL of a mirror.

    Raises:
        DownloadError: if one cannot be had, or is not the file that was promised.
    """
    for part, source in files.items():
        fetch(source, destinations[part], mirror)


def download(source: Source, destination: Path, mirror: str | None) -> None:
    """Download a file and verify it; see `fetch`, which also keeps a record.

    A download that broke off leaves a hidden partial file beside the destination, and the next one goes on from it.

    Raises:
        DownloadError: if it cannot be had, or is not the file that was promised.
    """
    with disk_errors_reported(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        partial = destination.with_name(f".{destination.name}.partial")
        if mirror:
            _download_from_mirror(source, mirror, partial)
        else:
            _download_from_upstream(source, partial)
        forget(partial)
        partial.replace(destination)


def _download_from_mirror(source: Source, mirror: str, partial: Path) -> None:
    place = place_in_mirror(source.mirror_path, mirror)
    name = place.rpartition("/")[2]
    listing = f"{place.rpartition('/')[0]}/{LISTING}"
    promised = listing_of_mirror(source.mirror_path, mirror).get(name)
    if promised is None:
        there = f"add its line, as `sha256sum {name}` prints it"
        if is_url(place) or not Path(place).is_file():
            there = what_a_mirror_has(source.mirror_path, mirror)
        raise RefusedError(
            f"{listing}: has no line for {name}; the mirror does not offer that file; {there}".rstrip("; ")
        )
    if source.sha256 not in (None, promised):
        raise DownloadError(
            f"{place}: its sha256 is {promised} in the mirror's {LISTING}, but {source.known_from} has "
            f"{source.sha256}; the mirror has another version: replace it there, or the sha256 that it is held to"
        )
    if is_url(place):
        try:
            download_url(place, partial)
        except RefusedError as error:
            raise DownloadError(f"{error}, but the mirror's {LISTING} lists it; copy it there again") from error
    elif Path(place).is_file():
        start_over(partial)
        shutil.copyfile(place, partial)
    else:
        raise DownloadError(f"{place}: is listed in the mirror's {LISTING} but is not there; copy it there again")
    verify(place, partial, "sha256", promised, f"the mirror's {LISTING}", "copy the file to the mirror again")


def listing_of_mirror(path: str, mirror: str) -> dict[str, str]:
    """Digests by file name of the folder of a mirror that has a file.

    Args:
        path: the file's, below the mirror.
        mirror: absolute path or URL.

    Raises:
        RefusedError: if the mirror does not have that folder or its listing; with what it has instead.
        DownloadError: if the listing cannot be read.
    """
    folder = path.rpartition("/")[0]
    place = place_in_mirror(folder, mirror)
    if not is_url(place) and not Path(place).is_dir():
        raise RefusedError(f"the mirror {mirror} has no {folder}: {what_a_mirror_has(folder, mirror)}")
    try:
        return read_listing(f"{place}/{LISTING}")
    except RefusedError as error:
        raise RefusedError(f"{error}; {what_a_mirror_has(folder, mirror)}".rstrip("; ")) from error
    except DownloadError as error:
        if isinstance(error.__cause__, UnansweredError):
            raise UnansweredError(f"{error}; the configuration has mirror: {mirror}; is it up?") from error
        raise


def _download_from_upstream(source: Source, partial: Path) -> None:
    if source.member:
        raise ValueError(f"{source.member} is part of a collection upstream: use extract_archive")
    url = download_first(source.urls, partial)
    remedy = "run again to download it anew; if it is the same then, another file has been published"
    if source.sha256:
        verify(url, partial, "sha256", source.sha256, source.known_from, remedy)
    elif sha1 := published_sha1(url, source.sha1_listing):
        verify(url, partial, "sha1", sha1, f"the published {source.sha1_listing}", remedy)
    else:
        print(f"{url}: no digest is known to verify it with; its sha256, recorded for next time: {file_hash(partial)}")
