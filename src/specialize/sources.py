"""Sources: what is downloaded, from where, and how it is known to be the right file.

A download is either taken from upstream (the hosts that publish it) or from a mirror, a folder or URL that holds the
same files with a `sha256sums.txt` in each folder. Either way it appears under its final name only when it is complete
and verified.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path, PurePosixPath

import requests
import urllib3
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from tqdm import tqdm

from specialize import __version__
from specialize.errors import DownloadError, InputError, SpecializeError
from specialize.files import atomic_path, atomic_text, file_hash, read_checksums, read_json, remove, write_json

ATTEMPTS = 6  # in a row without a new byte, for each URL
FIRST_WAIT = 2.0  # seconds before the second attempt; doubles with each further one
LONGEST_WAIT = 120.0  # seconds, also where a server's Retry-After asks for more
TIMEOUT = (10.0, 60.0)  # seconds to connect, and until a silent server counts as stalled
ASKING_TIMEOUT = 5.0  # seconds to learn a size
CHUNK_BYTES = 1 << 18
MAXIMUM_MEMBER_BYTES = 200_000_000  # of one language in WikiAnn's collection; the largest has a few million

# Wikimedia asks for a name that says what the program is; identity, because files are kept as published.
HEADERS = {
    "User-Agent": f"specialize/{__version__} (research tool that adapts language models to low-resource languages) "
    f"python-requests/{requests.__version__}",
    "Accept-Encoding": "identity",
}
WIKIMEDIA = "https://dumps.wikimedia.org"
WIKIANN = "https://s3.amazonaws.com/datasets.huggingface.co/wikiann/1.1.0/panx_dataset.zip"
# As the datasets library of its publisher has it (datasets/wikiann/dataset_infos.json, 234,008,884 bytes).
WIKIANN_SHA256 = "164814b64f749ad000988b5ab45050b5116913b3db466ab173008955ddf649a4"
LISTING = "sha256sums.txt"
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
MODEL_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "model.safetensors")


class _RefusedError(DownloadError):
    """A server's final answer that a file cannot be had there; asking again would not help."""


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes:
        urls: where it is published, tried in order.
        mirror_path: its path below a mirror.
        sha256: the digest that it must have, if any is known.
        known_from: who says so.
        sha1_listing: name of the listing of sha1 sums that is published beside it, if any.
        member: its name within the zip archive that the URLs give, if it is published as a part of one.
    """

    urls: tuple[str, ...]
    mirror_path: str
    sha256: str | None = None
    known_from: str = "the registry of languages"
    sha1_listing: str | None = None
    member: str | None = None

    @property
    def destination(self) -> str:
        """Where it lies in a run: `resources/` has the layout of a mirror."""
        return f"resources/{self.mirror_path}"


# -- what there is -----------------------------------------------------------------------------------------


def wikipedia_dump(code: str, date: str, sha256: str | None = None) -> Source:
    """The articles of a Wikipedia; dates that Wikimedia has deleted are kept by the Internet Archive."""
    wiki = wiki_name(code)
    name = f"{wiki}-{date}-pages-articles.xml.bz2"
    return Source(
        urls=(
            f"{WIKIMEDIA}/{wiki}/{date}/{name}",
            f"https://archive.org/download/{wiki}-{date}/{name}",
        ),
        mirror_path=f"wikipedia/{wiki}/{date}/{name}",
        sha256=sha256,
        sha1_listing=f"{wiki}-{date}-sha1sums.txt",
    )


def wiki_name(code: str) -> str:
    """A Wikipedia's name among the dumps, that of its database, which has no hyphens."""
    return f"{code.replace('-', '_')}wiki"


def treebank_files(name: str, release: str, prefix: str, sha256: dict[str, str]) -> dict[str, Source]:
    """The train, dev and test part of a treebank's release, with the digests that are pinned for them."""
    files = {}
    for part in ("train", "dev", "test"):
        path = f"{name}/{release}/{prefix}-ud-{part}.conllu"
        files[part] = Source(
            urls=(f"https://raw.githubusercontent.com/UniversalDependencies/{path}",),
            mirror_path=f"universal-dependencies/{path}",
            sha256=sha256.get(part),
        )
    return files


def wikiann_archive(code: str, sha256: str | None = None) -> Source:
    """One language of WikiAnn's balanced splits; upstream it is a member of the collection."""
    return Source(
        urls=(WIKIANN,),
        mirror_path=f"wikiann/{code}.tar.gz",
        sha256=sha256,
        member=f"panx_dataset/{code}.tar.gz",
    )


def wikiann_collection() -> Source:
    """All languages of WikiAnn's balanced splits in one archive; a mirror has its members instead."""
    return Source(
        (WIKIANN,), "wikiann/panx_dataset.zip", sha256=WIKIANN_SHA256, known_from="this version of specialize"
    )


def upstream_bytes(sources: Sequence[Source], mirror: str | None) -> int | None:
    """How many bytes the files have where they are taken from; None if that cannot be learned quickly."""
    # Each place once: upstream, all of WikiAnn's languages are in one.
    places = dict.fromkeys((_place(source.mirror_path, mirror),) if mirror else source.urls for source in sources)
    total = 0
    with requests.Session() as session:
        for place in places:
            sizes = (_size(url, session) for url in place)
            size = next((size for size in sizes if size is not None), None)
            if size is None:
                return None
            total += size
    return total


def _size(place: str, session: requests.Session) -> int | None:
    try:
        if not _is_url(place):
            return Path(place).stat().st_size
        response = session.head(place, headers=HEADERS, timeout=ASKING_TIMEOUT, allow_redirects=True)
        return int(response.headers["Content-Length"]) if response.ok else None
    except (OSError, KeyError, ValueError):  # what requests raises is an OSError
        return None


# -- files -------------------------------------------------------------------------------------------------


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
    download(_held_to_record(source, destination), destination, mirror)
    _record(destination)


def _held_to_record(source: Source, destination: Path) -> Source:
    """The source with the digest that is on record for it, unless one is pinned."""
    listing = destination.with_name(LISTING)
    if source.sha256 or not listing.is_file():
        return source
    by = f"the first download, recorded in {listing} (delete its line there to accept another),"
    return replace(source, sha256=_read_listing(str(listing)).get(destination.name), known_from=by)


def _record(path: Path) -> None:
    """Write a complete file's digest into the listing beside it."""
    listing = path.with_name(LISTING)
    with _written(listing), FileLock(path.with_name(f".{LISTING}.lock")):
        digests = read_checksums(listing) if listing.is_file() else {}
        digests[path.name] = file_hash(path)
        with atomic_text(listing) as stream:
            stream.writelines(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def download(source: Source, destination: Path, mirror: str | None) -> None:
    """Download a file and verify it; see `fetch`, which also keeps a record.

    A download that broke off leaves a hidden partial file beside the destination, and the next one goes on from it.

    Raises:
        DownloadError: if it cannot be had, or is not the file that was promised.
    """
    with _written(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        partial = destination.with_name(f".{destination.name}.partial")
        if mirror:
            _fetch_from_mirror(source, _place(source.mirror_path, mirror), partial)
        else:
            _fetch_from_upstream(source, partial)
        remove(_note(partial))
        partial.replace(destination)


def _fetch_from_mirror(source: Source, place: str, partial: Path) -> None:
    folder, _, name = place.rpartition("/")
    listing = f"{folder}/{LISTING}"
    promised = _read_listing(listing).get(name)
    if promised is None:
        raise DownloadError(f"{listing}: has no line for {name}; the mirror does not offer that file")
    if source.sha256 not in (None, promised):
        raise DownloadError(
            f"{place}: its sha256 is {promised} in the mirror's {LISTING}, but {source.known_from} has "
            f"{source.sha256}; the mirror has another version: replace it there, or the sha256 that it is held to"
        )
    if _is_url(place):
        _download(place, partial)
    elif Path(place).is_file():
        _start_over(partial)
        shutil.copyfile(place, partial)
    else:
        raise DownloadError(f"{place}: is listed in the mirror's {LISTING} but is not there; copy it there again")
    _verify(place, partial, "sha256", promised, f"the mirror's {LISTING}", "copy the file to the mirror again")


def _fetch_from_upstream(source: Source, partial: Path) -> None:
    if source.member:
        raise ValueError(f"{source.member} is part of a collection upstream: use extract_archive")
    url = _download_first(source.urls, partial)
    remedy = "run again to download it anew; if it is the same then, another file has been published"
    if source.sha256:
        _verify(url, partial, "sha256", source.sha256, source.known_from, remedy)
    elif sha1 := _published_sha1(url, source.sha1_listing):
        _verify(url, partial, "sha1", sha1, f"the published {source.sha1_listing}", remedy)
    else:
        print(f"{url}: no digest is known to verify it with; its sha256, recorded for next time: {file_hash(partial)}")


def _published_sha1(url: str, listing: str | None) -> str | None:
    folder, _, name = url.rpartition("/")
    try:
        return _read_listing(f"{folder}/{listing}").get(name) if listing else None
    except _RefusedError as error:
        print(error)
        return None


def _read_listing(place: str) -> dict[str, str]:
    """Checksums by file name."""
    try:
        if not _is_url(place):
            return read_checksums(Path(place))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "listing"
            _download(place, path)
            return read_checksums(path)
    except (SpecializeError, OSError, UnicodeDecodeError) as error:
        kind = _RefusedError if isinstance(error, _RefusedError) else DownloadError
        raise kind(f"cannot verify anything without the checksums in {place}: {error}") from error


def _verify(place: str, partial: Path, algorithm: str, expected: str, by: str, remedy: str) -> None:
    """Compare a complete file with the digest that was promised for it; a wrong one is deleted."""
    size, got = partial.stat().st_size, file_hash(partial, algorithm)
    if got != expected:
        _start_over(partial)
        raise DownloadError(f"{place}: {algorithm} of its {size:,} bytes is {got}, but {by} has {expected}; {remedy}")


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    """Report a full disk or a missing permission as the user's to mend."""
    try:
        yield
    except OSError as error:
        raise DownloadError(f"{path}: could not be made ({error})") from error


def _place(path: str, mirror: str) -> str:
    return f"{mirror.rstrip('/')}/{path}"


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


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
    try:
        with zipfile.ZipFile(collection) as archive:
            members = [member for member in archive.infolist() if PurePosixPath(member.filename).name == name]
            if not members:
                raise InputError(collection, f"WikiAnn has no such language: there is no member {name}")
            if members[0].file_size > MAXIMUM_MEMBER_BYTES:
                raise InputError(collection, f"member {name} has {members[0].file_size:,} bytes, which is not sane")
            content = archive.read(members[0])  # into memory, so that no name in the archive leads anywhere
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise InputError(collection, f"cannot be unpacked ({error})", remedy="delete it and run again") from error
    held = _held_to_record(source, destination)
    with _written(destination), atomic_path(destination) as temporary:
        temporary.write_bytes(content)
        if held.sha256:
            _verify(f"{collection}/{name}", temporary, "sha256", held.sha256, held.known_from, "another was published")
    _record(destination)


# -- the latest dump ---------------------------------------------------------------------------------------


def latest_dump(code: str, mirror: str | None) -> str:
    """The date of a Wikipedia's newest finished dump, at Wikimedia's or in a mirror.

    Raises:
        DownloadError: if there is none.
    """
    folder = f"{_place('wikipedia', mirror) if mirror else WIKIMEDIA}/{wiki_name(code)}"
    for date in sorted(_dates(folder), reverse=True):
        dump = wikipedia_dump(code, date)
        listing = f"{folder}/{date}/{LISTING if mirror else dump.sha1_listing}"
        try:
            if PurePosixPath(dump.mirror_path).name in _read_listing(listing):
                return date
        except _RefusedError:
            continue  # it has only begun
    raise DownloadError(f"{folder}: has no finished dump; is {code} the code of a Wikipedia?")


def _dates(folder: str) -> list[str]:
    if not _is_url(folder):
        return [path.name for path in Path(folder).glob("[0-9]*")]
    with tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "index.html"
        _download(f"{folder}/", page)
        return re.findall(r'href="([0-9]{8})/"', page.read_text(encoding="utf-8", errors="replace"))


# -- base models -------------------------------------------------------------------------------------------


def fetch_model(hub: str, revision: str, destination: Path) -> None:
    """Download a base model from the Hugging Face hub; what its cache has is not downloaded again.

    Raises:
        DownloadError: if it cannot be had.
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            hub,
            revision=revision,
            allow_patterns=list(MODEL_FILES),
            library_name="specialize",
            library_version=__version__,
        )
    except Exception as error:  # the library's own errors and those of its HTTP clients have no common root
        problem = " ".join(str(error).split())
        raise DownloadError(f"model {hub}, revision {revision}: {type(error).__name__}: {problem}") from error
    copy_model(Path(folder), destination)


def copy_model(folder: Path, destination: Path) -> None:
    """Copy a base model of one's own.

    Raises:
        DownloadError: if it cannot be copied.
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights.
    """
    with _written(destination), atomic_path(destination) as temporary:
        check_base_model(folder)
        temporary.mkdir()
        for name in MODEL_FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, temporary / name)


def fetch_model_from_mirror(name: str, mirror: str, destination: Path) -> None:
    """Download all files of a base model that its folder of a mirror lists.

    Raises:
        DownloadError: if one cannot be had, or is not the file that was promised.
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights.
    """
    listing = _place(f"models/{name}/{LISTING}", mirror)
    files = list(_read_listing(listing))
    for file in files:
        if file in (".", "..") or set(file) & set("/\\"):
            raise DownloadError(f"{listing}: {file!r} is not the plain name of a file in that folder")
    with atomic_path(destination) as temporary:
        for file in files:
            download(Source(urls=(), mirror_path=f"models/{name}/{file}"), temporary / file, mirror)
        check_base_model(temporary)


def check_base_model(folder: Path) -> None:
    """Check that a base model's folder has all that later stages read, before any long job starts.

    Raises:
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights that fit it.
    """
    check_wordpiece(folder)
    path = _required(folder / "model.safetensors", "convert its weights to safetensors")
    try:
        with safe_open(path, framework="numpy") as weights:
            names = [name for name in list(weights.keys()) if name.endswith(WORD_EMBEDDINGS)]
            shapes = [weights.get_slice(name).get_shape() for name in names]
    except (SafetensorError, OSError) as error:
        raise InputError(path, f"is not safetensors ({error})", remedy="copy or convert it again") from error
    if read_json(folder / "config.json").get("tie_word_embeddings") is False:
        remedy = "choose a model whose output layer shares its word embeddings, as BERT's does"
        raise InputError(folder / "config.json", "has tie_word_embeddings: false", remedy=remedy)
    pieces = 1 + max(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab().values())
    vocabulary_size = read_json(folder / "config.json").get("vocab_size")
    rows = shapes[0][0] if shapes and shapes[0] else 0
    if rows != vocabulary_size or rows < pieces:
        raise InputError(
            path,
            f"has {rows} word embeddings, where config.json's vocab_size is {vocabulary_size} and the tokenizer has "
            f"{pieces} pieces",
            remedy="take weights, config.json and tokenizer.json of the same model",
        )


def check_wordpiece(folder: Path) -> None:
    """Check that a folder holds a BERT model with a WordPiece vocabulary.

    Raises:
        InputError: if it does not.
    """
    remedy = "WordPiece bases only for now: choose a BERT model such as mBERT"
    config = read_json(_required(folder / "config.json", remedy))
    kind = config.get("model_type") if isinstance(config, dict) else type(config).__name__
    if kind != "bert":
        raise InputError(folder / "config.json", f"is of a {kind} model", remedy=remedy)
    path = _required(folder / "tokenizer.json", remedy)
    try:
        vocabulary = type(Tokenizer.from_file(str(path)).model).__name__
    except Exception as error:  # the library raises nothing more precise
        raise InputError(path, f"is not a tokenizer ({error})", remedy=remedy) from error
    if vocabulary != "WordPiece":
        raise InputError(path, f"holds a {vocabulary} vocabulary", remedy=remedy)


def _required(path: Path, remedy: str) -> Path:
    if not path.is_file():
        raise InputError(path, "is missing from the base model", remedy=remedy)
    return path


# -- HTTP --------------------------------------------------------------------------------------------------


def _download_first(urls: Sequence[str], partial: Path) -> str:
    """Download from the first URL that has the file, and return that URL."""
    problems = []
    for url in urls:
        try:
            _download(url, partial)
            return url
        except DownloadError as error:
            problems.append(str(error))
    raise DownloadError("; ".join(problems) + "; is this version published, and the network up? Or give a mirror")


def _download(url: str, partial: Path) -> None:
    """Download into a partial file, going on from what is there, until it is complete or nothing more comes."""
    failures = furthest = 0
    while True:
        try:
            _request(url, partial)
            return
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if isinstance(error, ValueError):  # not a URL
                raise DownloadError(f"{url}: {error}") from error
            problem, asked = error, _retry_after(getattr(error, "response", None))
        size = partial.stat().st_size if partial.exists() else 0
        failures = 1 if size > furthest else failures + 1
        furthest = max(furthest, size)
        if failures >= ATTEMPTS:
            raise DownloadError(f"{url}: {problem} (gave up after {ATTEMPTS} attempts)") from problem
        wait = min(max(asked, FIRST_WAIT * 2 ** (failures - 1)), LONGEST_WAIT)
        print(f"{url}: {problem}; trying again in {wait:.0f} s")
        time.sleep(wait)


def _request(url: str, partial: Path) -> None:
    """Ask for a file, or for the rest of it, and append what comes to the partial file."""
    validator = _saved_validator(url, partial)
    start = partial.stat().st_size if validator else 0
    # With If-Range, a server whose file has changed since then sends all of it (200) rather than the rest (206).
    asked = {"Range": f"bytes={start}-", "If-Range": validator} if validator and start else {}
    with requests.get(url, headers=HEADERS | asked, stream=True, timeout=TIMEOUT) as response:
        answer = f"answers {response.status_code} {response.reason}"
        if response.status_code in (408, 429) or response.status_code >= 500:
            raise requests.HTTPError(answer, response=response)
        if asked and response.status_code in (206, 416):
            right_bytes = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            if not right_bytes or _validator(response) not in (None, validator):
                _start_over(partial)
                raise requests.HTTPError("has changed since the download began; starting over")
        elif response.status_code == 200:
            start = 0
            _start_over(partial)
            write_json(_note(partial), {"url": url, "validator": _validator(response)})
        else:
            raise _RefusedError(f"{url}: {answer}")
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        name = partial.name.removeprefix(".").removesuffix(".partial")
        progress = tqdm(desc=name, initial=start, total=total, unit="B", unit_scale=True, mininterval=1)
        with partial.open("ab") as stream, progress:
            # read1 gives what has arrived, so that a break loses nothing of it; undecoded: as published.
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
                stream.write(chunk)
                progress.update(len(chunk))
    if total is not None and partial.stat().st_size < total:
        raise requests.ConnectionError(f"broke off after {partial.stat().st_size:,} of {total:,} bytes")


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


def _note(partial: Path) -> Path:
    """Beside a partial file: of which version of which URL it is the beginning."""
    return partial.with_name(f"{partial.name}.json")


def _saved_validator(url: str, partial: Path) -> str | None:
    try:
        note = read_json(_note(partial))
        return str(note["validator"]) if partial.is_file() and note["url"] == url and note["validator"] else None
    except (SpecializeError, OSError, KeyError, TypeError):
        return None


def _start_over(partial: Path) -> None:
    remove(partial)
    remove(_note(partial))
