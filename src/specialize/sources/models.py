"""Base models: folders as the Hugging Face hub has them, fetched or copied, and checked before any long job starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from specialize import __version__
from specialize.errors import DownloadError
from specialize.files import atomic_path
from specialize.sources.downloads import download, listing_of_mirror
from specialize.sources.published import Source, place_in_mirror
from specialize.sources.transfer import UnansweredError, disk_errors_reported, first_answer
from specialize.sources.verification import LISTING

Check = Callable[[Path], None]  # raises InputError if a folder holds no base model that can be used


def fetch_model(hub: str, revision: str, destination: Path, files: Sequence[str], check: Check) -> None:
    """Download a base model from the Hugging Face hub; what its cache has is not downloaded again.

    Args:
        hub: its name there.
        revision: the commit.
        destination: where its folder appears.
        files: that it may have; others stay where they are.
        check: see `bases.folder.check_base_model`.

    Raises:
        DownloadError: if it cannot be had.
        InputError: if it fails the check.
    """
    from huggingface_hub import constants, snapshot_download

    unanswered = None
    try:
        if not constants.HF_HUB_OFFLINE:
            first_answer(constants.ENDPOINT)  # the library itself waits for minutes
    except UnansweredError as error:
        unanswered = error
    try:
        folder = snapshot_download(
            hub,
            revision=revision,
            allow_patterns=list(files),
            library_name="specialize",
            library_version=__version__,
            local_files_only=unanswered is not None or constants.HF_HUB_OFFLINE,
        )
    except Exception as error:  # the library's own errors and those of its HTTP clients have no common root
        problem = " ".join(str(error).split())
        if unanswered:
            raise DownloadError(f"model {hub}, revision {revision}: {unanswered}") from error
        raise DownloadError(f"model {hub}, revision {revision}: {type(error).__name__}: {problem}") from error
    copy_model(Path(folder), destination, files, check)


def copy_model(folder: Path, destination: Path, files: Sequence[str], check: Check) -> None:
    """Copy a base model of one's own; arguments as of `fetch_model`.

    Raises:
        DownloadError: if it cannot be copied.
        InputError: if it fails the check.
    """
    with disk_errors_reported(destination), atomic_path(destination) as temporary:
        check(folder)
        temporary.mkdir()
        for name in files:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, temporary / name)


def fetch_model_from_mirror(name: str, mirror: str, destination: Path, check: Check) -> None:
    """Download all files of a base model that its folder of a mirror lists; arguments as of `fetch_model`.

    Raises:
        DownloadError: if one cannot be had, or is not the file that was promised.
        InputError: if it fails the check.
    """
    listing = place_in_mirror(f"models/{name}/{LISTING}", mirror)
    files = list(listing_of_mirror(f"models/{name}/{LISTING}", mirror))
    for file in files:
        if file in (".", "..") or set(file) & set("/\\"):
            raise DownloadError(f"{listing}: {file!r} is not the plain name of a file in that folder")
    with atomic_path(destination) as temporary:
        for file in files:
            download(Source(urls=(), mirror_path=f"models/{name}/{file}"), temporary / file, mirror)
        check(temporary)
