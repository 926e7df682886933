"""Sources: what is downloaded, from where, and how it is known to be the right file.

A download is either taken from upstream (the hosts that publish it) or from a mirror, a folder or URL that holds the
same files with a `sha256sums.txt` in each folder. Either way it appears under its final name only when it is complete
and verified.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from specialize.sources.origins import Origin, entities_origin, pinned, places_in_run, treebank_origin, usual_file
from specialize.sources.own_entities import ENTITY_ENDINGS, entity_files
from specialize.sources.own_files import own_files, own_text
from specialize.sources.published import (
    PARTS,
    Publication,
    Source,
    is_listed,
    masakhaner_files,
    masakhapos_files,
    treebank_files,
    treebank_publication,
    universal_entities,
    wikiann_archive,
    wikiann_collection,
    wikipedia_dump,
)
from specialize.sources.text_formats import TextFormat, recognise
from specialize.sources.word_lists import read_word_list

if TYPE_CHECKING:  # as they load what asks the network, which most jobs never do
    from specialize.sources.availability import latest_dump, upstream_bytes, what_a_mirror_has
    from specialize.sources.downloads import download, fetch, fetch_parts
    from specialize.sources.lists import fetch_listed, listed_parts, require_parts
    from specialize.sources.models import commit_on_the_hub, copy_model, fetch_model, fetch_model_from_mirror
    from specialize.sources.treebanks import fetch_treebank
    from specialize.sources.wikiann import extract_archive, fetch_wikiann_collection

_ASKS_NETWORK = {
    "commit_on_the_hub": "models",
    "copy_model": "models",
    "download": "downloads",
    "extract_archive": "wikiann",
    "fetch": "downloads",
    "fetch_listed": "lists",
    "fetch_model": "models",
    "fetch_model_from_mirror": "models",
    "fetch_parts": "downloads",
    "fetch_treebank": "treebanks",
    "fetch_wikiann_collection": "wikiann",
    "latest_dump": "availability",
    "listed_parts": "lists",
    "require_parts": "lists",
    "upstream_bytes": "availability",
    "what_a_mirror_has": "availability",
}

__all__ = [
    "ENTITY_ENDINGS",
    "PARTS",
    "Origin",
    "Publication",
    "Source",
    "TextFormat",
    "commit_on_the_hub",
    "copy_model",
    "download",
    "entities_origin",
    "entity_files",
    "extract_archive",
    "fetch",
    "fetch_listed",
    "fetch_model",
    "fetch_model_from_mirror",
    "fetch_parts",
    "fetch_treebank",
    "fetch_wikiann_collection",
    "is_listed",
    "latest_dump",
    "listed_parts",
    "masakhaner_files",
    "masakhapos_files",
    "own_files",
    "own_text",
    "pinned",
    "places_in_run",
    "read_word_list",
    "recognise",
    "require_parts",
    "treebank_files",
    "treebank_origin",
    "treebank_publication",
    "universal_entities",
    "upstream_bytes",
    "usual_file",
    "what_a_mirror_has",
    "wikiann_archive",
    "wikiann_collection",
    "wikipedia_dump",
]


def __getattr__(name: str) -> Any:
    if name not in _ASKS_NETWORK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ASKS_NETWORK[name]}"), name)
