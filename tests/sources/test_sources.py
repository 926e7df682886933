"""Downloads against a local server that misbehaves, mirrors with mistakes, and base models."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import huggingface_hub.constants
import pytest

from specialize import sources
from specialize.bases.folder import description_files, model_files, take_base_model
from specialize.bases.supported import check_description
from specialize.errors import DownloadError, InputError
from specialize.files import file_hash
from specialize.sources import Source, download, fetch, treebanks
from specialize.sources.transfer import (
    FIRST_WAIT,
    LONGEST_WAIT,
    TIMEOUT,
    UNANSWERED_ATTEMPTS,
    RefusedError,
    UnansweredError,
)

CONTENT = random.Random(1).randbytes(1_000_000)
CHANGED = random.Random(2).randbytes(1_000_000)
MODEL = ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt")

Answer = Callable[["Handler"], None]


@dataclass
class Server:
    """What a server offers by path, how it answers (the last answer is repeated), and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)

    def ranges(self, path: str) -> list[str | None]:
        return [range for method, asked, range in self.requests if asked == path and method == "GET"]


class Handler(BaseHTTPRequestHandler):
    world: Server

    def do_GET(self) -> None:
        self.world.requests.append((self.command, self.path, self.headers["Range"]))
        self.world.agents.add(self.headers["User-Agent"])
        answers = self.world.answers[self.path]
        answer = serve if not answers else answers[0] if len(answers) == 1 else answers.pop(0)
        answer(self)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def serve(
    handler: Handler,
    cut: int | None = None,
    missing_length: int = 0,
    stall: bool = False,
    if_range: bool = True,
    ranges: bool = True,
) -> None:
    """Serve as a good server does, or break off after `cut` bytes by closing or by stalling."""
    content = handler.world.files.get(handler.path)
    if content is None:
        return handler.reply(404, {})
    tag = f'"{hashlib.md5(content).hexdigest()}"'
    status, start, headers = 200, 0, {"ETag": tag}
    asked = handler.headers["Range"]
    if asked and ranges and (not if_range or handler.headers["If-Range"] in (None, tag)):
        status, start = 206, int(asked.removeprefix("bytes=").rstrip("-"))
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    body = content[start:]
    headers["Content-Length"] = str(len(body) + missing_length)
    handler.reply(status, headers, body[:cut])
    handler.wfile.flush()
    if stall:
        handler.world.released.wait(5)


def cutting(cut: int, **how: bool) -> Answer:
    return lambda handler: serve(handler, cut=cut, **how)


def refusing(status: int, **headers: str) -> Answer:
    return lambda handler: handler.reply(status, {name.replace("_", "-"): value for name, value in headers.items()})


def then_changing(answer: Answer) -> Answer:
    """Answer, and have another file under the same name from then on."""

    def answer_and_change(handler: Handler) -> None:
        answer(handler)
        handler.world.files[handler.path] = CHANGED

    return answer_and_change


@pytest.fixture
def server() -> Iterator[Server]:
    world = Server(files={"/file": CONTENT})
    handler = type("BoundHandler", (Handler,), {"world": world})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        world.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield world
        world.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Short waits; the list fills with those that were asked for."""
    asked: list[float] = []
    monkeypatch.setattr("specialize.sources.transfer.TIMEOUT", (1.0, 0.2))
    monkeypatch.setattr("specialize.sources.availability.ASKING_TIMEOUT", 0.2)
    monkeypatch.setattr("specialize.sources.transfer.ATTEMPTS", 3)
    monkeypatch.setattr(time, "sleep", asked.append)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    return asked


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def published(server: Server, *paths: str, sha256: str | None = digest(CONTENT)) -> Source:
    return Source(tuple(server.url + path for path in paths or ("/file",)), "folder/file", sha256)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_complete(destination: Path, content: bytes = CONTENT) -> None:
    assert destination.read_bytes() == content
    assert names(destination.parent) == [destination.name]


# -- where files are published -----------------------------------------------------------------------------


def test_dump_comes_from_wikimedia_then_the_internet_archive() -> None:
    source = sources.wikipedia_dump("ug", "20201220")
    assert source.urls == (
        "https://dumps.wikimedia.org/ugwiki/20201220/ugwiki-20201220-pages-articles.xml.bz2",
        "https://archive.org/download/ugwiki-20201220/ugwiki-20201220-pages-articles.xml.bz2",
    )
    assert source.destination == "resources/wikipedia/ugwiki/20201220/ugwiki-20201220-pages-articles.xml.bz2"
    assert source.sha1_listing == "ugwiki-20201220-sha1sums.txt"


def test_dump_is_named_after_the_database() -> None:
    source = sources.wikipedia_dump("zh-min-nan", "20201220")
    assert source.mirror_path.startswith("wikipedia/zh_min_nanwiki/20201220/zh_min_nanwiki-")
    assert source == sources.wikipedia_dump("zh_min_nan", "20201220")  # a rule reads the code from the path


def test_treebank_and_wikiann_have_the_mirror_layout() -> None:
    files = sources.treebank_files("UD_Uyghur-UDT", "r2.5", "ug_udt", {"train": "ab"})
    assert list(files) == ["train", "dev", "test"]
    assert files["train"].urls == (
        "https://raw.githubusercontent.com/UniversalDependencies/UD_Uyghur-UDT/r2.5/ug_udt-ud-train.conllu",
    )
    assert files["dev"].destination == "resources/universal-dependencies/UD_Uyghur-UDT/r2.5/ug_udt-ud-dev.conllu"
    assert (files["train"].sha256, files["dev"].sha256) == ("ab", None)
    archive = sources.wikiann_archive("ug")
    assert (archive.destination, archive.member) == ("resources/wikiann/ug.tar.gz", "panx_dataset/ug.tar.gz")
    assert archive.urls == sources.wikiann_collection().urls


# -- HTTP --------------------------------------------------------------------------------------------------


@pytest.fixture
def treebank(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Path]]:
    """Fetches a treebank of which upstream or a mirror has some parts; the files by part."""

    def files(name: str, release: str, prefix: str, sha256: dict[str, str]) -> dict[str, Source]:
        path = f"{name}/{release}/{prefix}-ud"
        return {
            part: Source((f"{server.url}/{part}.conllu",), f"universal-dependencies/{path}-{part}.conllu")
            for part in ("train", "dev", "test")
        }

    def fetched(*parts: str, mirror: str | None = None) -> dict[str, Path]:
        server.files = {f"/{part}.conllu": part.encode() for part in parts}
        destinations = {part: tmp_path / "resources" / f"{part}.conllu" for part in ("train", "dev", "test")}
        sources.fetch_treebank("UD_Aa-Bb", "r2.5", "aa_bb", {}, destinations, mirror)
        return destinations

    monkeypatch.setattr(treebanks, "treebank_files", files)
    return fetched


def test_all_parts_of_a_treebank(treebank: Callable[..., dict[str, Path]]) -> None:
    for part, path in treebank("train", "dev", "test").items():
        assert path.read_bytes() == part.encode()


LACKING = {
    ("train", "test"): "no development part in r2.5, only a training and a test part",
    ("test",): "no training part and no development part in r2.5, only a test part",
    ("train", "dev"): "no test part in r2.5, only a training and a development part",
}


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("there", "said"), LACKING.items(), ids=lambda value: str(value)[:20])
def test_a_part_that_a_treebank_lacks_is_named(
    treebank: Callable[..., dict[str, Path]], tmp_path: Path, there: tuple[str, ...], said: str, mirrored: bool
) -> None:
    mirror = None
    if mirrored:
        folder = tmp_path / "mirror/universal-dependencies/UD_Aa-Bb/r2.5"
        folder.mkdir(parents=True)
        for part in there:
            (folder / f"aa_bb-ud-{part}.conllu").write_bytes(part.encode())
        listing = "".join(f"{file_hash(path)}  {path.name}\n" for path in sorted(folder.iterdir()))
        (folder / "sha256sums.txt").write_text(listing)
        mirror = str(tmp_path / "mirror")
    with pytest.raises(DownloadError, match=rf"^UD_Aa-Bb has {said} \(.*give treebank: {{folder: ") as caught:
        treebank(*there, mirror=mirror)
    assert ("has no line for" if mirrored else "answers 404") in str(caught.value)


def test_a_treebank_of_which_there_is_nothing_is_no_treebank_without_parts(
    treebank: Callable[..., dict[str, Path]],
) -> None:
    with pytest.raises(DownloadError, match=r"answers 404 .* is this version published") as caught:
        treebank()
    assert "folder:" not in str(caught.value)


def test_a_part_that_cannot_be_had_just_now_is_not_called_lacking(
    treebank: Callable[..., dict[str, Path]], server: Server
) -> None:
    server.answers["/dev.conllu"] = [refusing(503)]
    with pytest.raises(DownloadError, match="503") as caught:
        treebank("train", "test")
    assert "folder:" not in str(caught.value)


def test_download(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download(published(server), tmp_path / "new" / "file", None)
    assert_complete(tmp_path / "new" / "file")
    assert all(agent.startswith("specialize/") and "research" in agent for agent in server.agents)
    assert "file: 100%" in capsys.readouterr().err


def test_truncated_download_goes_on_with_the_rest(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [cutting(600_000), cutting(300_000), serve]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert server.ranges("/file") == [None, "bytes=600000-", "bytes=900000-"]


def test_stalled_download_goes_on_with_the_rest(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [cutting(600_000, stall=True), serve]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert server.ranges("/file") == [None, "bytes=600000-"]


def test_download_goes_on_in_the_next_job(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [cutting(600_000), refusing(503)]
    with pytest.raises(DownloadError, match="answers 503"):
        download(published(server), tmp_path / "file", None)
    assert names(tmp_path) == [".file.partial", ".file.partial.json"]
    server.answers["/file"] = [serve]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert server.ranges("/file")[-1] == "bytes=600000-"


def test_long_download_may_break_more_often_than_there_are_attempts(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [cutting(100_000)]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert len(server.requests) == 10


def test_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [cutting(600_000), lambda handler: serve(handler, ranges=False)]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")


@pytest.mark.parametrize("if_range", [True, False])
def test_file_that_changes_between_two_ranges_starts_over(server: Server, tmp_path: Path, if_range: bool) -> None:
    server.answers["/file"] = [
        then_changing(cutting(600_000)),
        lambda handler: serve(handler, if_range=if_range),
    ]
    download(published(server, sha256=None), tmp_path / "file", None)
    assert_complete(tmp_path / "file", CHANGED)


def test_longer_partial_file_than_the_server_has_starts_over(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [cutting(600_000), refusing(416), serve]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert server.ranges("/file") == [None, "bytes=600000-", None]


def test_length_that_is_never_reached_is_an_error(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [lambda handler: serve(handler, missing_length=10)]
    with pytest.raises(DownloadError, match=r"10 more expected.*gave up"):
        download(published(server), tmp_path / "file", None)
    assert not (tmp_path / "file").exists()


def test_length_that_is_too_short_is_an_error(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = [lambda handler: serve(handler, missing_length=-10)]
    with pytest.raises(DownloadError, match="sha256 of its 999,990 bytes"):
        download(published(server), tmp_path / "file", None)
    assert names(tmp_path) == []


def test_busy_server_is_asked_again(server: Server, tmp_path: Path, waits: list[float]) -> None:
    server.answers["/file"] = [refusing(429, Retry_After="7"), refusing(503), serve]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert waits == [7.0, 4.0]


def test_long_retry_after_is_capped(server: Server, tmp_path: Path, waits: list[float]) -> None:
    date = formatdate(time.time() + 9999, usegmt=True)
    server.answers["/file"] = [refusing(429, Retry_After=date), refusing(429, Retry_After="soon"), serve]
    download(published(server), tmp_path / "file", None)
    assert waits == [LONGEST_WAIT, 4.0]


def test_missing_file_is_taken_from_the_next_place(server: Server, tmp_path: Path, waits: list[float]) -> None:
    download(published(server, "/gone", "/file"), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert waits == []


def test_file_that_is_nowhere_names_every_place(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"/gone: answers 404.*/lost: answers 404.*mirror"):
        download(published(server, "/gone", "/lost"), tmp_path / "file", None)
    assert names(tmp_path) == []


def test_unreachable_host_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"Connection refused.*give a mirror: --config mirror=") as caught:
        download(Source(("http://127.0.0.1:1/file",), "file"), tmp_path / "file", None)
    assert "\n" not in str(caught.value)


@pytest.fixture(params=["never answers", "never takes a connection", "is nobody's", "has no name"])
def nowhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that is not there, in every way that this can be so."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        host, port = listening.getsockname()
        if request.param.startswith("never"):
            listening.listen(50 if request.param == "never answers" else 0)
        if request.param == "never takes a connection":  # since these are waiting
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex((host, port))
        yield f"http://{'no-such-host.invalid' if request.param == 'has no name' else host}:{port}"


def test_no_network_is_said_in_seconds(
    nowhere: str, tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.sources.transfer.ATTEMPTS", 6)
    monkeypatch.setattr("specialize.sources.transfer.TIMEOUT", (0.1, 0.1))
    monkeypatch.setattr("specialize.sources.availability.ASKING_TIMEOUT", 0.1)
    published = Source((f"{nowhere}/one", f"{nowhere}/other"), "folder/file")
    with pytest.raises(UnansweredError, match=r"/one: no answer.*/other: no answer.*give a mirror") as caught:
        download(published, tmp_path / "file", None)
    assert "\n" not in str(caught.value)
    assert waits == [FIRST_WAIT], "the second place is asked once"
    with pytest.raises(UnansweredError, match=rf"no answer.*the configuration has mirror: {nowhere}; is it up\?"):
        download(published, tmp_path / "file", nowhere)
    assert sources.upstream_bytes([published], None) == (0, False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", nowhere)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(DownloadError, match=r"^model some/model, revision a*: .*no answer.*give a mirror: --config"):
        fetch_model("some/model", "a" * 40, tmp_path / "model")
    monkeypatch.setattr("specialize.sources.published.WIKIMEDIA", nowhere)
    with pytest.raises(UnansweredError, match=r"wowiki/: no answer.*give a --mirror"):
        sources.latest_dump("wo", None)
    assert len(waits) == 4


def test_what_a_server_without_an_answer_takes_is_under_a_minute() -> None:
    assert UNANSWERED_ATTEMPTS * sum(TIMEOUT) + FIRST_WAIT < 60


def test_a_server_that_hangs_up_is_asked_again(server: Server, tmp_path: Path, waits: list[float]) -> None:
    server.answers["/file"] = [lambda handler: handler.connection.close(), serve]
    download(published(server), tmp_path / "file", None)
    assert_complete(tmp_path / "file")


def test_wrong_hash_is_an_error_and_the_file_is_deleted(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download(published(server, sha256="0" * 64), tmp_path / "file", None)
    for part in (f"{server.url}/file", digest(CONTENT), "0" * 64, "run again"):
        assert part in str(caught.value)
    assert names(tmp_path) == []


def test_full_disk_is_an_error_of_ours(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("specialize.sources.downloads.verify", fail)
    with pytest.raises(DownloadError, match="No space left"):
        download(published(server), tmp_path / "file", None)


def test_dump_is_checked_against_the_sha1_sums_beside_it(server: Server, tmp_path: Path) -> None:
    source = Source((f"{server.url}/gone/file", f"{server.url}/file"), "file", sha1_listing="sums.txt")
    server.files["/sums.txt"] = f"{hashlib.sha1(CONTENT).hexdigest()}  file\n".encode()
    download(source, tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    server.files["/sums.txt"] = f"{'0' * 40}  file\n".encode()
    with pytest.raises(DownloadError, match=r"sha1 .* the published sums\.txt has 0000"):
        download(source, tmp_path / "file", None)


@pytest.mark.parametrize("listing", [None, b"<html>", b"\xff\xfe"])
def test_a_listing_that_cannot_be_read_just_now_is_an_error(
    server: Server, tmp_path: Path, waits: list[float], listing: bytes | None
) -> None:
    if listing is None:
        server.answers["/sums.txt"] = [refusing(503)]
    else:
        server.files["/sums.txt"] = listing
    with pytest.raises(DownloadError, match=r"cannot verify .*sums\.txt"):
        download(Source((f"{server.url}/file",), "file", sha1_listing="sums.txt"), tmp_path / "file", None)
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("listing", [None, b"00  another\n"])
def test_without_any_digest_the_sha256_is_logged(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], listing: bytes | None
) -> None:
    if listing is not None:
        server.files["/sums.txt"] = listing
    download(Source((f"{server.url}/file",), "file", sha1_listing="sums.txt"), tmp_path / "file", None)
    assert_complete(tmp_path / "file")
    assert digest(CONTENT) in capsys.readouterr().out


# -- mirrors -----------------------------------------------------------------------------------------------


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "a mirror with spaces" / "folder"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(CONTENT)
    (folder / "sha256sums.txt").write_text(f"{digest(CONTENT)}  file\n")
    return folder


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "run" / "file"


IN_MIRROR = Source(("http://127.0.0.1:1/never-asked",), "folder/file", sha256=digest(CONTENT))


def test_mirror_folder(mirror: Path, destination: Path) -> None:
    download(IN_MIRROR, destination, str(mirror.parent))
    assert_complete(destination)


def test_mirror_url(server: Server, destination: Path) -> None:
    server.files |= {
        "/m/folder/file": CONTENT,
        "/m/folder/sha256sums.txt": f"{digest(CONTENT)}  file\n".encode(),
    }
    server.answers["/m/folder/file"] = [refusing(503), cutting(600_000), serve]
    download(IN_MIRROR, destination, f"{server.url}/m/")
    assert_complete(destination)
    assert server.ranges("/m/folder/file") == [None, None, "bytes=600000-"]


@pytest.mark.parametrize("content", [CONTENT[:-1], b"x" + CONTENT[1:], b""])
def test_broken_file_of_a_mirror(mirror: Path, destination: Path, content: bytes) -> None:
    (mirror / "file").write_bytes(content)
    with pytest.raises(DownloadError, match=r"folder/file: sha256 of its .* bytes is .*sha256sums.txt has") as caught:
        download(IN_MIRROR, destination, str(mirror.parent))
    assert "\n" not in str(caught.value)
    assert names(destination.parent) == []


def test_broken_file_of_a_mirror_url(server: Server, destination: Path) -> None:
    server.files |= {"/folder/file": CHANGED, "/folder/sha256sums.txt": f"{digest(CONTENT)}  file\n".encode()}
    with pytest.raises(DownloadError, match=digest(CHANGED)):
        download(IN_MIRROR, destination, server.url)
    assert names(destination.parent) == []


def test_mirror_without_a_listing(mirror: Path, destination: Path) -> None:
    (mirror / "sha256sums.txt").unlink()
    with pytest.raises(DownloadError, match=r"without the checksums in .*sha256sums.txt"):
        download(IN_MIRROR, destination, str(mirror.parent))


def test_mirror_url_without_a_listing(server: Server, destination: Path) -> None:
    with pytest.raises(DownloadError, match=r"without the checksums in .*sha256sums.txt: .* answers 404"):
        download(IN_MIRROR, destination, server.url)


def test_mirror_whose_listing_lacks_the_file(mirror: Path, destination: Path) -> None:
    (mirror / "sha256sums.txt").write_text(f"{digest(CONTENT)}  another\n")
    with pytest.raises(DownloadError, match=r"sha256sums.txt: has no line for file"):
        download(IN_MIRROR, destination, str(mirror.parent))


MIRROR_LACKS = {
    "universal-dependencies/UD_Wolof-WTB/r2.6/wo_wtb-ud-dev.conllu": "no r2.6 in universal-dependencies/UD_Wolof-WTB; "
    "what there is: r2.5",
    "universal-dependencies/UD_Wolof-WTT/r2.5/x": "no UD_Wolof-WTT in universal-dependencies; what "
    "there is: UD_Belarusian-HSE, UD_Irish-IDT, UD_Wolof-WTB",
    "universal-dependencies/UD_Wolof-WTB/r2.5/wo_wtd-ud-dev.conllu": "no wo_wtd-ud-dev.conllu in universal-"
    "dependencies/UD_Wolof-WTB/r2.5; what there is: wo_wtb-ud-dev.conllu",
    "wikiann/wo.tar.gz": "no wikiann in it; what there is: universal-dependencies, wikipedia",
    "wikipedia/wowiki/20201221/wowiki-20201221-pages-articles.xml.bz2": "no 20201221 in wikipedia/wowiki; what "
    "there is: 20201220",
    "wikipedia/wo_wiki/20201220/x.bz2": "no wo_wiki in wikipedia; nearest: wowiki",
    "wikipedia/enzyklopädie/x.bz2": "no enzyklopädie in wikipedia; what there is: aawiki, bbwiki, ",
}


@pytest.mark.parametrize("by_url", [False, True])
def test_a_mirror_says_what_it_has_in_place_of_what_it_lacks(tmp_path: Path, by_url: bool) -> None:
    for path in ("universal-dependencies/UD_Wolof-WTB/r2.5/wo_wtb-ud-dev.conllu", "wikipedia/wowiki/20201220/x"):
        (tmp_path / "mirror" / path).parent.mkdir(parents=True)
        (tmp_path / "mirror" / path).write_text("")
        (tmp_path / "mirror" / path).with_name("sha256sums.txt").write_text(f"00  {Path(path).name}\n")
    for name in ("UD_Belarusian-HSE", "UD_Irish-IDT"):
        (tmp_path / "mirror/universal-dependencies" / name).mkdir()
    for letter in "abcdefgh":
        (tmp_path / f"mirror/wikipedia/{letter}{letter}wiki").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
        place = f"http://127.0.0.1:{running.server_port}" if by_url else str(tmp_path / "mirror")
        try:
            for path, said in MIRROR_LACKS.items():
                with pytest.raises(RefusedError, match=re.escape(said)) as caught:
                    download(Source((), path), tmp_path / "run/file", place)
                assert "\n" not in str(caught.value)
        finally:
            running.shutdown()


def test_a_file_that_a_mirror_has_but_does_not_list(mirror: Path, destination: Path) -> None:
    (mirror / "sha256sums.txt").write_text("")
    with pytest.raises(DownloadError, match=r"does not offer that file; add its line, as `sha256sum file` prints it"):
        download(IN_MIRROR, destination, str(mirror.parent))


def test_a_prefix_that_does_not_go_with_the_treebank(tmp_path: Path) -> None:
    destinations = {part: tmp_path / part for part in ("train", "dev", "test")}
    with pytest.raises(RefusedError, match=r"; did you mean prefix: wo_wtb\?"):
        sources.fetch_treebank("UD_Wolof-WTB", "r2.5", "wo_wbt", {}, destinations, str(tmp_path))


def test_mirror_that_lacks_a_listed_file(mirror: Path, destination: Path) -> None:
    (mirror / "file").unlink()
    with pytest.raises(DownloadError, match=r"is listed in the mirror's sha256sums.txt but is not there"):
        download(IN_MIRROR, destination, str(mirror.parent))


def test_mirror_with_another_version_than_the_pinned_one(mirror: Path, destination: Path) -> None:
    (mirror / "file").write_bytes(CHANGED)
    (mirror / "sha256sums.txt").write_text(f"{digest(CHANGED)}  file\n")
    with pytest.raises(
        DownloadError, match=f"{digest(CHANGED)} in the mirror.*registry of languages has {digest(CONTENT)}"
    ):
        download(IN_MIRROR, destination, str(mirror.parent))
    assert names(destination.parent) == []


def test_failure_leaves_an_earlier_file_alone(mirror: Path, destination: Path) -> None:
    download(IN_MIRROR, destination, str(mirror.parent))
    (mirror / "file").write_bytes(CHANGED)
    with pytest.raises(DownloadError):
        download(IN_MIRROR, destination, str(mirror.parent))
    assert_complete(destination)


# -- records -----------------------------------------------------------------------------------------------


def test_the_first_download_is_recorded_and_later_ones_are_held_to_it(server: Server, tmp_path: Path) -> None:
    destination, source = tmp_path / "file", published(server, sha256=None)
    fetch(source, destination, None)
    assert (tmp_path / "sha256sums.txt").read_text() == f"{digest(CONTENT)}  file\n"
    destination.unlink()
    fetch(source, destination, None)
    assert destination.read_bytes() == CONTENT
    destination.unlink()
    server.files["/file"] = CHANGED
    with pytest.raises(
        DownloadError, match=f"{digest(CHANGED)}, but the first download.*delete its line.*{digest(CONTENT)}"
    ):
        fetch(source, destination, None)
    assert not destination.exists()
    (tmp_path / "sha256sums.txt").unlink()
    fetch(source, destination, None)
    assert destination.read_bytes() == CHANGED


def test_a_mirror_is_held_to_the_record_too(mirror: Path, destination: Path) -> None:
    source = Source((), "folder/file")
    fetch(source, destination, str(mirror.parent))
    (mirror / "file").write_bytes(CHANGED)
    (mirror / "sha256sums.txt").write_text(f"{digest(CHANGED)}  file\n")
    with pytest.raises(DownloadError, match="the mirror has another version"):
        fetch(source, destination, str(mirror.parent))
    assert destination.read_bytes() == CONTENT


def test_a_pinned_digest_counts_more_than_the_record(server: Server, tmp_path: Path) -> None:
    (tmp_path / "sha256sums.txt").write_text(f"{digest(CHANGED)}  file\n{digest(CHANGED)}  other\n")
    fetch(published(server), tmp_path / "file", None)
    assert (tmp_path / "sha256sums.txt").read_text() == f"{digest(CONTENT)}  file\n{digest(CHANGED)}  other\n"


def test_records_of_downloads_at_once_are_all_kept(server: Server, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number in range(8):
            pool.submit(fetch, published(server), tmp_path / f"file{number}", None)
    assert len((tmp_path / "sha256sums.txt").read_text().splitlines()) == 8


def test_what_was_downloaded_serves_as_a_mirror(server: Server, tmp_path: Path) -> None:
    source = published(server, sha256=None)
    fetch(source, tmp_path / "resources" / source.mirror_path, None)
    fetch(source, tmp_path / "elsewhere" / "file", str(tmp_path / "resources"))
    assert (tmp_path / "elsewhere" / "file").read_bytes() == CONTENT


# -- the latest dump ---------------------------------------------------------------------------------------

INDEX = b'<a href="../">up</a> <a href="20260101/">1</a> <a href="20260201/">2</a> <a href="latest/">latest</a>'


def test_the_latest_dump_is_the_newest_finished_one(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specialize.sources.published.WIKIMEDIA", server.url)
    server.files |= {
        "/ltgwiki/": INDEX,
        "/ltgwiki/20260201/ltgwiki-20260201-sha1sums.txt": b"00  ltgwiki-20260201-site_stats.sql.gz\n",
        "/ltgwiki/20260101/ltgwiki-20260101-sha1sums.txt": b"00  ltgwiki-20260101-pages-articles.xml.bz2\n",
    }
    assert sources.latest_dump("ltg", None) == "20260101"
    server.files["/ltgwiki/20260201/ltgwiki-20260201-sha1sums.txt"] = b"00  ltgwiki-20260201-pages-articles.xml.bz2\n"
    assert sources.latest_dump("ltg", None) == "20260201"


def test_no_finished_dump_is_an_error(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specialize.sources.published.WIKIMEDIA", server.url)
    server.files["/xxwiki/"] = INDEX
    with pytest.raises(DownloadError, match="no finished dump; is xx the code"):
        sources.latest_dump("xx", None)
    with pytest.raises(DownloadError, match="no finished dump"):
        sources.latest_dump("xx", str(tmp_path))


@pytest.mark.parametrize("by_url", [False, True])
def test_the_latest_dump_of_a_mirror(server: Server, tmp_path: Path, by_url: bool) -> None:
    for date in ("20250101", "20251201"):
        folder = tmp_path / "wikipedia/be_x_oldwiki" / date
        folder.mkdir(parents=True)
        (folder / "sha256sums.txt").write_text(f"00  be_x_oldwiki-{date}-pages-articles.xml.bz2\n")
        server.files[f"/wikipedia/be_x_oldwiki/{date}/sha256sums.txt"] = (folder / "sha256sums.txt").read_bytes()
    server.files["/wikipedia/be_x_oldwiki/"] = b'<a href="20250101/">a</a><a href="20251201/">b</a>'
    assert sources.latest_dump("be-x-old", server.url if by_url else str(tmp_path)) == "20251201"


# -- sizes -------------------------------------------------------------------------------------------------


def test_size_of_a_mirror_folder(mirror: Path) -> None:
    assert sources.upstream_bytes([IN_MIRROR], str(mirror.parent)) == (len(CONTENT), True)
    assert sources.upstream_bytes([IN_MIRROR, Source((), "folder/none")], str(mirror.parent)) == (len(CONTENT), False)


def test_size_upstream_counts_a_collection_once(server: Server) -> None:
    parts = [Source((f"{server.url}/gone", f"{server.url}/file"), path, member=path) for path in ("a", "b")]
    assert sources.upstream_bytes(parts, None) == (len(CONTENT), True)
    assert all(method == "HEAD" for method, _, _ in server.requests)
    assert sources.upstream_bytes([published(server, "/gone")], None) == (0, False)
    assert sources.upstream_bytes([Source(("http://127.0.0.1:1/file",), "file")], None) == (0, False)


# -- WikiAnn's collection ----------------------------------------------------------------------------------


def tar_archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    path = tmp_path / "panx_dataset.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/panx_dataset/._ug.tar.gz", b"fork")
        archive.writestr("panx_dataset/ug.tar.gz", tar_archive(train=b"ug:a\tO\n"))
        archive.writestr("../../mt.tar.gz", tar_archive(train=b"mt:b\tO\n"))
    return path


def test_one_language_of_the_collection(collection: Path, tmp_path: Path) -> None:
    for code in ("ug", "mt"):
        destination = tmp_path / "wikiann" / f"{code}.tar.gz"
        sources.extract_archive(collection, sources.wikiann_archive(code), destination)
        with tarfile.open(destination) as archive:
            assert archive.getnames() == ["train"]
    assert names(tmp_path) == ["panx_dataset.zip", "wikiann"]


def test_the_collection_is_downloaded_once_for_all_who_want_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.sources.wikiann.wikiann_collection", lambda: published(server))
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(sources.fetch_wikiann_collection, [tmp_path / "wikiann"] * 4))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert len(server.requests) == 1


def test_the_collection_is_pinned(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specialize.sources.published.WIKIANN", f"{server.url}/file")
    with pytest.raises(DownloadError, match=rf"{digest(CONTENT)}, but this version of specialize has 164814b6"):
        sources.fetch_wikiann_collection(tmp_path)
    assert not (tmp_path / "panx_dataset.zip").exists()


def test_language_that_the_collection_lacks(collection: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such language: there is no member xx"):
        sources.extract_archive(collection, sources.wikiann_archive("xx"), tmp_path / "xx.tar.gz")


def test_oversized_member(collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specialize.sources.wikiann.MAXIMUM_MEMBER_BYTES", 10)
    with pytest.raises(InputError, match="not sane"):
        sources.extract_archive(collection, sources.wikiann_archive("ug"), tmp_path / "ug.tar.gz")


@pytest.mark.parametrize("damage", ["cut", "flip", "absent"])
def test_broken_collection(collection: Path, tmp_path: Path, damage: str) -> None:
    content = bytearray(collection.read_bytes())
    content[content.index(b"panx_dataset/ug.tar.gz") + 40] ^= 0xFF
    collection.write_bytes(content[:-30] if damage == "cut" else content)
    if damage == "absent":
        collection.unlink()
    with pytest.raises(InputError, match="cannot be unpacked"):
        sources.extract_archive(collection, sources.wikiann_archive("ug"), tmp_path / "ug.tar.gz")
    assert not (tmp_path / "ug.tar.gz").exists()


def test_a_member_is_not_fetched_as_if_it_were_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="extract_archive"):
        download(sources.wikiann_archive("ug"), tmp_path / "ug.tar.gz", None)


copy_model = partial(sources.copy_model, take=take_base_model)
HOW = {"files": model_files(), "take": take_base_model, "described": description_files(), "check": check_description}
fetch_model = partial(sources.fetch_model, **HOW)
fetch_model_from_mirror = partial(sources.fetch_model_from_mirror, **HOW)

# -- base models -------------------------------------------------------------------------------------------


def write_model(folder: Path, model_type: str = "bert") -> Path:
    from tokenizers import Tokenizer, models
    from transformers import BertConfig, BertForMaskedLM

    folder.mkdir(parents=True)
    sizes = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 4}
    BertForMaskedLM(BertConfig(vocab_size=3, **sizes)).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": model_type}))
    (folder / "vocab.txt").write_text("[UNK]\n")
    Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")).save(str(folder / "tokenizer.json"))
    write_listing(folder)
    return folder


def write_listing(folder: Path, more: str = "") -> None:
    (folder / "sha256sums.txt").unlink(missing_ok=True)
    lines = [f"{file_hash(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "sha256sums.txt").write_text("".join(lines) + more)


def test_own_model_is_copied(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "own")
    (folder / "pytorch_model.bin").write_bytes(b"not needed")
    copy_model(folder, tmp_path / "base" / "own")
    assert names(tmp_path / "base") == ["own"]
    assert names(tmp_path / "base" / "own") == sorted(MODEL)


def test_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mirror" / "models" / "xlmr", model_type="t5")
    (folder / "model.safetensors").unlink()  # that it is listed is enough
    with pytest.raises(InputError, match=r"xlmr/config.json: is of a t5 model; supported are .* XLM-R, .* WordPiece"):
        copy_model(folder, tmp_path / "base" / "xlmr")
    with pytest.raises(InputError, match=r"xlmr/config.json: is of a t5 model; supported are"):
        fetch_model_from_mirror("xlmr", str(tmp_path / "mirror"), tmp_path / "base" / "xlmr")
    assert names(tmp_path / "base") == []


def test_model_from_a_mirror(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "my mirror" / "models" / "mini")
    fetch_model_from_mirror("mini", str(tmp_path / "my mirror"), tmp_path / "base" / "mini")
    assert names(tmp_path / "base" / "mini") == sorted(MODEL)
    (folder / "model.safetensors").write_bytes(b"broken!")
    with pytest.raises(DownloadError, match=r"model.safetensors: sha256"):
        fetch_model_from_mirror("mini", str(tmp_path / "my mirror"), tmp_path / "base" / "other")
    assert names(tmp_path / "base") == ["mini"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "sub/x", "..", ".", "..\\x"])
def test_listing_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "mirror" / "models" / "mini")
    write_listing(folder, f"{'0' * 64}  {name}\n")
    with pytest.raises(DownloadError, match="is not the plain name of a file"):
        fetch_model_from_mirror("mini", str(tmp_path / "mirror"), tmp_path / "base" / "mini")
    assert names(tmp_path) == ["mirror"]


def test_mirror_without_the_model(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"has no models/mini: it is empty"):
        fetch_model_from_mirror("mini", str(tmp_path), tmp_path / "base" / "mini")
    for name in ("mini-mbert", "mbert"):
        (tmp_path / "models" / name).mkdir(parents=True)
    with pytest.raises(DownloadError, match=r"it has no mini in models; what there is: mbert, mini-mbert$"):
        fetch_model_from_mirror("mini", str(tmp_path), tmp_path / "base" / "mini")


def publish(server: Server, folder: Path, revision: str) -> dict[str, bytes]:
    """Offer the files of a folder as the hub does."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    def describe(handler: Handler) -> None:
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": digest(content)[:40]}
            for name, content in files.items()
        ]
        handler.reply(200, {"Content-Type": "application/json"}, json.dumps(entries).encode())

    def resolve(handler: Handler) -> None:
        content = files[handler.path.rpartition("/")[2]]
        headers = {"ETag": f'"{digest(content)}"', "X-Repo-Commit": revision, "Content-Length": str(len(content))}
        handler.reply(200, headers, content)

    server.answers[f"/api/models/some/model/tree/{revision}?recursive=true&expand=false"] = [describe]
    for name in files:
        server.answers[f"/some/model/resolve/{revision}/{name}"] = [resolve]
    return files


# The library reads the endpoint once, when it is imported.
FETCH = "import sys, pathlib; from specialize import sources; from specialize.bases.folder import *; "
FETCH += "from specialize.bases.supported import check_description; "
FETCH += "sources.fetch_model(*sys.argv[1:3], pathlib.Path(sys.argv[3]), model_files(), take_base_model, "
FETCH += "description_files(), check_description)"


@pytest.mark.slow
def test_model_from_the_hub(server: Server, tmp_path: Path) -> None:
    folder, revision = write_model(tmp_path / "published"), "a" * 40
    (folder / "pytorch_model.bin").write_bytes(b"not asked for")
    files = publish(server, folder, revision)
    environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", FETCH, "some/model", revision, str(tmp_path / "base" / "model")]
    subprocess.run(command, env=environment, check=True, timeout=240)
    assert names(tmp_path / "base" / "model") == sorted(MODEL)
    assert (tmp_path / "base" / "model" / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert not any(path.endswith("pytorch_model.bin") for _, path, _ in server.requests)


@pytest.mark.slow
def test_a_model_of_the_hub_that_is_not_supported_costs_no_download_of_weights(server: Server, tmp_path: Path) -> None:
    environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "0"}
    for revision, model_type, lacking, said in (
        ("c" * 40, "t5", "", r"config\.json: is of a t5 model; supported are the architectures BERT, .* XLM-R, and "),
        (
            "d" * 40,
            "bert",
            "tokenizer.json vocab.txt",
            r"tokenizer\.json: is missing .*; get it by \.venv/bin/hf download ",
        ),
    ):
        folder = write_model(tmp_path / revision, model_type)
        for name in lacking.split():
            (folder / name).unlink()
        publish(server, folder, revision)
        command = [sys.executable, "-c", FETCH, "some/model", revision, str(tmp_path / "base" / "model")]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        assert re.search(rf"InputError: model some/model, revision {revision}, {said}", ended.stderr), ended.stderr
    assert any(path.endswith("/config.json") for _, path, _ in server.requests)
    assert not any(path.endswith(".safetensors") for _, path, _ in server.requests)


@pytest.mark.slow
def test_model_of_the_hub_without_safetensors_comes_with_commands_that_work(server: Server, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder, revision = write_model(tmp_path / "published"), "b" * 40
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    publish(server, folder, revision)
    environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", FETCH, "some/model", revision, str(tmp_path / "base" / "model")]
    run = partial(subprocess.run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    error = run(command).stderr.splitlines()[-1]
    found = re.search(r"get and convert it: (.*); then give folder: (.*) in place of hub and revision", error)
    assert found, error
    programs = str(Path(sys.executable).parent)
    converted = run(["bash", "-c", found[1].replace(".venv/bin", programs)])
    assert converted.returncode == 0, converted.stderr
    copy_model(Path(found[2]), tmp_path / "base" / "model")


@pytest.mark.slow
def test_mirror_with_pickled_weights_only_comes_with_commands_that_work(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = write_model(tmp_path / "my mirror" / "models" / "mini")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    fetch = partial(fetch_model_from_mirror, "mini", str(tmp_path / "my mirror"), tmp_path / "base" / "mini")
    write_listing(folder)
    with pytest.raises(DownloadError, match=r"sha256sums.txt: lists no safetensors; convert its weights") as raised:
        fetch()
    command = str(raised.value).partition("list them: ")[2].replace(".venv/bin", str(Path(sys.executable).parent))
    subprocess.run(["bash", "-c", command], check=True, timeout=240)
    fetch()
    (folder / "pytorch_model.bin").unlink()
    (folder / "model.safetensors").unlink()
    write_listing(folder)
    with pytest.raises(DownloadError, match=r"sha256sums.txt: lists no safetensors$"):
        fetch()


def test_a_model_of_a_mirror_that_cannot_be_used_is_named_by_its_place_there(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "my mirror" / "models" / "mini")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}))
    write_listing(folder)
    with pytest.raises(InputError, match=rf"^{folder}/model\.safetensors: lacks 16 of the 42 tensors"):
        fetch_model_from_mirror("mini", str(tmp_path / "my mirror"), tmp_path / "base" / "mini")
    assert names(tmp_path / "base") == []


def test_failure_of_the_hub_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    monkeypatch.setattr("specialize.sources.models.first_answer", lambda url: None)
    with pytest.raises(DownloadError, match=r"model some/model, revision abc: RuntimeError: two lines"):
        fetch_model("some/model", "abc", tmp_path / "model")
    assert names(tmp_path) == []


def test_own_model_that_cannot_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = write_model(tmp_path / "own")
    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(DownloadError, match="No space left"):
        copy_model(folder, tmp_path / "base" / "own")
    assert names(tmp_path / "base") == []
