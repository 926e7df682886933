"""Tables 3 and 6: multi-task models and models finetuned from them, beside the best single-task ones."""

import pytest
from scipy import stats
from tests.tables.test_tables import small_experiment, some_scores

from specialize.errors import SpecializeError
from specialize.experiment import MULTI_TASK_REGIMES, TASKS, Experiment
from specialize.experiment.regimes import Method
from specialize.files import write_json
from specialize.tables.answers import answers_table
from specialize.tables.comparisons import comparisons_table
from specialize.tables.contents import table_cells
from specialize.tables.formats import to_markdown
from specialize.tables.multi_task import multi_task_all_table, multi_task_table
from specialize.tables.parameters import table_parameters
from specialize.tables.scores import Scores, load_scores
from specialize.tables.single_task import single_task_table
from specialize.tables.write import write_all

PREFINETUNED = [f"pft-mtl-ups-alt-{task}" for task in TASKS]


@pytest.fixture(scope="module")
def experiment():
    regimes = [*TASKS, *MULTI_TASK_REGIMES, *PREFINETUNED]
    return small_experiment(representations=["lapt", "tva"], regimes=regimes)


def find(table, column, *starts):
    """The cell of a column in the row that starts with these texts."""
    rows = [row for row in table.rows if [cell.text for cell in row[: len(starts)]] == list(starts)]
    assert len(rows) == 1
    return rows[0][next(place for place, title in enumerate(table.columns) if column in title)]


def test_a_multi_task_models_scores_are_one_for_each_task(tmp_path, experiment):
    cells = [cell for cell in experiment.cells if (cell.language, cell.seed) == ("ug", 1)]
    cells = [cell for cell in cells if cell.representation == "tva" and "mtl-ups-alt" in cell.regime]
    values = {"pos": {"accuracy": 0.9}, "ud": {"las": 0.6, "uas": 0.7}, "ner": {"f1": 0.5, "f1_macro": 0.4}}
    for cell in cells:
        task = cell.regime.rpartition("-")[2]
        scores = {task: values[task]} if cell.prefinetuned else values
        write_json(tmp_path / cell.metrics, {"converged": True, "scores": {"dev": scores, "test": scores}})
    assert load_scores(experiment, tmp_path, cells).by_seed == {
        ("ug", Method("tva", "mtl-ups-alt", prefinetuned), task): {1: score}
        for prefinetuned in (False, True)
        for task, score in (("pos", 90.0), ("ud", 60.0), ("ner", 50.0))
    }


def test_table_3_has_the_best_single_task_result_first_and_tests_against_the_best_of_all(experiment):
    scores = some_scores(experiment)
    table = multi_task_table(experiment, scores)
    assert table.columns == ["Task", "Model", "Uyghur (ug)", "Wolof (wo)", "Average"]  # one task is not several
    models = ["best single-task", *(f"{name} + UPS + ALT{end}" for end in ("", " + PFT") for name in ("lapt", "tva"))]
    assert [row[1].text for row in table.rows] == models * 3
    means = {Method(name): scores.mean(("ug", Method(name), "pos")) for name in ("lapt", "tva")}
    best = max(means, key=means.get)
    assert find(table, "(ug)", "POS (accuracy)", "best single-task").text.endswith(f"({best.title})")
    methods = [Method(name, "mtl-ups-alt", further) for further in (False, True) for name in ("lapt", "tva")]
    methods = dict(zip(models, [best, *methods], strict=True))
    values = {model: list(scores.by_seed["ug", method, "pos"].values()) for model, method in methods.items()}
    highest = max(values, key=lambda model: sum(values[model]))
    for model, expected in values.items():
        cell = find(table, "(ug)", "POS (accuracy)", model)
        worse = model != highest and 3 * stats.ttest_rel(values[highest], expected, alternative="greater").pvalue < 0.05
        assert (cell.best, cell.not_worse) == (model == highest, model != highest and not worse)


def test_a_language_without_named_entities_has_no_column_of_them_and_one_average_less(experiment):
    table = multi_task_table(experiment, some_scores(experiment))
    assert find(table, "(wo)", "NER (F1)", "tva + UPS + ALT").text == ""
    assert find(table, "Average", "NER (F1)", "tva + UPS + ALT").text == ""
    assert find(table, "Average", "UD (LAS)", "tva + UPS + ALT").text != ""


def test_table_6_says_where_interleaving_is_upsampling(experiment):
    scores = some_scores(experiment)
    table = multi_task_all_table(experiment, scores)
    regimes = ["best single-task", "INT", "UPS", "INT + ALT", "UPS + ALT", "UPS + ALT + PFT"]
    assert list(dict.fromkeys(row[1].text for row in table.rows)) == regimes
    assert find(table, "(wo)", "POS (accuracy)", "INT", "tva").text == "as UPS"
    assert find(table, "(wo)", "UD (LAS)", "INT + ALT", "lapt").text == "as UPS"
    assert find(table, "(ug)", "UD (LAS)", "INT", "lapt").text != "as UPS"
    both = [scores.mean(("ug", Method("tva", "mtl-int"), "pos")), scores.mean(("wo", Method("tva", "mtl-ups"), "pos"))]
    assert find(table, "Average", "POS (accuracy)", "INT", "tva").text == f"{sum(both) / 2:.2f}"
    assert "coincide" in to_markdown(table)


def test_rows_that_a_grid_lacks_are_left_out_and_counted():
    experiment = small_experiment(
        languages=["ug"], representations=["lapt", "tva"], regimes=["pos", "mtl-ups-alt", "pft-mtl-ups-alt-pos"]
    )
    scores = some_scores(experiment)
    table = multi_task_all_table(experiment, scores)
    shown = [tuple(cell.text for cell in row[:3]) for row in table.rows]
    several = [("UPS + ALT", "lapt"), ("UPS + ALT", "tva")]
    further = [("UPS + ALT + PFT", "lapt"), ("UPS + ALT + PFT", "tva")]
    assert shown == [
        *(("POS (accuracy)", *names) for names in [("best single-task", ""), *several, *further]),
        *(("UD (LAS)", *names) for names in several),
        *(("NER (F1)", *names) for names in several),
    ]
    assert "Left out: 24 rows of which this grid has no cell." in table.notes
    assert not any("Left out" in note for note in single_task_table(experiment, scores).notes)


def test_single_task_results_none_of_which_converged_are_not_said_to_lack():
    experiment = small_experiment(languages=["ug"], representations=["lapt"], regimes=["pos", "mtl-ups-alt"], seeds=[1])
    scores = some_scores(experiment)
    scores.by_seed["ug", Method("lapt"), "pos"] = {1: None}
    table = multi_task_table(experiment, scores)
    assert find(table, "(ug)", "POS (accuracy)", "best single-task").text == "–"


def test_a_multi_task_method_has_one_name_and_every_table_the_key_to_it(experiment):
    scores = some_scores(experiment)
    tables = [build(experiment, scores) for build in (multi_task_table, multi_task_all_table, answers_table)]
    for table in tables:
        texts = [cell.text for row in table.rows for cell in row] + table.notes
        assert any("UPS + ALT + PFT" in text for text in texts)
        assert not any("mtl-ups" in text for text in texts)
        (key,) = [note for note in table.notes if note.startswith("Names. ")]
        assert "lapt: the base model, pretrained further on the language; tva: pretrained further with up to 99" in key
        assert "5 times as fast as the rest" in key
        assert "ALT: one parser-and-tagger" in key
    (key,) = [note for note in single_task_table(experiment, scores).notes if note.startswith("Names. ")]
    assert "UPS" not in key
    assert Method("tva", "mtl-int").title == "tva + INT"


def test_a_table_is_of_the_settings_that_its_key_names(experiment):
    tva = experiment.config["representations"]["tva"] | {"multiplier": 7}
    faster = Experiment(experiment.config | {"representations": experiment.config["representations"] | {"tva": tva}})
    assert table_parameters(faster, "answers") != table_parameters(experiment, "answers")
    assert any("7 times as fast" in note for note in single_task_table(faster, some_scores(faster)).notes)


def test_multi_task_scores_change_no_single_task_table(experiment):
    scores = some_scores(experiment)
    alone = Scores({key: seeds for key, seeds in scores.by_seed.items() if key[1].single_task})
    for build in (single_task_table, comparisons_table):
        assert build(experiment, scores) == build(experiment, alone)


def test_each_table_needs_the_scores_that_it_prints(tmp_path, experiment):
    for cell in experiment.single_task_cells:
        metric = {"pos": "accuracy", "ud": "las", "ner": "f1"}[cell.regime]
        scores = {key: {cell.regime: {metric: 0.7 + cell.seed / 100}} for key in ("dev", "test")}
        write_json(tmp_path / cell.metrics, {"converged": True, "scores": scores})
    write_all(experiment, tmp_path, ["single-task", "comparisons"])
    # Of two languages and representations: five seeds of mtl-ups-alt, and of each task's pre-finetuning.
    with pytest.raises(SpecializeError, match=rf"{2 * 5 * (1 + 1 + 3 + 2)} results are missing: .*mtl-ups-alt"):
        write_all(experiment, tmp_path, ["multi-task"])
    regimes = {cell.regime for cell in table_cells(experiment, "multi-task")}
    assert regimes == {*TASKS, "mtl-ups-alt", *PREFINETUNED}


def test_a_grid_without_multi_task_cells_has_no_such_table():
    plain = small_experiment()
    assert table_cells(plain, "multi-task") == table_cells(plain, "multi-task-all") == ()
    assert multi_task_table(plain, some_scores(plain)).rows == []
