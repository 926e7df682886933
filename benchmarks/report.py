"""How long tables, figures and report of the paper's grid take, from invented scores.

    .venv/bin/python benchmarks/report.py [--cores 2]

Writes the statistics, histories and metrics that they are made of for every cell of config/config.yaml, then has
Snakemake make `tables` and `figures` and the report. Rules of earlier stages are switched off, so that it takes their
files as given.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from specialize.experiment import Experiment
from specialize.files import write_json
from specialize.tables.contents import tasks_of
from specialize.tables.scores import PRIMARY_METRIC

ROOT = Path(__file__).parents[1]
RULES = "table tables figure figures".split()
EPOCHS = 60  # of a finetuning with the paper's patience


def write_scores(run, experiment, chance):
    """The metrics of every cell, and the histories of those whose learning curves are drawn."""
    for cell in experiment.cells:
        scores = {
            task: {PRIMARY_METRIC[task]: round(chance.gauss(0.8, 0.01), 6)} for task in tasks_of(experiment, cell)
        }
        write_json(run / cell.metrics, {"converged": True, "scores": {"test": scores}})
        if cell in experiment.single_task_cells:
            name, score = PRIMARY_METRIC[cell.regime], scores[cell.regime][PRIMARY_METRIC[cell.regime]]
            epochs = [
                {"epoch": epoch, name: round(score * (1 - 0.8**epoch) + chance.gauss(0, 0.003), 6)}
                for epoch in range(1, EPOCHS + 1)
            ]
            write_json(run / cell.folder / "history.json", {"best_epoch": EPOCHS - 20, "epochs": epochs})


def write_statistics(run, experiment, chance):
    """Coverage of each vocabulary, sizes of each text, and losses of each pretraining."""
    for language in experiment.grid_languages:
        total = {"articles": 10_000, "sentences": 100_000, "tokens": 2_000_000}
        write_json(run / f"results/corpora/{language.tag}/statistics.json", {"total": total})
    for language, name in experiment.vocabularies:
        rates = ("wordpieces_per_token", "unknown_token_rate", "unknown_wordpiece_rate", "continuation_rate")
        covered = {rate: chance.random() for rate in rates} | {"tokens": 10_000}
        data = {
            one: {"sentences": 1_000, "base": covered, "augmented": covered} for one in ("corpus", "treebank", "ner")
        }
        write_json(run / f"results/vocabularies/{language}/{name}/statistics.json", {"pieces": {}, "coverage": data})
    for language, name in experiment.adaptations:
        epochs = [
            {"epoch": epoch, "training_loss": 5 - epoch / 9, "validation_loss": 5 - epoch / 10} for epoch in range(21)
        ]
        history = {"best_epoch": 20, "converged": True, "epochs": epochs}
        write_json(run / f"results/pretraining/{language}/{name}/history.json", history)


def seconds(run, targets, *options):
    """Wall-clock seconds of one Snakemake command."""
    command = [sys.executable, "-m", "snakemake", *targets, "-s", str(ROOT / "Snakefile"), "--directory", str(run)]
    started = time.monotonic()
    finished = subprocess.run([*command, *options, "--allowed-rules", *RULES], capture_output=True, text=True)
    if finished.returncode:
        sys.exit(finished.stdout + finished.stderr)
    return time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", default="2")
    arguments = parser.parse_args()
    experiment, chance = Experiment.read([ROOT / "config/config.yaml"]), random.Random(1)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write_scores(run, experiment, chance)
        write_statistics(run, experiment, chance)
        made = seconds(run, ["tables", "figures"], "--cores", arguments.cores)
        results = [path for kind in ("tables", "figures") for path in (run / "results" / kind).iterdir()]
        reported = seconds(run, ["tables", "figures"], "--cores", arguments.cores, "--report", "report.html")
        size = (run / "report.html").stat().st_size / 1e6
    print(f"{len(experiment.cells):,} cells: {len(results)} files of tables and figures in {made:.1f} s")
    print(f"report of {size:.1f} MB in {reported:.1f} s, together {made + reported:.1f} s")


if __name__ == "__main__":
    main()
