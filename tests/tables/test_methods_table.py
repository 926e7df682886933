"""Grids that go beyond the paper's methods: what each method costs and gains in one table."""

import numpy
import pytest
from safetensors.numpy import save_file
from tests.tables.test_costs import GRID, finished_run, rows_of
from tests.tables.test_tables import small_experiment, statistics_of_uyghur, write_statistics

from specialize.files import write_json
from specialize.tables.best import best_methods
from specialize.tables.contents import table_inputs, tables_of
from specialize.tables.methods import methods_table
from specialize.tables.scores import load_scores

REGISTRY = {
    "small": {"method": "trim", "of": "tva"},
    "lora": {"method": "adapt", "pieces": 99, "multiplier": 5, "adapt": {"lora": {"rank": 2}}},
    "words": {"method": "adapt", "training": {"masked_unit": "words"}},
    "in-place": {"method": "adapt", "pieces": 99, "growth": "replace"},
    "random": {"method": "adapt", "pieces": 99, "training": {"initialisation": "random"}},
    "relatives": {"method": "adapt", "training": {"with": ["ur"]}},
}
# At values that change nothing, or that the job does not read.
AS_IN_PAPER = {
    "all": {"method": "adapt", "pieces": 99, "growth": "augment", "adapt": {}},
    "none": {"method": "adapt", "adapt": {"lora": None, "freeze": [], "layer_decay": 1}, "training": {"with": []}},
    "pieces": {"method": "adapt", "training": {"masked_unit": "pieces", "with": {}}},
}


def experiment_with(*names, **changes):
    grid = GRID | {"representations": ["mbert", "tva", *names]} | changes
    return small_experiment(
        registry={name: (REGISTRY | AS_IN_PAPER)[name] for name in names if name != "embert"}, **grid
    )


@pytest.mark.parametrize(
    ("names", "there"), [((*AS_IN_PAPER, "embert"), False), *(((name,), True) for name in REGISTRY)]
)
def test_only_a_grid_beyond_the_papers_has_it(names, there):
    assert ("methods" in tables_of(experiment_with(*names))) == there


def test_sizes_costs_scores_and_tests_stand_in_one_row(tmp_path):
    exceptions = [{"representations": ["small"], "seeds": []}]
    experiment = experiment_with("small", "lora", exceptions=exceptions)
    finished_run(tmp_path, experiment)
    statistics = statistics_of_uyghur()["vocabularies/ug/tva"]
    write_statistics(tmp_path, {"vocabularies/ug/lora": statistics})
    for path in filter(lambda path: path.endswith(".safetensors"), table_inputs(experiment, "methods")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        save_file({"matrix": numpy.zeros((1000, 30), dtype=numpy.float32), "bias": numpy.zeros(5)}, tmp_path / path)
    write_json(tmp_path / "results/pretraining/ug/lora/history.json", {"learning_parameters": 4321})
    table = methods_table(experiment, tmp_path)
    rows = rows_of(table)
    assert list(rows) == ["mbert", "tva", "small", "lora"]
    assert {rows[name]["Parameters, millions"] for name in ("mbert", "tva", "lora")} == {"0.03"}
    assert [rows[name]["Learned"] for name in ("mbert", "tva", "lora")] == ["–", "all", "4,321"]
    assert rows["small"]["POS (accuracy)"] == "not run"
    (best,) = best_methods(experiment, load_scores(experiment, tmp_path), experiment.grid_languages[0])
    tests = {tested.other[1].title: tested for tested in best.tests}
    assert best.winner[1].title not in tests and tests["mbert"].tested
    behind = "POS: behind the best (p)"
    assert rows[best.winner[1].title][behind] == "–"
    assert rows["mbert"][behind] == f"{tests['mbert'].difference:.2f} (p {tests['mbert'].corrected_p:.2g})"
    assert any(entry.best for row in table.rows for entry in row)
