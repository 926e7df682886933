"""How much annotation is enough: test scores by the number of training sentences, and what a method saves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

from specialize.experiment import Cell, Experiment, Method
from specialize.experiment.curve import SMALLEST_SHARE, curve_of, training_file
from specialize.experiment.data_sizes import DataSizes, count_labeled
from specialize.files import read_json
from specialize.tables.formats import NOTHING, Table, write_table
from specialize.tables.names import key_of_names
from specialize.tables.scores import TASK_TITLES, load_scores

Line = tuple[str, str, str]  # language, task, representation


@dataclass(frozen=True)
class Point:
    """Test scores of a method on a share of the training sentences.

    Attributes:
        share: one in how many sentences; 1 for all.
        sentences: how many these are, the mean over folds.
        scores: in percent, of each seed (and fold); none if one of them did not converge.
        cut_off: how many of their models were best in the last epoch that they could have.
    """

    share: int
    sentences: float
    scores: tuple[float, ...]
    cut_off: int = 0

    @property
    def mean(self) -> float:
        """Over seeds (and folds); NaN without scores."""
        return fmean(self.scores) if self.scores else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation; NaN of fewer than two scores."""
        return stdev(self.scores) if len(self.scores) > 1 else math.nan


def lines_of_curve(experiment: Experiment, run: Path) -> dict[Line, list[Point]]:
    """The points of each language, task and representation, those of the fewest sentences first.

    Raises:
        SpecializeError: naming all scores that are missing.
    """
    curve = curve_of(experiment, DataSizes(experiment, run))

    @cache
    def sentences(path: str) -> int:
        return count_labeled(run / path).sentences

    cells: dict[Line, dict[int, list[Cell]]] = {}
    for cell in [*experiment.single_task_cells, *curve.cells]:
        line = (cell.language, cell.regime, cell.representation)
        cells.setdefault(line, {}).setdefault(cell.share, []).append(cell)
    lines = {}
    for line, by_share in cells.items():
        lines[line] = [
            Point(
                share,
                fmean(sentences(training_file(experiment, cell)) for cell in same),
                _scores(experiment, run, same),
                sum(_is_cut_off(run / cell.metrics) for cell in same),
            )
            for share, same in sorted(by_share.items(), reverse=True)
        ]
    return lines


def _is_cut_off(path: Path) -> bool:
    """Whether a model was best in the last epoch of all that its settings allow, so that it might have gone on."""
    metrics = read_json(path)
    most = metrics.get("hyperparameters", {}).get("epochs")
    return most is not None and metrics.get("best_epoch") == most


def _scores(experiment: Experiment, run: Path, cells: Sequence[Cell]) -> tuple[float, ...]:
    """Scores of each fold and seed; none if one did not converge."""
    first = cells[0]
    key = (first.language, Method(first.representation), first.regime)
    return tuple((load_scores(experiment, run, cells).converged(key) or {}).values())


# -- tables ------------------------------------------------------------------------------------------------


def write_curve(experiment: Experiment, run: Path) -> None:
    """Write the tables `curve` and `curve-reached` and the figure `curve` of a run.

    Raises:
        SpecializeError: naming all scores that are missing.
    """
    from specialize.tables.figures.curve import draw_curve
    from specialize.tables.figures.style import save_figure

    lines = lines_of_curve(experiment, run)
    left_out = curve_of(experiment, DataSizes(experiment, run)).left_out
    for table in (curve_table(experiment, lines, left_out), reached_table(experiment, lines)):
        write_table(table, run / "results/tables")
    save_figure(draw_curve(experiment, lines), run / "results/figures", "curve")


def curve_table(experiment: Experiment, lines: dict[Line, list[Point]], left_out: Sequence[str] = ()) -> Table:
    """A row for each language, task, method and number of training sentences."""
    table = Table(
        "curve",
        "How much annotation is enough: test scores by the number of training sentences.",
        ["Language", "Task", "Method", "Share", "Sentences", "Score", "Gained by doubling"],
    )
    for (tag, task, name), points in lines.items():
        start = [experiment.languages[tag].name, TASK_TITLES[task], name]
        for before, point in pairwise([None, *points]):
            assert point is not None
            share = f"1/{point.share}" if point.share > 1 else "all"
            gained = gained_by_doubling(before, point) if before else math.nan
            shown = f"{gained:+.2f}" if not math.isnan(gained) else NOTHING
            table.add(*start, share, f"{point.sentences:,.0f}", _score(point), shown)
    folds = any(experiment.languages[tag].folds(task) for tag, task, _ in lines)
    over = "seeds and folds" if folds else "seeds"
    table.notes = [
        key_of_names(experiment),
        f"Scores are percent of the test data, mean ± standard deviation over {over}; {NOTHING}: a model did not "
        "converge. Every model of a seed learns from the same sentences, whichever its method; another seed has drawn "
        "others, so that the deviation has in it what the choice of sentences does. Test and development data are the "
        "same at every share.",
        "Gained by doubling: how many points of score a doubling of the sentences has brought since the row above (its "
        "difference, divided by the doublings between them). A gain below the deviations says little.",
        "Sentences are drawn from the whole training part, one by one. Of annotation that goes text by text, as many "
        "sentences are less varied, and may be worth less.",
    ]
    cut_off = [
        f"{experiment.languages[tag].name}, {TASK_TITLES[task]}, {name}, "
        f"{'all' if point.share == 1 else f'1/{point.share}'} ({point.cut_off} of {len(point.scores)})"
        for (tag, task, name), points in lines.items()
        for point in points
        if point.cut_off and point.scores
    ]
    if cut_off:
        table.notes.append(
            "Models that were best in the last epoch they could have, so that more epochs (finetuning.epochs) might "
            f"have taught them more; a share has fewer steps an epoch: {'; '.join(cut_off)}."
        )
    if left_out:
        table.notes.append(f"Left out, being fewer than {SMALLEST_SHARE} sentences: {'; '.join(left_out)}.")
    return table


def _score(point: Point) -> str:
    if not point.scores:
        return NOTHING
    return f"{point.mean:.2f}" + ("" if math.isnan(point.deviation) else f" ± {point.deviation:.2f}")


def gained_by_doubling(before: Point, point: Point) -> float:
    """By how many points a score rises from one point to the next, for each doubling of the sentences between them."""
    doublings = math.log2(point.sentences / before.sentences)
    return (point.mean - before.mean) / doublings if doublings else math.nan


def reached_table(experiment: Experiment, lines: dict[Line, list[Point]]) -> Table:
    """With how many sentences each method has the score that another one has with all of them."""
    table = Table(
        "curve-reached",
        "With how much annotation a method is as good as another one with all of it, by interpolation.",
        ["Language", "Task", "Method", "Is as good as", "Score", "With sentences, about", "Of all"],
    )
    for (tag, task, name), points in lines.items():
        for (other_tag, other_task, other), reference in lines.items():
            score, most = reference[-1].mean, points[-1]
            if (tag, task) != (other_tag, other_task) or name == other or not most.mean >= score:
                continue
            sentences = sentences_to_reach(points, score)
            fewest = next(point for point in points if point.scores)
            bound = "at most " if sentences == fewest.sentences else ""
            table.add(
                experiment.languages[tag].name, TASK_TITLES[task], name, f"{other} with all", f"{score:.2f}",
                f"{bound}{sentences:,.0f}", f"{bound}{sentences / most.sentences:.0%}",
            )  # fmt: skip
    table.notes = [
        "An interpolation, not a measurement: between the mean scores of two shares a score is taken to rise evenly "
        "with the logarithm of the number of sentences; where a curve comes to the score more than once, the fewest "
        "sentences count. “At most”: the smallest share with scores is as good already. Pairs of which the first "
        "is worse with all sentences are left out. Whether two methods differ at all is for table comparisons.",
    ]
    return table


def sentences_to_reach(points: Sequence[Point], score: float) -> float:
    """The fewest sentences with which the means of a curve come to a score, between its points by interpolation.

    Between two points, the mean is taken to change evenly with the logarithm of the sentences.

    Args:
        points: the fewest sentences first.
        score: in percent.

    Returns:
        Sentences: those of the first point if that is as good already; NaN if no point is.
    """
    known = [point for point in points if point.scores]
    for before, point in pairwise([None, *known]):
        assert point is not None
        if point.mean < score:
            continue
        if before is None or point.mean == before.mean:
            return point.sentences
        way = (score - before.mean) / (point.mean - before.mean)
        return float(before.sentences * (point.sentences / before.sentences) ** way)
    return math.nan
