"""Test scores of a run, by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

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


@dataclass(frozen=True)
class Scores:
    """Test scores of a run, in percent.

    Attributes:
        by_seed: for each language, method and task the score of each seed; None: it did not converge.
        items: for each language and task, how many items of test data a score is a share of: words, or named
            entities; none where that is not known.
        guessing: for each language and task the score of who gives every word the most frequent label; none where that
            is not known.
        development: as `by_seed`, on the development data, of all keys there.
    """

    by_seed: dict[Key, dict[int, float | None]]
    items: Mapping[tuple[str, str], int] = field(default_factory=dict)
    guessing: Mapping[tuple[str, str], float] = field(default_factory=dict)
    development: Mapping[Key, Mapping[int, float | None]] = field(default_factory=dict)

    def converged(self, key: Key) -> dict[int, float] | None:
        """Scores by seed; None if the grid lacks this method or a seed of it did not converge."""
        scores = self.by_seed.get(key, {})
        values = {seed: value for seed, value in scores.items() if value is not None}
        return values if scores and len(values) == len(scores) else None

    def mean(self, key: Key) -> float | None:
        """Mean over seeds; None where `converged` is."""
        values = self.converged(key)
        return sum(values.values()) / len(values) if values else None

    def step(self, key: Key) -> float:
        """By how many points one item of the test data changes a score; 0 where that is not known."""
        language, _, task = key
        return 100 / self.items[language, task] if self.items.get((language, task)) else 0.0

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
        """Mean over seeds on the development data; None where `converged` is."""
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


def load_scores(experiment: Experiment, run: Path, cells: Iterable[Cell] | None = None) -> Scores:
    """Read the metrics of cells, by default of all that the grid has.

    Raises:
        SpecializeError: naming every metrics file that is missing (none counts as a score of 0), or a score that is
            no number.
    """
    cells = experiment.cells if cells is None else tuple(cells)
    require(run, [cell.metrics for cell in cells])
    by_seed: dict[Key, dict[int, float | None]] = {}
    development: dict[Key, dict[int, float | None]] = {}
    items: dict[tuple[str, str], int] = {}
    guessing: dict[tuple[str, str], float] = {}
    for cell in cells:
        metrics = read_json(run / cell.metrics)
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            score = on_development = None
            if metrics["converged"]:
                score, on_development = (
                    100 * _number(run / cell.metrics, metrics["scores"][part][task], PRIMARY_METRIC[task])
                    for part in ("test", "dev")
                )
                if (cell.language, task) not in items:
                    about = _about_test_data(run / cell.folder)
                    items[cell.language, task] = int(about.get("test_items", {}).get(task, 0))
                    if task in about.get("guessing", {}):
                        guessing[cell.language, task] = 100 * float(about["guessing"][task])
            key = (cell.language, cell.method, task)
            by_seed.setdefault(key, {})[cell.seed] = score
            development.setdefault(key, {})[cell.seed] = on_development
    return Scores(by_seed, items, guessing, development)


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
    """Mean ± standard deviation over seeds of what converged, in percent."""
    values = list((scores.converged(key) or {}).values())
    deviation = f" ± {numpy.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{numpy.mean(values):.2f}{deviation}"
