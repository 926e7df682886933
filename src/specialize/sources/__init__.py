"""Sources: what is downloaded, from where, and how it is known to be the right file.

A download is either taken from upstream (the hosts that publish it) or from a mirror, a folder or URL that holds the
same files with a `sha256sums.txt` in each folder. Either way it appears under its final name only when it is complete
and verified.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from specialize.sources.own_entities import ENTITY_ENDINGS, entity_files
from specialize.sources.own_files import own_files, own_text
from specialize.sources.published import (
    PARTS,
    Source,
    treebank_files,
    wikiann_archive,
    wikiann_collection,
    wikipedia_dump,
)
from specialize.sources.text_formats import TextFormat, recognise

if TYPE_CHECKING:  # as they load what asks the network, which most jobs never do
    from specialize.sources.availability import latest_dump, upstream_bytes
    from specialize.sources.downloads import download, fetch
    from specialize.sources.models import commit_on_the_hub, copy_model, fetch_model, fetch_model_from_mirror
    from specialize.sources.treebanks import fetch_treebank
    from specialize.sources.wikiann import extract_archive, fetch_wikiann_collection

_ASKS_NETWORK = {
    "commit_on_the_hub": "models",
    "copy_model": "models",
    "download": "downloads",
    "extract_archive": "wikiann",
    "fetch": "downloads",
    "fetch_model": "models",
    "fetch_model_from_mirror": "models",
    "fetch_treebank": "treebanks",
    "fetch_wikiann_collection": "wikiann",
    "latest_dump": "availability",
    "upstream_bytes": "availability",
}

__all__ = [
    "ENTITY_ENDINGS",
    "PARTS",
    "Source",
    "TextFormat",
    "commit_on_the_hub",
    "copy_model",
    "download",
    "entity_files",
    "extract_archive",
    "fetch",
    "fetch_model",
    "fetch_model_from_mirror",
    "fetch_treebank",
    "fetch_wikiann_collection",
    "latest_dump",
    "own_files",
    "own_text",
    "recognise",
    "treebank_files",
    "upstream_bytes",
    "wikiann_archive",
    "wikiann_collection",
    "wikipedia_dump",
]


def __getattr__(name: str) -> Any:
    if name not in _ASKS_NETWORK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ASKS_NETWORK[name]}"), name)
