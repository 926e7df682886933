"""What an epoch of multi-task learning costs beside the same batches run single-task.

    python benchmarks/multi_task.py TREEBANK ENTITIES ENCODER [--rounds 3] [--epochs 2]

TREEBANK has train.conllu, dev.conllu and test.conllu, ENTITIES train.tsv, dev.tsv and test.tsv, as a run leaves them in
results/datasets; ENCODER is a BERT in Hugging Face's format. Each round trains mtl-ups-alt, then the treebank's joint
parser and tagger alone, then the entity tagger alone, with the batches of config/config.yaml's Uyghur.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from specialize.experiment import Experiment
from specialize.files import read_json
from specialize.finetuning.finetune import finetune

CONFIGURATION = Path(__file__).parents[1] / "config" / "config.yaml"


def seconds_a_batch(arguments, settings, datasets, epochs, batches):
    """Of training, evaluation not counted; in so many epochs of so many batches."""
    with tempfile.TemporaryDirectory() as folder:
        finetune(
            arguments.encoder,
            {"conllu": arguments.treebank, "tsv": arguments.entities},
            {},
            settings.model_copy(update={"datasets": datasets, "epochs": epochs}),
            Path(folder),
            keep_model=False,
        )
        return read_json(Path(folder) / "timing.json")["training_seconds"] / (epochs * batches)


def sentences(path):
    return sum(not line.strip() for line in path.read_text(encoding="utf-8").splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("treebank", type=Path)
    parser.add_argument("entities", type=Path)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    settings = Experiment.read([CONFIGURATION]).finetuning("ug", "mbert", "mtl-ups-alt", 1)
    settings = settings.model_copy(update={"frozen_epochs": 0, "threads": arguments.threads})
    size = settings.batch_size
    parts = {"treebank": arguments.treebank / "train.conllu", "entities": arguments.entities / "train.tsv"}
    batches = {name: -(-sentences(path) // size) for name, path in parts.items()}
    longest = max(batches.values())
    print(f"batches an epoch: {longest} of each; alone {batches}")
    jobs = [(settings.datasets, arguments.epochs, 2 * longest)]
    for datasets, own in (([["ud", "pos"]], batches["treebank"]), ([["ner"]], batches["entities"])):
        jobs.append((datasets, max(1, round(arguments.epochs * longest / own)), own))
    ratios = []
    for number in range(1, arguments.rounds + 1):
        together, *alone = (seconds_a_batch(arguments, settings, *job) for job in jobs)
        ratios.append(together / statistics.mean(alone))
        seconds = [round(longest * one, 2) for one in (2 * together, sum(alone))]
        print(f"round {number}: an epoch {seconds[0]} s, its batches alone {seconds[1]} s, ratio {ratios[-1]:.3f}")
    print(f"ratio, median: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
