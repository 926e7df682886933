"""Asking the hosts that publish data, or a mirror in their place, what there is; who did not answer is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from specialize.errors import DownloadError, SpecializeError
from specialize.files import read_checksums
from specialize.sources.availability import LONGEST_PAGE, names_in, names_on_page
from specialize.sources.published import place_in_mirror
from specialize.sources.transfer import HEADERS, TIMEOUT, is_url
from specialize.sources.verification import LISTING

ABSENT = (404, 410)
LONGEST_ANSWER = 400_000_000  # bytes, above any treebank's part


@dataclass
class Places:
    """Where to ask.

    Attributes:
        mirror: the absolute path or URL of one, in place of the hosts.
        silent: hosts that gave no answer or refused it, with the reason, and for what they were to be asked; they are
            not asked again.
        useless: places whose answer cannot be used, likewise; their hosts are asked for other things.
    """

    mirror: str | None = None
    silent: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    useless: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    def require_mirror(self) -> None:
        """Refuse a mirror that is not there.

        Raises:
            DownloadError: with what is wrong.
        """
        if not self.mirror:
            return
        if not is_url(self.mirror):
            if not Path(self.mirror).is_dir():
                raise DownloadError(f"there is no mirror {self.mirror}; give a folder, or a URL")
            return
        self.get(f"{self.mirror.rstrip('/')}/", "whether it is there", most=1)
        if self.silent:
            (problem, _), *_rest = self.silent.values()
            raise DownloadError(f"the mirror {self.mirror} gives no answer ({problem}); is it up?")
        if self.names("", "whether it is there") is None:
            self.useless[self.mirror] = ("it shows no lists of its folders", ["its dumps", "its treebanks"])

    def place(self, path: str) -> str:
        """The path or URL of something in the mirror."""
        assert self.mirror
        return place_in_mirror(path, self.mirror)

    def names(self, folder: str, what: str) -> list[str] | None:
        """The names in a folder of the mirror; None if there is none, or no list of it."""
        place = self.place(folder).rstrip("/")
        if not is_url(place):
            return names_in(place)
        page = self.get(f"{place}/", what, LONGEST_PAGE)
        return None if page is None else names_on_page(page.decode("utf-8", errors="replace"))

    def offered(self, folder: str, what: str) -> list[str]:
        """The names of the files that a folder of the mirror offers: those in its listing."""
        place = f"{self.place(folder)}/{LISTING}"
        content = self.get(place, what)
        if content is None:
            return []
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as temporary:
            listing = Path(temporary, LISTING)
            listing.write_bytes(content)
            try:
                names = sorted(read_checksums(listing))
            except SpecializeError as error:
                raise DownloadError(
                    f"{place}: is not a listing of checksums; write it with sha256sum * > {LISTING}"
                ) from error
        return [name for name in names if is_url(place) or Path(place).with_name(name).is_file()]

    def get(self, place: str, what: str, most: int = LONGEST_ANSWER) -> bytes | None:
        """The content of a file, or its first bytes.

        Args:
            place: its path or URL.
            what: is asked for, in words, for the report on a host that does not answer.
            most: so many bytes are enough.

        Returns:
            None if it is not there, or if that cannot be asked.
        """
        if not is_url(place):
            path = Path(place)
            if not path.is_file():
                return None
            with path.open("rb") as stream:
                return stream.read(most)
        response = self._ask("GET", place, what, {"Range": f"bytes=0-{most - 1}"} if most < LONGEST_ANSWER else {})
        if response is None:
            return None
        content = bytearray()
        try:
            with response:
                for chunk in response.iter_content(1 << 16):
                    content += chunk
                    if len(content) >= most:
                        break
        except requests.RequestException as error:
            self.note_useless(place, what, f"it broke off ({type(error).__name__})")
            return None
        return bytes(content[:most])

    def tail(self, url: str, what: str, size: int) -> bytes | None:
        """The last bytes of a file of a host; None as for `get`, and where the host gives no parts of files."""
        response = self._ask("GET", url, what, {"Range": f"bytes=-{size}"})
        if response is None:
            return None
        with response:
            if response.status_code != 206 and int(response.headers.get("Content-Length", size + 1)) > size:
                self.note_useless(url, what, "it comes as a whole only, which is large")
                return None
            try:
                return bytes(response.content)
            except requests.RequestException as error:
                self.note_useless(url, what, f"it broke off ({type(error).__name__})")
                return None

    def size(self, place: str, what: str) -> int | None:
        """How many bytes a file has; None as for `get`."""
        if not is_url(place):
            path = Path(place)
            return path.stat().st_size if path.is_file() else None
        response = self._ask("HEAD", place, what, {})
        if response is None:
            return None
        with response:
            length = response.headers.get("Content-Length", "")
            return int(length) if length.isdecimal() else 0

    def _ask(self, method: str, url: str, what: str, more: dict[str, str]) -> requests.Response | None:
        host = urlsplit(url).netloc
        if host in self.silent:
            self.note_silent(url, what, "")
            return None
        headers = HEADERS | more
        for attempt in (1, 2):
            try:
                response = requests.request(
                    method, url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=True
                )
            except requests.RequestException as error:
                if attempt == 2:
                    self.note_silent(url, what, f"no answer ({type(error).__name__})")
                continue
            if response.ok:
                return response
            response.close()
            if response.status_code in ABSENT:
                return None
            if attempt == 2 or response.status_code < 500:
                self.note_silent(url, what, f"answers {response.status_code} {response.reason}")
                return None
        return None

    def note_silent(self, url: str, what: str, problem: str) -> None:
        """Remember that a host gave no answer, so that it is not asked again."""
        _note(self.silent, urlsplit(url).netloc, what, problem)

    def note_useless(self, place: str, what: str, problem: str) -> None:
        """Remember that what is at a place cannot be used."""
        _note(self.useless, place, what, problem)


def _note(kept: dict[str, tuple[str, list[str]]], where: str, what: str, problem: str) -> None:
    _, wanted = kept.setdefault(where, (problem, []))
    if what not in wanted:
        wanted.append(what)
