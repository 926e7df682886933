"""The control: with the script seen in base pretraining, new wordpieces gain next to nothing.

Its run has the representations that need no base model as well, which the demo leaves out.
"""

import statistics

import pytest
from tests.conftest import ROOT, copy_of_run, demo_arguments, run_snakemake
from tests.demo.test_scores import scores


@pytest.fixture(scope="module")
def control(demo, tmp_path_factory):
    """A run that begins with the demo's data."""
    run = tmp_path_factory.mktemp("control")
    copy_of_run(demo, run, "resources", "results/corpora", "results/datasets")
    finished = run_snakemake(run, "finetuning", *demo_arguments(ROOT / "tests/demo/control.yaml"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return run


@pytest.mark.parametrize("task", ["pos", "ud"])
def test_the_gain_vanishes_when_the_script_was_seen(demo, control, task):
    def gain(run, suffix):
        tva, lapt = (scores(run, "qad", name + suffix, task)[0] for name in ("tva", "lapt"))
        return tva - lapt

    assert gain(control, "-seen") < 0.05
    assert gain(control, "-seen") < 0.2 * gain(demo, "")


@pytest.mark.parametrize("representation", ["fasttext", "bert"])
def test_representations_of_their_own_read_the_script(demo, control, representation):
    (score,) = scores(control, "qad", representation, "pos")
    assert score > statistics.mean(scores(demo, "qad", "lapt", "pos")) + 0.2
    assert (control / "results/finetuning/qad" / representation / "pos/seed1/model").is_dir()
