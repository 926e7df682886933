"""Which method is better in general: linear mixed models of the scores of all languages and tasks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from scipy import stats

from specialize.experiment.regimes import Method
from specialize.tables.scores import FoldTrial, Scores
from specialize.tables.verdicts import NO_VARIANCE, untested

FEW_PLACES = "fewer than two languages and tasks that have both"
SINGULAR = "no fit of the model was found, which is so where hardly anything varies"
SMALLEST_ERROR = 1e-6  # points; scores have four decimals of a point, and errors of what varies are larger
CONFIDENCE = 0.975  # quantile of the upper end of a 95 % interval


@dataclass(frozen=True)
class Effect:
    """By how many points a method is better than the reference, over languages and tasks.

    Attributes:
        points: the effect.
        low, high: of its 95 % interval, for languages and tasks such as these.
        p: two-sided, uncorrected.
        between: the standard deviation of the effect from one language and task to another, in points; NaN with one
            score of each, where that cannot be told from what varies over seeds.
        by_place: the plain difference of means at each language and task, in points.
        reason: why nothing is estimated; empty if something is.
    """

    points: float
    low: float
    high: float
    p: float
    between: float
    by_place: dict[tuple[str, str], float]
    reason: str = ""


class Observation(NamedTuple):
    """A score in points: at which place, which is a language and task; whether of the reference; and of which seed."""

    place: str
    is_reference: bool
    seed: int
    score: float


def effect(scores: Scores, method: Method, reference: Method, places: Sequence[tuple[str, str]]) -> Effect:
    """The effect of a method against a reference, by a mixed model of the scores of these two.

    A score is the level of its place (fixed, as what is easy for both says nothing of them) + the effect (fixed)
    + what the method has there besides (random, of each method and place) + what the seed does there to both (random)
    + what is left, fitted by REML. The error of the effect is above all that of places: seeds do not make up for them.
    Its interval has Student's t with places - 1 degrees of freedom. Normal quantiles, as statsmodels prints them, cover
    70 % for 95 % of two places and 81 % of three; one model of all methods, which has one variance for the effects of
    all of them, covers 85 % where some vary more than others do (benchmarks/significance.py).

    Args:
        scores: of all places.
        method, reference: of the grid.
        places: languages and tasks.
    """
    rows, by_place = _observations(scores, method, reference, places)
    of_seeds = _differences(rows)
    fitted = None if len(by_place) < 2 or untested(of_seeds) == NO_VARIANCE else _fitted(rows)
    if fitted is None:
        reason = SINGULAR if len(by_place) > 1 else FEW_PLACES
        return Effect(math.nan, math.nan, math.nan, math.nan, math.nan, by_place, reason)
    points, error, variance = fitted
    degrees = len(by_place) - 1
    wide = error * float(stats.t.ppf(CONFIDENCE, degrees))
    p = float(2 * stats.t.sf(abs(points) / error, degrees))
    return Effect(points, points - wide, points + wide, p, math.sqrt(variance), by_place)


def _observations(
    scores: Scores, method: Method, reference: Method, places: Sequence[tuple[str, str]]
) -> tuple[list[Observation], dict[tuple[str, str], float]]:
    """All scores of places where both converged, of folds the mean of each seed; and the differences of means."""
    rows, by_place = [], {}
    for language, task in places:
        keys = (language, method, task), (language, reference, task)
        both = [_by_seed(scores.converged(key) or {}) for key in keys]
        if all(both):
            by_place[language, task] = fmean(both[0].values()) - fmean(both[1].values())
            rows += [
                Observation(f"{language} {task}", of is both[1], seed, score)
                for of in both
                for seed, score in of.items()
            ]
    return rows, by_place


def _differences(rows: Sequence[Observation]) -> list[float]:
    """Of each place and seed that both have."""
    first, second = (
        {(row.place, row.seed): row.score for row in rows if row.is_reference is of} for of in (False, True)
    )
    return [first[shared] - second[shared] for shared in sorted(first.keys() & second.keys())]


def _by_seed(scores: Any) -> dict[int, float]:
    """The score of each seed, the mean over its folds where there are some."""
    of_seeds: dict[int, list[float]] = {}
    for trial, score in scores.items():
        of_seeds.setdefault(trial.seed if isinstance(trial, FoldTrial) else trial, []).append(score)
    return {seed: fmean(of) for seed, of in of_seeds.items()}


def _fitted(rows: Sequence[Observation]) -> tuple[float, float, float] | None:
    """Estimate, standard error and variance of the effect between places; None where it cannot be fitted."""
    import pandas
    from statsmodels.regression.linear_model import OLS
    from statsmodels.regression.mixed_linear_model import MixedLM

    frame = pandas.DataFrame(rows)
    frame["better"] = (~frame["is_reference"]).astype(float)
    frame["score"] -= frame.groupby("place")["score"].transform("mean")  # levels are fixed; the search is easier
    between = math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance of 0 is an answer, and what does not converge is refused here
        if frame.groupby(["place", "is_reference"]).size().max() == 1:  # what is left is what differs there
            result = OLS.from_formula("score ~ C(place) + better", data=frame).fit()
            error = float(result.bse["better"])
        else:
            drawn = {"method": "0 + C(is_reference)", "seed": "0 + C(seed)"}
            model = MixedLM.from_formula(
                "score ~ C(place) + better", data=frame, groups="place", re_formula="0", vc_formula=drawn
            )
            result = _converged(model)
            if result is None:
                return None
            error = _error(model, result)
            between = 2 * float(result.vcomp[model.exog_vc.names.index("method")])  # of a difference of two
    return (float(result.params["better"]), error, between) if error > SMALLEST_ERROR else None


def _converged(model: Any) -> Any:
    """The model, fitted by REML; None if no search for its variances ends.

    Gradients lead searches astray near a variance of 0. One without them can step where all is explained, which has no
    likelihood; another may find its way from the same start.
    """
    import numpy

    for search in ("nm", "powell"):
        try:
            result = model.fit(reml=True, method=[search])
        except (numpy.linalg.LinAlgError, ValueError):
            continue
        if result.converged:
            return result
    return None


def _error(model: Any, result: Any) -> float:
    """The standard error of the effect by generalised least squares with the estimated variances: (X' V⁻¹ X)⁻¹;
    NaN where nothing is left that varies.

    That of statsmodels comes from second derivatives by the variances too, and is missing where one of these is 0.
    """
    import numpy

    precision = numpy.zeros((model.k_fe, model.k_fe))
    column = model.exog_names.index("better")
    try:
        for group, fixed in enumerate(model.exog_li):
            covariance = result.scale * numpy.eye(len(fixed))
            for variance, drawn in zip(result.vcomp, model.exog_vc.mats, strict=True):
                covariance += variance * drawn[group] @ drawn[group].T
            precision += fixed.T @ numpy.linalg.solve(covariance, fixed)
        return math.sqrt(numpy.linalg.inv(precision)[column, column])
    except (numpy.linalg.LinAlgError, ValueError):
        return math.nan
