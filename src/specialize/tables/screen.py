"""What a terminal shows of a run: the answers or the diagnosis as text that is wrapped, or all tables."""

from __future__ import annotations

import csv
import itertools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from specialize.errors import InputError
from specialize.tables.verdicts import COMPARISONS, CROSS_VALIDATED, GUESSING_NOTE, TESTS_USED, TWO_SEEDS, VARIANCE_NOTE

WIDTH = 100  # columns of a terminal
SHOWN_TABLES = (
    "diagnosis",
    "corpora",
    "costs",
    "folds",
    "comparisons",
    "transliteration",
    "multi-task",
    "single-task",
    "effects",
    "methods",
    "answers",
)  # what the run says last, where eyes are
HOURS = ("Pretraining, hours", "Finetuning, hours")
BESIDE = ("Memory, GB", "Pieces per word", "Unknown words")
UNITS = ("hours", "GB", "pieces a word", "unknown words")
MOST_COSTS = 30  # lines of a screen
IMPLIED = re.compile(r", significantly worse in 0|, no significant difference in \d+")  # by "better in 1 of 3"


def summary(run: Path) -> str:
    """The answers of a run; of one that has none yet, the diagnosis; then where all else is.

    Raises:
        InputError: if the run has neither.
    """
    if (run / "results/tables/answers.csv").is_file():
        return f"{answers(run)}\n\n{elsewhere(run)}"
    if (run / "results/tables/diagnosis.csv").is_file():
        return diagnosis(run)
    raise _no_tables(run)


def all_tables(run: Path) -> str:
    """The tables of a run in Markdown, the answers last.

    Raises:
        InputError: if the run has none.
    """
    paths = [run / f"results/tables/{name}.md" for name in SHOWN_TABLES]
    found = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
    if not found:
        raise _no_tables(run)
    return "\n\n".join([*found, f"These and others, in four formats: {run / 'results/tables'}"])


def _no_tables(run: Path) -> InputError:
    if not run.is_dir():
        return InputError(run, "is no folder of a run", remedy="give the one that --directory named")
    return InputError(run, "has no tables yet", remedy="run `snakemake all` there")


def answers(run: Path) -> str:
    """The best method for each language and task, and the research questions; the tests behind stand in the table."""
    rows = table_rows(run, "answers")
    took = costs(run)
    several_bases = any(row["Question"] == "Best base" for row in rows)
    lines = ["The best method for each language and task (mean test score in percent, ± deviation over seeds)", ""]
    for row in rows:
        if row["Question"] == "Best":
            text = f"{row['Language']}, {row['Task']}: {row['Answer']}{_compared(row)}"
            lines += _wrapped(text if several_bases else text + _beside(row, took), indent=4)
        elif row["Question"] == "Best base":
            lines += _wrapped(f"    base {row['Answer']}{_compared(row)}", indent=6)
    notes = list(_notes(run, "answers"))
    lines += [line for note in notes if note.startswith(COMPARISONS) for line in _wrapped(note)]
    lines += _costs_of_each(took) if several_bases else []
    questions = [row for row in rows if ": " in row["Question"]]
    for title, kinds in itertools.groupby(questions, lambda row: row["Question"]):
        lines += ["", *_wrapped(title, indent=5)]
        for row in kinds:
            text = IMPLIED.sub("", row["Answer"])
            if _is_number(row["Difference"]):
                kind, _, counts = text.partition(": ")
                text = f"{kind}: {row['Difference'].removesuffix(' (mean)')} points, {counts}"
            lines += _wrapped(f"  {text}", indent=4)
    for note in notes:
        if note in (TWO_SEEDS, VARIANCE_NOTE, GUESSING_NOTE) or note.startswith((CROSS_VALIDATED, TESTS_USED)):
            lines += ["", *_wrapped(note)]
    return "\n".join(lines)


def costs(run: Path) -> list[dict[str, str]]:
    """What each method of a run took; nothing if the run has no such table."""
    return table_rows(run, "costs") if (run / "results/tables/costs.csv").is_file() else []


def _beside(row: dict[str, str], took: list[dict[str, str]]) -> str:
    """Hours, memory and coverage of the best method, as far as they are known."""
    best = (row["Language"], row["Answer"].partition(" (")[0])
    for cost in took:
        if (cost["Language"], cost["Method"]) == best:
            known = [f"{text} {unit}" for text, unit in zip(_cost(cost), UNITS, strict=True) if _is_number(text)]
            return f" [{', '.join(known)}]" if known else ""
    return ""


def _costs_of_each(took: list[dict[str, str]]) -> list[str]:
    """Hours, memory and coverage of all methods, in columns, if they are not too many for a screen."""
    if not 0 < len(took) <= MOST_COSTS:
        return []
    rows = [("", "", *UNITS)] + [(cost["Language"], cost["Method"], *_cost(cost)) for cost in took]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        named = [f"{text:{width}}" for text, width in zip(row[:2], widths[:2], strict=True)]
        lines.append(
            "  ".join([*named, *(f"{text:>{width}}" for text, width in zip(row[2:], widths[2:], strict=True))])
        )
    return ["", *lines]


def _cost(cost: dict[str, str]) -> list[str]:
    """Hours of all that a method took, then memory, pieces per word and unknown words."""
    hours = [float(cost[key]) for key in HOURS if _is_number(cost[key])]
    return [f"{sum(hours):.2f}" if hours else "–", *(cost[key] for key in BESIDE)]


def _compared(row: dict[str, str]) -> str:
    """How the best method compares with the next one."""
    if not _is_number(row["Difference"]):
        return ""
    p = f", p = {row['p corrected']}" if _is_number(row["p corrected"]) else ""
    seeds = row["Seeds"] if "folds" in row["Seeds"] else f"{row['Seeds']} seeds"
    return f"; {row['Difference']} points{p}, {seeds}"


def _is_number(text: str) -> bool:
    return any(map(str.isdigit, text))


def diagnosis(run: Path) -> str:
    """What was asked of each language before training, answered; then the notes of the table, on cost above all."""
    lines = []
    for language, rows in itertools.groupby(table_rows(run, "diagnosis"), lambda row: row["Language"]):
        lines += [language]
        for row in rows:
            lines += _wrapped(f"  {row['Question']} {row['Answer']}", indent=4)
        lines += [""]
    for note in _notes(run, "diagnosis"):
        lines += [*_wrapped(note), ""]
    table, figure = run / "results/tables/diagnosis.html", run / "results/figures/coverage.png"
    return "\n".join([*lines, f"As a table and a figure: {table}, {figure}"])


def elsewhere(run: Path) -> str:
    """Where the rest of a run is, and what can be done with it."""
    places = {
        "Answers with their tests": run / "results/tables/answers.html",
        "Hours, memory and coverage": run / "results/tables/costs.html",
        "All tables": f"{run / 'results/tables'}; `tables {run} --all` prints them",
        "Figures": run / "results/figures",
        "All on one page": "the run's command again, with --report report.html at its end",
        "Tag and parse text": _how_to_predict(run),
    }
    width = max(map(len, places))
    return "\n".join(f"{what:{width}}  {where}" for what, where in places.items())


def _how_to_predict(run: Path) -> str:
    """The command, with one of the models that the run has kept."""
    folders = ("*/*/*/seed*/model", "*/*/*/fold*/seed*/model")
    model = max((found for one in folders for found in (run / "results/finetuning").glob(one)), default=None)
    if model is None:
        return "models are kept with --config keep_models=true (docs/use.md)"
    return f".venv/bin/python -m specialize predict --model \\\n    {model.parent} < text.txt"


def table_rows(run: Path, table: str) -> list[dict[str, str]]:
    """The rows of a table that a run has, cells by their column's title."""
    with (run / f"results/tables/{table}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _notes(run: Path, table: str) -> Iterator[str]:
    """The paragraphs below a table, which its Markdown has."""
    text = (run / f"results/tables/{table}.md").read_text(encoding="utf-8")
    for paragraph in text.strip().split("\n\n"):
        if not paragraph.startswith(("**", "|")):
            yield paragraph


def _wrapped(text: str, indent: int = 0) -> list[str]:
    """Lines of a terminal's width, but for words that are longer."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
