"""Bases of other families, pretrained by the run itself, with vocabularies of other kinds than WordPiece."""

import pytest
from tests.conftest import ROOT, copy_of_run, demo_arguments, run_snakemake
from tests.demo.test_scores import scores

from specialize.files import read_json, read_text

NAMES = ("xlm-r-lapt", "xlm-r-tva", "modernbert-tva")
TARGETS = [*(f"results/finetuning/qad/{name}/pos/seed1/metrics.json" for name in NAMES), "results/tables/diagnosis.md"]


@pytest.fixture(scope="module")
def run(demo, tmp_path_factory):
    """A run that begins with the demo's data, and goes up to one seed of POS tagging."""
    run = tmp_path_factory.mktemp("bases")
    copy_of_run(demo, run, "resources", "results/corpora", "results/datasets")
    finished = run_snakemake(run, TARGETS, *demo_arguments(ROOT / "tests/demo/other_bases.yaml"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return run


def test_new_pieces_make_an_unseen_script_readable_to_a_unigram(run):
    lapt, tva = (scores(run, "qad", name, "pos")[0] for name in ("xlm-r-lapt", "xlm-r-tva"))
    assert tva > lapt + 0.3


def test_new_pieces_shorten_what_a_bpe_reads_as_bytes(run):
    covered = read_json(run / "results/vocabularies/qad/modernbert-tva/statistics.json")["coverage"]["corpus"]
    assert covered["augmented"]["wordpieces_per_token"] < covered["base"]["wordpieces_per_token"] / 3
    assert covered["augmented"]["bytes_per_wordpiece"] > 3 * covered["base"]["bytes_per_wordpiece"]
    (score,) = scores(run, "qad", "modernbert-tva", "pos")
    assert score > 0.7


def test_the_diagnosis_counts_their_new_pieces(run):
    table = read_text(run / "results/tables/diagnosis.md")
    for name in ("xlm-r-tva", "modernbert-tva"):
        (row,) = (line for line in table.splitlines() if f"What do the new wordpieces of {name} do?" in line)
        assert "new pieces in use on held-out text" in row and "worst language Feldrish 0." in row
