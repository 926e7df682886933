"""Which cells each table is made of, so that no table waits for a job that it does not show."""

import subprocess
import sys

import pytest
from tests.tables.test_tables import small_experiment

from specialize.tables.baselines import baseline, unaugmented
from specialize.tables.contents import (
    FIGURES,
    TABLES,
    imported,
    table_cells,
    tables_of,
)
from specialize.tables.parameters import table_parameters

REGIMES = ["pos", "ud", "ner", "mtl-int", "mtl-ups", "mtl-ups-alt", "pft-mtl-ups-alt-ud"]


@pytest.fixture(scope="module")
def experiment():
    return small_experiment(languages=["ug", "ug-Latn", "mhr", "wo"], regimes=REGIMES, seeds=[1])


def shown(experiment, table):
    return {(cell.language, cell.regime) for cell in table_cells(experiment, table)}


def test_single_task_tables_wait_for_no_multi_task_job(experiment):
    single = {(tag, task) for tag in ("ug", "ug-Latn") for task in ("pos", "ud", "ner")}
    single |= {("mhr", "ner"), ("wo", "pos"), ("wo", "ud")}
    assert shown(experiment, "comparisons") == single
    assert shown(experiment, "single-task") == {pair for pair in single if pair[0] != "ug-Latn"}
    assert shown(experiment, "transliteration") == {pair for pair in single if pair[0].startswith("ug")}


def test_multi_task_tables_add_the_single_task_results_of_their_languages(experiment):
    languages = {"ug": ("pos", "ud", "ner"), "ug-Latn": ("pos", "ud", "ner"), "wo": ("pos", "ud")}
    baseline = {(tag, task) for tag, tasks in languages.items() for task in tasks}
    ups = {(tag, regime) for tag in languages for regime in ("mtl-ups-alt", "pft-mtl-ups-alt-ud")}
    others = {("ug", "mtl-int"), ("ug-Latn", "mtl-int"), *((tag, "mtl-ups") for tag in languages)}
    assert shown(experiment, "multi-task") == baseline | ups
    assert shown(experiment, "multi-task-all") == baseline | ups | others


def test_the_answers_are_of_everything_and_inputs_have_no_scores(experiment):
    assert table_cells(experiment, "answers") == table_cells(experiment, "costs") == experiment.cells
    without = ["corpora", "hyperparameters", "folds", "effects", "methods"]  # no folds, nothing beyond the paper
    assert [name for name in TABLES if not table_cells(experiment, name)] == without


def test_a_cell_has_scores_of_its_tasks(experiment):
    tasks = {
        (cell.language, cell.regime): experiment.languages[cell.language].tasks_of(cell.regime)
        for cell in experiment.cells
    }
    assert sorted(tasks["ug", "mtl-ups-alt"]) == ["ner", "pos", "ud"]
    assert sorted(tasks["wo", "mtl-ups"]) == ["pos", "ud"]
    assert tasks["ug", "pft-mtl-ups-alt-ud"] == ["ud"]


def test_the_registry_is_light_and_every_function_of_it_is_there():
    code = "import sys, specialize.tables.contents; print(*{name.partition('.')[0] for name in sys.modules})"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pandas", "scipy", "matplotlib", "torch", "requests"}
    assert not heavy & set(finished.stdout.split())
    for entry in (*TABLES.values(), *FIGURES.values()):
        assert callable(imported(entry.function))


def test_a_run_makes_the_tables_that_it_has_scores_for():
    plain = small_experiment(languages=["wo"], regimes=["pos"])
    without = {"multi-task", "multi-task-all", "transliteration", "folds", "effects", "methods"}
    assert tables_of(plain) == [name for name in TABLES if name not in without]


def test_gains_are_measured_from_the_base_model_where_the_grid_has_it_everywhere():
    assert baseline(small_experiment()) == "mbert"
    rare = [{"representations": ["mbert"], "regimes": ["ud"], "seeds": []}]
    assert baseline(small_experiment(exceptions=rare)) == "lapt"
    assert baseline(small_experiment(representations=["fasttext", "bert"])) is None
    assert unaugmented(small_experiment(representations=["mbert", "tva"])) is None


def test_only_tables_of_runs_that_request_statistics_depend_on_how_these_are_printed():
    plain, requested = small_experiment(), small_experiment()
    requested.config["tables"]["statistics"] = ["bootstrap"]
    assert "statistics_version" not in table_parameters(plain, "comparisons")
    assert "statistics_version" in table_parameters(requested, "comparisons")
    assert "statistics_version" not in table_parameters(requested, "corpora")
