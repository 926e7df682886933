"""The control: with the script seen in base pretraining, new wordpieces gain next to nothing."""

import statistics

import pytest
from tests.conftest import ROOT, demo_arguments, run_snakemake
from tests.demo.test_scores import scores


@pytest.fixture(scope="module")
def control(demo):
    finished = run_snakemake(demo, "finetuning", *demo_arguments(ROOT / "tests/demo/control.yaml"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return demo


@pytest.mark.parametrize("task", ["pos", "ud"])
def test_the_gain_vanishes_when_the_script_was_seen(control, task):
    def gain(suffix):
        tva, lapt = (statistics.mean(scores(control, "qad", name + suffix, task)[:2]) for name in ("tva", "lapt"))
        return tva - lapt

    assert gain("-seen") < 0.05
    assert gain("-seen") < 0.2 * gain("")
