"""What stands beside the answers: hours, memory and coverage of each method, as far as a run knows them."""

import pytest
from tests.tables.test_tables import small_experiment, statistics_of_uyghur, write_statistics

from specialize.files import write_json
from specialize.tables.costs import costs_table
from specialize.tables.screen import answers
from specialize.tables.write import write_all

GRID = {"languages": ["ug"], "representations": ["mbert", "tva"], "regimes": ["pos"], "seeds": [1, 2]}


def finished_run(run, experiment, timed=True):
    """A run of which all that tables read is there; each finetuning took half an hour and 2 or 3 GB."""
    write_statistics(run, statistics_of_uyghur())
    for cell in experiment.cells:
        shift = cell.seed / 100 + (0.1 + cell.seed / 500) * (
            experiment.representations[cell.representation].pieces != 0
        )
        scores = {part: {"pos": {"accuracy": 0.5 + shift}} for part in ("dev", "test")}
        write_json(run / cell.metrics, {"converged": True, "scores": scores})
        if timed:
            timing = {"seconds": 1800, "peak_memory_megabytes": 1000 + 1000 * cell.seed}
            write_json(run / cell.folder / "timing.json", timing)
    if timed:
        path = run / "timings/pretraining/ug/tva.tsv"
        path.parent.mkdir(parents=True)
        path.write_text("s\th:m:s\tmax_rss\tmax_vms\n5400.0\t1:30:00\t4000.50\t9.0\n", encoding="utf-8")


def rows_of(table):
    return {row[1].text: dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows}


def test_hours_memory_and_coverage_of_each_method(tmp_path):
    experiment = small_experiment(**GRID)
    finished_run(tmp_path, experiment)
    rows = rows_of(costs_table(experiment, tmp_path))
    assert rows["mbert"]["Pretraining, hours"] == "–"
    assert rows["tva"]["Pretraining, hours"] == "1.50"
    assert [row["Finetuning, hours"] for row in rows.values()] == ["1.00", "1.00"]
    assert [row["Memory, GB"] for row in rows.values()] == ["3.00", "4.00"]
    assert {row["Base"] for row in rows.values()} == {"mbert"}
    assert rows["mbert"]["POS (accuracy), dev / test"] == "51.50 / 51.50"
    known = statistics_of_uyghur()["vocabularies/ug/tva"]["coverage"]["corpus"]
    for name, kind in (("mbert", "base"), ("tva", "augmented")):
        assert rows[name]["Pieces per word"] == f"{known[kind]['wordpieces_per_token']:.2f}"
        assert rows[name]["Unknown words"] == f"{known[kind]['unknown_token_rate']:.1%}"


def test_what_a_run_does_not_know_is_no_number(tmp_path):
    experiment = small_experiment(**GRID)
    finished_run(tmp_path, experiment, timed=False)
    (tmp_path / "timings/pretraining/ug").mkdir(parents=True)
    (tmp_path / "timings/pretraining/ug/tva.tsv").write_text("s\th:m:s\tmax_rss\nNA\tNA\tNA\n", encoding="utf-8")
    for row in rows_of(costs_table(experiment, tmp_path)).values():
        assert [row[name] for name in ("Pretraining, hours", "Finetuning, hours", "Memory, GB")] == ["–"] * 3


def test_the_screen_has_them_beside_the_best(tmp_path):
    experiment = small_experiment(**GRID)
    finished_run(tmp_path, experiment)
    write_all(experiment, tmp_path, ["answers"])
    assert "hours" not in answers(tmp_path)
    write_all(experiment, tmp_path, ["costs"])
    text = " ".join(answers(tmp_path).split())
    assert "Uyghur, POS (accuracy): tva (" in text
    assert "[2.50 hours, 4.00 GB, " in text
    assert "p of the best is corrected for so many comparisons: Uyghur 2." in text


def test_with_several_bases_the_screen_has_them_of_each(tmp_path):
    registry = {"xlm-r": {"method": "base", "base_model": "xlm-r"}}
    grid = GRID | {"representations": ["mbert", "tva", "xlm-r"]}
    experiment = small_experiment(registry=registry, bases=["xlm-r"], **grid)
    finished_run(tmp_path, experiment)
    statistics = statistics_of_uyghur()["vocabularies/ug/tva"]
    write_statistics(tmp_path, {"vocabularies/ug/xlm-r": statistics | {"pieces": {}}})
    write_all(experiment, tmp_path, ["answers", "costs"])
    lines = answers(tmp_path).splitlines()
    assert any(line.startswith("    base mbert: ") for line in lines)
    (found,) = [line.split() for line in lines if line.startswith("Uyghur  xlm-r")]
    assert found[2:4] == ["1.00", "3.00"]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("missing", ["peak_memory_megabytes", "seconds"])
def test_one_job_without_its_time_leaves_no_sum(tmp_path, missing):
    experiment = small_experiment(**GRID)
    finished_run(tmp_path, experiment)
    timing = {"seconds": 1800, "peak_memory_megabytes": 1000}
    write_json(tmp_path / experiment.cells[0].folder / "timing.json", {k: v for k, v in timing.items() if k != missing})
    assert rows_of(costs_table(experiment, tmp_path))["mbert"]["Finetuning, hours"] == "–"


def test_what_learns_has_its_columns_only_where_a_representation_says_so(tmp_path):
    lora = {"method": "adapt", "pieces": 99, "adapt": {"lora": {"rank": 4}}}
    grid = GRID | {"representations": ["mbert", "tva", "lora"]}
    experiment = small_experiment(registry={"lora": lora}, **grid)
    finished_run(tmp_path, experiment)
    write_statistics(tmp_path, {"vocabularies/ug/lora": statistics_of_uyghur()["vocabularies/ug/tva"]})
    model = tmp_path / experiment.encoder_folder("ug", "lora")
    write_json(model / "history.json", {"learning_parameters": 665344})
    for name, megabytes in (("tva", 3456), ("lora", 1234)):
        timing = {"seconds": 1.0, "peak_gpu_memory_megabytes": megabytes}
        write_json(tmp_path / f"timings/pretraining/ug/{name}.json", timing)
    table = costs_table(experiment, tmp_path)
    assert table.columns[-2:] == ["Learned parameters", "GPU memory of pretraining, GB"]
    last = {name: list(row.values())[-2:] for name, row in rows_of(table).items()}
    assert last == {"mbert": ["–", "–"], "tva": ["all", "3.46"], "lora": ["665,344", "1.23"]}
    assert any(note.startswith("Learned parameters: numbers that learn in pretraining") for note in table.notes)
    plain = costs_table(small_experiment(registry={"lora": lora}, **GRID), tmp_path)
    assert plain.columns[-1] == "Unknown words"
    assert not any("arameters" in note for note in plain.notes)
