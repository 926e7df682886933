"""A new setting takes one declaration, one default and its use; jobs that do not read it do not run again.

Nor does anything run again by surprise where another version of specialize has made the run.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from tests.conftest import DEMO_MIRROR, ROOT, copy_of_run, jobs_in

from specialize.files import read_json

DECLARATION = """    label_smoothing: Number = setting(
        "share of the probability that is spread over all relations", neutral=0, read_by="parsers", ge=0, lt=1
    )
"""
# The cells that have a parser, and what was trained further from them.
RUN_AGAIN = {
    f"results/finetuning/qad/{cell}/seed{seed}/metrics.json"
    for cell in ("lapt/ud", "tva/ud", "tva/mtl-ups-alt", "tva/pft-mtl-ups-alt-pos")
    for seed in (1, 2, 3)
}


def insert(path, before, text):
    """Put text before the first line of a file that starts so."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith(before))
    path.write_text("".join([*lines[:place], text, *lines[place:]]), encoding="utf-8")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of this checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Snakefile", "config", "docs", "profiles", "scripts", "src", "workflow", "envs", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    return folder


def specialize(checkout, *arguments):
    """Run the command line of a copied checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    return subprocess.run(
        [sys.executable, "-m", "specialize", *map(str, arguments)],
        env=environment, cwd=checkout, capture_output=True, text=True, check=True,
    )  # fmt: skip


def start(checkout, run, target, *config, dry=True):
    """Start the workflow of a copied checkout on a run of the demo."""
    command = [sys.executable, "-m", "snakemake", target, "-s", str(checkout / "Snakefile"), "--directory", str(run)]
    command += ["--cores", "2", "--configfile", str(checkout / "config/demo.yaml")]
    command += ["--config", f'mirror="{DEMO_MIRROR}"', *config, *(["--dry-run"] if dry else [])]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def planned(finished):
    """First outputs of the jobs that a dry run lists, finetuning named by its metrics."""
    assert finished.returncode == 0, finished.stdout + finished.stderr
    jobs = jobs_in(finished.stdout + finished.stderr)
    return {re.sub("/model$", "/metrics.json", job.outputs[0]) for job in jobs if job.outputs}


def test_one_declaration_one_default_and_its_use(checkout, demo):
    insert(checkout / "src/specialize/finetuning/settings.py", "    alt_punctuation:", DECLARATION)
    insert(checkout / "config/config.yaml", "  alt_punctuation:", "  label_smoothing: 0\n")
    specialize(checkout, "reference")
    schema = yaml.safe_load((checkout / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    assert schema["properties"]["finetuning"]["properties"]["label_smoothing"]["exclusiveMaximum"] == 1
    overrides = schema["properties"]["representations"]["additionalProperties"]["properties"]["finetuning"]
    assert "label_smoothing" in overrides["properties"]
    assert "`label_smoothing`" in (checkout / "docs/reference/configuration.md").read_text(encoding="utf-8")

    assert planned(start(checkout, demo, "all")) == set()
    assert planned(start(checkout, demo, "finetuning", "finetuning={label_smoothing: 1e-1}")) == RUN_AGAIN
    refused = start(checkout, demo, "finetuning", "finetuning={label_smoothing: 1}")
    assert refused.returncode and "finetuning.label_smoothing" in refused.stdout + refused.stderr


def test_a_run_of_another_version_is_not_made_again_untold(checkout, demo, tmp_path):
    run = copy_of_run(demo, tmp_path / "run")
    settings = checkout / "src/specialize/finetuning/settings.py"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("\nVERSION = ", "\nVERSION = 9"), encoding="utf-8")
    cell = "results/finetuning/qad/tva/pos/seed1/metrics.json"
    before = (run / cell).read_bytes()
    try:
        refused = start(checkout, run, cell, dry=False)
        assert refused.returncode
        message = " ".join((refused.stdout + refused.stderr).split())
        assert "1 of finetuning would be made again" in message
        assert cell in message and "Params have changed" in message and "accept_rerun=true" in message
        assert (run / cell).read_bytes() == before

        accepted = start(checkout, run, cell, "accept_rerun=true", dry=False)
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr
        assert read_json(run / cell)["scores"] == read_json(demo / cell)["scores"]
        assert (run / cell).stat().st_mtime > (demo / cell).stat().st_mtime
    finally:
        settings.write_text(text, encoding="utf-8")
