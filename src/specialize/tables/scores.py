"""Test scores of a run, by seed, and by fold where data are cross-validated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, TypeAlias

import numpy
from numpy.typing import NDArray

from specialize.errors import InputError, SpecializeError
from specialize.experiment import Cell, Experiment
from specialize.experiment.regimes import Method
from specialize.files import read_json

PRIMARY_METRIC = {"pos": "accuracy", "ud": "las", "ner": "f1"}
TASK_TITLES = {"pos": "POS (accuracy)", "ud": "UD (LAS)", "ner": "NER (F1)"}
NOT_CONVERGED = "–"
NOT_IN_GRID = "not in this grid"
NEAR_GUESSING = 2.0  # points above what guessing scores, at most, are marked; about what two seeds may differ by

Key = tuple[str, Method, str]  # language, method, task


class FoldTrial(NamedTuple):
    """A training that is tested on one fold of cross-validated data."""

    fold: int
    seed: int


Trial: TypeAlias = int | FoldTrial  # what scores are told apart by: the seed, or fold and seed


@dataclass(frozen=True)
class Scores:
    """Test scores of a run, in percent.

    Attributes:
        by_seed: for each language, method and task the score of each seed, or of each fold and seed; None: it did not
            converge.
        items: for each language and task, how many items of test data a score is a share of: words, or named
            entities; of folds, those of the smallest; none where that is not known.
        guessing: for each language and task the score of who gives every word the most frequent label; of folds, the
            mean; none where that is not known.
        development: as `by_seed`, on the development data, of all keys there.
        sentences: for each key and seed what each test sentence adds to the score; see `sentences.count`. Read on
            request only, and not of cross-validated data.
    """

    by_seed: dict[Key, dict[Trial, float | None]]
    items: Mapping[tuple[str, str], int] = field(default_factory=dict)
    guessing: Mapping[tuple[str, str], float] = field(default_factory=dict)
    development: Mapping[Key, Mapping[Trial, float | None]] = field(default_factory=dict)
    sentences: Mapping[Key, Mapping[Trial, NDArray[numpy.float64]]] = field(default_factory=dict)

    def converged(self, key: Key) -> dict[Trial, float] | None:
        """Scores by seed, or by fold and seed; None if the grid lacks this method or one of them did not converge."""
        scores = self.by_seed.get(key, {})
        values = {trial: value for trial, value in scores.items() if value is not None}
        return values if scores and len(values) == len(scores) else None

    def mean(self, key: Key) -> float | None:
        """Mean over seeds, and folds; None where `converged` is."""
        values = self.converged(key)
        return sum(values.values()) / len(values) if values else None

    def step(self, key: Key) -> float:
        """By how many points one item of the test data changes a score; 0 where that is not known."""
        language, _, task = key
        return 100 / self.items[language, task] if self.items.get((language, task)) else 0.0

    def folds(self, key: Key) -> int:
        """How many folds there are scores of; 0 without cross-validation."""
        return len(folds_of(self.by_seed.get(key, {})))

    def seeds(self, key: Key) -> int:
        """How many seeds there are scores of."""
        return len(seeds_of(self.by_seed.get(key, {})))

    def near_guessing(self, key: Key) -> bool:
        """Whether the mean is hardly above what guessing scores; not if that is not known."""
        language, _, task = key
        mean, guessed = self.mean(key), self.guessing.get((language, task))
        return mean is not None and guessed is not None and mean <= guessed + NEAR_GUESSING

    def ranked(self, language: str, task: str, methods: Iterable[Method]) -> list[Method]:
        """Those of the methods that converged, the highest mean first; equal ones in the given order."""
        means = {method: self.mean((language, method, task)) for method in methods}
        known = {method: mean for method, mean in means.items() if mean is not None}
        return sorted(known, key=lambda method: -known[method])

    def development_mean(self, key: Key) -> float | None:
        """Mean over seeds, and folds, on the development data; None where `converged` is."""
        if self.converged(key) is None:
            return None
        values = [value for value in self.development[key].values() if value is not None]
        return sum(values) / len(values)

    def chosen(self, language: str, task: str, methods: Iterable[Method]) -> list[Method]:
        """As `ranked`, by the mean on the development data, so that what is compared on the test data was not
        chosen there."""
        means = {method: self.development_mean((language, method, task)) for method in methods}
        known = {method: mean for method, mean in means.items() if mean is not None}
        return sorted(known, key=lambda method: -known[method])

    def methods(self, language: str, task: str) -> list[Method]:
        """Those that the grid has for a language and task, in its order."""
        return [method for tag, method, measured in self.by_seed if (tag, measured) == (language, task)]


def single_task_methods(experiment: Experiment) -> list[Method]:
    """Single-task learning of each representation, in the order of the grid."""
    return [Method(name) for name in experiment.grid_representations]


def folds_of(trials: Iterable[Trial]) -> list[int]:
    """The folds of some trials, in order; none without cross-validation."""
    return sorted({trial.fold for trial in trials if isinstance(trial, FoldTrial)})


def seeds_of(trials: Iterable[Trial]) -> list[int]:
    """The seeds of some trials, in order."""
    return sorted({trial.seed if isinstance(trial, FoldTrial) else trial for trial in trials})


def by_fold(scores: Mapping[Trial, float]) -> dict[int, float]:
    """The score of each fold, the mean over its seeds; nothing without cross-validation."""
    return {
        fold: fmean(score for trial, score in scores.items() if isinstance(trial, FoldTrial) and trial.fold == fold)
        for fold in folds_of(scores)
    }


def counted(folds: int, seeds: int) -> str:
    """How many trainings a score is of, in words for a cell: a number of seeds, or of folds and seeds."""
    return f"{folds} folds × {seeds} seed{'' if seeds == 1 else 's'}" if folds else str(seeds)


def load_scores(experiment: Experiment, run: Path, cells: Iterable[Cell] | None = None) -> Scores:
    """Read the metrics of cells, by default of all that the grid has.

    Raises:
        SpecializeError: naming every metrics file that is missing (none counts as a score of 0), or a score that is
            no number.
    """
    cells = experiment.cells if cells is None else tuple(cells)
    require(run, [cell.metrics for cell in cells])
    by_seed: dict[Key, dict[Trial, float | None]] = {}
    development: dict[Key, dict[Trial, float | None]] = {}
    about_test: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}  # by fold
    for cell in cells:
        metrics = read_json(run / cell.metrics)
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            score = on_development = None
            if metrics["converged"]:
                score, on_development = (
                    100 * _number(run / cell.metrics, metrics["scores"][part][task], PRIMARY_METRIC[task])
                    for part in ("test", "dev")
                )
                known = about_test.setdefault((cell.language, task), {})
                if cell.fold not in known:
                    known[cell.fold] = _about_test_data(run / cell.folder)
            key = (cell.language, cell.method, task)
            trial = FoldTrial(cell.fold, cell.seed) if cell.fold else cell.seed
            by_seed.setdefault(key, {})[trial] = score
            development.setdefault(key, {})[trial] = on_development
    return Scores(by_seed, _items(about_test), _guessing(about_test), development)


def _items(about_test: Mapping[tuple[str, str], Mapping[int, Mapping[str, Any]]]) -> dict[tuple[str, str], int]:
    """See `Scores.items`."""
    return {
        (language, task): min(int(about.get("test_items", {}).get(task, 0)) for about in of_folds.values())
        for (language, task), of_folds in about_test.items()
    }


def _guessing(about_test: Mapping[tuple[str, str], Mapping[int, Mapping[str, Any]]]) -> dict[tuple[str, str], float]:
    """See `Scores.guessing`."""
    found = {}
    for (language, task), of_folds in about_test.items():
        shares = [float(about["guessing"][task]) for about in of_folds.values() if task in about.get("guessing", {})]
        if len(shares) == len(of_folds):
            found[language, task] = 100 * fmean(shares)
    return found


def _about_test_data(folder: Path) -> Mapping[str, Any]:
    """What history.json beside the metrics says; nothing if there is none."""
    history = folder / "history.json"
    known: Mapping[str, Any] = read_json(history) if history.is_file() else {}
    return known


def _number(path: Path, scores: Mapping[str, float], metric: str) -> float:
    value = scores.get(metric)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(path, f"{metric} is {value}, not a number", remedy="delete the file; its job runs again")
    return value


def require(run: Path, paths: Sequence[str]) -> None:
    """Refuse to go on without these files of a run.

    Raises:
        SpecializeError: naming all that are missing.
    """
    missing = [path for path in paths if not (run / path).is_file()]
    if missing:
        raise SpecializeError(f"{len(missing)} results are missing: {', '.join(missing)}")


def mean_and_deviation(scores: Scores, key: Key) -> str:
    """Mean ± standard deviation over seeds, and folds, of what converged, in percent."""
    values = list((scores.converged(key) or {}).values())
    deviation = f" ± {numpy.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{numpy.mean(values):.2f}{deviation}"
