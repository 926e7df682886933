"""Holding a file to its digest: where the right one is known from, and where it is recorded for next time."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from specialize.errors import DownloadError, SpecializeError
from specialize.files import atomic_text, file_hash, read_checksums
from specialize.sources.published import Source
from specialize.sources.transfer import RefusedError, disk_errors_reported, download_url, is_url, start_over

LISTING = "sha256sums.txt"  # in every folder of a mirror, and beside every download


def verify(place: str, partial: Path, algorithm: str, expected: str, by: str, remedy: str) -> None:
    """Compare a complete file with the digest that was promised for it; a wrong one is deleted.

    Args:
        place: where the file was taken from, for the message.
        partial: the file.
        algorithm: `sha256` or `sha1`.
        expected: the digest.
        by: who promised it, for the message.
        remedy: what to do about another digest, for the message.

    Raises:
        DownloadError: if the file has another digest.
    """
    size, got = partial.stat().st_size, file_hash(partial, algorithm)
    if got != expected:
        start_over(partial)
        raise DownloadError(f"{place}: {algorithm} of its {size:,} bytes is {got}, but {by} has {expected}; {remedy}")


def with_recorded_digest(source: Source, destination: Path) -> Source:
    """The source with the digest that the first download has recorded for it, unless one is pinned."""
    listing = destination.with_name(LISTING)
    if source.sha256 or not listing.is_file():
        return source
    by = f"the first download, recorded in {listing} (delete its line there to accept another),"
    return replace(source, sha256=read_listing(str(listing)).get(destination.name), known_from=by)


def record_digest(path: Path) -> None:
    """Write a complete file's digest into the listing beside it; jobs that do so at once wait for each other.

    Raises:
        DownloadError: if the listing cannot be written.
    """
    listing = path.with_name(LISTING)
    with disk_errors_reported(listing), FileLock(path.with_name(f".{LISTING}.lock")):
        digests = read_checksums(listing) if listing.is_file() else {}
        digests[path.name] = file_hash(path)
        with atomic_text(listing) as stream:
            stream.writelines(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def published_sha1(url: str, listing: str | None) -> str | None:
    """The sha1 sum that a listing beside a published file has for it; None if there is no such listing or line.

    Raises:
        DownloadError: if the listing cannot be had just now, or is none.
    """
    if not listing:
        return None
    folder, _, name = url.rpartition("/")
    try:
        return read_listing(f"{folder}/{listing}").get(name)
    except RefusedError as error:
        print(error)
        return None


def read_listing(place: str) -> dict[str, str]:
    """Digests by file name, as the listing at a path or URL has them.

    Raises:
        RefusedError: if the server says that there is no listing.
        DownloadError: if it cannot be read.
    """
    try:
        if not is_url(place):
            return read_checksums(Path(place))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "listing"
            download_url(place, path)
            return read_checksums(path)
    except (SpecializeError, OSError, UnicodeDecodeError) as error:
        kind = RefusedError if isinstance(error, RefusedError) else DownloadError
        raise kind(f"cannot verify anything without the checksums in {place}: {error}") from error
