"""What must hold in a whole file, as udvalidate itself says: enhanced graphs, identifiers of parallel sentences."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Sequence

from specialize.datasets import DEPREL, DEPS, HEAD
from specialize.finetuning.drafts import NO_RELATION, RELATIONS, Draft

ENHANCED = re.compile(r"(0|[1-9][0-9]*|[0-9]+[.][1-9][0-9]*):[a-z]+(:[a-z]+)?")
PARALLEL_ID = re.compile(r"#\s*parallel_id\b.*")


def enhance(drafts: Sequence[Draft], parsed: bool) -> int:
    """Keep enhanced graphs of completed sentences if all hold and no parser has made other trees; else make them anew.

    Without empty nodes none are made. With them every sentence needs one: that of the tree's relations, and an empty
    node keeps its own where these hold, else it depends on the root.

    Returns:
        how many sentences have lost theirs.
    """
    rows = [row for draft in drafts for row in draft.rows if "-" not in row[0]]
    needed = any("." in row[0] for row in rows)
    if not needed and all(row[DEPS] == "_" for row in rows):
        return 0
    if not parsed and _hold(drafts):
        return 0
    lost = 0
    for draft in drafts:
        lost += any(row[DEPS] != "_" for row in draft.words())
        identifiers = {row[0] for row in draft.rows if "-" not in row[0]} | {"0"}
        root = next(row[0] for row in draft.words() if row[HEAD] == "0")
        for row in draft.words():
            row[DEPS] = f"{row[HEAD]}:{row[DEPREL]}" if needed else "_"
        for row in draft.empty_nodes():
            if not _depends(row, identifiers):
                row[DEPS] = f"{root}:{NO_RELATION}"
    return lost


def _depends(row: list[str], identifiers: Collection[str]) -> bool:
    """Whether the enhanced dependencies of an empty node hold, and one of them is of a word."""
    dependencies = []
    for part in row[DEPS].split("|"):
        head, _, relation = part.partition(":")
        known = relation.partition(":")[0] in RELATIONS | {"ref"}
        if not ENHANCED.fullmatch(part) or not known or head not in identifiers or head == row[0]:
            return False
        dependencies.append((*map(int, (f"{head}.0").split(".")[:2]), relation))
    in_order = dependencies == sorted(set(dependencies))
    return in_order and any(empty == 0 for _, empty, _ in dependencies)


def _hold(drafts: Iterable[Draft]) -> bool:
    """Whether udvalidate passes completed sentences, of which only DEPS may still be wrong."""
    from udtools.validator import Validator

    text = "".join("\n".join(draft.lines()) + "\n\n" for draft in drafts)
    return bool(Validator(level=2, output=None).validate_file_handle(io.StringIO(text)).passed())


def parallel_ids_hold(drafts: Iterable[Draft]) -> bool:
    """Whether the identifiers of parallel sentences are in order, if there are any."""
    marked = [draft for draft in drafts if any(map(PARALLEL_ID.fullmatch, draft.comments))]
    if not marked:
        return True
    from udtools.state import State
    from udtools.validator import Validator

    validator, state = Validator(level=2, output=None), State()
    for draft in marked:
        state.current_lines, state.comment_start_line, state.sentence_line = draft.comments, 0, len(draft.comments)
        validator.check_parallel_id(state)
    return bool(state.passed())
