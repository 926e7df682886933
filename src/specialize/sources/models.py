"""Base models: folders as the Hugging Face hub has them, fetched or copied, and checked before any long job starts."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from specialize import __version__
from specialize.errors import DownloadError, InputError
from specialize.files import atomic_path, remove
from specialize.sources.downloads import download, listing_of_mirror
from specialize.sources.published import Source, place_in_mirror
from specialize.sources.transfer import UnansweredError, disk_errors_reported, first_answer, is_url
from specialize.sources.verification import LISTING

ASKING_TIMEOUT = 30.0  # seconds to learn a commit
Take = Callable[[Path, Path, str], None]  # see `bases.folder.take_base_model`
Check = Callable[[Path], None]  # see `bases.supported.check_description`


def fetch_model(
    hub: str,
    revision: str,
    destination: Path,
    files: Sequence[str],
    take: Take,
    described: Sequence[str],
    check: Check,
) -> None:
    """Download a base model from the Hugging Face hub; what its cache has is not downloaded again.

    What describes it comes first, so that one that is not supported costs no download of weights.

    Args:
        hub: its name there.
        revision: the commit.
        destination: where its folder appears.
        files: names, or patterns of names, that it may have; others stay where they are.
        take: copies a folder's model into another one, which it makes, and checks it; the text is what errors call the
            first, if it is not its path.
        described: those of the files that are no weights.
        check: refuses a folder of those.

    Raises:
        DownloadError: if it cannot be had, or has weights in no format that is read.
        InputError: if it fails the check.
    """
    from huggingface_hub import constants, snapshot_download

    unanswered = None
    try:
        if not constants.HF_HUB_OFFLINE:
            first_answer(constants.ENDPOINT)  # the library itself waits for minutes
    except UnansweredError as error:
        unanswered = error
    what = f"model {hub}, revision {revision}"

    def fetched(patterns: Sequence[str]) -> str:
        try:
            folder: str = snapshot_download(
                hub,
                revision=revision,
                allow_patterns=list(patterns),
                library_name="specialize",
                library_version=__version__,
                local_files_only=unanswered is not None or constants.HF_HUB_OFFLINE,
            )
        except Exception as error:  # the library's own errors and those of its HTTP clients have no common root
            if unanswered:
                raise DownloadError(f"{what}: {unanswered}") from error
            raise DownloadError(f"{what}: {type(error).__name__}: {' '.join(str(error).split())}") from error
        return folder

    own = Path(hub.rpartition("/")[2]).absolute()
    download_it = f".venv/bin/hf download {hub} --revision {revision} --local-dir {shlex.quote(str(own))}"
    folder = fetched(described)
    try:
        check(Path(folder))
    except InputError as error:
        remedy = error.of_the_original(Path(folder), own).remedy
        if str(own) in remedy:
            remedy = f"get it by {download_it}, and give folder: {own} in place of hub and revision; {remedy}"
        raise InputError(f"{what}, {Path(error.path).name}", error.problem, error.line, remedy) from error
    folder = fetched(files)
    if not any(Path(folder).glob("*.safetensors")):
        raise DownloadError(
            f"{what}: has no safetensors; if it has pytorch_model.bin, get and convert it: {download_it} && "
            f".venv/bin/python -m specialize convert-weights {shlex.quote(str(own))}; then give folder: {own} in place "
            "of hub and revision"
        )
    copy_model(Path(folder), destination, take)


def commit_on_the_hub(hub: str, revision: str) -> str:
    """The commit that a branch or tag of a model on the Hugging Face hub stands for at this moment.

    Raises:
        DownloadError: if there is no such model or revision, or it cannot be asked.
    """
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        raise DownloadError(f"model {hub}, revision {revision}: HF_HUB_OFFLINE is set, and the hub cannot be asked")
    try:
        first_answer(constants.ENDPOINT)  # the library itself waits for minutes
        api = HfApi(constants.ENDPOINT, library_name="specialize", library_version=__version__)
        commit = api.model_info(hub, revision=revision, timeout=ASKING_TIMEOUT).sha
    except UnansweredError as error:
        raise DownloadError(f"model {hub}, revision {revision}: {error}") from error
    except Exception as error:  # as in `fetch_model`
        problem = " ".join(str(error).split())
        raise DownloadError(f"model {hub}, revision {revision}: {type(error).__name__}: {problem}") from error
    if not commit:
        raise DownloadError(f"model {hub}, revision {revision}: the hub names no commit")
    return commit


def copy_model(folder: Path, destination: Path, take: Take) -> None:
    """Copy a base model of one's own; arguments as of `fetch_model`.

    Raises:
        DownloadError: if it cannot be copied.
        InputError: if it fails the check.
    """
    with disk_errors_reported(destination), atomic_path(destination) as temporary:
        take(folder, temporary, "")


def fetch_model_from_mirror(
    name: str,
    mirror: str,
    destination: Path,
    files: Sequence[str],
    take: Take,
    described: Sequence[str],
    check: Check,
) -> None:
    """Download the files of a base model that its folder of a mirror lists; arguments as of `fetch_model`.

    Raises:
        DownloadError: if one cannot be had, is not the file that was promised, or there are no weights.
        InputError: if it fails the check.
    """
    listing = place_in_mirror(f"models/{name}/{LISTING}", mirror)
    listed = list(listing_of_mirror(f"models/{name}/{LISTING}", mirror))
    for file in listed:
        if file in (".", "..") or set(file) & set("/\\"):
            raise DownloadError(f"{listing}: {file!r} is not the plain name of a file in that folder")
    wanted = [file for file in listed if any(fnmatchcase(file, pattern) for pattern in files)]
    place = place_in_mirror(f"models/{name}", mirror)
    if not any(file.endswith(".safetensors") for file in wanted):
        raise DownloadError(f"{listing}: lists no safetensors{_remedy_in_mirror(place, listed)}")
    downloads = destination.with_name(f".{destination.name}.download")
    remove(downloads)  # of a job that was killed
    try:
        of_weights = [file for file in wanted if file not in described]
        for file in (file for file in wanted if file in described):
            download(Source(urls=(), mirror_path=f"models/{name}/{file}"), downloads / file, mirror)
        try:
            check(downloads)
        except InputError as error:
            raise error.of_the_original(downloads, place) from error
        for file in of_weights:
            download(Source(urls=(), mirror_path=f"models/{name}/{file}"), downloads / file, mirror)
        with disk_errors_reported(destination), atomic_path(destination) as temporary:
            take(downloads, temporary, place)
    finally:
        remove(downloads)


def _remedy_in_mirror(place: str, listed: Sequence[str]) -> str:
    if not any(file.startswith("pytorch_model") for file in listed):
        return ""
    folder = shlex.quote(place)
    remedy = f".venv/bin/python -m specialize convert-weights {folder} && cd {folder} && "
    remedy += f"sha256sum model.safetensors >> {LISTING}"
    return f"; convert its weights{' where the mirror is kept' if is_url(place) else ''}, and list them: {remedy}"
