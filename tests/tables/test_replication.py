"""Our scores beside those that the paper prints."""

import json

import pytest
from tests.conftest import ROOT
from tests.tables.test_tables import small_experiment, some_scores

from specialize.experiment import Experiment
from specialize.experiment.regimes import Method
from specialize.files import write_json
from specialize.tables.contents import figure_inputs, replicated_cells, tables_of
from specialize.tables.formats import to_markdown, write_table
from specialize.tables.paper import AVERAGES_2, AVERAGES_3, TABLE_1, TABLE_2, TABLE_3, TABLE_4, Printed
from specialize.tables.replication import replication_table, replications
from specialize.tables.scores import Scores
from specialize.tables.write import write_figure

ORACLE = ROOT.parent / "shared" / "oracles" / "paper-tables.json"


@pytest.fixture
def wolof():
    return small_experiment(languages=["wo"], representations=["fasttext", "lapt"])


def column(table, title):
    place = table.columns.index(title)
    return [row[place].text for row in table.rows]


def verdicts(experiment, scores):
    return column(replication_table(experiment, Scores(scores)), "Within 2 sd of the paper's")


def test_a_cell_beside_the_papers(wolof):
    scores = Scores({("wo", Method("fasttext"), "pos"): {1: 88.0, 2: 89.0, 3: 88.5}})
    (row,) = replication_table(wolof, scores).rows
    texts = ["2", "POS (accuracy)", "Wolof (wo)", "fasttext", "88.50 ± 0.50", "3", "87.48 ± 0.55", "+1.02", "yes"]
    assert [entry.text for entry in row] == texts


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(88.57, "yes"), (88.6, "no, above"), (86.39, "yes"), (86.37, "no, below"), (87.48, "yes")],
)
def test_a_verdict_is_of_two_of_the_papers_deviations(wolof, mean, verdict):
    assert verdicts(wolof, {("wo", Method("fasttext"), "pos"): dict.fromkeys((1, 2, 3), mean)}) == [verdict]


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_have_no_verdict(wolof, seeds):
    scores = {("wo", Method("fasttext"), "ud"): dict.fromkeys(range(1, seeds + 1), 70.39)}
    assert verdicts(wolof, scores) == ["fewer than 3 seeds"]


def test_a_seed_that_did_not_converge_leaves_the_cell_without_a_score(wolof):
    table = replication_table(wolof, Scores({("wo", Method("lapt"), "ud"): {1: 80.0, 2: None, 3: 80.0}}))
    assert column(table, "Ours") == column(table, "Difference") == ["–"]
    assert "did not converge" in to_markdown(table)


def test_what_the_paper_does_not_print_has_no_row():
    experiment = small_experiment(languages=["ug", "ug-Latn", "wo"], representations=["fasttext", "va"])
    found = replications(experiment, some_scores(experiment))
    assert {(cell.language, cell.method, cell.task) for cell in found} == {
        ("ug", Method("fasttext"), "pos"),
        ("ug", Method("fasttext"), "ud"),
        ("wo", Method("fasttext"), "pos"),
        ("wo", Method("fasttext"), "ud"),
        ("ug-Latn", Method("fasttext"), "pos"),  # of Table 4; without a seed that converged it has none of NER
        ("ug-Latn", Method("fasttext"), "ud"),
    }


def test_multi_task_and_transliterated_cells_stand_beside_tables_3_and_4():
    regimes = ["pos", "mtl-ups-alt", "pft-mtl-ups-alt-pos"]
    experiment = small_experiment(languages=["wo", "ug-Latn"], representations=["tva"], regimes=regimes)
    table = replication_table(experiment, some_scores(experiment))
    printed = [[row[place].text for place in (0, 1, 2, 3, 6)] for row in table.rows]
    assert printed == [
        ["2", "POS (accuracy)", "Wolof (wo)", "tva", "94.48 ± 0.20"],
        ["3", "POS (accuracy)", "Wolof (wo)", "tva + UPS + ALT", "94.76 ± 0.13"],
        ["3", "POS (accuracy)", "Wolof (wo)", "tva + UPS + ALT + PFT", "94.77 ± 0.13"],
        ["3", "UD (LAS)", "Wolof (wo)", "tva + UPS + ALT", "80.62 ± 0.34"],
        ["4", "POS (accuracy)", "Uyghur (transliterated) (ug-Latn)", "tva", "92.64"],
    ]
    assert column(table, "Within 2 sd of the paper's")[-1] == "–"  # Table 4 prints no deviation


def with_base(experiment, beside="same-base", **entry):
    """The same grid on another base model."""
    config = {
        **experiment.config,
        "base_model": "own",
        "tables": {**experiment.config["tables"], "beside_paper": beside},
    }
    return Experiment({**config, "base_models": {**config["base_models"], "own": entry}})


PAPERS = "google-bert/bert-base-multilingual-cased"


@pytest.mark.parametrize(
    "entry",
    [
        {"mirror": True},
        {"hub": "google-bert/bert-base-multilingual-uncased", "revision": "0" * 40},
        {"hub": "FacebookAI/xlm-roberta-base", "revision": "0" * 40},
        {"hub": "someone/mini-bert-base-multilingual-cased", "revision": "0" * 40},
    ],
)
def test_a_stand_in_is_set_beside_the_paper_only_if_that_is_asked_for(wolof, entry):
    if "mirror" in entry:
        wolof.config["mirror"] = "/"
    experiment = with_base(wolof, **entry)
    scores = some_scores(experiment)
    table = replication_table(experiment, scores)
    assert set(column(table, "Configuration")) == {"fasttext"}, "which has no base model"
    assert "scores of lapt (base model own)" in table.notes[0]
    assert "beside_paper: any-base" in table.notes[0]
    assert {cell.representation for cell in replicated_cells(experiment)} == {"fasttext"}
    asked = with_base(wolof, "any-base", **entry)
    table = replication_table(asked, scores)
    assert set(column(table, "Configuration")) == {"fasttext", "lapt"}
    assert table.notes[0].startswith("lapt (base model own): a stand-in for the paper's base model")
    assert {cell.representation for cell in replicated_cells(asked)} == {"fasttext", "lapt"}


@pytest.mark.parametrize("hub", [PAPERS, "bert-base-multilingual-cased"])
def test_the_papers_base_model_is_known_by_its_name_on_the_hub(wolof, hub):
    experiment = with_base(wolof, hub=hub, revision="0" * 40)
    table = replication_table(experiment, some_scores(experiment))
    assert set(column(table, "Configuration")) == {"fasttext", "lapt"}
    assert "stand-in" not in to_markdown(table)


def test_where_all_are_stand_ins_the_table_says_why_it_is_empty_and_there_is_no_figure(tmp_path):
    experiment = small_experiment(languages=["wo"], representations=["mbert", "lapt"])
    experiment.config["mirror"] = "/"
    experiment = with_base(experiment, mirror=True)
    assert "replication" in tables_of(experiment)
    assert "replication" not in figure_inputs(experiment)
    table = replication_table(experiment, some_scores(experiment))
    assert table.rows == []
    write_table(table, tmp_path)
    for ending in ("md", "tex", "html"):
        assert "scores of mbert, lapt (base model own)" in (tmp_path / f"replication.{ending}").read_text("utf-8")
    assert (tmp_path / "replication.csv").read_text("utf-8").startswith("Table,Task,")


def test_the_figure_shows_both(tmp_path, wolof):
    for number, cell in enumerate(wolof.cells):
        metric = {"pos": "accuracy", "ud": "las"}[cell.regime]
        scores = {key: {cell.regime: {metric: 0.7 + number / 100}} for key in ("dev", "test")}
        converged = (cell.representation, cell.regime) != ("lapt", "ud")
        write_json(tmp_path / cell.metrics, {"converged": converged, "scores": scores})
    write_figure(wolof, tmp_path, "replication")
    path = tmp_path / "results/figures/replication.svg"
    drawn = path.read_bytes()
    for text in ("Wolof: fasttext", "Wolof: lapt", "paper, ± 2 sd", "ours, ± 1 sd", "UD (LAS), test, %"):
        assert text.encode() in drawn
    write_figure(wolof, tmp_path, "replication")
    assert path.read_bytes() == drawn


def test_table_1_has_the_registrys_languages():
    assert sorted(TABLE_1) == sorted({language for language, _, _ in TABLE_2})


@pytest.mark.real
@pytest.mark.skipif(not ORACLE.is_file(), reason="the paper's tables do not lie beside the checkout")
def test_the_numbers_are_the_papers():
    oracle = json.loads(ORACLE.read_text(encoding="utf-8"))

    def method_of(row, regime=""):
        name, _, prefinetuned = row.partition(" + ")
        return Method({"FASTT": "fasttext"}.get(name, name.lower()), regime, bool(prefinetuned))

    for table, cells_of_table, averages in (("table2", TABLE_2, AVERAGES_2), ("table3", TABLE_3, AVERAGES_3)):
        printed, means = {}, {}
        for task, rows in oracle[table].items():
            for row, cells in rows.items():
                method = method_of(row, "mtl-ups-alt" if table == "table3" else "")
                for language, cell in cells.items():
                    if language == "avg":
                        means[method, task] = cell["mean"]
                    elif cell and row != "Baseline":
                        printed[language, method, task] = Printed(cell["mean"], cell["sd"])
        assert printed == cells_of_table
        assert averages == {key: mean for key, mean in means.items() if key[0].representation != "baseline"}
    afterwards = {
        (f"{place.partition('.')[0]}-Latn", method_of(row), place.partition(".")[2]): Printed(cell["after"])
        for row, cells in oracle["table4"].items()
        for place, cell in cells.items()
        if cell
    }
    assert afterwards == TABLE_4
    for tag, row in oracle["table1"].items():
        assert TABLE_1[tag] == [row["sentences"], row["tokens"], f"{row['wordpieces_per_token']:.2f}"]
