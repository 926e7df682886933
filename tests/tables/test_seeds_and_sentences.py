"""The hierarchical bootstrap against loops over seeds and sentences, and in a run's tables."""

import math
from dataclasses import replace

import numpy
import pytest
from scipy import stats
from tests.tables.test_folds_in_tables import entities, in_folds, treebank, write
from tests.tables.test_tables import alike, small_experiment

from specialize.datasets import write_entities
from specialize.errors import InputError, SpecializeError
from specialize.experiment.regimes import Method
from specialize.files import read_json, write_json
from specialize.finetuning.tasks import task_named
from specialize.tables.answers import answers_table
from specialize.tables.comparisons import comparisons_table
from specialize.tables.contents import sentence_files, table_inputs
from specialize.tables.hierarchical import DRAWS, HierarchicalBootstrap, drawn_scores, interval, ratio, share_below
from specialize.tables.other_tests import OtherTests
from specialize.tables.scores import FoldTrial, Scores, load_scores
from specialize.tables.screen import answers
from specialize.tables.sentences import count, sentences_of, with_sentences
from specialize.tables.statistics import Comparison, comparisons
from specialize.tables.verdicts import TESTS_USED
from specialize.tables.write import write_all

WORDS = 7
REQUESTED = ["hierarchical-bootstrap", "wilcoxon"]


def counted_words(generator, seeds, sentences, share=0.7):
    """Counts of tagged sentences of 1 to 20 words: (seeds, 2, sentences)."""
    words = generator.integers(1, 21, sentences)
    right = generator.binomial(words, share, (seeds, sentences))
    return numpy.stack([right, numpy.broadcast_to(words, right.shape)], axis=1).astype(float)


@pytest.fixture
def run(tmp_path):
    """A run of Uyghur and its twin, with three seeds of two representations on two tasks."""
    experiment = small_experiment(
        languages=["ug", "ug-Latn"], representations=["lapt", "tva"], regimes=["pos", "ner"], seeds=[1, 2, 3]
    )
    experiment.config["tables"]["statistics"] = REQUESTED
    generator = numpy.random.default_rng(5)
    for tag in ("ug", "ug-Latn"):
        write(tmp_path / f"results/datasets/{tag}/test.conllu", treebank(generator, WORDS))
        (tmp_path / f"results/datasets/{tag}/ner").mkdir()
        write_entities(tmp_path / f"results/datasets/{tag}/ner/test.tsv", entities(generator, WORDS))
    for cell in experiment.cells:
        task = task_named(cell.regime)
        found = tmp_path / cell.folder / f"predictions.{task.ending}"
        if task.ending == "tsv":
            found.parent.mkdir(parents=True, exist_ok=True)
            write_entities(found, entities(generator, WORDS))
        else:
            write(found, treebank(generator, WORDS))
        gold = "ner/test.tsv" if task.ending == "tsv" else "test.conllu"
        scores = task.file_scores(tmp_path / f"results/datasets/{cell.language}/{gold}", found)
        rounded = {cell.regime: {name: round(score, 6) for name, score in scores.items()}}
        write_json(tmp_path / cell.metrics, {"converged": True, "scores": {"dev": rounded, "test": rounded}})
    return tmp_path, experiment


@pytest.mark.parametrize("task", ["pos", "ud", "ner"])
def test_counts_of_sentences_add_up_to_the_score_of_a_job(tmp_path, task):
    generator = numpy.random.default_rng(1)
    language = small_experiment().languages["ug"]
    for name in ("gold", "found"):
        if task == "ner":
            write_entities(tmp_path / name, entities(generator, 12))
        else:
            write(tmp_path / name, treebank(generator, 12))
    counts = count(language, task, sentences_of(task, tmp_path / "gold"), sentences_of(task, tmp_path / "found"))
    expected = task_named(task).file_scores(tmp_path / "gold", tmp_path / "found")
    name = {"pos": "accuracy", "ud": "las", "ner": "f1"}[task]
    assert 0 < expected[name] < 1
    assert ratio(counts) == pytest.approx(100 * expected[name])


def test_drawn_scores_are_those_of_a_loop_over_draws_seeds_and_sentences():
    counts = counted_words(numpy.random.default_rng(2), 3, 9)
    drawn = drawn_scores(counts)
    assert drawn.shape == (3, DRAWS)
    places = numpy.random.default_rng(0).integers(0, 9, (500, 9))  # of the first draws
    for draw in (0, 1, 499):
        for seed in range(3):
            right = of = 0
            for place in places[draw]:
                right += counts[seed, 0, place]
                of += counts[seed, 1, place]
            assert drawn[seed, draw] == pytest.approx(100 * right / of)
    assert (drawn_scores(counts) == drawn).all()


def test_sentences_without_entities_score_nothing():
    assert drawn_scores(numpy.zeros((2, 2, 3))).sum() == ratio(numpy.zeros((2, 3))) == 0


def test_the_distribution_is_that_of_a_loop():
    generator = numpy.random.default_rng(3)
    words = numpy.full(40, 12)
    first, second = (
        numpy.stack([generator.binomial(words, share, (4, 40)), numpy.tile(words, (4, 1))], axis=1).astype(float)
        for share in (generator.uniform(0.4, 1, 40), 0.7)
    )
    observed = numpy.array([ratio(one) - ratio(other) for one, other in zip(first, second, strict=True)])
    drawn = drawn_scores(first)[:, :400] - drawn_scores(second)[:, :400]
    of_mean = numpy.var([numpy.mean([seed[draw] for seed in drawn]) for draw in range(400)], ddof=1)
    within = numpy.mean([numpy.var(seed, ddof=1) for seed in drawn])
    main = of_mean - (within - of_mean) / 3  # of four seeds; the rest is what a seed does to a sentence
    assert 0 < main < of_mean
    shares = []
    for draw in range(400):
        center = observed.mean() + math.sqrt(main / of_mean) * (drawn[:, draw].mean() - drawn.mean())
        shares.append(stats.t.cdf((1.5 - center) / (observed.std(ddof=1) / 2), 3))
    below = share_below(observed, drawn)
    assert below(1.5) == pytest.approx(numpy.mean(shares))
    found = interval(observed, drawn)
    assert (below(found.low), below(found.high)) == pytest.approx((0.025, 0.975), abs=1e-6)
    assert found.p_better == below(0)


def test_without_variance_of_sentences_it_is_the_paired_t_test_and_without_that_of_seeds_the_paired_bootstrap():
    observed = numpy.array([2.0, 3.0, 1.0, 2.0, 2.0])  # of docs/statistics.md
    found = interval(observed, numpy.repeat(observed[:, None], 100, axis=1))
    expected = stats.ttest_1samp(observed, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-5)
    first, second = (counted_words(numpy.random.default_rng(seed), 1, 200) for seed in (4, 5))
    drawn = numpy.repeat(drawn_scores(first) - drawn_scores(second), 3, axis=0)
    center = ratio(first[0]) - ratio(second[0])
    found = interval(center + numpy.array([-0.001, 0, 0.001]), drawn)
    assert (found.low, found.high) == pytest.approx(
        tuple(numpy.quantile(drawn[0], [0.025, 0.975]) - drawn[0].mean() + center), abs=0.05
    )


def test_predictions_are_read_on_request_only(run):
    folder, experiment = run
    files = sentence_files(experiment, "comparisons")
    assert len(files) == 2 * 2 + 2 * 2 * 2 * 3  # gold and predictions
    assert set(files) <= set(table_inputs(experiment, "answers"))
    assert all((folder / path).is_file() for path in files)
    assert not sentence_files(experiment, "single-task")
    experiment.config["tables"]["statistics"] = ["wilcoxon"]
    assert not sentence_files(experiment, "comparisons")


def test_tables_on_request_have_intervals_over_seeds_and_sentences(run):
    folder, experiment = run
    write_all(experiment, folder, ["comparisons", "answers"])
    scores = load_scores(experiment, folder)
    assert not scores.sentences
    scores = with_sentences(experiment, folder, experiment.cells, scores)
    table = comparisons_table(experiment, scores)
    assert table.columns[-3:-1] == ["Seeds and sentences: 95% interval", "Seeds and sentences: p"]
    for row, tested in zip(table.rows, comparisons(experiment, scores), strict=True):
        halves = [scores.sentences[key] for key in (tested.better, tested.other)]
        observed = numpy.array([ratio(halves[0][seed]) - ratio(halves[1][seed]) for seed in (1, 2, 3)])
        assert observed == pytest.approx(numpy.array(tested.differences), abs=1e-3)
        one, other = (drawn_scores(numpy.array([half[seed] for seed in (1, 2, 3)])) for half in halves)
        found = interval(observed, one - other)
        assert [cell.text for cell in row[-3:-1]] == [f"{found.low:.2f} to {found.high:.2f}", f"{found.p:.2g}"]
    shown = answers(folder)
    assert "Tests used: verdicts are of paired t-tests" in shown.replace("\n", " ")


def test_predictions_that_are_not_those_of_the_score_are_refused(run):
    folder, experiment = run
    cell = experiment.cells[-1]
    metrics = read_json(folder / cell.metrics)
    metrics["scores"]["test"][cell.regime]["f1"] += 0.01
    write_json(folder / cell.metrics, metrics)
    with pytest.raises(InputError, match=r"seed3/predictions\.tsv: scores .*; delete metrics\.json there; its job"):
        write_all(experiment, folder, ["answers"])
    predictions = folder / cell.folder / "predictions.tsv"
    write_entities(predictions, sentences_of("ner", predictions)[:-1])
    with pytest.raises(InputError, match=r"seed3/predictions\.tsv: has other sentences than .*ner/test\.tsv; delete"):
        write_all(experiment, folder, ["answers"])
    predictions.unlink()
    with pytest.raises(SpecializeError, match=r"1 results are missing: .*seed3/predictions\.tsv"):
        write_all(experiment, folder, ["answers"])


def test_what_did_not_converge_has_no_sentences_and_no_interval(run):
    folder, experiment = run
    cell = experiment.cells[0]
    write_json(folder / cell.metrics, {"converged": False, "scores": {}})
    scores = with_sentences(experiment, folder, experiment.cells, load_scores(experiment, folder))
    key = (cell.language, cell.method, cell.regime)
    assert list(scores.sentences[key]) == [2, 3]
    write_all(experiment, folder, ["comparisons", "answers"])


def steady(gain_of_sentences, seeds=5):
    """Scores of lapt and tva in Wolof, where tva gains so many words in each sentence of ten, a little by seed."""
    gains = numpy.array(gain_of_sentences, dtype=float)
    words = numpy.full(len(gains), 10.0)
    sentences = {}
    for name, gain in (("lapt", 0 * gains), ("tva", gains)):
        of_seeds = {}
        for seed in range(1, seeds + 1):
            right = 6 + gain
            right[seed] += (seed % 3) * (name == "tva") / 2
            of_seeds[seed] = numpy.stack([right, words])
        sentences["wo", Method(name), "pos"] = of_seeds
    by_seed = {key: {seed: ratio(counts) for seed, counts in of.items()} for key, of in sentences.items()}
    return Scores(by_seed, development=by_seed, sentences=sentences)


def few_sentences(statistics):
    experiment = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"])
    experiment.config["tables"]["statistics"] = statistics
    return experiment


def test_answers_say_where_seeds_agree_and_sentences_do_not():
    """Two sentences of fifty have all of the gain, so that other sentences could well have none."""
    scores = steady([4, -3] + [2] + [0] * 47)
    experiment = few_sentences(["hierarchical-bootstrap"])
    table = answers_table(experiment, scores)
    (best,) = [row[3].text for row in table.rows if row[0].text == "Best"]
    assert "significantly better than the other one; the hierarchical bootstrap disagrees about lapt" in best
    (tested,) = [row[3].text for row in table.rows if row[0].text == "RQ1, tests"]
    assert tested.startswith("tva significantly better than lapt")
    assert tested.endswith("; the hierarchical bootstrap disagrees")
    (note,) = [note for note in table.notes if note.startswith(TESTS_USED)]
    p = HierarchicalBootstrap(scores).interval(*(("wo", Method(name), "pos") for name in ("tva", "lapt"))).p_better
    assert "which disagrees about 1: Wolof POS (accuracy), tva against lapt (Best, RQ1: p" in note
    assert f"{2 * p:.2g} by this one" in note


def test_answers_say_where_all_tests_agree():
    experiment = few_sentences(["hierarchical-bootstrap"])
    table = answers_table(experiment, steady([2, 1, 3, 2, 2] * 10))
    assert not any("disagrees" in cell.text for row in table.rows for cell in row)
    (note,) = [note for note in table.notes if note.startswith(TESTS_USED)]
    assert "the hierarchical bootstrap, with a verdict on 1 comparison, and no disagreement" in note
    experiment.config["tables"]["statistics"] = []
    plain = answers_table(experiment, steady([2, 1, 3, 2, 2] * 10))
    assert plain.rows == table.rows
    assert plain.notes == [one for one in table.notes if one != note]


def test_a_wilcoxon_test_that_cannot_pass_the_correction_has_no_verdict():
    experiment = few_sentences(["wilcoxon"])
    (note,) = [one for one in answers_table(experiment, steady([1] * 50)).notes if one.startswith(TESTS_USED)]
    assert "the Wilcoxon test, with a verdict on 0 comparisons (of so few seeds it cannot pass the correction)" in note


def test_a_wilcoxon_test_that_cannot_pass_holms_correction_has_no_verdict():
    """Six seeds: 1/64, twice, could pass once, but not three times."""
    experiment = few_sentences(["wilcoxon"])
    others = OtherTests(experiment, Scores({}))
    keys = [("wo", Method(name), "pos") for name in ("tva", "lapt", "mbert", "va")]
    apart = (1.0, 2.0, 3.0, 1.5, 2.5, 2.2)
    tests = [Comparison(keys[0], other, apart, 2.0, 0.1, 9.0, 0.001, 0.002, seeds=6) for other in keys[1:]]
    assert not others.disagreements(tests, 2, "Best", stepwise=True)
    assert "with a verdict on 0 comparisons (of so few seeds it" in others.notes()[0]
    assert not others.disagreements(tests, 2, "RQ1") and not others.disagreements(tests[:1], 2, "RQ4")
    assert "with a verdict on 3 comparisons, and no disagreement" in others.notes()[0]
    (found,) = others.disagreements([replace(tests[0], corrected_p=0.5)], 2, "RQ2")
    assert found.question == "RQ2"
    disagreed = "about 1: Wolof POS (accuracy), tva against lapt (RQ2: p 0.5 by the t-test, 0.031 by this one)"
    assert f"with a verdict on 3 comparisons, which disagrees {disagreed}" in others.notes()[0]


def test_folds_are_not_drawn():
    experiment = in_folds(5, ["ug"], regimes=["pos"])
    experiment.config["tables"]["statistics"] = ["hierarchical-bootstrap", "aso"]
    assert not sentence_files(experiment, "comparisons")
    generator = numpy.random.default_rng(0)
    by_seed = {}
    for cell in experiment.cells:
        key = (cell.language, cell.method, "pos")
        by_seed.setdefault(key, {})[FoldTrial(cell.fold, cell.seed)] = float(generator.normal(70, 1))
    table = comparisons_table(experiment, alike(by_seed))
    assert [cell.text for cell in table.rows[0][-3:]] == ["–"] * 3
    assert any("no interval over seeds and sentences, no almost stochastic order" in note for note in table.notes)
