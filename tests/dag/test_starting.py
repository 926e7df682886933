"""What is wrong around a run, or on its command line, is said in one line before anything is planned."""

import subprocess
import sys

import pytest
from tests.conftest import ROOT, run_snakemake

MODULE = f"""\
configfile: "{ROOT}/config/config.yaml"
module adapted:
    snakefile: "{ROOT}/workflow/Snakefile"
    config: config
    prefix: "adapted"
use rule * from adapted as adapted_*
"""


def test_a_module_with_a_prefix_is_refused(tmp_path):
    (tmp_path / "Snakefile").write_text(MODULE)
    command = [sys.executable, "-m", "snakemake", "--dry-run"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 1
    printed = finished.stdout + finished.stderr
    assert "results/datasets would be adapted/results/datasets: leave prefix and replace_prefix out" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("by_profile", [True, False])
def test_what_the_command_line_would_forget_is_said_first(tmp_path, by_profile):
    own = tmp_path / "own.yaml"
    own.write_text("experiment: {languages: [wo]}\n")
    options = ["--configfile", own, "all"] if by_profile else ["-C", "keep_models=true", "-C", "tensorboard=true"]
    finished = run_snakemake(tmp_path, "datasets", *options, *([] if by_profile else ["--workflow-profile", "none"]))
    assert finished.returncode == 1
    said = "'all' for one of its own; put targets first" if by_profile else "-C keep_models=true tensorboard=true"
    assert f"on the command line, {options[0]} " in finished.stderr
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr
