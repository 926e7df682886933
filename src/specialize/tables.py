"""Tables: mean and standard deviation over seeds, and paired significance tests, in four formats."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import pandas
from scipy import stats

from specialize.errors import SpecializeError
from specialize.experiment import TASKS, Cell, Experiment, Language
from specialize.files import atomic_text, read_json
from specialize.paper import TABLE_1, TABLE_2, Printed

PRIMARY_METRIC = {"pos": "accuracy", "ud": "las", "ner": "f1"}
TASK_TITLES = {"pos": "POS (accuracy)", "ud": "UD (LAS)", "ner": "NER (F1)"}
TABLES = ("corpora", "single-task", "transliteration", "hyperparameters", "comparisons", "replication")
COVERAGE_COLUMNS = ("Vocabulary", "Pieces per token", "Unknown tokens", "Unknown pieces", "Continuing pieces")
PAPER_COLUMNS = ("Paper: sentences", "Paper: tokens", "Paper: pieces per token")
LEVEL = 0.05  # paper §2.2
DEVIATIONS = 2  # of the paper's, that a replication may be away from it
SEEDS_OF_A_VERDICT = 3
NOT_CONVERGED = "–"
NOT_IN_GRID = "not in this grid"
NOTHING = "–"

Key = tuple[str, str, str]  # language, representation, task


@dataclass(frozen=True)
class Scores:
    """Test scores of a run, in percent.

    Attributes:
        by_seed: for each language, representation and task the score of each seed; None: it did not converge.
    """

    by_seed: dict[Key, dict[int, float | None]]

    def converged(self, key: Key) -> dict[int, float] | None:
        """Scores by seed; None if the grid lacks this configuration or a seed of it did not converge."""
        scores = self.by_seed.get(key, {})
        values = {seed: value for seed, value in scores.items() if value is not None}
        return values if scores and len(values) == len(scores) else None

    def mean(self, key: Key) -> float | None:
        """Mean over seeds; None where `converged` is."""
        values = self.converged(key)
        return float(numpy.mean(list(values.values()))) if values else None


@dataclass(frozen=True)
class Comparison:
    """A one-sided paired t-test over the seeds that two configurations share (paper §2.2, fact 37).

    Attributes:
        better, other: representations; the hypothesis is that the first scores higher.
        difference: of the means over the shared seeds, in points.
        seeds: how many they share.
        t, p: of the test; NaN with fewer than two seeds (t also where the scores are equal).
        corrected_p: times the number of tasks of the language (Bonferroni), at most 1.
    """

    language: str
    task: str
    better: str
    other: str
    difference: float
    seeds: int
    t: float
    p: float
    corrected_p: float

    @property
    def significant(self) -> bool:
        """Whether the first is better at the 5 % level after correction."""
        return self.corrected_p < LEVEL


@dataclass(frozen=True)
class Entry:
    """A table's cell: its text, whether it is the best of its group, or not significantly worse than the best."""

    text: str
    best: bool = False
    not_worse: bool = False


@dataclass
class Table:
    """A table with its name (of its files), caption, column titles, rows and notes."""

    name: str
    caption: str
    columns: list[str]
    rows: list[list[Entry]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


# -- statistics --------------------------------------------------------------------------------------------


def load_scores(experiment: Experiment, run: Path, cells: Iterable[Cell] | None = None) -> Scores:
    """Read the metrics of cells, by default of all that the grid has and this version builds.

    Raises:
        SpecializeError: naming every metrics file that is missing; none counts as a score of 0.
    """
    cells = experiment.built_cells if cells is None else tuple(cells)
    _require(run, [cell.metrics for cell in cells])
    by_seed: dict[Key, dict[int, float | None]] = {}
    for cell in cells:
        metrics = read_json(run / cell.metrics)
        key = (cell.language, cell.representation, cell.regime)
        score = None
        if metrics["converged"]:
            score = 100 * metrics["scores"]["test"][cell.regime][PRIMARY_METRIC[cell.regime]]
        by_seed.setdefault(key, {})[cell.seed] = score
    return Scores(by_seed)


def _require(run: Path, paths: Sequence[str]) -> None:
    missing = [path for path in paths if not (run / path).is_file()]
    if missing:
        raise SpecializeError(f"{len(missing)} results are missing: {', '.join(missing)}")


def compare(first: dict[int, float], second: dict[int, float]) -> tuple[float, int, float, float]:
    """One-sided paired t-test of first > second over the seeds that both have.

    Returns:
        The difference of the means, the number of shared seeds, t, and p. A constant difference, of which t is
        infinite or undefined, has p = 0 if it is positive, else 1.
    """
    seeds = sorted(first.keys() & second.keys())
    differences = numpy.asarray([first[seed] - second[seed] for seed in seeds])
    if len(seeds) < 2:
        return float(differences.mean()) if seeds else math.nan, len(seeds), math.nan, math.nan
    if numpy.ptp(differences) < 1e-9:
        constant = float(differences[0])
        if abs(constant) < 1e-9:
            return 0.0, len(seeds), math.nan, 1.0
        return constant, len(seeds), math.copysign(math.inf, constant), 0.0 if constant > 0 else 1.0
    result = stats.ttest_rel([first[seed] for seed in seeds], [second[seed] for seed in seeds], alternative="greater")
    return float(differences.mean()), len(seeds), float(result.statistic), float(result.pvalue)


def comparisons(experiment: Experiment, scores: Scores) -> list[Comparison]:
    """Of every two representations of a language and task, the one of the higher mean against the other."""
    found = []
    for language in experiment.grid_languages:
        for task in language.tasks:
            ranked = _ranked(experiment, scores, language, task)
            for place, better in enumerate(ranked):
                for other in ranked[place + 1 :]:
                    found.append(_comparison(scores, language, task, better, other))
    return found


def _ranked(experiment: Experiment, scores: Scores, language: Language, task: str) -> list[str]:
    means = {name: scores.mean((language.tag, name, task)) for name in experiment.grid_representations}
    known = {name: mean for name, mean in means.items() if mean is not None}
    return sorted(known, key=lambda name: -known[name])


def _comparison(scores: Scores, language: Language, task: str, better: str, other: str) -> Comparison:
    first, second = (scores.converged((language.tag, name, task)) or {} for name in (better, other))
    difference, seeds, t, p = compare(first, second)
    corrected = min(1.0, p * len(language.tasks)) if not math.isnan(p) else math.nan
    return Comparison(language.tag, task, better, other, difference, seeds, t, p, corrected)


# -- the tables --------------------------------------------------------------------------------------------


def single_task_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 2: every representation on every language, a block for each task."""
    regimes = experiment.config["experiment"]["regimes"]
    languages = [language for language in _originals(experiment) if set(language.tasks) & set(regimes)]
    table = Table(
        "single-task",
        "Single-task scores on the test data: mean ± standard deviation over seeds, in percent.",
        ["Task", "Representation", *(f"{language.name} ({language.tag})" for language in languages)],
    )
    averaged = len(languages) > 1
    if averaged:
        table.columns.append("Average")
    for task in TASKS:
        with_task = [language for language in languages if task in language.tasks]
        if not with_task or task not in regimes:
            continue
        columns = {language.tag: _column(experiment, scores, language, task) for language in with_task}
        keys = {
            name: [(language.tag, name, task) for language in with_task] for name in experiment.grid_representations
        }
        averages = {name: _average(scores, keys[name]) for name in keys}
        # The average of fewer languages than the others' does not compete with them.
        complete = {name: all(map(scores.converged, keys[name])) for name in keys}
        highest = max(
            (average for name, average in averages.items() if average is not None and complete[name]), default=0
        )
        for name, average in averages.items():
            cells = [columns.get(language.tag, {}).get(name, Entry("")) for language in languages]
            if averaged:
                text = "" if average is None else f"{average:.2f}"
                cells.append(Entry(text, best=complete[name] and average == highest))
            table.rows.append([Entry(TASK_TITLES[task]), Entry(name), *cells])
    table.notes = _score_notes(experiment, scores)
    return table


def _originals(experiment: Experiment) -> list[Language]:
    return [language for language in experiment.grid_languages if language.original is None]


def _column(experiment: Experiment, scores: Scores, language: Language, task: str) -> dict[str, Entry]:
    """One language's cells for one task, by representation."""
    ranked = _ranked(experiment, scores, language, task)
    cells = {}
    for name in experiment.grid_representations:
        key = (language.tag, name, task)
        if key not in scores.by_seed:
            cells[name] = Entry(NOT_IN_GRID)
        elif name not in ranked:
            cells[name] = Entry(NOT_CONVERGED)
        else:
            tested = _comparison(scores, language, task, ranked[0], name) if name != ranked[0] else None
            not_worse = tested is not None and tested.seeds > 1 and not tested.significant
            cells[name] = Entry(mean_and_deviation(scores, key), best=tested is None, not_worse=not_worse)
    return cells


def mean_and_deviation(scores: Scores, key: Key) -> str:
    """Mean ± standard deviation over seeds of what converged, in percent."""
    values = list((scores.converged(key) or {}).values())
    deviation = f" ± {numpy.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{numpy.mean(values):.2f}{deviation}"


def _average(scores: Scores, keys: Sequence[Key]) -> float | None:
    """Mean over languages; None where the grid lacks one, since such means do not compare."""
    if len(keys) < 2 or any(key not in scores.by_seed for key in keys):
        return None
    means = [mean for key in keys if (mean := scores.mean(key)) is not None]
    return sum(means) / len(means) if means else None


def _score_notes(experiment: Experiment, scores: Scores) -> list[str]:
    notes = [
        "Bold: the highest mean of its language and task. ≈ (grey): not significantly worse than that, by a one-sided "
        "paired t-test over shared seeds (p < 0.05, Bonferroni-corrected by the language's number of tasks). "
        "Empty: no such labeled data."
    ]
    shown = {
        (language, name, task): scores.by_seed.get((language.tag, name, task), {})
        for language in _originals(experiment)
        for task in language.tasks
        for name in experiment.grid_representations
        if task in experiment.config["experiment"]["regimes"]
    }
    counts = sorted({len(seeds) for seeds in shown.values() if seeds})
    if counts:
        span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        notes.append(f"Seeds of a score: {span}; a test uses those that both scores have.")
    if 1 in counts:
        notes.append("A single seed has no standard deviation and no test.")
    unequal, untested, failed = [], [], []
    for (language, name, task), seeds in shown.items():
        ranked = _ranked(experiment, scores, language, task)
        what = f"{language.name} {task} {name}"
        if seeds and name not in ranked:
            failed.append(what)
        elif seeds:
            best = shown[language, ranked[0], task]
            if name != ranked[0] and len(best.keys() & seeds.keys()) < 2:
                untested.append(what)
            elif best.keys() != seeds.keys():
                unequal.append(what)
    for names, meaning in (
        (unequal, "Seeds differ from the best one's; tested on the shared ones"),
        (untested, "Fewer than two seeds shared with the best one; no test, no mark"),
        (failed, f"{NOT_CONVERGED}: a seed did not converge; left out of tests and averages (which are then not bold)"),
    ):
        if names:
            notes.append(f"{meaning}: {', '.join(names)}.")
    if not all(shown.values()) and len(_originals(experiment)) > 1:
        notes.append("An average stands only where the grid has every language of the task.")
    return notes


def transliteration_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 4: each language before → after transliteration."""
    twins = [language for language in experiment.grid_languages if language.original is not None]
    table = Table(
        "transliteration",
        "Before → after transliteration to Latin letters (change in points), mean over seeds.",
        ["Language", "Task", *experiment.grid_representations],
    )
    for twin in twins:
        assert twin.original is not None
        for task in twin.tasks:
            halves = {
                name: ((twin.original, name, task), (twin.tag, name, task)) for name in experiment.grid_representations
            }
            shown = {name: keys for name, keys in halves.items() if all(key in scores.by_seed for key in keys)}
            means = {name: (scores.mean(before), scores.mean(after)) for name, (before, after) in shown.items()}
            best = max((mean for pair in means.values() for mean in pair if mean is not None), default=None)
            cells = [_before_and_after(*means[name], best) if name in shown else Entry(NOT_IN_GRID) for name in halves]
            if shown:
                name = experiment.languages[twin.original].name
                table.rows.append([Entry(name), Entry(TASK_TITLES[task]), *cells])
    table.notes = ["Bold: holds the highest mean of its row, before or after."]
    if any(None in seeds.values() for seeds in scores.by_seed.values()):
        table.notes.append(f"{NOT_CONVERGED}: a seed did not converge.")
    return table


def _before_and_after(before: float | None, after: float | None, best: float | None) -> Entry:
    if before is None and after is None:
        return Entry(NOT_CONVERGED)
    text = " → ".join(NOT_CONVERGED if mean is None else f"{mean:.2f}" for mean in (before, after))
    if before is not None and after is not None:
        text += f" ({after - before:+.2f})"
    return Entry(text, best=best in (before, after))


def comparisons_table(experiment: Experiment, scores: Scores) -> Table:
    """Every two representations of a language and task against each other."""
    table = Table(
        "comparisons",
        "One-sided paired t-tests: does the first representation score higher than the second?",
        ["Language", "Task", "Higher", "Lower", "Difference", "Seeds", "t", "p", "p corrected", "Significant"],
    )
    for tested in comparisons(experiment, scores):
        numbers = [_number(tested.difference, ".2f"), str(tested.seeds), _number(tested.t, ".2f")]
        numbers += [_number(tested.p, ".2g"), _number(tested.corrected_p, ".2g")]
        verdict = "no test" if math.isnan(tested.p) else "yes" if tested.significant else "no"
        texts = [tested.language, tested.task, tested.better, tested.other, *numbers, verdict]
        table.rows.append([Entry(text) for text in texts])
    table.notes = [
        "Higher: by the mean over its own seeds. Difference (in points) and test: over the seeds that both have; "
        "fewer than two give no test. p corrected: times the number of tasks of the language; significant below "
        f"{LEVEL}."
    ]
    return table


@dataclass(frozen=True)
class Replication:
    """A cell of the paper's Table 2, met again.

    Attributes:
        scores: ours by seed; None if a seed did not converge.
        printed: the paper's.
    """

    language: Language
    task: str
    representation: str
    scores: dict[int, float] | None
    printed: Printed

    @property
    def difference(self) -> float:
        """Of the means, in points; NaN if ours did not converge."""
        return float(numpy.mean(list(self.scores.values()))) - self.printed.mean if self.scores else math.nan

    @property
    def verdict(self) -> str:
        """Whether the difference is within so many standard deviations of the paper's as are owed."""
        if not self.scores or len(self.scores) < SEEDS_OF_A_VERDICT:
            return f"fewer than {SEEDS_OF_A_VERDICT} seeds" if self.scores else NOT_CONVERGED
        if abs(self.difference) <= DEVIATIONS * self.printed.deviation:
            return "yes"
        return "no, above" if self.difference > 0 else "no, below"


def replications(experiment: Experiment, scores: Scores) -> list[Replication]:
    """Every single-task cell that both the grid and the paper have, in the paper's order of tasks."""
    return [
        Replication(language, task, name, scores.converged(key), TABLE_2[key])
        for task in TASKS
        for language in experiment.grid_languages
        for name in experiment.grid_representations
        if (key := (language.tag, name, task)) in TABLE_2 and key in scores.by_seed
    ]


def replication_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 2 beside ours."""
    within = f"Within {DEVIATIONS} sd of the paper's"
    table = Table(
        "replication",
        "Single-task scores beside the paper's Table 2: mean ± standard deviation over seeds, in percent.",
        ["Task", "Language", "Representation", "Ours", "Seeds", "Paper", "Difference", within],
    )
    for cell in replications(experiment, scores):
        key = (cell.language.tag, cell.representation, cell.task)
        texts = [TASK_TITLES[cell.task], f"{cell.language.name} ({cell.language.tag})", cell.representation]
        texts.append(mean_and_deviation(scores, key) if cell.scores else NOT_CONVERGED)
        texts += [str(len(scores.by_seed[key])), f"{cell.printed.mean:.2f} ± {cell.printed.deviation:.2f}"]
        texts += [_number(cell.difference, "+.2f"), cell.verdict]
        table.rows.append([Entry(text) for text in texts])
    table.notes = [
        "The paper has five seeds, and Wikipedias of December 2020. Difference: of the means, in points. No verdict "
        f"with fewer than {SEEDS_OF_A_VERDICT} seeds."
    ]
    if any(cell.scores is None for cell in replications(experiment, scores)):
        table.notes.append(f"{NOT_CONVERGED}: a seed did not converge.")
    return table


def _number(value: float, form: str) -> str:
    return NOTHING if math.isnan(value) else format(value, form)


def corpus_statistics(experiment: Experiment, run: Path) -> dict[str, Any]:
    """The statistics of each text of the grid, by tag.

    Raises:
        SpecializeError: naming every file that is missing.
    """
    paths = {
        language.tag: f"results/corpora/{language.tag}/statistics.json"
        for language in experiment.grid_languages
        if language.has_corpus
    }
    _require(run, list(paths.values()))
    return {tag: read_json(run / path) for tag, path in paths.items()}


def vocabulary_statistics(experiment: Experiment, run: Path) -> dict[tuple[str, str], Any]:
    """The statistics of each vocabulary of the grid, by tag and representation.

    Raises:
        SpecializeError: naming every file that is missing.
    """
    paths = {key: f"results/vocabularies/{'/'.join(key)}/statistics.json" for key in experiment.vocabularies}
    _require(run, list(paths.values()))
    return {key: read_json(run / path) for key, path in paths.items()}


def corpora_table(experiment: Experiment, run: Path) -> Table:
    """The paper's Table 1 beside ours, and how well each vocabulary covers the text and the labeled data."""
    corpora, vocabularies = corpus_statistics(experiment, run), vocabulary_statistics(experiment, run)
    table = Table(
        "corpora",
        "Texts and labeled data, and how well each vocabulary covers them.",
        [*"Language Type Script Family Downsampled Data Sentences Tokens".split(), *COVERAGE_COLUMNS, *PAPER_COLUMNS],
    )
    for language in experiment.grid_languages:
        script = "Latin" if language.original else language.entry.get("script", "")
        start = [language.name, str(language.entry.get("type", "")), script, language.entry.get("family", "")]
        start.append(f"{language.entry['corpus'].get('sample', 1):.0%}" if language.has_corpus else NOTHING)
        statistics = {name: read for (tag, name), read in vocabularies.items() if tag == language.tag}
        paper = TABLE_1.get(language.tag)
        for row in _coverage_rows(experiment, statistics):
            printed = [NOTHING] * len(PAPER_COLUMNS)
            if row[0] == "corpus":  # counts of the whole text; coverage is of its training part
                row[1:3] = (f"{corpora[language.tag]['total'][unit]:,}" for unit in ("sentences", "tokens"))
                printed, paper = paper or printed, None  # beside the base vocabulary, which comes first
            table.rows.append([Entry(text) for text in (*start, *row, *printed)])
    table.notes = [
        "Type 2: unseen by the base model; 1: among its smallest languages; 0: better represented. Downsampled: share "
        "of the articles that is kept.",
        "base: the vocabulary of the base model. Sentences and tokens of the text are those of all three parts; of "
        "labeled data, and for coverage, of the training part. An unknown token has an unknown wordpiece; a "
        "continuing piece does not begin its word.",
        "Paper: its Table 1, from dumps of December 2020 under mBERT's vocabulary.",
    ]
    return table


def _coverage_rows(experiment: Experiment, statistics: dict[str, Any]) -> list[list[str]]:
    """For each data set: the base vocabulary, then each augmented one; those that cover it alike share a row."""
    names: dict[tuple[str, ...], list[str]] = {}
    for kind in ("base", "augmented"):
        for representation, read in statistics.items():
            entry = experiment.representations[representation]
            own = entry.method == "scratch"
            if (kind == "augmented" and not read["pieces"] and not own) or (kind == "base" and own):
                continue
            name = f"{representation} (its own)" if own else f"{representation} ({len(read['pieces'])} new)"
            if kind == "base":
                name = f"base ({entry.base_model})"
            for data, covered in read["coverage"].items():
                measured = covered[kind]
                key = (
                    data,
                    f"{covered['sentences']:,}",
                    f"{measured['tokens']:,}",
                    f"{measured['wordpieces_per_token']:.2f}",
                    f"{measured['unknown_token_rate']:.2%}",
                    f"{measured['unknown_wordpiece_rate']:.2%}",
                    f"{measured['continuation_rate']:.1%}",
                )
                names.setdefault((kind, *key), []).append(name)
    rows = [
        [data, sentences, tokens, ", ".join(dict.fromkeys(same)), *numbers]
        for (_, data, sentences, tokens, *numbers), same in names.items()
    ]
    return sorted(rows, key=lambda row: row[0])


def hyperparameters_table(experiment: Experiment) -> Table:
    """The paper's Table 5, from the resolved configuration."""
    table = Table("hyperparameters", "Hyperparameters of this run.", ["Stage", "Hyperparameter", "Value"])

    def add(stage: str, prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(stage, f"{prefix} {key}".strip(), inner)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)
            table.rows.append([Entry(stage), Entry(prefix.replace("_", " ")), Entry(text)])

    for section, value in experiment.table_settings("hyperparameters").items():
        add(section, "", value)
    return table


def write_all(experiment: Experiment, run: Path, names: Sequence[str]) -> None:
    """Write the named tables of a run in all formats.

    Raises:
        SpecializeError: if a result is missing, or there is no table of that name.
    """
    from_scores = {
        "single-task": single_task_table,
        "transliteration": transliteration_table,
        "comparisons": comparisons_table,
        "replication": replication_table,
    }
    for name in names:
        if name in from_scores:
            table = from_scores[name](experiment, load_scores(experiment, run))
        elif name == "corpora":
            table = corpora_table(experiment, run)
        elif name == "hyperparameters":
            table = hyperparameters_table(experiment)
        else:
            raise SpecializeError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
        write_table(table, run / "results" / "tables")


# -- formats -----------------------------------------------------------------------------------------------

STYLE = """
body { font-family: sans-serif; margin: 2em; } table { border-collapse: collapse; }
th, td { padding: 0.3em 0.8em; text-align: left; border-bottom: 1px solid #ccc; }
thead th { border-bottom: 2px solid black; } .not-worse { color: #666; }
"""
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "→": r"$\rightarrow$",
        "≈": r"$\approx$", "–": "--", "−": "$-$", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    }
)  # fmt: skip


def write_table(table: Table, folder: Path) -> None:
    """Write {name}.md, .csv, .tex and .html."""
    for ending, text in {
        "md": to_markdown(table),
        "csv": _frame(table).to_csv(index=False, lineterminator="\n"),
        "tex": to_latex(table),
        "html": to_html(table),
    }.items():
        with atomic_text(folder / f"{table.name}.{ending}") as stream:
            stream.write(text)


def _frame(
    table: Table, escape: Callable[[str], str] = str, best: str = "TEXT", not_worse: str = "TEXT"
) -> pandas.DataFrame:
    """The cells as escaped text, put in place of TEXT for those that are marked."""

    def render(entry: Entry) -> str:
        form = best if entry.best else not_worse if entry.not_worse else "TEXT"
        return form.replace("TEXT", escape(entry.text))

    rows = [[render(entry) for entry in row] for row in table.rows]
    return pandas.DataFrame(rows, columns=[escape(title) for title in table.columns], dtype=str)


def to_markdown(table: Table) -> str:
    """As a Markdown table, the best in bold, ≈ after what is not significantly worse."""
    frame = _frame(table, lambda text: text.replace("|", r"\|"), "**TEXT**", "TEXT ≈")
    body = str(frame.to_markdown(index=False, disable_numparse=True))
    return "\n\n".join([f"**{table.caption}**", body, *table.notes]) + "\n"


def to_latex(table: Table) -> str:
    """As a LaTeX table for the packages booktabs and xcolor."""
    frame = _frame(table, lambda text: text.translate(LATEX), r"\textbf{TEXT}", r"\textcolor{gray}{TEXT $\approx$}")
    caption = " ".join([table.caption, *table.notes]).translate(LATEX)
    return frame.to_latex(index=False, escape=False, caption=caption, label=f"tab:{table.name}")


def to_html(table: Table) -> str:
    """As a page of its own."""
    frame = _frame(table, html.escape, "<b>TEXT</b>", '<span class="not-worse">TEXT ≈</span>')
    notes = "".join(f"<p>{html.escape(note)}</p>\n" for note in table.notes)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(table.name)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{html.escape(table.caption)}</h1>\n"
        f"{frame.to_html(index=False, escape=False, border=0)}\n{notes}</body></html>\n"
    )
