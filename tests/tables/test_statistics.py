"""The tests on request, against scipy called by hand, against arithmetic, and by what must always hold."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.tables.test_tables import small_experiment, some_scores

from specialize.errors import ConfigError
from specialize.experiment import Experiment
from specialize.tables.comparisons import comparisons_table
from specialize.tables.statistics import bootstrap_interval, comparisons, effect_size, holm, wilcoxon

EXAMPLE = [2.0, 3.0, 1.0, 2.0, 2.0]  # of docs/statistics.md


def test_the_worked_example_of_the_documentation():
    assert effect_size(EXAMPLE) == pytest.approx(2.8284, abs=1e-4)  # 2 / 0.7071
    low, high = bootstrap_interval(EXAMPLE)
    assert (low, high) == (1.4, 2.6)
    assert wilcoxon(EXAMPLE) == pytest.approx(stats.wilcoxon(EXAMPLE, alternative="greater").pvalue)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_five_seeds_cannot_pass_a_corrected_signed_rank_test():
    assert wilcoxon([1.0, 2.0, 3.0, 4.0, 5.0]) == 1 / 32


@pytest.mark.parametrize("differences", [[], [1.0]])
def test_fewer_than_two_seeds_give_nothing(differences):
    assert math.isnan(wilcoxon(differences))
    assert math.isnan(effect_size(differences))
    assert all(map(math.isnan, bootstrap_interval(differences)))


def test_differences_that_do_not_vary_have_an_interval_but_no_effect_size():
    assert bootstrap_interval([1.5, 1.5, 1.5]) == (1.5, 1.5)
    assert math.isnan(effect_size([1.5, 1.5, 1.5]))
    assert wilcoxon([0.0, 0.0]) == 1.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=2, max_size=8))
def test_an_interval_holds_the_mean_and_lies_within_the_differences(differences):
    low, high = bootstrap_interval(differences)
    assert min(differences) - 1e-9 <= low <= numpy.mean(differences) + 1e-9
    assert numpy.mean(differences) - 1e-9 <= high <= max(differences) + 1e-9


p_values = st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=20)


@given(p_values)
def test_holm_is_between_the_uncorrected_and_bonferroni_and_keeps_the_order(values):
    corrected = holm(values)
    tested = [(p, after) for p, after in zip(values, corrected, strict=True) if not math.isnan(p)]
    assert all(p <= after <= min(1.0, len(tested) * p) + 1e-12 for p, after in tested)
    afterwards = [after for _, after in sorted(tested)]
    assert afterwards == sorted(afterwards)
    assert [math.isnan(p) for p in values] == [math.isnan(p) for p in corrected]


def test_statistics_are_columns_on_request():
    experiment = small_experiment(languages=["ug", "wo"])
    scores = some_scores(experiment)
    plain = comparisons_table(experiment, scores)
    assert plain.columns[-1] == "Significant"
    experiment.config["tables"]["statistics"] = ["holm", "wilcoxon", "bootstrap", "effect-size"]
    table = comparisons_table(experiment, scores)
    added = ["p after Holm", "Wilcoxon p", "Bootstrap 95% interval", "Effect size d"]
    assert table.columns == plain.columns + added
    assert [row[: len(plain.columns)] for row in table.rows] == plain.rows
    found = comparisons(experiment, scores)
    stepwise = holm([tested.p for tested in found])
    for tested, after, row in zip(found, stepwise, table.rows, strict=True):
        low, high = bootstrap_interval(tested.differences)
        texts = [f"{after:.2g}", f"{wilcoxon(tested.differences):.2g}", f"{low:.2f} to {high:.2f}"]
        assert [cell.text for cell in row[-4:]] == [*texts, f"{effect_size(tested.differences):.2f}"]
    assert any(f"over all {len(found)} comparisons" in note for note in table.notes)


def test_an_unknown_statistic_is_refused():
    config = small_experiment().config
    with pytest.raises(ConfigError, match=r"tables\.statistics\.0"):
        Experiment({**config, "tables": {**config["tables"], "statistics": ["bayes"]}})
