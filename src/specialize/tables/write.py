"""Writing the tables and figures of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specialize.errors import SpecializeError
from specialize.experiment import Experiment
from specialize.tables.contents import FIGURES, TABLES, imported, sentence_files, table_cells
from specialize.tables.formats import write_table
from specialize.tables.scores import load_scores
from specialize.tables.sentences import with_sentences


def write_all(experiment: Experiment, run: Path, names: Sequence[str]) -> None:
    """Write the named tables of a run in all formats, each from the scores of its own cells.

    Raises:
        SpecializeError: if a result is missing, or there is no table of that name.
    """
    for name in names:
        if name not in TABLES:
            raise SpecializeError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    needed = dict.fromkeys(cell for name in names for cell in table_cells(experiment, name))
    scores = load_scores(experiment, run, needed)
    for name in names:
        table_scores = scores
        if sentence_files(experiment, name):
            table_scores = with_sentences(experiment, run, table_cells(experiment, name), scores)
        build = imported(TABLES[name].function)
        table = build(experiment, run) if TABLES[name].reads_run else build(experiment, table_scores)
        write_table(table, run / "results" / "tables")


def write_figure(experiment: Experiment, run: Path, name: str) -> None:
    """Draw one figure of a run, as {name}.svg and {name}.png.

    Raises:
        SpecializeError: if a result is missing, or there is no figure of that name.
    """
    from specialize.tables.figures.style import save_figure

    if name not in FIGURES:
        raise SpecializeError(f"there is no figure {name!r}; there are: {', '.join(FIGURES)}")
    draw = imported(FIGURES[name].function)
    save_figure(draw(experiment, run), run / "results" / "figures", name)
