"""The kinds that there are, and which one a tokenizer's is."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from specialize.errors import InputError, SpecializeError
from specialize.vocabularies.kinds.kind import Kind


@cache
def known_kinds() -> tuple[Kind, ...]:
    """The `KIND` of each module of this package that defines one, in the order of the modules' names."""
    package = importlib.import_module("specialize.vocabularies.kinds")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return tuple(module.KIND for module in modules if hasattr(module, "KIND"))


def kind_of(tokenizer: Tokenizer, path: Path | str = "tokenizer.json", remedy: str = "") -> Kind:
    """The kind of a tokenizer's vocabulary.

    Args:
        tokenizer: the tokenizer.
        path: where it is from, for the error.
        remedy: what to do about a kind that is not known; by default it says which ones are.

    Raises:
        InputError: if none of the known kinds is.
    """
    for kind in known_kinds():
        if kind.is_of(tokenizer):
            return kind
    known = ", ".join(kind.name for kind in known_kinds())
    remedy = remedy or f"the kinds known are {known}"
    raise InputError(path, f"holds a {type(tokenizer.model).__name__} vocabulary", remedy=remedy)


def kind_named(name: str) -> Kind:
    """The kind that a configuration names so.

    Raises:
        SpecializeError: if there is none.
    """
    for kind in known_kinds():
        if kind.key == name:
            return kind
    known = ", ".join(kind.key for kind in known_kinds())
    raise SpecializeError(f"there is no kind of vocabulary {name}; there are {known}")


def segment(tokenizer: Tokenizer, words: list[str]) -> list[list[str]]:
    """The pieces of each word; see `Kind.segment`."""
    return kind_of(tokenizer).segment(tokenizer, words)


def copy_vocabulary(source: Path, folder: Path) -> None:
    """Copy the files of a vocabulary, of whatever kind, from one folder into another that exists."""
    names = dict.fromkeys(name for kind in known_kinds() for name in kind.files)
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
