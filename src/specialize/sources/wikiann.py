"""WikiAnn's collection: one large archive upstream, out of which each language is taken."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from filelock import FileLock

from specialize.errors import InputError
from specialize.files import atomic_path
from specialize.sources.downloads import download
from specialize.sources.published import Source, wikiann_collection
from specialize.sources.transfer import disk_errors_reported
from specialize.sources.verification import record_digest, verify, with_recorded_digest

MAXIMUM_MEMBER_BYTES = 200_000_000  # of one language; the largest has a few million


def fetch_wikiann_collection(folder: Path) -> Path:
    """Download WikiAnn's collection unless the folder has it; of jobs that want it at once, one does, the rest wait.

    Raises:
        DownloadError: if it cannot be had.
    """
    path = folder / "panx_dataset.zip"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            download(wikiann_collection(), path, mirror=None)
    return path


def extract_archive(collection: Path, source: Source, destination: Path) -> None:
    """Take one language out of WikiAnn's collection, verified and recorded as by `fetch`.

    Raises:
        InputError: if the collection is broken or does not have the language.
        DownloadError: if it is not the file that was pinned or recorded.
    """
    name = PurePosixPath(source.mirror_path).name
    content = _read_member(collection, name)
    held = with_recorded_digest(source, destination)
    with disk_errors_reported(destination), atomic_path(destination) as temporary:
        temporary.write_bytes(content)
        if held.sha256:
            verify(f"{collection}/{name}", temporary, "sha256", held.sha256, held.known_from, "another was published")
    record_digest(destination)


def _read_member(collection: Path, name: str) -> bytes:
    """Read a member into memory, so that no name in the archive leads anywhere."""
    try:
        with zipfile.ZipFile(collection) as archive:
            members = [member for member in archive.infolist() if PurePosixPath(member.filename).name == name]
            if not members:
                raise InputError(collection, f"WikiAnn has no such language: there is no member {name}")
            if members[0].file_size > MAXIMUM_MEMBER_BYTES:
                raise InputError(collection, f"member {name} has {members[0].file_size:,} bytes, which is not sane")
            return archive.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise InputError(collection, f"cannot be unpacked ({error})", remedy="delete it and run again") from error
