"""Finetuning a parser beside SuPar's: sentences a second in training and in decoding, and LAS; and a job's start-up.

    python benchmarks/finetuning.py parser TREEBANK ENCODER --peer PYTHON [--epochs 10] [--seeds 3] [--batch 32]
    python benchmarks/finetuning.py start

TREEBANK has train.conllu, dev.conllu and test.conllu; ENCODER is a BERT in Hugging Face's format. PYTHON belongs to an
environment with SuPar 1.1.4 and the last transformers that it works with:

    python -m venv supar && supar/bin/pip install torch==2.13.0 transformers==4.40.2 supar==1.1.4

Both train the same architecture (mean of each word's pieces, mix of all layers, MLPs and dropout of the same size)
with the same base rates from the first epoch on, in processes of their own that take turns. SuPar's batches have as
many words as ours have on average. Trees are scored by the official evaluation.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from udtools.udeval import evaluate, load_conllu_file

from specialize.datasets import read_treebank
from specialize.files import read_json

PEERS = ("SuPar", "specialize")
BARE = "import torch; from transformers.models.bert.modeling_bert import BertModel"
OURS = "import specialize.finetuning.finetune; from transformers.models.bert.modeling_bert import BertModel"
SETTINGS = {
    "learning_rate": 0.002,
    "encoder_multiplier": 0.25,
    "gradient_norm": 5.0,
    "layer_dropout": 0.1,
    "dropout": 0.3,
    "dimension": 100,
}


def run_specialize(settings, folder):
    """What one of our jobs took; called in a process of its own."""
    from specialize.finetuning.finetune import finetune
    from specialize.finetuning.settings import FinetuningSettings

    head = {"input_dropout": 0.0, "dropout": settings["dropout"], "single_root": True}  # SuPar has no dropout besides
    head |= dict.fromkeys(("arc_dimension", "label_dimension"), settings["dimension"])
    shared = {name: settings[name] for name in ("threads", "epochs", "learning_rate", "encoder_multiplier")}
    finetune(
        Path(settings["encoder"]),
        {"conllu": Path(settings["treebank"])},
        {"language": "treebank", "representation": "encoder", "regime": "ud", "seed": settings["seed"]},
        FinetuningSettings(
            **shared,
            patience=settings["epochs"],
            frozen_epochs=0,
            schedule=settings["schedule"],
            weight_decay=0.0,
            gradient_norm=settings["gradient_norm"],
            bias_correction=True,
            layer_dropout=settings["layer_dropout"],
            layer_dropout_when_evaluating=False,
            leading_space=True,
            unknown_words="subwords",
            vector_updates="dense",
            precision=settings["precision"],
            deterministic=False,
            development_punctuation=True,
            alt_punctuation="upos",
            batch_size=settings["batch"],
            seeds=[settings["seed"]] * 3,
            tags=None,
            datasets=[["ud"]],
            upsample=False,
            order="shuffled",
            heads={"ud": head},
            task_encoders=None,
            method="base",
        ),
        folder,
        keep_model=False,
    )


def measured(peer, settings, python):
    """Training and decoding sentences a second, LAS, and batches an epoch."""
    test = Path(settings["treebank"]) / "test.conllu"
    sentences = {part: len(read_treebank(test.with_name(f"{part}.conllu"))) for part in ("train", "test")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if peer == "SuPar":
            script = Path(__file__).with_name("finetuning_peer.py")
            command = [python, str(script), json.dumps({**settings, "folder": name})]
            seconds = json.loads(output_of(command).splitlines()[-1])
            training = settings["epochs"] * sentences["train"] / seconds["training"]
            decoding, steps = sentences["test"] / seconds["decoding"], seconds["steps"]
        else:
            output_of([sys.executable, __file__, "job", json.dumps(settings), name])
            timing = read_json(folder / "timing.json")
            training, decoding = timing["training_sentences_per_second"], timing["decoding_sentences_per_second"]
            steps = -(-sentences["train"] // settings["batch"])
        score = evaluate(load_conllu_file(str(test)), load_conllu_file(str(folder / "predictions.conllu")))["LAS"].f1
    return {"training": training, "decoding": decoding, "LAS": 100 * score, "steps": steps}


def output_of(command):
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(finished.stderr)
    return finished.stdout


def compare_parsers(arguments):
    words = [len(sentence.words) for sentence in read_treebank(arguments.treebank / "train.conllu")]
    settings = SETTINGS | {
        "treebank": str(arguments.treebank.absolute()),
        "encoder": str(arguments.encoder.absolute()),
        "threads": arguments.threads,
        "epochs": arguments.epochs,
        "batch": arguments.batch,
        "words": round(arguments.batch * (1 + statistics.mean(words))),  # it counts the root
        "buckets": 8,
        "schedule": arguments.schedule,
        "precision": arguments.precision,
        "warmup": 0.1,
    }
    results = {peer: [] for peer in PEERS}
    for seed in range(1, arguments.seeds + 1):
        for peer in PEERS:
            results[peer].append(measured(peer, settings | {"seed": seed}, arguments.peer))
            print(peer, seed, {name: round(value, 2) for name, value in results[peer][-1].items()}, flush=True)
    for figure in ("training", "decoding"):
        ratios = [ours[figure] / theirs[figure] for theirs, ours in zip(*results.values(), strict=True)]
        medians = {peer: round(statistics.median(one[figure] for one in results[peer]), 1) for peer in PEERS}
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{figure}, sentences/s: {medians}; ratio {spread}")
    for peer in PEERS:
        scores = [one["LAS"] for one in results[peer]]
        deviation = statistics.stdev(scores) if len(scores) > 1 else float("nan")
        print(f"LAS of {peer}: {statistics.mean(scores):.2f} ± {deviation:.2f}")


def compare_starts(arguments):
    seconds = {BARE: [], OURS: []}
    for _ in range(arguments.rounds + 1):
        for program, taken in seconds.items():
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", program], check=True)
            taken.append(time.monotonic() - began)
    bare, ours = (statistics.median(taken[1:]) for taken in seconds.values())  # the first round fills the disk's cache
    print(f"torch and BERT {bare:.2f} s, a finetuning job {ours:.2f} s, ratio {ours / bare:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)
    start = modes.add_parser("start")
    start.add_argument("--rounds", type=int, default=7)
    start.set_defaults(run=compare_starts)
    parsers = modes.add_parser("parser")
    parsers.add_argument("treebank", type=Path)
    parsers.add_argument("encoder", type=Path)
    parsers.add_argument("--peer", required=True, help="the Python of SuPar's environment")
    parsers.add_argument("--epochs", type=int, default=10)
    parsers.add_argument("--seeds", type=int, default=3)
    parsers.add_argument("--batch", type=int, default=32)
    parsers.add_argument("--threads", type=int, default=2)
    parsers.add_argument("--schedule", default="constant", choices=["inverse-square-root", "constant"])
    parsers.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parsers.set_defaults(run=compare_parsers)
    job = modes.add_parser("job")
    job.add_argument("settings")
    job.add_argument("folder", type=Path)
    job.set_defaults(run=lambda given: run_specialize(json.loads(given.settings), given.folder))
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
