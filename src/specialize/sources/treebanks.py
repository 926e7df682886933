"""A treebank's release: its three parts, of which some treebanks lack one or two."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from specialize.errors import DownloadError
from specialize.sources.downloads import fetch
from specialize.sources.lists import PART_NAMES
from specialize.sources.published import treebank_files, treebank_publication
from specialize.sources.transfer import RefusedError


def fetch_treebank(
    name: str, release: str, prefix: str, sha256: dict[str, str], destinations: dict[str, Path], mirror: str | None
) -> None:
    """Download all parts of a treebank's release, verified and recorded as by `fetch`.

    Args:
        name: of the UD repository.
        release: its tag.
        prefix: how its files' names begin.
        sha256: the digests that are pinned, by part.
        destinations: where the parts appear.
        mirror: absolute path or URL of a mirror.

    Raises:
        DownloadError: if one cannot be had; a part that the release lacks where it has another is named as such.
    """
    refused: dict[str, RefusedError] = {}
    folder = destinations["train"].parent
    folder.mkdir(parents=True, exist_ok=True)
    # Another entry, with folds, may be fetching the same files by their list.
    with FileLock(folder / f".{treebank_publication(name, release, prefix).list_name}.lock"):
        for part, source in treebank_files(name, release, prefix, sha256).items():
            try:
                fetch(source, destinations[part], mirror)
            except RefusedError as error:
                refused[part] = error
    first = next(iter(refused.values()), None)
    if first is None:
        return
    there = [PART_NAMES[part] for part in destinations if part not in refused]
    if not there:
        named = name.rpartition("-")[2].lower()
        if "-" in name and prefix.partition("_")[2] != named:  # since release 2.2
            expected = f"{prefix.partition('_')[0]}_{named}"
            raise RefusedError(f"{first}; did you mean prefix: {expected}?") from first
        raise first
    lacking = " and no ".join(f"{PART_NAMES[part]} part" for part in refused)
    raise DownloadError(
        f"{name} has no {lacking} in {release}, only a {' and a '.join(there)} part ({first}); give its entry "
        "folds: 10, for cross-validation over what there is; or part some sentences from the others into a folder with "
        "train.conllu, dev.conllu and test.conllu, and give treebank: {folder: ...}; docs/tutorial.md says how"
    )
