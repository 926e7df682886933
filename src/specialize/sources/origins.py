"""Which published files an entry of the registry means, wherever they are taken from. Nothing here asks the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from specialize.sources.published import (
    Publication,
    Source,
    is_listed,
    masakhaner_files,
    masakhapos_files,
    treebank_files,
    treebank_publication,
    universal_entities,
    wikiann_archive,
)

# Files by part (WikiAnn's archive has them all, as `archive`); what is known by a list of its files only; nothing.
Origin: TypeAlias = dict[str, Source] | Publication | None


def treebank_origin(treebank: Mapping[str, Any]) -> Origin:
    """The published files of a language's `treebank`; None if it is of one's own, or there is none."""
    if "folder" in treebank:
        return None
    pinned = treebank.get("sha256", {})
    if "masakhapos" in treebank:
        return masakhapos_files(treebank["masakhapos"], pinned)
    if not {"name", "release", "prefix"} <= treebank.keys():
        return None
    place = treebank["name"], treebank["release"], treebank["prefix"]
    return treebank_publication(*place) if is_listed(treebank) else treebank_files(*place, pinned)


def entities_origin(entities: Mapping[str, Any]) -> Origin:
    """The published files of a language's `ner`; None if they are of one's own, or there are none."""
    if "folder" in entities:
        return None
    pinned = entities.get("sha256")
    if "masakhaner" in entities:
        return masakhaner_files(entities["masakhaner"], pinned or {})
    if "universal" in entities:
        return universal_entities(entities["universal"], entities.get("prefix", ""))
    return {"archive": wikiann_archive(entities["wikiann"], pinned)} if "wikiann" in entities else None


def pinned(entries: Iterable[Mapping[str, Any]], known: Mapping[str, Any]) -> Any:
    """The digest, or the digests by part, that entries of the registry pin for a source.

    Args:
        entries: of one section, of all languages; several may mean the same files.
        known: keys and values of those that mean the source.

    Returns:
        What the first of them has that has any; None if none has.
    """
    of_source = (entry for entry in entries if all(entry.get(key) == value for key, value in known.items()))
    return next((entry["sha256"] for entry in of_source if entry.get("sha256")), None)


def places_in_run(origin: Origin) -> dict[str, str]:
    """Where they lie in a run: by part, or the list alone, as `files`; nothing for data of one's own."""
    if isinstance(origin, Publication):
        return {"files": origin.destination}
    return {part: source.destination for part, source in (origin or {}).items()}


def usual_file(origin: Origin, part: str) -> Source | None:
    """The file that has a part, as far as that is known without a list; None if it is not, or there is none."""
    if isinstance(origin, Publication):
        return origin.source(f"{origin.prefix}-ud-{part}.{origin.ending}") if origin.prefix else None
    return (origin or {}).get(part)
