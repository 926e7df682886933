"""The forecast of a dry run, and the command that it names."""

import os
import re
import shlex
import subprocess
import sys

from tests.conftest import ROOT, run_snakemake

CONFIGURATION = """\
experiment: {{languages: [wo], representations: [lapt], regimes: [pos], seeds: [1, 2], exceptions: []}}
base_model: tiny
base_models: {{tiny: {{folder: {folder}}}}}
pretraining: {{threads: 1}}
finetuning: {{threads: 1}}
"""
SIZES = '{"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 32, "vocab_size": 99}'


def test_a_dry_run_says_what_is_left_to_train_and_how_to_measure_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "a base"
    folder.mkdir()
    for name in ("tokenizer.json", "model.safetensors"):
        (folder / name).touch()
    (folder / "config.json").write_text(SIZES, encoding="utf-8")
    file = tmp_path / "my configuration.yaml"
    file.write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    target = "results/finetuning/wo/lapt/pos/seed2/metrics.json"
    (tmp_path / "run").mkdir()
    printed = run_snakemake(tmp_path / "run", target, "--dry-run", "--configfile", file)
    assert printed.returncode == 0, printed.stderr
    last = printed.stderr.splitlines()[-1]
    assert re.match(r"estimated on .*: .* of pretraining and about .* of finetuning \(at most ", last)
    assert "for 2 training jobs; the speed is assumed" in last
    assert not (tmp_path / "cache" / "specialize").exists()  # it measures nothing
    command = shlex.split(last.partition("so does ")[2])
    assert command[0] == ".venv/bin/python"
    there = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    measured = subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, env=there, capture_output=True, text=True)
    assert measured.returncode == 0, measured.stderr
    assert "for 3 training jobs; at speeds measured here" in measured.stdout
    assert (tmp_path / "cache/specialize/speeds.json").is_file()
