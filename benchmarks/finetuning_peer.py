"""Trains and decodes with SuPar's biaffine parser; run by finetuning.py with the Python of SuPar's environment.

Training counts its training steps only, as ours does; it decodes with its check for trees on.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # its checkpoints are pickles of its own

import torch
from supar import BiaffineDependencyParser

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
torch.manual_seed(settings["seed"])
seconds = {"_train": 0.0, "_predict": 0.0}


def timed(name):
    method = getattr(BiaffineDependencyParser, name)

    def call(self, loader):
        began = time.monotonic()
        result = method(self, loader)
        seconds[name] += time.monotonic() - began
        steps[name] = len(loader)
        return result

    setattr(BiaffineDependencyParser, name, call)


steps = {}
for name in seconds:
    timed(name)
data, folder = Path(settings["treebank"]), Path(settings["folder"])
files = {part: str(data / f"{part}.conllu") for part in ("train", "dev", "test")}
options = {
    "train": files["train"],
    "encoder": "bert",
    "feat": [],
    "bert": settings["encoder"],
    "n_bert_layers": 0,  # all
    "mix_dropout": settings["layer_dropout"],
    "encoder_dropout": settings["dropout"],
    "mlp_dropout": settings["dropout"],
    "n_arc_mlp": settings["dimension"],
    "n_rel_mlp": settings["dimension"],
}
parser = BiaffineDependencyParser.build(folder / "model", build=True, **options)
parser.train(
    **files,
    buckets=settings["buckets"],
    batch_size=settings["words"],
    epochs=settings["epochs"],
    patience=settings["epochs"],
    clip=settings["gradient_norm"],
    lr=settings["learning_rate"] * settings["encoder_multiplier"],
    lr_rate=1 / settings["encoder_multiplier"],
    warmup=settings["warmup"],
    checkpoint=False,
    punct=True,
    tree=True,
    verbose=False,
)
parser = BiaffineDependencyParser.load(str(folder / "model"))
parser.predict(
    files["test"], str(folder / "predictions.conllu"), batch_size=4 * settings["words"], tree=True, verbose=False
)
print(json.dumps({"training": seconds["_train"], "decoding": seconds["_predict"], "steps": steps["_train"]}))
