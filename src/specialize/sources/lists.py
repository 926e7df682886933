"""Data sets that lack parts, or have parts in several files: which there are, and a list of them.

What is published is asked once, of a mirror's sums or of GitHub. The list that is written says for each file its part,
name and sha256; from then on it alone says what the data set has, and its files lie beside it as published.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from filelock import FileLock

from specialize.errors import DownloadError, InputError, SpecializeError, warn
from specialize.files import atomic_text, file_hash, read_checksums, read_json, read_text
from specialize.sources import published
from specialize.sources.downloads import fetch, listing_of_mirror
from specialize.sources.published import PARTS, Publication
from specialize.sources.transfer import NO_NETWORK, RefusedError, UnansweredError, download_url, is_offered
from specialize.sources.verification import LISTING

PART_NAMES = {"train": "training", "dev": "development", "test": "test"}


def fetch_listed(
    publication: Publication, destination: Path, sha256: Mapping[str, str], mirror: str | None, all_parts: bool
) -> None:
    """Download whatever files a data set has, each verified and recorded as by `fetch`, and write their list.

    Args:
        publication: the data set.
        destination: where the list appears; the files appear beside it.
        sha256: the digests that are pinned, by part.
        mirror: absolute path or URL of a mirror.
        all_parts: refuse it where it lacks a part, before anything is downloaded.

    Raises:
        DownloadError: if a file or a part cannot be had.
    """
    names = _published_names(publication, mirror)
    print(f"{publication.repository} has in {publication.revision}: {', '.join(names)}")
    by_part = {part: [name for name in names if publication.part_of(name) == part] for part in PARTS}
    if all_parts:
        require_parts(publication.repository, publication.revision, [part for part in PARTS if by_part[part]])
    _check_pinned(publication, by_part, sha256)
    if publication.moves:
        print(
            f"{publication.repository}: {publication.revision} is a branch, which moves; what is downloaded now is "
            f"held by the sums in {destination.with_name(LISTING)}"
        )
    destination.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(destination.with_name(f".{destination.name}.lock")):
        lines = []
        for part, its_names in by_part.items():
            for name in its_names:
                path = destination.with_name(name)
                if not _is_as_recorded(path, sha256.get(part)):
                    fetch(publication.source(name, sha256.get(part)), path, mirror)
                lines.append(f"{part}\t{name}\t{file_hash(path)}\n")
        with atomic_text(destination) as stream:
            stream.writelines(lines)


def require_parts(name: str, revision: str, there: Collection[str]) -> None:
    """Refuse a data set that lacks train, dev or test.

    Raises:
        DownloadError: naming the parts that it lacks and has, and what to do.
    """
    if len(there) == len(PARTS):
        return
    lacking = " and no ".join(f"{PART_NAMES[part]} part" for part in PARTS if part not in there)
    had = " and a ".join(PART_NAMES[part] for part in there)
    raise DownloadError(
        f"{name} has no {lacking} in {revision}, only a {had} part; give its entry folds: 10, for cross-validation "
        "over what there is, or part some sentences from the others into files of your own, and give their folder "
        "(docs/tutorial.md)"
    )


def listed_parts(list_file: Path, all_parts: bool = False) -> dict[str, list[Path]]:
    """The files of each part that a data set has, in the list's order; parts in the order of train, dev, test.

    Args:
        list_file: as `fetch_listed` writes it.
        all_parts: refuse it where it lacks a part.

    Raises:
        InputError: if the list is none, or a file of it is gone or altered.
        DownloadError: if a part is missing that is needed.
    """
    remedy = f"delete {list_file.name} and run again, which fetches what is missing or altered anew"
    parts: dict[str, list[Path]] = {}
    for number, line in enumerate(read_text(list_file).splitlines(), start=1):
        part, _, rest = line.partition("\t")
        name, _, digest = rest.partition("\t")
        if part not in PARTS or not name or "/" in name or not published.SHA256.fullmatch(digest):
            raise InputError(list_file, "is not a line of part, file name and sha256, parted by tabs", number, remedy)
        path = list_file.with_name(name)
        if not path.is_file():
            raise InputError(list_file, f"lists {name}, which is not there", number, remedy)
        if file_hash(path) != digest:
            raise InputError(path, f"is another file than {list_file.name} lists", remedy=remedy)
        parts.setdefault(part, []).append(path)
    if not parts:
        raise InputError(list_file, "lists no file", remedy=remedy)
    if all_parts:
        require_parts(str(list_file), "its list", parts)
    return {part: parts[part] for part in PARTS if part in parts}


def _published_names(publication: Publication, mirror: str | None) -> list[str]:
    """The names of a data set's files, in order.

    Raises:
        DownloadError: if there are none, or of several data sets.
    """
    if mirror:
        place = f"{mirror.rstrip('/')}/{publication.folder}"
        offered = list(listing_of_mirror(f"{publication.folder}/{publication.list_name}", mirror))
    else:
        place = f"{publication.repository} ({publication.revision})"
        offered = _names_at_github(publication)
    names = sorted(name for name in offered if publication.part_of(name))
    prefixes = sorted({name.partition("-ud-")[0] for name in names})
    if len(prefixes) > 1:
        raise DownloadError(f"{place}: has files of several data sets; give one of prefix: {', '.join(prefixes)}")
    if names:
        return names
    others = {name.partition("-ud-")[0] for name in offered if name.endswith(f".{publication.ending}")}
    remedy = f"; did you mean prefix: {' or '.join(sorted(others))}?" if others else "; is it published so?"
    shape = f"{publication.prefix or '{prefix}'}-ud-{{train,dev,test}}.{publication.ending}"
    raise RefusedError(f"{place}: has no file {shape}{remedy}")


def _names_at_github(publication: Publication) -> list[str]:
    """The names in the repository's folder, as GitHub lists them, or those of the three plain ones that it has."""
    url = f"{published.GITHUB_API}/repos/{publication.repository}/git/trees/{publication.revision}"
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "tree.json"
        try:
            download_url(url, answer)
            return [entry["path"] for entry in read_json(answer)["tree"] if entry["type"] == "blob"]
        except UnansweredError as error:
            raise UnansweredError(f"{error}; {NO_NETWORK}") from error
        except (SpecializeError, KeyError, TypeError) as error:
            if isinstance(error, RefusedError) and error.status in (404, 422):
                raise RefusedError(
                    f"{url}: there is no such repository, or no such release of it ({error}); is this version "
                    "published, and the name right?"
                ) from error
            problem = error
    return _plain_names(publication, str(problem) or type(problem).__name__)


def _plain_names(publication: Publication, problem: str) -> list[str]:
    """Those of the three usual names that are there, where GitHub's listing cannot be had."""
    if not publication.prefix:
        raise DownloadError(f"{problem}; without GitHub's listing, give the prefix of its files beside its name")
    names = []
    for part in PARTS:
        name = f"{publication.prefix}-ud-{part}.{publication.ending}"
        if is_offered(publication.source(name).urls[0]):
            names.append(name)
    warn(
        f"{publication.repository}: GitHub's listing cannot be had ({problem}); tried were the usual names of its "
        f"files, of which there are: {', '.join(names) or 'none'}. A part in several files would be missed"
    )
    return names


def _check_pinned(publication: Publication, by_part: Mapping[str, list[str]], sha256: Mapping[str, str]) -> None:
    for part in sorted(sha256):
        if len(by_part[part]) != 1:
            files = f"is {len(by_part[part])} files" if by_part[part] else "is not there"
            raise DownloadError(
                f"{publication.repository}: its {PART_NAMES[part]} part {files}, so that the sha256.{part} of its "
                f"entry holds nothing; leave it out: the sums in {LISTING} beside the files hold what was downloaded"
            )


def _is_as_recorded(path: Path, pinned: str | None) -> bool:
    """Whether a file is there already, as it was pinned, or as its first download was recorded."""
    listing = path.with_name(LISTING)
    if not path.is_file() or not listing.is_file():
        return False
    return file_hash(path) == (pinned or read_checksums(listing).get(path.name))
