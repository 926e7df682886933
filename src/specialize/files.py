"""Atomic writes, hashes and safe unpacking."""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from specialize.errors import InputError

MAXIMUM_ARCHIVE_BYTES = 1_000_000_000  # unpacked


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` (file or folder) that takes its name once the block ends well.

    Whatever wrote it, others may then read it as the umask says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    remove(temporary)
    try:
        yield temporary
        _let_read_as_usual(temporary)
        if temporary.is_dir():
            remove(path)  # a folder cannot be replaced in one step
        os.replace(temporary, path)  # noqa: PTH105
    finally:
        remove(temporary)


def _let_read_as_usual(path: Path) -> None:
    """Give files that only their owner may read, as safetensors writes them, the mode of any other new file."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    closed = [file for file in files if not file.is_symlink() and file.stat().st_mode & 0o077 == 0]
    if not closed:
        return
    probe = path.with_name(f".{path.name}.mode")
    probe.touch()  # asking for the umask itself would change it for a moment
    mode = probe.stat().st_mode & 0o777
    probe.unlink()
    for file in closed:
        file.chmod(mode)


@contextlib.contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open a text file (UTF-8, line feeds) that appears under its name only when it is complete."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_text(path: Path, keep_marks: bool = False) -> str:
    """Read a text file in UTF-8, its line ends as they are, without byte-order marks, which some editors add.

    Args:
        path: the file.
        keep_marks: for a file that we wrote, which may begin with such a mark on purpose.

    Raises:
        InputError: with the first line that is not UTF-8.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(path, f"is not UTF-8 ({error.reason})", line, "convert it") from error
    return text if keep_marks else text.lstrip("\ufeff")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON with the keys in the order given, atomically."""
    with atomic_text(path) as stream:
        json.dump(value, stream, indent=2, ensure_ascii=False)
        stream.write("\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: if the file is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise InputError(path, f"is not JSON ({error})") from error


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def checksum_of_parts(path: Path, parts: int = 16, block: int = 1 << 20) -> str:
    """A checksum of a file's size, its ends, and blocks at equal distances between; of a small file, of all of it.

    Args:
        path: the file, of any size.
        parts: how many blocks.
        block: bytes of each.
    """
    size = path.stat().st_size
    checksum = 0
    with path.open("rb") as stream:
        for part in range(parts):
            stream.seek(max(size - block, 0) * part // (parts - 1) if size > parts * block else part * block)
            checksum = zlib.crc32(stream.read(block), checksum)
    return f"{size}-{checksum:08x}"


def read_checksums(path: Path) -> dict[str, str]:
    """Read a ``sha1sum``/``sha256sum`` listing into {file name: hexadecimal digest}.

    Raises:
        InputError: on a line that is not a digest, white space and a name.
    """
    checksums = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        digest, _, name = line.partition(" ")
        digest, name = digest.lower(), name.strip().removeprefix("*").removeprefix("./")
        if not name or not digest or not set(digest) <= set("0123456789abcdef"):
            raise InputError(path, "is not a line of a checksum listing", number)
        checksums[name] = digest
    return checksums


def read_archive_members(path: Path, names: list[str], maximum_bytes: int = 200_000_000) -> dict[str, str]:
    """Read text members of a tar archive into memory; nothing is written to disk, so nothing can escape.

    Args:
        path: a tar archive, compressed or not.
        names: the members wanted, by their last path component.
        maximum_bytes: bound on the unpacked size of one member.

    Raises:
        InputError: if the archive is broken, a member is missing, a link, too large, or not UTF-8.
    """
    contents: dict[str, str] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name).name
                if member.offset_data > MAXIMUM_ARCHIVE_BYTES:
                    raise InputError(path, f"has over {MAXIMUM_ARCHIVE_BYTES:,} bytes unpacked, which is not sane")
                if name not in names:
                    continue
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is None or member.size > maximum_bytes:
                    raise InputError(path, f"member {member.name} is not a plain file of a sane size")
                if name in contents:
                    raise InputError(path, f"has two members named {name}", remedy="leave one")
                contents[name] = stream.read().decode("utf-8-sig")
            for _ in range(MAXIMUM_ARCHIVE_BYTES >> 20):
                if not (archive.fileobj and archive.fileobj.read(1 << 20)):
                    break  # at the end, where the checksum is
    except (tarfile.TarError, EOFError, OSError, UnicodeDecodeError, zlib.error, lzma.LZMAError) as error:
        problem = " ".join(str(error).split())
        raise InputError(path, f"is not a readable archive ({problem})", remedy="download it again") from error
    missing = [name for name in names if name not in contents]
    if missing:
        raise InputError(path, f"has no member named {', '.join(missing)}")
    return contents
