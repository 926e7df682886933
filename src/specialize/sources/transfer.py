"""Getting the bytes of a URL into a partial file, however often the connection breaks.

Beside a partial file stands a note of which version of which URL it is the beginning, so that another attempt, in this
job or the next, goes on from there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path

import requests
import urllib3
from tqdm import tqdm

from specialize import __version__
from specialize.errors import DownloadError, SpecializeError, full_disk
from specialize.files import read_json, remove, write_json

ATTEMPTS = 6  # in a row without a new byte, for each URL whose server has answered
UNANSWERED_ATTEMPTS = 2  # for one whose server never has: without network that is said at once
FIRST_WAIT = 2.0  # seconds before the second attempt; doubles with each further one
LONGEST_WAIT = 120.0  # seconds, also where a server's Retry-After asks for more
TIMEOUT = (5.0, 15.0)  # seconds to connect, and until a silent server counts as stalled
CHUNK_BYTES = 1 << 18

# Wikimedia asks for a name that says what the program is; identity, because files are kept as published.
HEADERS = {
    "User-Agent": f"specialize/{__version__} (research tool that adapts language models to low-resource languages) "
    f"python-requests/{requests.__version__}",
    "Accept-Encoding": "identity",
}


NO_NETWORK = (
    "is the network up, and does it need a proxy (https_proxy)? Where there is none, give a mirror: --config "
    "mirror=/absolute/path (docs/offline.md)"
)


class RefusedError(DownloadError):
    """A server's final answer that a file cannot be had there; asking again would not help.

    Attributes:
        status: its HTTP status; None if a mirror's listing says so.
    """

    status: int | None = None


class UnansweredError(DownloadError):
    """There was no answer at all, as where there is no network."""


class _SilentServerError(requests.ConnectionError):
    """One attempt to which no server has answered."""


def is_url(place: str) -> bool:
    """Whether a place is a URL, and not a path."""
    return place.startswith(("http://", "https://"))


def download_first(urls: Sequence[str], partial: Path) -> str:
    """Download from the first URL that has the file, and return that URL.

    Raises:
        RefusedError: if all of them say that they do not have it; the text names each.
        DownloadError: if it cannot be had; the text names the problem of each.
    """
    problems: list[DownloadError] = []
    for url in urls:
        unanswered = any(isinstance(error, UnansweredError) for error in problems)
        try:
            download_url(url, partial, 1 if unanswered else UNANSWERED_ATTEMPTS)
            return url
        except DownloadError as error:
            problems.append(error)
    if all(isinstance(error, UnansweredError) for error in problems):
        raise UnansweredError(f"{'; '.join(map(str, problems))}; {NO_NETWORK}")
    kind = RefusedError if all(isinstance(error, RefusedError) for error in problems) else DownloadError
    text = "; ".join(map(str, problems))
    raise kind(f"{text}; is this version published, and the network up? Or give a mirror")


def download_url(url: str, partial: Path, unanswered_attempts: int | None = None) -> None:
    """Download into a partial file, going on from what is there, until it is complete or nothing more comes.

    Args:
        url: the file's.
        partial: the partial file.
        unanswered_attempts: after so many without any answer of a server, give up; by default `UNANSWERED_ATTEMPTS`.

    Raises:
        RefusedError: if the server says that it does not have the file.
        UnansweredError: if there is no answer at all.
        DownloadError: if the URL is none, or too many attempts in a row brought nothing.
    """
    failures = furthest = 0
    answered = False
    while True:
        try:
            _request(url, partial)
            return
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if isinstance(error, ValueError):  # not a URL
                raise DownloadError(f"{url}: {error}") from error
            problem, asked = error, _retry_after(getattr(error, "response", None))
            answered = answered or not isinstance(error, _SilentServerError)
        size = partial.stat().st_size if partial.exists() else 0
        failures = 1 if size > furthest else failures + 1
        furthest = max(furthest, size)
        if not answered and failures >= (unanswered_attempts or UNANSWERED_ATTEMPTS):
            raise UnansweredError(f"{url}: {problem}") from problem
        if failures >= ATTEMPTS:
            raise DownloadError(f"{url}: {problem} (gave up after {ATTEMPTS} attempts)") from problem
        wait = min(max(asked, FIRST_WAIT * 2 ** (failures - 1)), LONGEST_WAIT)
        print(f"{url}: {problem}; trying again in {wait:.0f} s")
        time.sleep(wait)


def is_offered(url: str) -> bool:
    """Whether a server has a file, of which nothing is downloaded.

    Raises:
        RefusedError: if the server refuses to say so.
        UnansweredError: if there is no answer at all.
        DownloadError: if it does not say so however often it is asked.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _ask(url, {}, "HEAD") as response:
                if response.ok or response.status_code in (404, 410):
                    return response.ok
                problem = f"answers {response.status_code} {response.reason}"
                if response.status_code not in (408, 429) and response.status_code < 500:
                    refused = RefusedError(f"{url}: {problem}")
                    refused.status = response.status_code
                    raise refused
        except requests.RequestException as error:
            problem = str(error)
            if isinstance(error, _SilentServerError) and attempt == UNANSWERED_ATTEMPTS:
                raise UnansweredError(f"{url}: {problem}; {NO_NETWORK}") from error
        if attempt < ATTEMPTS:
            time.sleep(min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT))
    raise DownloadError(f"{url}: {problem} (gave up after {ATTEMPTS} attempts)")


def first_answer(url: str) -> None:
    """Wait until a server answers at all, whatever it says.

    Raises:
        UnansweredError: if it does not, in a few seconds.
    """
    for attempt in range(1, UNANSWERED_ATTEMPTS + 1):
        try:
            _ask(url, {}).close()
            return
        except _SilentServerError as error:
            if attempt == UNANSWERED_ATTEMPTS:
                raise UnansweredError(f"{url}: {error}; {NO_NETWORK}") from error
            time.sleep(FIRST_WAIT)


def _ask(url: str, more: dict[str, str], method: str = "GET") -> requests.Response:
    try:
        return requests.request(method, url, headers=HEADERS | more, stream=True, timeout=TIMEOUT)
    except (requests.ConnectionError, requests.Timeout) as error:
        first = error.args[0] if error.args else error
        if isinstance(first, urllib3.exceptions.ProtocolError):  # there is a server, which has hung up
            raise
        reason = getattr(first, "reason", first)
        raise _SilentServerError(f"no answer ({str(reason).rpartition('): ')[2]})") from error


def _request(url: str, partial: Path) -> None:
    """Ask for a file, or for the rest of it, and append what comes to the partial file."""
    validator = _saved_validator(url, partial)
    start = partial.stat().st_size if validator else 0
    # With If-Range, a server whose file has changed since then sends all of it (200) rather than the rest (206).
    asked = {"Range": f"bytes={start}-", "If-Range": validator} if validator and start else {}
    with _ask(url, asked) as response:
        answer = f"answers {response.status_code} {response.reason}"
        if response.status_code in (408, 429) or response.status_code >= 500:
            raise requests.HTTPError(answer, response=response)
        if asked and response.status_code in (206, 416):
            _check_rest(response, start, validator, partial)
        elif response.status_code == 200:
            start = 0
            start_over(partial)
            write_json(_note(partial), {"url": url, "validator": _validator(response)})
        else:
            refused = RefusedError(f"{url}: {answer}")
            refused.status = response.status_code
            raise refused
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        _append(response, partial, start, total)
    if total is not None and partial.stat().st_size < total:
        raise requests.ConnectionError(f"broke off after {partial.stat().st_size:,} of {total:,} bytes")


def _check_rest(response: requests.Response, start: int, validator: str | None, partial: Path) -> None:
    """Check that an answer goes on where the partial file ends; if not, that file is of no use any more."""
    right_bytes = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    if not right_bytes or _validator(response) not in (None, validator):
        start_over(partial)
        raise requests.HTTPError("has changed since the download began; starting over")


def _append(response: requests.Response, partial: Path, start: int, total: int | None) -> None:
    """Write what comes to the end of the partial file, with a progress bar (in bytes) that begins at ``start``."""
    name = partial.name.removeprefix(".").removesuffix(".partial")
    progress = tqdm(desc=name, initial=start, total=total, unit="B", unit_scale=True, mininterval=1)
    with partial.open("ab") as stream, progress:
        # read1 gives what has arrived, so that a break loses nothing of it; undecoded: as published.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            stream.write(chunk)
            progress.update(len(chunk))


def _retry_after(response: requests.Response | None) -> float:
    """Seconds that a busy server asks to wait; it may say it as a date."""
    value = response.headers.get("Retry-After", "") if response is not None else ""
    if value.isdecimal():
        return float(value)
    date = parsedate_tz(value)
    return mktime_tz(date) - time.time() if date else 0.0


def _validator(response: requests.Response) -> str | None:
    """What tells two versions of a file apart; a weak tag promises too little to join byte ranges on."""
    tag = response.headers.get("ETag", "W/")
    return response.headers.get("Last-Modified") if tag.startswith("W/") else tag


def _saved_validator(url: str, partial: Path) -> str | None:
    try:
        note = read_json(_note(partial))
        return str(note["validator"]) if partial.is_file() and note["url"] == url and note["validator"] else None
    except (SpecializeError, OSError, KeyError, TypeError):
        return None


def _note(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def start_over(partial: Path) -> None:
    """Remove a partial file with its note."""
    remove(partial)
    forget(partial)


def forget(partial: Path) -> None:
    """Remove a partial file's note, which a complete file has no use for."""
    remove(_note(partial))


@contextlib.contextmanager
def disk_errors_reported(path: Path) -> Iterator[None]:
    """Report a full disk or a missing permission as the user's to mend.

    Raises:
        DownloadError: in place of any error of the system that the block ends with.
    """
    try:
        yield
    except OSError as error:
        raise DownloadError(f"{path}: {full_disk(error) or f'could not be made ({error})'}") from error
