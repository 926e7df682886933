"""The learning curve: which cells it has, and its tables and figure from made-up scores."""

import math
from dataclasses import replace

import pytest
from tests.tables.test_tables import small_experiment

from specialize.errors import SpecializeError
from specialize.experiment import Experiment
from specialize.experiment.costs import Costs, jobs_to_do
from specialize.experiment.curve import check_curve, curve_inputs, curve_of, training_file
from specialize.experiment.data_sizes import DataSizes
from specialize.experiment.plan import forecast
from specialize.files import write_json
from specialize.tables.curve import Point, lines_of_curve, reached_table, sentences_to_reach, write_curve

SENTENCE = "1\ta\n2\tb\n\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Speeds of this test's own, and a run of its own to be in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")


def experiment(folds=0, shares=(8, 4, 2), **grid):
    grid = {"languages": ["wo"], "representations": ["lapt", "tva"], "regimes": ["pos", "ud"], "seeds": [1, 2]} | grid
    config = small_experiment(**grid).config
    config["curve"] = {"shares": list(shares)}
    if folds:
        config["languages"]["wo"]["treebank"]["folds"] = folds
    return Experiment(config)


def write_data(run, one, sentences=80):
    """Files of training sentences for every cell, those of shares among them."""
    for cell in [*one.single_task_cells, *curve_of(one, DataSizes(one, run)).cells]:
        path = run / training_file(one, cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SENTENCE * (sentences // cell.share), encoding="utf-8")


def write_scores(run, one, score, failed=()):
    for cell in [*one.single_task_cells, *curve_of(one, DataSizes(one, run)).cells]:
        metric = {"pos": "accuracy", "ud": "las"}[cell.regime]
        scores = {part: {cell.regime: {metric: score(cell)}} for part in ("dev", "test")}
        converged = (cell.representation, cell.share) not in failed
        best = {"best_epoch": 9 if cell.share == 8 else 3, "hyperparameters": {"epochs": 9}}
        write_json(run / cell.metrics, {"converged": converged, "scores": scores, **best})


def rising(cell):
    """tva is a doubling ahead of lapt: 5 points for each doubling, and 1 point between seeds."""
    doublings = -math.log2(cell.share) + (cell.representation == "tva")
    return 0.6 + 0.05 * doublings + 0.01 * (cell.seed - 1.5)


# -- which cells -------------------------------------------------------------------------------------------


def test_a_curve_has_every_seed_and_method_of_single_tasks_and_the_grid_stays(tmp_path):
    one = experiment(regimes=["pos", "mtl-ups-alt"])
    write_data(tmp_path, one)
    curve = curve_of(one, DataSizes(one, tmp_path))
    assert [cell.folder for cell in curve.cells if cell.representation == "tva" and cell.seed == 2] == [
        f"results/finetuning/wo/tva/pos/share{share}/seed2" for share in (8, 4, 2)
    ]
    assert len(curve.cells) == 2 * 3 * 2
    assert {cell.split for cell in one.cells} == {""}


def test_every_method_learns_from_the_sentences_that_a_seed_has_drawn():
    one = experiment()
    files = {}
    for cell in curve_of(one).cells:
        files.setdefault((cell.regime, cell.share, cell.seed), set()).add(training_file(one, cell))
    assert files["ud", 8, 2] == files["pos", 8, 2] == {"results/datasets/wo/share8/seed2/train.conllu"}
    assert all(len(same) == 1 for same in files.values())


def test_each_fold_has_shares():
    one = experiment(folds=3, regimes=["pos"], representations=["tva"], seeds=[1])
    cells = curve_of(one).cells
    assert [cell.split for cell in cells[:4]] == ["fold1/share8", "fold1/share4", "fold1/share2", "fold2/share8"]
    assert (cells[3].fold, cells[3].share, cells[3].data) == (2, 8, "fold2/share8/seed1")
    assert training_file(one, cells[3]) == "results/datasets/wo/fold2/share8/seed1/train.conllu"


def test_shares_of_too_few_sentences_are_left_out_and_said(tmp_path):
    one = experiment(regimes=["pos"])
    folder = tmp_path / "results/datasets/wo"
    folder.mkdir(parents=True)
    (folder / "train.conllu").write_text(SENTENCE * 40)
    curve = curve_of(one, DataSizes(one, tmp_path))
    assert {cell.share for cell in curve.cells} == {4, 2}
    assert curve.left_out == ("wo (treebank): 1/8 of 40 training sentences",)
    assert not curve.unknown


def test_a_curve_waits_for_data_whose_size_is_not_known():
    one = experiment(languages=["ug", "wo"], regimes=["pos", "ner"])
    assert curve_of(one).unknown == ("ug (treebank)", "ug (ner)", "wo (treebank)")
    assert len(curve_of(one).cells) == 3 * 3 * 2 * 2
    with pytest.raises(
        SpecializeError, match=r"ug \(ner\), wo \(treebank\): run the target datasets first, then curve"
    ):
        check_curve(one)


def test_a_curve_without_any_share_is_refused(tmp_path):
    small = experiment(regimes=["pos"])
    write_data(tmp_path, small, sentences=19)
    with pytest.raises(
        SpecializeError, match=r"fewer than 10 sentences are wo \(treebank\): 1/8 of 19 .*; give curve.shares"
    ):
        curve_inputs(small, curve_of(small, DataSizes(small, tmp_path)))
    with pytest.raises(SpecializeError, match=r"give experiment\.regimes one of"):
        curve_inputs(one := experiment(regimes=["mtl-ups-alt"]), curve_of(one))


# -- the plan ----------------------------------------------------------------------------------------------


def test_a_forecast_knows_the_curve_and_its_smaller_data(tmp_path):
    one = experiment(regimes=["pos"])
    write_data(tmp_path / "run", one)
    outputs = [cell.metrics for cell in curve_of(one).cells]
    costs = Costs(one)
    jobs = {job.folder: job for job in jobs_to_do(costs, outputs)}
    assert len(jobs) == len(outputs) == 12
    whole = {job.folder: job for job in costs.jobs}["results/finetuning/wo/tva/pos/seed1"]
    half, eighth = (jobs[f"results/finetuning/wo/tva/pos/share{share}/seed1"] for share in (2, 8))
    training, evaluation = (
        [job.works[0].__dict__[part] for job in (whole, half, eighth)] for part in ("training", "evaluation")
    )
    assert training == pytest.approx([training[0], training[0] / 2, training[0] / 8])
    assert len(set(evaluation)) == 1
    lines = forecast(one, False, outputs, dry_run=True).splitlines()
    assert lines[:2] == [
        "4 finetuning jobs over 1 language",
        "of the learning curve 12 finetuning jobs on shares of the training sentences",
    ]
    assert "for 12 training jobs" in lines[-1]
    assert "curve" not in forecast(one, False, dry_run=True)
    assert not set(jobs) & {job.folder for job in jobs_to_do(costs, None)}


# -- tables and figure -------------------------------------------------------------------------------------


def test_tables_and_figure_of_made_up_scores(tmp_path):
    one = experiment()
    write_data(tmp_path, one)
    write_scores(tmp_path, one, rising, failed=[("tva", 8)])
    write_curve(one, tmp_path)
    text = (tmp_path / "results/tables/curve.csv").read_text(encoding="utf-8").splitlines()
    assert text[0] == "Language,Task,Method,Share,Sentences,Score,Gained by doubling"
    assert text[1:5] == [
        "Wolof,POS (accuracy),lapt,1/8,10,45.00 ± 0.71,–",
        "Wolof,POS (accuracy),lapt,1/4,20,50.00 ± 0.71,+5.00",
        "Wolof,POS (accuracy),lapt,1/2,40,55.00 ± 0.71,+5.00",
        "Wolof,POS (accuracy),lapt,all,80,60.00 ± 0.71,+5.00",
    ]
    of_tva = [line for line in text if ",tva," in line and "POS" in line]
    assert [line.split(",")[5:] for line in of_tva[:2]] == [["–", "–"], ["55.00 ± 0.71", "–"]]
    notes = (tmp_path / "results/tables/curve.md").read_text(encoding="utf-8")
    assert "steps an epoch: Wolof, POS (accuracy), lapt, 1/8 (2 of 2); Wolof, UD (LAS), lapt, 1/8 (2 of 2)." in notes
    reached = (tmp_path / "results/tables/curve-reached.csv").read_text(encoding="utf-8").splitlines()
    assert reached[1:] == [f"Wolof,{task},tva,lapt with all,60.00,40,50%" for task in ("POS (accuracy)", "UD (LAS)")]
    drawn = (tmp_path / "results/figures/curve.svg").read_text(encoding="utf-8")
    for words in (
        "POS (accuracy), test, %",
        "UD (LAS), test, %",
        "Training sentences (band: ± 1 sd)",
        "lapt",
        "tva",
        "80",
        "all",
    ):
        assert f"<!-- {words} -->" in drawn
    assert (tmp_path / "results/figures/curve.png").is_file()


def test_a_table_says_what_is_left_out(tmp_path):
    one = experiment(shares=[16, 2], regimes=["pos"])
    write_data(tmp_path, one)
    write_scores(tmp_path, one, rising)
    write_curve(one, tmp_path)
    notes = (tmp_path / "results/tables/curve.md").read_text(encoding="utf-8")
    assert "Left out, being fewer than 10 sentences: wo (treebank): 1/16 of 80 training sentences." in notes


def test_scores_of_folds_are_together(tmp_path):
    one = experiment(folds=3, regimes=["pos"], shares=[2], seeds=[1, 2])
    everything = tmp_path / "results/datasets/wo/all.conllu"
    everything.parent.mkdir(parents=True)
    everything.write_text(SENTENCE * 90)
    write_data(tmp_path, one, sentences=30)
    write_scores(tmp_path, one, lambda cell: rising(cell) + cell.fold / 100)
    points = lines_of_curve(one, tmp_path)["wo", "pos", "tva"]
    assert [(point.share, point.sentences, len(point.scores)) for point in points] == [(2, 15, 6), (1, 30, 6)]
    assert points[1].mean == pytest.approx(65 + 2)


def test_a_missing_score_is_named(tmp_path):
    one = experiment(regimes=["pos"])
    write_data(tmp_path, one)
    write_scores(tmp_path, one, rising)
    (tmp_path / "results/finetuning/wo/tva/pos/share4/seed2/metrics.json").unlink()
    with pytest.raises(SpecializeError, match="share4/seed2"):
        lines_of_curve(one, tmp_path)
    assert "results/finetuning/wo/tva/pos/share4/seed2/metrics.json" in curve_inputs(
        one, curve_of(one, DataSizes(one, tmp_path))
    )


def points_of(*pairs):
    return [Point(place, sentences, (score,)) for place, (sentences, score) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("score", "sentences"),
    [(50, 100), (60, 200), (65, 200 * 2**0.5), (70, 400), (40, 100), (70.1, math.nan)],
)
def test_sentences_to_a_score_are_interpolated_by_doublings(score, sentences):
    curve = points_of((100, 50), (200, 60), (400, 70))
    assert sentences_to_reach(curve, score) == pytest.approx(sentences, nan_ok=True)


def test_the_first_sentences_count_where_a_curve_falls_again_and_gaps_are_passed_over():
    assert sentences_to_reach(points_of((100, 50), (200, 60), (400, 55), (800, 60)), 58) == pytest.approx(100 * 2**0.8)
    gap = points_of((100, 50), (200, 60), (400, 70))
    gap[1] = replace(gap[1], scores=())
    assert sentences_to_reach(gap, 60) == pytest.approx(200)


def test_the_smallest_share_is_only_a_bound():
    one = experiment()
    lines = {("wo", "pos", "lapt"): points_of((10, 1), (80, 60)), ("wo", "pos", "tva"): points_of((10, 60), (80, 80))}
    (row,) = reached_table(one, lines).rows
    assert [entry.text for entry in row[2:]] == ["tva", "lapt with all", "60.00", "at most 10", "at most 12%"]
