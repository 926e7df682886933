"""Writing all or nothing, hashes, and reading archives that may be hostile."""

import gzip
import hashlib
import io
import os
import random
import tarfile

import numpy
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from specialize.errors import InputError
from specialize.files import (
    atomic_path,
    atomic_text,
    checksum_of_parts,
    file_hash,
    read_archive_members,
    read_checksums,
    read_json,
    remove,
    write_json,
)


class InterruptedHalfwayError(Exception):
    """Stands for whatever may go wrong halfway."""


# -- all or nothing ----------------------------------------------------------------------------------------


@pytest.fixture(params=[0o022, 0o027, 0o077], ids=oct)
def umask(request):
    """The umask of a user; those of this process come back."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_whatever_library_writes_others_may_read_as_the_umask_says(tmp_path, umask):
    weights = {"weights": numpy.zeros(3)}
    with atomic_path(tmp_path / "run/one.safetensors") as temporary:
        safetensors.numpy.save_file(weights, temporary)
    with atomic_path(tmp_path / "run/model") as folder:
        (folder / "inner").mkdir(parents=True)
        safetensors.numpy.save_file(weights, folder / "inner/model.safetensors")
        Tokenizer(models.BPE()).save(str(folder / "tokenizer.json"))
        (folder / "link").symlink_to("/nowhere")
    write_json(tmp_path / "run/metrics.json", {})
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) == 4, "and nothing of what asked for the mode is left"
    assert {path.stat().st_mode & 0o777 for path in files} == {0o666 & ~umask}


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with atomic_text(path) as stream:
        stream.write("first\n")
        assert not path.exists()
    assert path.read_bytes() == b"first\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_nothing(tmp_path):
    path = tmp_path / "file.txt"
    with pytest.raises(InterruptedHalfwayError), atomic_text(path) as stream:
        stream.write("half")
        raise InterruptedHalfwayError
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(InterruptedHalfwayError), atomic_text(path) as stream:
        stream.write("half")
        raise InterruptedHalfwayError
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_the_old_folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(InterruptedHalfwayError), atomic_path(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
        raise InterruptedHalfwayError
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_folder_replaces_the_old_one_whole(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with atomic_path(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert [file.name for file in path.iterdir()] == ["new"]


def test_what_a_killed_run_left_behind_is_in_nobodys_way(tmp_path):
    path = tmp_path / "folder"
    (tmp_path / ".folder.partial").mkdir()
    (tmp_path / ".folder.partial" / "stale").touch()
    with atomic_path(path) as temporary:
        temporary.mkdir()
    assert list(path.iterdir()) == []
    assert list(tmp_path.iterdir()) == [path]


def test_remove_takes_a_link_and_not_what_it_points_to(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    link = tmp_path / "link"
    link.symlink_to(target, target_is_directory=True)
    remove(link)
    remove(tmp_path / "absent")
    assert not link.is_symlink()
    assert (target / "kept").exists()


def test_json_is_written_in_the_order_given_and_read_back(tmp_path):
    path = tmp_path / "value.json"
    value = {"z": 1, "a": ["ئۇيغۇر", None, 0.1]}
    write_json(path, value)
    assert read_json(path) == value
    assert list(read_json(path)) == ["z", "a"]
    assert "ئۇيغۇر" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"{'a': 1}", b"\xff\xfe"])
def test_broken_json_names_its_file(tmp_path, content):
    path = tmp_path / "value.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"value\.json"):
        read_json(path)


# -- hashes ------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_hashes_are_those_of_the_bytes(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "hashed"
    path.write_bytes(content)
    assert file_hash(path) == hashlib.sha256(content).hexdigest()
    assert file_hash(path, "sha1") == hashlib.sha1(content).hexdigest()


def test_listings_of_both_modes_are_read(tmp_path):
    path = tmp_path / "sha256sums.txt"
    path.write_text("00ff  plain.txt\n\nab12 *binary.gz\n0a0a  a name with spaces\n", encoding="utf-8")
    assert read_checksums(path) == {"plain.txt": "00ff", "binary.gz": "ab12", "a name with spaces": "0a0a"}


@pytest.mark.parametrize("line", ["<html>", "00ff", "xyz  name", "not found: name"])
def test_a_line_that_is_no_checksum_is_named(tmp_path, line):
    path = tmp_path / "sha256sums.txt"
    path.write_text(f"00ff  plain.txt\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sha256sums\.txt, line 2"):
        read_checksums(path)


# -- archives ----------------------------------------------------------------------------------------------


def member(name, kind=tarfile.REGTYPE, link="", content=b""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def write_archive(path, *members):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=0))


def test_members_are_found_by_their_last_name(tmp_path):
    path = tmp_path / "archive.tar.gz"
    write_archive(
        path,
        member("train", content="ا\n".encode()),
        member("folder/dev", content=b"dev"),
        member("extra", content=b"\xff"),
    )
    assert read_archive_members(path, ["train", "dev"]) == {"train": "ا\n", "dev": "dev"}


def test_members_that_point_outside_write_nothing(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = inner / "archive.tar.gz"
    write_archive(path, member("../../train", content=b"text"), member("/absolute/dev", content=b"more"))
    assert read_archive_members(path, ["train", "dev"]) == {"train": "text", "dev": "more"}
    assert [file.name for file in tmp_path.rglob("*")] == ["inner", "archive.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_members_that_are_no_plain_files_are_refused(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    path = tmp_path / "archive.tar.gz"
    write_archive(path, member("secret", content=b"x"), member("train", kind, link=str(secret)))
    with pytest.raises(InputError, match="member train is not a plain file"):
        read_archive_members(path, ["train"])


def test_missing_members_are_named(tmp_path):
    path = tmp_path / "archive.tar.gz"
    write_archive(path, member("train"))
    with pytest.raises(InputError, match="no member named dev, test"):
        read_archive_members(path, ["train", "dev", "test"])


def test_members_that_are_too_large_are_refused(tmp_path):
    path = tmp_path / "archive.tar.gz"
    write_archive(path, member("train", content=b"x" * 1001))
    assert len(read_archive_members(path, ["train"], maximum_bytes=1001)["train"]) == 1001
    with pytest.raises(InputError, match="sane size"):
        read_archive_members(path, ["train"], maximum_bytes=1000)


def test_members_that_are_not_utf8_are_refused(tmp_path):
    path = tmp_path / "archive.tar.gz"
    write_archive(path, member("train", content=b"\xff"))
    with pytest.raises(InputError, match=r"archive\.tar\.gz"):
        read_archive_members(path, ["train"])


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_archive_is_refused(tmp_path, share):
    path = tmp_path / "archive.tar.gz"
    text = "".join(f"{number * number}\n" for number in range(20_000)).encode()
    write_archive(path, *(member(name, content=text) for name in ("train", "dev", "test")))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match="download it again"):
        read_archive_members(path, ["train", "dev", "test"])


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "archive.tar.gz"
    path.write_text("<html>Not found</html>", encoding="utf-8")
    with pytest.raises(InputError, match="is not a readable archive"):
        read_archive_members(path, ["train"])


def test_an_archive_with_any_one_bit_flipped_is_refused(tmp_path):
    path = tmp_path / "sound.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("train")
        content = "".join(f"token{number}\tO\n" for number in range(500)).encode()
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    sound = path.read_bytes()
    for place in range(20, len(sound), 37):
        damaged = bytearray(sound)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(InputError):
            read_archive_members(path, ["train"])
    path.write_bytes(sound[:-8])
    with pytest.raises(InputError):
        read_archive_members(path, ["train"])


def test_a_block_that_writes_nothing_keeps_the_old_file(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_path(path):
        pass
    assert path.read_text() == "old"


@pytest.mark.parametrize("size", [0, 1, 99, 160, 161, 1000, 12345])
def test_a_checksum_of_parts_sees_size_ends_and_blocks(tmp_path, size):
    path = tmp_path / "file"
    content = bytearray(random.Random(size).randbytes(size))
    path.write_bytes(content)
    known = checksum_of_parts(path, parts=16, block=10)
    assert checksum_of_parts(path, parts=16, block=10) == known
    seen = {0, size // 2, size - 1} if size <= 160 else {0, 9, size - 10, size - 1, (size - 10) * 7 // 15}
    for place in seen if size else ():
        content[place] ^= 1
        path.write_bytes(content)
        assert checksum_of_parts(path, parts=16, block=10) != known
        content[place] ^= 1
    path.write_bytes(content + b"x")
    assert checksum_of_parts(path, parts=16, block=10) != known
