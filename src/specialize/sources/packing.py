"""Files of one's own as they are packed: what packed them shows in their first bytes, whatever their names."""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

from specialize.errors import InputError

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"]\x00\x00": "lzma", b"\x28\xb5\x2f\xfd": "zstd"}
MAGIC |= {bytes([number]) + b"\x2a\x4d\x18": "zstd" for number in range(0x50, 0x60)}  # frames that are to be skipped
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
# Packed bytes at a time, and unpacked ones where a library bounds them. Zstandard makes 128 KiB of four bytes.
PACKED_BYTES, UNPACKED_BYTES = 1 << 11, 1 << 20
LZMA_MEMORY = 1 << 30  # bytes; `xz -9` needs 65 MiB

# What unpacks one stream of a file; there may be several behind each other.
_NEW: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=LZMA_MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(memlimit=LZMA_MEMORY),
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}


def packing_of(head: bytes) -> str:
    """What packed a file that begins so: gzip, bzip2, xz, lzma, zstd, or nothing."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file, packed or not: its content as a stream, and the file itself, whose position tells the progress.

    Reading raises one of `DAMAGED` where the file is cut off or damaged.
    """
    with path.open("rb") as raw:
        packing = packing_of(raw.read(8))
        raw.seek(0)
        yield (cast(BinaryIO, io.BufferedReader(_Unpacked(raw, _NEW[packing]))) if packing else raw), raw


def damaged(
    path: Path, error: Exception, line: int | None = None, remedy: str = "fetch or pack it again"
) -> InputError:
    """The error to raise for one of `DAMAGED`."""
    return InputError(path, f"is cut off or damaged ({' '.join(str(error).split())})", line, remedy)


class _Unpacked(io.RawIOBase):
    """The content of all streams of a packed file.

    The libraries' own readers end in silence where Zstandard is cut off, or where bzip2 and xz are damaged between two
    streams. Memory holds little of it at any time.
    """

    def __init__(self, raw: BinaryIO, new: Callable[[], Any]) -> None:
        self._raw, self._new = raw, new
        self._stream = new()
        self._within = True  # a stream, as opposed to behind one
        self._packed = b""
        self._waiting = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as what is unpacked goes."""
        while not self._waiting and self._go_on():
            pass
        content = self._waiting[: len(buffer)]
        buffer[: len(content)] = content
        self._waiting = self._waiting[len(content) :]
        return len(content)

    def _go_on(self) -> bool:
        """Unpack some more; false at the end of the file."""
        if not self._within or getattr(self._stream, "needs_input", True):
            self._packed = self._packed or self._raw.read(PACKED_BYTES)
            if not self._within:
                self._packed = self._packed.lstrip(b"\0")  # tapes and xz pad files so
                if not self._packed:
                    return bool(self._raw.peek(1))  # type: ignore[attr-defined]
                self._stream, self._within = self._new(), True
            elif not self._packed:
                raise EOFError("it ends too early")
        bounded = hasattr(self._stream, "needs_input")
        packed, self._packed = self._packed, b""
        content = self._stream.decompress(packed, UNPACKED_BYTES) if bounded else self._stream.decompress(packed)
        self._waiting = memoryview(content)
        if self._stream.eof:
            self._within, self._packed = False, self._stream.unused_data
        return True
