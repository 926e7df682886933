"""The tests on request, against scipy called by hand, against arithmetic, and by what must always hold."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.tables.test_tables import small_experiment, some_scores

from specialize.errors import ConfigError, InputError
from specialize.experiment import Experiment
from specialize.experiment.regimes import Method
from specialize.files import write_json
from specialize.tables.answers import answers_table
from specialize.tables.comparisons import comparisons_table
from specialize.tables.formats import to_html, to_latex, to_markdown
from specialize.tables.scores import Scores, load_scores
from specialize.tables.single_task import single_task_table
from specialize.tables.statistics import bootstrap_interval, compare, comparisons, effect_size, holm, wilcoxon
from specialize.tables.verdicts import GUESSING_NOTE, TWO_SEEDS, VARIANCE_NOTE, untested

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


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(7, 200_000), st.booleans())
def test_equal_differences_are_never_tested_however_scores_were_rounded(seed, number, items, counted):
    generator = numpy.random.default_rng(seed)
    correct = generator.integers(0, items, number)
    apart = int(generator.integers(-items, items))
    first, second = (
        {place: 100 * round(int(count) / items, 6) for place, count in enumerate(counts)}
        for counts in (correct + apart, correct)
    )
    difference, seeds, t, p = compare(first, second, 100 / items if counted else 0.0)
    assert seeds == number
    assert difference == pytest.approx(100 * apart / items, abs=2e-4)
    assert math.isnan(t)
    assert math.isnan(p)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(50, 20_000))
def test_differences_that_are_one_item_apart_are_tested_only_where_nobody_knows_it(seed, number, items):
    generator = numpy.random.default_rng(seed)
    correct = generator.integers(0, items, number)
    first = dict(enumerate(100 * round(int(count) / items, 6) for count in correct + 9 + (numpy.arange(number) == 1)))
    second = dict(enumerate(100 * round(int(count) / items, 6) for count in correct))
    assert math.isnan(compare(first, second, 100 / items)[3])
    assert 0 < compare(first, second)[3] < 1
    assert 0 < compare(first | {0: first[0] + 300 / items}, second, 100 / items)[3] < 1


@pytest.mark.parametrize(
    "differences", [[0.0, 0.0], [1.5, 1.5, 1.5], [-0.09, -0.09], [0.1 + 0.2, 0.3], [math.nan, 1.0]]
)
def test_differences_that_do_not_vary_are_not_tested_by_any_statistic(differences):
    second = dict.fromkeys(range(len(differences)), 0.0)
    assert all(map(math.isnan, compare(dict(enumerate(differences)), second)[2:]))
    assert math.isnan(wilcoxon(differences))
    assert math.isnan(effect_size(differences))
    assert all(map(math.isnan, bootstrap_interval(differences)))


def test_a_comparison_without_variance_is_said_not_to_be_tested_and_no_correction_counts_it():
    experiment = small_experiment(languages=["wo"], regimes=["pos", "ud"])
    experiment.config["tables"]["statistics"] = ["holm", "wilcoxon", "bootstrap", "effect-size"]
    scores = some_scores(experiment)
    tva, lapt, mbert = (scores.by_seed["wo", Method(name), "pos"] for name in ("tva", "lapt", "mbert"))
    tva.update({seed: score + 3 for seed, score in lapt.items()})
    found = comparisons(experiment, scores)
    (constant,) = [tested for tested in found if tested.untested]
    assert (constant.untested, constant.significant, constant.tested) == ("no variance", False, False)
    assert math.isnan(constant.corrected_p)
    table = comparisons_table(experiment, scores)
    (row,) = [row for row in table.rows if "not tested: no variance" in [cell.text for cell in row]]
    assert [cell.text for cell in row] == [
        "Wolof", "POS (accuracy)", "tva", "lapt", "3.00", row[5].text, "5",
        *["–"] * 3, "not tested: no variance", *["–"] * 4,
    ]  # fmt: skip
    assert any(f"over all {len(found) - 1} comparisons" in note for note in table.notes)
    assert VARIANCE_NOTE in table.notes
    marked = single_task_table(experiment, scores)
    best = max((tva, mbert), key=lambda seeds: sum(seeds.values()))
    assert best is tva
    (cell,) = [row[2] for row in marked.rows if (row[0].text[:3], row[1].text) == ("POS", "lapt")]
    assert (cell.best, cell.not_worse, cell.untested) == (False, False, True)
    for form, dagger in ((to_markdown, "†"), (to_html, "†"), (to_latex, r"$\dagger$")):
        assert f"{cell.text} {dagger}" in form(marked).replace(r"$\pm$", "±")
    assert any(note.startswith("†: Wolof POS lapt.") for note in marked.notes)


@pytest.mark.parametrize("known", [True, False])
def test_a_run_s_scores_know_the_step_of_one_item(tmp_path, known):
    """The Wolof trial: two seeds, of 10,000 words nine fewer right and ten fewer."""
    experiment = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["ud"], seeds=[1, 2])
    for cell in experiment.cells:
        right = 8000 + 150 * cell.seed - (8 + cell.seed) * (cell.representation == "tva")
        scores = {key: {"ud": {"las": right / 10000}} for key in ("dev", "test")}
        write_json(tmp_path / cell.metrics, {"converged": True, "scores": scores})
        write_json(tmp_path / cell.folder / "history.json", {"test_items": {"ud": 10_000}} if known else {})
    (tested,) = comparisons(experiment, load_scores(experiment, tmp_path))
    assert tested.difference == pytest.approx(0.095)
    assert tested.verdict == ("not tested: no variance" if known else "yes (two seeds only)")


@pytest.mark.parametrize(("guessed", "marked"), [(0.6, True), (0.59, True), (0.5, False), (None, False)])
def test_scores_near_guessing_are_marked(tmp_path, guessed, marked):
    """Seeds of lapt have 60 and 62 points; tva's, 10 more, are never near."""
    experiment = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"], seeds=[1, 2])
    for cell in experiment.cells:
        accuracy = 0.58 + 0.02 * cell.seed + (0.1 + 0.01 * cell.seed) * (cell.representation == "tva")
        write_json(
            tmp_path / cell.metrics,
            {"converged": True, "scores": {key: {"pos": {"accuracy": accuracy}} for key in ("dev", "test")}},
        )
        known = {} if guessed is None else {"guessing": {"pos": guessed}}
        write_json(tmp_path / cell.folder / "history.json", known)
    scores = load_scores(experiment, tmp_path)
    table = single_task_table(experiment, scores)
    cells = {row[1].text: row[2].text for row in table.rows}
    assert ("‡" in cells["lapt"], "‡" in cells["tva"]) == (marked, False)
    assert (GUESSING_NOTE in table.notes) == marked
    assert (r"$\ddagger$" in to_latex(table)) == marked
    answers = answers_table(experiment, scores)
    (best,) = [row[3].text for row in answers.rows if row[0].text == "Best"]
    assert ("lapt (61.00 ‡)" in best) == marked
    assert (GUESSING_NOTE in answers.notes) == marked


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "0.5"])
def test_a_score_that_is_no_number_is_refused_with_its_file(tmp_path, value):
    experiment = small_experiment(languages=["wo"], representations=["lapt"], regimes=["pos"], seeds=[1])
    (cell,) = experiment.cells
    write_json(
        tmp_path / cell.metrics,
        {"converged": True, "scores": {key: {"pos": {"accuracy": value}} for key in ("dev", "test")}},
    )
    with pytest.raises(InputError, match=r"seed1/metrics\.json: accuracy is .*, not a number; delete the file"):
        load_scores(experiment, tmp_path)


def test_a_tie_for_the_best_mean_is_bold_in_every_tied_cell():
    experiment = small_experiment(languages=["wo", "ug"], regimes=["pos"], seeds=[1, 2, 3])
    # 4 + 5 + 6 of 7 words are 5 + 5 + 5, of which metrics.json has six decimals.
    counts = {"mbert": (1, 2, 3), "lapt": (4, 5, 6), "tva": (5, 5, 5)}
    scores = Scores(
        {
            (tag, Method(name), "pos"): {seed: 100 * round(count / 7, 6) for seed, count in enumerate(known, 1)}
            for tag in ("wo", "ug")
            for name, known in counts.items()
        }
    )
    table = single_task_table(experiment, scores)
    bold = {row[1].text: [cell.best for cell in row[2:5]] for row in table.rows}
    assert bold == {"mbert": [False] * 3, "lapt": [True] * 3, "tva": [True] * 3}


def test_two_seeds_are_said_to_be_worth_little_by_every_table_of_tests():
    experiment = small_experiment(languages=["wo"], regimes=["pos"], seeds=[1, 2])
    scores = some_scores(experiment)
    table = comparisons_table(experiment, scores)
    assert {row[10].text for row in table.rows} <= {"yes (two seeds only)", "no (two seeds only)"}
    for made in (table, single_task_table(experiment, scores)):
        assert TWO_SEEDS in made.notes
    three = small_experiment(languages=["wo"], regimes=["pos"], seeds=[1, 2, 3])
    for made in (comparisons_table(three, some_scores(three)), single_task_table(three, some_scores(three))):
        assert TWO_SEEDS not in made.notes


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=2, max_size=8).filter(lambda values: not untested(values)))
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
    added = ["p after Holm", "Wilcoxon p", "Bootstrap 95% interval (true coverage)", "Effect size d"]
    assert table.columns == plain.columns + added
    assert [row[: len(plain.columns)] for row in table.rows] == plain.rows
    found = comparisons(experiment, scores)
    stepwise = holm([tested.p for tested in found])
    for tested, after, row in zip(found, stepwise, table.rows, strict=True):
        low, high = bootstrap_interval(tested.differences)
        texts = [f"{after:.2g}", f"{wilcoxon(tested.differences):.2g}", f"{low:.2f} to {high:.2f} (83%)"]
        assert [cell.text for cell in row[-4:]] == [*texts, f"{effect_size(tested.differences):.2f}"]
    assert any(f"over all {len(found)} comparisons" in note for note in table.notes)


def test_an_unknown_statistic_is_refused():
    config = small_experiment().config
    with pytest.raises(ConfigError, match=r"tables\.statistics\.0"):
        Experiment({**config, "tables": {**config["tables"], "statistics": ["bayes"]}})
