"""Methods beyond the paper's, through the whole workflow."""

import pytest
from tests.conftest import ROOT, copy_of_run, demo_arguments, run_snakemake
from tests.demo.test_scores import scores

from specialize.files import read_json, read_text

NAMES = ("tva-focus", "tva-replace", "tva-trim", "tva-lora")
FROM_DEMO = (
    "resources",
    "results/corpora",
    "results/datasets",
    "results/pretraining/base",
    "results/vocabularies/qad/tva",
)


@pytest.fixture(scope="module")
def run(demo, tmp_path_factory):
    """A run that begins with the demo's data and base model."""
    run = tmp_path_factory.mktemp("methods")
    copy_of_run(demo, run, *FROM_DEMO)
    finished = run_snakemake(run, ["results/tables/methods.md"], *demo_arguments(ROOT / "tests/demo/methods.yaml"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return run


def test_costs_and_scores_of_each_stand_in_one_table(run):
    rows = [
        line.split("|")[2].strip() for line in read_text(run / "results/tables/methods.md").splitlines() if "|" in line
    ]
    assert rows[2:] == list(NAMES)


def test_new_pieces_of_each_make_an_unseen_script_readable(run):
    for name in ("tva-focus", "tva-replace", "tva-trim"):
        (score,) = scores(run, "qad", name, "pos")
        assert score > 0.4, name


def test_a_trimmed_model_is_smaller_and_scores_as_the_one_it_is_of(run):
    (of,), (trimmed,) = (scores(run, "qad", name, "pos") for name in ("tva-focus", "tva-trim"))
    assert trimmed == pytest.approx(of, abs=0.05)
    sizes = [read_json(run / f"results/pretraining/qad/{name}/config.json")["vocab_size"] for name in NAMES]
    base = read_json(run / "results/pretraining/base/demo/config.json")["vocab_size"]
    assert sizes[2] < base / 2 < sizes[0] and sizes[1] == base
