"""What makes the heads of a sentence a tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specialize.errors import InputError

# What to do with a language whose words have no heads or relations.
PARSERS_OUT = "leave out the regimes that parse (experiment.regimes, or experiment.exceptions for this language only)"
NO_HEAD = -1  # of a word without an annotated head


def check_tree(path: Path, heads: Sequence[int], lines: Sequence[int], single_root: bool = True) -> None:
    """Check that a sentence's heads are a tree.

    Args:
        path: the file that it stands in.
        heads: of each word the number of its head, 0 for the root, `NO_HEAD` if it has none.
        lines: of each word its line in the file.
        single_root: refuse several roots too.

    Raises:
        InputError: with the line of the first word that is wrong.
    """
    if problem := tree_problem(heads, single_root):
        index, text, remedy = problem
        raise InputError(path, text, lines[index], remedy)


def tree_problem(heads: Sequence[int], single_root: bool = True) -> tuple[int, str, str] | None:
    """Why heads are no tree: index of the first word that is wrong, problem, remedy; None if they are one."""
    for index, head in enumerate(heads):
        if head == NO_HEAD:
            return index, "its head is not a word number", f"annotate it, or {PARSERS_OUT}"
        if head > len(heads):
            return index, f"head {head} is not in the sentence", "correct it"
    roots = [index for index, head in enumerate(heads) if head == 0]
    if not roots or (single_root and len(roots) > 1):
        remedy = "give one word head 0, and every other the word that it depends on"
        return roots[1] if roots else 0, f"the sentence has {len(roots)} roots, a tree has one", remedy
    return _cycle(heads)


def _cycle(heads: Sequence[int]) -> tuple[int, str, str] | None:
    safe = {0}  # known to lead to the root
    for start in range(1, len(heads) + 1):
        trail: dict[int, None] = {}  # in order, and quick to search: a tree may have thousands of levels
        node = start
        while node not in safe:
            if node in trail:
                return node - 1, f"the heads run in a cycle through word {node}", "correct one of them"
            trail[node] = None
            node = heads[node - 1]
        safe.update(trail)
    return None
