"""Scores of folds in tables, figures and on the screen; the worked example of docs/folds.md."""

import math
from dataclasses import replace
from statistics import fmean, stdev

import numpy
import pytest
from scipy import stats
from tests.tables.test_tables import small_experiment, some_scores

from specialize.datasets import EntitySentence, write_entities
from specialize.errors import SpecializeError
from specialize.experiment import Cell, Experiment
from specialize.experiment.regimes import Method
from specialize.files import write_json
from specialize.finetuning.tasks import task_named
from specialize.tables.answers import answers_table
from specialize.tables.comparisons import comparisons_table
from specialize.tables.contents import TABLES, is_printed, replicated_cells, table_inputs, tables_of
from specialize.tables.figures.scores import draw_scores
from specialize.tables.figures.significance import draw_significance
from specialize.tables.fold_files import caption_with_folds
from specialize.tables.folds import folds_table
from specialize.tables.formats import write_table
from specialize.tables.scores import FoldTrial, Scores, load_scores
from specialize.tables.screen import answers
from specialize.tables.single_task import single_task_table
from specialize.tables.statistics import compare, compare_scores
from specialize.tables.transliteration import transliteration_table
from specialize.tables.verdicts import CROSS_VALIDATED, FEW_SEEDS, FOLDS_TEST, NO_VARIANCE, TWO_SEEDS

# docs/folds.md: two seeds in each of five folds.
TVA = [(61.0, 63.0), (70.5, 69.5), (58.0, 60.0), (66.0, 66.0), (73.0, 75.0)]
LAPT = [(60.0, 60.0), (69.0, 69.0), (55.5, 56.5), (64.5, 63.5), (71.0, 73.0)]


def by_fold_and_seed(folds):
    return {FoldTrial(k, seed): score for k, of in enumerate(folds, 1) for seed, score in enumerate(of, 1)}


def in_folds(number, languages=("ug", "ug-Latn"), **grid):
    """An experiment whose Uyghur is in so many folds."""
    config = small_experiment(languages=list(languages), representations=["lapt", "tva"], **grid).config
    for data in ("treebank", "ner"):
        config["languages"]["ug"][data]["folds"] = number
    return Experiment(config)


def fold_scores(experiment, seed=0, **gains):
    """Scores by seed, or by fold and seed; a fold is as hard for all methods."""
    generator = numpy.random.default_rng(seed)
    by_seed = {}
    for cell in experiment.cells:
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            trial = FoldTrial(cell.fold, cell.seed) if cell.fold else cell.seed
            score = 70 + 3 * cell.fold + gains.get(cell.representation, 0) + float(generator.normal(0, 0.3))
            by_seed.setdefault((cell.language, cell.method, task), {})[trial] = score
    return Scores(by_seed, development=by_seed)


def test_the_worked_example_of_the_documentation():
    tva, lapt = by_fold_and_seed(TVA), by_fold_and_seed(LAPT)
    difference, folds, t, p = compare(tva, lapt)
    assert (difference, folds) == (2.0, 5)
    assert [fmean(one) - fmean(other) for one, other in zip(TVA, LAPT, strict=True)] == [2, 1, 3, 2, 2]
    assert t == pytest.approx(3.873, abs=5e-4)  # 2 / sqrt((1/5 + 1/3) · 0.5)
    assert p == pytest.approx(0.0090, abs=5e-5)
    assert 3 * p == pytest.approx(0.027, abs=5e-4)
    plain = stats.ttest_1samp([2, 1, 3, 2, 2], 0, alternative="greater")
    assert (plain.statistic, 3 * plain.pvalue) == pytest.approx((6.325, 0.0048), abs=5e-4)
    for scores, mean, deviation in ((tva, 66.20, 5.74), (lapt, 64.20, 6.15)):
        assert fmean(scores.values()) == pytest.approx(mean)
        assert stdev(scores.values()) == pytest.approx(deviation, abs=5e-3)


def test_folds_are_tested_whatever_the_number_of_seeds_if_they_share_one():
    tva, lapt = by_fold_and_seed(TVA), by_fold_and_seed(LAPT)
    of_first, of_second = ({trial: tva[trial] for trial in tva if trial.seed == seed} for seed in (1, 2))
    assert compare(of_first, lapt)[:2] == (fmean(one[0] - other[0] for one, other in zip(TVA, LAPT, strict=True)), 5)
    assert compare(of_first, lapt)[3] > 0
    difference, folds, t, p = compare(of_first, of_second)
    assert folds == 0
    assert all(map(math.isnan, (difference, t, p)))


def test_folds_that_differ_by_less_than_an_item_of_the_smallest_are_not_tested():
    experiment = in_folds(3, ["ug"], regimes=["pos"], seeds=[1])
    keys = [("ug", Method(name), "pos") for name in ("tva", "lapt")]
    lapt = {FoldTrial(fold, 1): 50.0 + fold for fold in (1, 2, 3)}
    for gains, reason in (((2.0, 2.9, 2.4), NO_VARIANCE), ((2.0, 3.1, 2.4), "")):
        tva = {trial: score + gain for (trial, score), gain in zip(lapt.items(), gains, strict=True)}
        scores = Scores(dict(zip(keys, (tva, lapt), strict=True)), {("ug", "pos"): 100})
        tested = compare_scores(experiment, scores, *keys)
        assert (tested.untested, tested.counted, tested.two_seeds) == (reason, "3 folds × 1 seed", False)
    other = {FoldTrial(fold, 2): 50.0 for fold in (1, 2, 3)}
    tested = compare_scores(experiment, Scores(dict(zip(keys, (other, lapt), strict=True))), *keys)
    assert (tested.untested, tested.folds) == (FEW_SEEDS, 0)


def test_a_twin_is_tested_against_its_original_fold_by_fold():
    experiment = in_folds(4, regimes=["pos"], seeds=[1, 2])
    scores = fold_scores(experiment)
    keys = [(tag, Method("lapt"), "pos") for tag in ("ug-Latn", "ug")]
    tested = compare_scores(experiment, scores, *keys)
    means = [[fmean(scores.by_seed[key][fold, seed] for seed in (1, 2)) for fold in range(1, 5)] for key in keys]
    assert tested.differences == pytest.approx(numpy.subtract(*means))
    shown = transliteration_table(experiment, scores)
    assert any(
        note.startswith(f"{CROSS_VALIDATED}Uyghur POS (4 folds); Uyghur (transliterated)") for note in shown.notes
    )


def test_tables_say_what_is_of_folds_and_which_test_that_is():
    experiment = in_folds(3, ["ug", "wo"], regimes=["pos", "ud"], seeds=[1, 2, 3])
    experiment.config["tables"]["statistics"] = ["wilcoxon", "bootstrap", "effect-size", "holm"]
    scores = fold_scores(experiment, tva=2)
    note = (
        f"{CROSS_VALIDATED}Uyghur POS, UD (3 folds). Means and deviations of these are over folds × seeds. {FOLDS_TEST}"
    )
    tables = [build(experiment, scores) for build in (single_task_table, comparisons_table, answers_table)]
    assert [table.notes.count(note) for table in tables] == [1, 1, 1]
    single, compared, answered = tables
    values = list(scores.by_seed["ug", Method("tva"), "pos"].values())
    assert len(values) == 9
    assert f"{fmean(values):.2f} ± {stdev(values):.2f}" in [cell.text for row in single.rows for cell in row]
    assert any(one.startswith("Seeds of a score: 3;") for one in single.notes)
    rows = {row[0].text: [cell.text for cell in row] for row in compared.rows}
    assert rows["Uyghur"][6] == "3 folds × 3 seeds"
    assert rows["Wolof"][6] == "3"
    assert rows["Uyghur"][-4:-1] == ["–"] * 3
    assert "–" not in rows["Wolof"][-4:]
    assert rows["Uyghur"][-1] != "–"  # Holm's
    assert any("no Wilcoxon test, no bootstrap interval, no effect size" in one for one in compared.notes)
    assert "3 folds × 3 seeds" in [cell.text for cell in answered.rows[0]]


def test_two_seeds_in_folds_are_enough_and_so_is_one():
    for seeds in ([1], [1, 2]):
        experiment = in_folds(5, ["ug"], regimes=["pos"], seeds=seeds)
        table = single_task_table(experiment, fold_scores(experiment, tva=5))
        assert all("±" in row[2].text for row in table.rows)
        assert not {TWO_SEEDS, "A single seed has no standard deviation and no test."} & set(table.notes)
        (tva, lapt) = [next(row[2] for row in table.rows if row[1].text == name) for name in ("tva", "lapt")]
        assert (tva.best, lapt.not_worse, lapt.untested) == (True, False, False)


def test_without_folds_no_table_speaks_of_them():
    experiment = small_experiment(languages=["ug", "ug-Latn"])
    scores = some_scores(experiment)
    for build in (single_task_table, comparisons_table, answers_table, transliteration_table):
        assert "fold" not in str(build(experiment, scores))
    assert "folds" not in tables_of(experiment)
    for entry in TABLES.values():
        assert caption_with_folds(experiment, entry.caption) == entry.caption
    assert "over folds and seeds" in caption_with_folds(in_folds(3), TABLES["single-task"].caption)


def test_scores_of_folds_are_not_set_beside_the_papers():
    experiment = in_folds(3, ["ug", "wo"], regimes=["pos"], seeds=[1, 2, 3])
    assert {cell.language for cell in experiment.cells if is_printed(experiment, cell)} == {"wo"}
    assert {cell.language for cell in replicated_cells(experiment)} == {"wo"}


def test_the_screen_says_how_many_folds(tmp_path):
    experiment = in_folds(3, ["ug"], regimes=["pos"], seeds=[1, 2])
    write_table(answers_table(experiment, fold_scores(experiment, tva=1)), tmp_path / "results/tables")
    text = " ".join(answers(tmp_path).split())
    assert ", 3 folds × 2 seeds " in text
    assert "3 folds × 2 seeds seeds" not in text
    assert FOLDS_TEST in text


# -- a run of predictions ------------------------------------------------------------------------------------

WORDS = {1: 4, 2: 9, 3: 7}  # of each fold's sentences


def conllu(tags, heads, relations):
    """One sentence of made-up words; each is its number."""
    rows = [
        f"{place}\tw{place}\t_\t{tag}\t{tag}\t_\t{head}\t{relation}\t_\t_\n"
        for place, (tag, head, relation) in enumerate(zip(tags, heads, relations, strict=True), 1)
    ]
    return "".join(rows) + "\n"


def treebank(generator, words, sentences=3):
    """Trees in which each word hangs from one before it."""
    text = ""
    for _ in range(sentences):
        tags = generator.choice(["N", "V", "A"], words)
        heads = [0, *(int(generator.integers(1, place)) for place in range(2, words + 1))]
        relations = ["root", *generator.choice(["nsubj", "obj:x", "obj:y"], words - 1)]
        text += conllu(tags, heads, relations)
    return text


def entities(generator, words, sentences=3):
    return [
        EntitySentence(
            tuple(f"w{place}" for place in range(words)), tuple(generator.choice(["O", "B-A", "B-B"], words))
        )
        for _ in range(sentences)
    ]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def predicted(tmp_path):
    """A run of three folds of unequal size, two seeds: a single-task parser and tagger, and a multi-task model."""
    experiment = in_folds(3, ["ug"], regimes=["pos", "ud", "mtl-ups-alt"], seeds=[1, 2])
    generator = numpy.random.default_rng(3)
    data = tmp_path / "results/datasets/ug"
    for fold, words in WORDS.items():
        write(data / f"fold{fold}/test.conllu", treebank(generator, words))
        (data / f"fold{fold}/ner").mkdir()
        write_entities(data / f"fold{fold}/ner/test.tsv", entities(generator, words))
    divided = {"by": "blocks", "reason": "no comment names a document", "sentences": [3, 3, 3]}
    write_json(data / "statistics.json", {"all": {"folds": divided}})
    (data / "ner").mkdir()
    write_json(data / "ner/statistics.json", {"all": {"folds": {"by": "blocks", "sentences": [3, 3, 3]}}})
    for cell in experiment.cells:
        scores = {}
        write(tmp_path / cell.folder / "predictions.conllu", treebank(generator, WORDS[cell.fold]))
        write_entities(tmp_path / cell.folder / "predictions.tsv", entities(generator, WORDS[cell.fold]))
        for name in experiment.languages["ug"].tasks_of(cell.regime):
            task = task_named(name)
            path = f"ner/test.{task.ending}" if name == "ner" else f"test.{task.ending}"
            scores[name] = task.file_scores(
                data / cell.split / path, tmp_path / cell.folder / f"predictions.{task.ending}"
            )
        write_json(tmp_path / cell.metrics, {"converged": True, "scores": {"dev": scores, "test": scores}})
        items = dict.fromkeys(scores, 3 * WORDS[cell.fold])
        guessing = dict.fromkeys(scores, cell.fold / 10)
        write_json(tmp_path / cell.folder / "history.json", {"test_items": items, "guessing": guessing})
    return tmp_path, experiment


def test_scores_are_read_by_fold_and_seed(predicted):
    run, experiment = predicted
    scores = load_scores(experiment, run)
    key = ("ug", Method("lapt"), "pos")
    assert list(scores.by_seed[key]) == [(fold, seed) for fold in (1, 2, 3) for seed in (1, 2)]
    assert (scores.folds(key), scores.seeds(key)) == (3, 2)
    assert scores.step(key) == 100 / 12
    assert scores.guessing["ug", "pos"] == pytest.approx(20)


def test_scores_over_all_sentences_are_those_of_the_joined_files(predicted):
    run, experiment = predicted
    table = folds_table(experiment, run)
    of_row = {tuple(cell.text for cell in row[1:3]): [cell.text for cell in row] for row in table.rows}
    assert len(of_row) == len(table.rows) == 2 * 2 + 2 * 3
    for name, regime, title in (("pos", "pos", "POS"), ("ud", "ud", "UD"), ("ner", "mtl-ups-alt", "NER")):
        task, pooled = task_named(name), []
        for seed in (1, 2):
            cells = [Cell("ug", "tva", regime, seed, f"fold{fold}") for fold in WORDS]
            folder = "ner/" if name == "ner" else ""
            for joined, paths in (
                ("gold", [f"results/datasets/ug/{cell.split}/{folder}test.{task.ending}" for cell in cells]),
                ("found", [f"{cell.folder}/predictions.{task.ending}" for cell in cells]),
            ):
                write(run / joined, "".join((run / path).read_text(encoding="utf-8") for path in paths))
            pooled.append(100 * task.file_scores(run / "gold", run / "found")[task.metrics[0]])
        scores = load_scores(experiment, run)
        method = cells[0].method
        key = ("ug", method, name)
        row = next(
            row
            for (task_title, title_), row in of_row.items()
            if task_title.startswith(title) and title_ == method.title
        )
        assert row[-1] == f"{fmean(pooled):.2f}"
        assert fmean(pooled) != pytest.approx(scores.mean(key), abs=0.005)  # folds are unequal
        assert row[3:5] == ["3", "2"]
        means = {fold: fmean(scores.by_seed[key][fold, seed] for seed in (1, 2)) for fold in WORDS}
        lowest, highest = min(means, key=means.get), max(means, key=means.get)
        assert row[6:8] == [f"{means[lowest]:.2f} (fold {lowest})", f"{means[highest]:.2f} (fold {highest})"]
    assert (
        "Uyghur, treebank: 9 sentences in 3 folds of 3 to 3, made of blocks of neighbouring sentences, since no "
        "comment names a document."
    ) in table.notes
    assert any(note.startswith("Uyghur, named entities: 9 sentences in 3 folds") for note in table.notes)
    read = table_inputs(experiment, "folds")
    assert all((run / path).is_file() for path in read)
    assert "results/datasets/ug/fold2/ner/test.tsv" in read


def test_predictions_that_are_missing_are_named(predicted):
    run, experiment = predicted
    missing = replace(experiment.cells[0], seed=2).folder + "/predictions.conllu"
    (run / missing).unlink()
    with pytest.raises(SpecializeError, match=missing):
        folds_table(experiment, run)


def test_a_fold_that_did_not_converge_has_no_score(predicted):
    run, experiment = predicted
    write_json(run / experiment.cells[0].metrics, {"converged": False, "scores": {}})
    table = folds_table(experiment, run)
    assert [cell.text for cell in table.rows[0][3:]] == ["3", "2", *["–"] * 4]
    assert "–: a fold or seed did not converge." in table.notes


def test_figures_say_what_is_of_folds(predicted):
    run, experiment = predicted
    figure = draw_scores(experiment, run)
    assert "(± 1 sd, folds × seeds)" in figure.axes[0].get_xlabel()
    assert "over folds, corrected for overlapping training sets" in draw_significance(experiment, run).get_suptitle()
