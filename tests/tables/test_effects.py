"""Almost stochastic order by a fine grid, and the mixed model by the t-test that it comes to in full grids."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.tables.test_tables import alike, small_experiment

from specialize.experiment.regimes import Method
from specialize.files import write_json
from specialize.tables.baselines import baseline
from specialize.tables.beyond_paper import effect_cells
from specialize.tables.contents import figure_inputs, table_inputs, tables_of
from specialize.tables.effects import effects, effects_table
from specialize.tables.figures.effects import draw_effects
from specialize.tables.mixed_model import FEW_PLACES, SINGULAR, effect
from specialize.tables.scores import PRIMARY_METRIC, FoldTrial, Scores
from specialize.tables.statistics import almost_stochastic_order
from specialize.tables.write import write_all, write_figure

TVA, LAPT = Method("tva"), Method("lapt")
PLACES = [("ug", "pos"), ("ug", "ner"), ("wo", "pos")]


def drawn(seeds=3, between=1.0, left=0.3, places=PLACES, methods=(LAPT, TVA), seed=0):
    """Scores whose methods differ from place to place, and whose seeds go together."""
    generator = numpy.random.default_rng(seed)
    by_seed = {}
    for language, task in places:
        level, together = generator.uniform(40, 90), generator.normal(size=seeds)
        for method in methods:
            own = level + generator.normal(0, between) + together + left * generator.normal(size=seeds)
            by_seed[language, method, task] = dict(enumerate(own.tolist(), start=1))
    return alike(by_seed)


# -- almost stochastic order ---------------------------------------------------------------------------------


def violation(first, second):
    """The violation ratio by a sum over a fine grid of quantiles."""
    shares = (numpy.arange(30_000) + 0.5) / 30_000
    apart = [sorted(first)[int(share * len(first))] - sorted(second)[int(share * len(second))] for share in shares]
    total = sum(one**2 for one in apart)
    return sum(one**2 for one in apart if one < 0) / total if total else 0.5


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_stochastic_order_is_the_upper_bound_of_the_violation_ratio(seed, number):
    generator = numpy.random.default_rng(seed)
    first, second = generator.normal(70.3, 1, number), generator.normal(70, 1, number)
    places = numpy.random.default_rng(0)  # the draws are always the same
    one, other = (places.integers(0, number, (1000, number)) for _ in range(2))
    ratios = []
    for of_first, of_second in zip(one, other, strict=True):
        apart = numpy.sort(first[of_first]) - numpy.sort(second[of_second])
        ratios.append((apart[apart < 0] ** 2).sum() / (apart**2).sum())
    expected = violation(first, second) + 1.6449 * numpy.std(ratios, ddof=1)
    assert almost_stochastic_order(first, second) == pytest.approx(min(1, expected), abs=1e-3)


def test_stochastic_order_of_what_is_higher_everywhere_is_0_and_of_what_is_lower_1():
    assert almost_stochastic_order([72, 74, 71.5], [70, 71, 70]) == 0
    assert almost_stochastic_order([70, 71, 70], [72, 74, 71.5]) == 1
    assert math.isnan(almost_stochastic_order([70, 71], [69, 70]))  # differences do not vary
    assert math.isnan(almost_stochastic_order([70], [69]))


# -- the mixed model -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [1, 3])
def test_of_a_full_grid_the_effect_is_the_mean_of_places_and_its_interval_that_of_a_t_test_over_them(seeds):
    scores = drawn(seeds)
    found = effect(scores, TVA, LAPT, PLACES)
    differences = [scores.mean((tag, TVA, task)) - scores.mean((tag, LAPT, task)) for tag, task in PLACES]
    expected = stats.ttest_1samp(differences, 0)
    assert list(found.by_place.values()) == pytest.approx(differences)
    assert (found.points, found.p) == pytest.approx((numpy.mean(differences), expected.pvalue), abs=1e-4)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-3)
    assert math.isnan(found.between) == (seeds == 1)
    if seeds > 1:  # the variance of differences is that from place to place, and of what is left of two means
        assert found.between == pytest.approx(numpy.std(differences, ddof=1), rel=0.1)


def test_of_seeds_that_vary_more_than_places_the_interval_is_wider_than_that_of_places():
    scores = drawn(3, between=0, left=1, seed=1)
    found = effect(scores, TVA, LAPT, PLACES)
    differences = list(found.by_place.values())
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert found.between == pytest.approx(0, abs=0.05)
    assert found.high - found.low > high - low


def test_where_variances_are_0_there_is_an_effect_with_its_error_all_the_same():
    """Seeds that go against each other, and some that one method lacks: a search steps where nothing is left."""
    places = [("ug", "pos"), ("ug", "ner"), ("wo", "pos"), ("wo", "ud"), ("mt", "pos"), ("mt", "ud")]
    generator, by_seed = numpy.random.default_rng(0), {}
    for tag, task in places:
        apart = generator.normal(size=2)
        for method, sign in ((LAPT, 1), (TVA, -1)):
            own = 70 + generator.normal(0, 0) + sign * apart + 0.3 * generator.normal(size=2)
            by_seed[tag, method, task] = dict(enumerate(own.round(4).tolist(), start=1))
    for _, task in places[:2]:
        del by_seed["ug", TVA, task][1]
    found = effect(alike(by_seed), TVA, LAPT, places)
    assert not found.reason
    assert found.between == pytest.approx(0, abs=1e-3)
    # Without variances but what is left, this is least squares of all scores.
    centered, design = [], []
    for number, (tag, task) in enumerate(places):
        of_place = [(score, of is TVA) for of in (LAPT, TVA) for score in by_seed[tag, of, task].values()]
        centered += [score for score, _ in of_place]
        design += [[float(number == column) for column in range(6)] + [float(better)] for _, better in of_place]
    fitted = numpy.linalg.lstsq(numpy.array(design), numpy.array(centered))
    error = math.sqrt(
        fitted[1][0] / (len(design) - 7) * numpy.linalg.inv(numpy.array(design).T @ numpy.array(design))[6, 6]
    )
    assert found.points == pytest.approx(fitted[0][6], abs=1e-3)
    assert (found.high - found.low) / 2 == pytest.approx(error * stats.t.ppf(0.975, 5), rel=1e-3)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (drawn(places=PLACES[:1]), FEW_PLACES),
        (drawn(methods=(TVA,)), FEW_PLACES),
        (drawn(between=0, left=0), SINGULAR),
    ],
)
def test_without_places_or_variance_there_is_no_effect_and_a_reason(scores, reason):
    found = effect(scores, TVA, LAPT, PLACES)
    assert found.reason == reason
    assert math.isnan(found.points)


def test_places_count_where_both_converged_and_folds_by_their_means():
    scores = drawn()
    scores.by_seed["ug", TVA, "pos"][2] = None
    assert list(effect(scores, TVA, LAPT, PLACES).by_place) == PLACES[1:]
    plain = drawn(2)
    folded = {
        key: {FoldTrial(fold, seed): score + move for seed, score in of.items() for fold, move in ((1, 3), (2, -3))}
        for key, of in plain.by_seed.items()
    }
    assert effect(Scores(folded), TVA, LAPT, PLACES) == effect(plain, TVA, LAPT, PLACES)


@pytest.fixture
def run(tmp_path):
    experiment = small_experiment(languages=["ug", "ug-Latn", "wo"], regimes=["pos", "ner"], seeds=[1, 2])
    experiment.config["tables"]["statistics"] = ["mixed-model"]
    scores = drawn(2, places=[("ug", "pos"), ("ug", "ner"), ("wo", "pos")], methods=(Method("mbert"), LAPT, TVA))
    for cell in experiment.cells:
        if cell.language != "ug-Latn":
            score = scores.by_seed[cell.language, cell.method, cell.regime][cell.seed] / 100
            part = {cell.regime: {PRIMARY_METRIC[cell.regime]: score}}
            write_json(tmp_path / cell.metrics, {"converged": True, "scores": {"dev": part, "test": part}})
    return tmp_path, experiment


def test_the_table_and_the_figure_are_made_on_request_and_without_twins(run):
    folder, experiment = run
    assert "effects" in tables_of(experiment)
    assert table_inputs(experiment, "effects") == figure_inputs(experiment)["effects"]
    assert {cell.language for cell in effect_cells(experiment)} == {"ug", "wo"}
    write_all(experiment, folder, ["effects"])
    text = (folder / "results/tables/effects.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(("| lapt", "| tva"))]
    assert [[cell.strip() for cell in row.split("|")][2] for row in rows] == ["mbert", "mbert"]
    write_figure(experiment, folder, "effects")
    assert (folder / "results/figures/effects.png").stat().st_size > 1000
    axes = draw_effects(experiment, folder).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["lapt", "tva"]
    assert axes.get_xlabel() == "Points above mbert, 95 % interval"
    assert len(axes.containers) == 2
    plain = small_experiment()
    assert "effects" not in tables_of(plain)
    assert "effects" not in figure_inputs(plain)


def test_cells_of_twins_do_not_choose_the_reference(tmp_path):
    experiment = small_experiment(
        languages=["ug", "ug-Latn", "wo"],
        regimes=["pos", "ner"],
        seeds=[1, 2],
        exceptions=[{"languages": ["ug-Latn"], "representations": ["mbert"], "seeds": []}],
    )
    assert baseline(experiment) == "lapt"
    experiment.config["tables"]["statistics"] = ["mixed-model"]
    scores = drawn(2, places=[("ug", "pos"), ("ug", "ner"), ("wo", "pos")], methods=(Method("mbert"), LAPT, TVA))
    assert effects(experiment, scores)[0] == Method("mbert")


def test_without_a_reference_or_places_the_table_says_why(run):
    folder, _ = run
    nothing = small_experiment(representations=["fasttext", "bert"], languages=["wo"], regimes=["pos"], seeds=[1])
    nothing.config["tables"]["statistics"] = ["mixed-model"]
    table = effects_table(nothing, Scores({}))
    assert (table.rows, table.notes[0][:12]) == ([], "No effects: ")
    one = small_experiment(languages=["wo"], regimes=["pos"], representations=["mbert", "tva"], seeds=[1, 2])
    one.config["tables"]["statistics"] = ["mixed-model"]
    scores = drawn(2, places=[("wo", "pos")], methods=(Method("mbert"), TVA))
    table = effects_table(one, scores)
    assert [cell.text for cell in table.rows[0]] == ["tva", "mbert", f"– ({FEW_PLACES})", *["–"] * 4, "1"]
    figure = draw_effects(one, folder)
    assert FEW_PLACES in [text.get_text() for text in figure.axes[0].texts]
