"""Two equal methods on cross-validated data that we draw: how often a test over folds calls one of them better."""

from pathlib import Path

import numpy
import pytest
from scipy import stats

from specialize.datasets import in_folds
from specialize.tables.scores import FoldTrial
from specialize.tables.statistics import LEVEL, compare

DATA_SETS = 400
SENTENCES = 200
FEATURES = 5  # that each method sees, of its own; all of them tell equally much of the label
TAILS = 1.5  # degrees of freedom of the noise: a few sentences weigh much in all training parts that have them


def nearest_centroid(features, labels, train, test):
    """The accuracy of a classifier that knows the mean of each class."""
    low, high = (features[train[labels[train] == label]].mean(0) for label in (0, 1))
    found = (features[test] - (low + high) / 2) @ (high - low) > 0
    return 100 * float((found == labels[test]).mean())


@pytest.mark.parametrize(("number", "signal"), [(5, 0.3), (10, 0.2)])  # how far the classes lie from the middle
def test_the_corrected_test_keeps_its_level_where_the_plain_one_does_not(number, signal):
    generator = numpy.random.default_rng(1)
    folds = in_folds(Path("drawn"), range(SENTENCES), [], number, seed=1)
    parts = [{part: numpy.array(places) for part, places in folds.parts(k + 1).items()} for k in range(number)]
    plain = corrected = 0
    for _ in range(DATA_SETS):
        labels = generator.integers(0, 2, SENTENCES)
        noise = generator.standard_t(TAILS, (SENTENCES, 2 * FEATURES))
        features = noise + signal * (2 * labels[:, None] - 1)
        first, second = (
            [nearest_centroid(own, labels, part["train"], part["test"]) for part in parts]
            for own in (features[:, :FEATURES], features[:, FEATURES:])
        )
        plain += compare(dict(enumerate(first)), dict(enumerate(second)))[3] < LEVEL  # as if folds were seeds
        one, other = ({FoldTrial(k, 1): score for k, score in enumerate(of, start=1)} for of in (first, second))
        corrected += compare(one, other)[3] < LEVEL
    print(f"{number} folds: plain {plain / DATA_SETS:.1%}, corrected {corrected / DATA_SETS:.1%}")
    assert stats.binomtest(plain, DATA_SETS, LEVEL, "greater").pvalue < 1e-3
    assert corrected <= LEVEL * DATA_SETS
