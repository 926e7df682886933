"""What was probably meant by a word that is not known, or is not written as it must be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from specialize.experiment.grid import Language


def nearest(word: str, known: Iterable[object]) -> str:
    """The end of a message about an unknown word: the one that was probably meant, or all that there are."""
    names = [str(name) for name in known]
    if near := _near(word, names):
        return f"; did you mean {near}?"
    return f"; known: {', '.join(names)}" if len(names) <= 40 else ""


def nearest_language(word: str, languages: Mapping[str, Language]) -> str:
    """The same for a language's tag, for which a name, a treebank's name or its prefix may have been given."""
    parts = re.split(r"[\W_]+", word.casefold())
    for tag, language in languages.items():
        named = set(re.split(r"[\W_]+", language.entry["name"].casefold()))
        if not _near(word, languages) and language.original is None and (named <= set(parts) or parts[0] == tag):
            return f"; did you mean {tag}?"
    return nearest(word, languages)


def _near(word: str, names: Iterable[str]) -> str:
    """The same word but for capitals, hyphens and the like, or else a similar one; none if there is none."""
    names = list(names)
    same = [name for name in names if _plain(name) == _plain(word)]
    return next(iter(same or difflib.get_close_matches(word, names, n=1)), "")


def rewritten(key: str, value: str, pattern: str) -> str:
    """The end of a message about a value that does not match a pattern: the value as it was probably meant.

    Args:
        key: the value's own key, such as `prefix`.
        value: what was written.
        pattern: what it must match.
    """
    last = value.strip().rstrip("/").removesuffix(".git").rpartition("/")[2]
    candidates = [last, last.lower(), last.replace("-", "_").lower(), last.replace("_", "-").lower()]
    if key == "name":
        candidates = [_treebank(last)]
    elif key == "prefix":
        candidates.insert(0, re.sub(r"[-_ ]+", "_", re.sub(r"[-_]ud([-_].*)?$", "", last.lower())))
    elif key == "release":
        candidates.insert(0, re.sub(r"^\D*(?=\d)", "r", last))
    elif key == "date":
        candidates.insert(0, re.sub(r"[-/. ]", "", value.strip()))
    meant = next((one for one in candidates if one and one != value and re.search(pattern, one)), None)
    return f"; did you mean {meant}?" if meant else ""


def _treebank(name: str) -> str:
    """A treebank's repository, UD_Language-NAME, of a name with other marks in between."""
    parts = [part for part in re.split(r"[-_ ]+", re.sub(r"(?i)^ud[-_ ]", "", name)) if part]
    if len(parts) < 2:
        return ""
    language = "_".join(part[:1].upper() + part[1:] for part in parts[:-1])
    return f"UD_{language}-{parts[-1].upper() if parts[-1].islower() else parts[-1]}"


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.casefold())
