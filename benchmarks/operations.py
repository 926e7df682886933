"""How many operations a training step and a decoded batch send to the device, of each task and of pretraining.

    python benchmarks/operations.py [--words 100] [--only ner]
    PYTHONPATH=OTHER/src python benchmarks/operations.py

Each operation is work for the processor that sends it, and all but views start a kernel on a GPU, which is what such
small models spend their time on there. The number does not depend on widths, so that tiny models tell it, on a CPU:
here a BERT of 12 narrow layers, and narrow BiLSTMs over static vectors, on invented sentences of so many words each,
with the settings of config/config.yaml. Whole jobs run, and the last step of each kind counts. With another tree's src
in PYTHONPATH the numbers are that tree's. A CPU takes the CRF word by word; with `--gpu-paths` it goes a GPU's way.
"""

import argparse
import contextlib
import importlib
import io
import random
import tempfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import BertConfig, BertForMaskedLM

import specialize
from specialize.experiment import Experiment
from specialize.files import write_json
from specialize.finetuning import finetune
from specialize.finetuning.model import TaskModel
from specialize.pretraining import pretrain
from specialize.pretraining.static_vectors import train_static_vectors
from specialize.training.devices import seed_everything
from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer, save_tokenizer

CONFIGURATION = Path(specialize.__file__).parents[2] / "config" / "config.yaml"  # of the tree that is measured
SENTENCES = 32  # in a batch
LETTERS = "abdegiklmnorstuw"
ENTITIES = ["B-LOC", "I-LOC", "B-PER", "I-PER", "B-ORG", "I-ORG", "O"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 12, "num_attention_heads": 2, "intermediate_size": 32}
PHASES = ["forward", "backward", "update", "batch"]
JOBS = {
    "pos": ("mbert", "pos"),
    "ner": ("mbert", "ner"),
    "ud": ("mbert", "ud"),
    "multi-task": ("mbert", "mtl-ups-alt"),
    "static pos": ("fasttext", "pos"),
    "static ner": ("fasttext", "ner"),
    "static ud": ("fasttext", "ud"),
}


class Steps(TorchDispatchMode):
    """Counts the operations of each phase of training.

    Attributes:
        phase: the present one: `batch` between two steps (making a batch, adding up losses), then `forward`,
            `backward`, `update` (clipping, optimizer, schedule), or `decoding`.
        counted: of the present step, by phase; views by the phase's name and " views".
        steps: of the last step of each kind, by its name.
    """

    def __init__(self):
        super().__init__()
        self.phase, self.counted, self.steps = "batch", Counter(), {}

    def __torch_dispatch__(self, operation, types, arguments=(), named=None):
        self.counted[self.phase] += 1
        self.counted["views"] += self.phase in PHASES and operation.is_view
        return operation(*arguments, **(named or {}))

    def keep(self, kind):
        """The step is over."""
        self.steps[kind], self.counted = self.counted, Counter()
        self.phase = "batch"

    def decoding(self, kind, work):
        """Count the operations of a whole batch that is decoded."""
        before, self.phase, self.counted["decoding"] = self.phase, "decoding", 0
        result = work()
        self.phase = before
        self.steps.setdefault(kind, Counter())["decoding"] = self.counted.pop("decoding")
        return result


@contextlib.contextmanager
def watched(steps):
    """Tell the phases apart. All that depends on how the package trains is in this function."""
    kind = None
    real_loss, real_predict, real_masked = TaskModel.loss, TaskModel.predict, pretrain.masked_loss
    real_backward, real_zero_grad = torch.Tensor.backward, torch.optim.Optimizer.zero_grad

    def loss(model, words, targets, *rest):
        nonlocal kind
        kind, steps.phase = "+".join(targets), "forward"
        return real_loss(model, words, targets, *rest)

    def masked_loss(*given, **named):
        nonlocal kind
        if not torch.is_grad_enabled():
            return steps.decoding("pretraining", lambda: real_masked(*given, **named))
        kind, steps.phase = "pretraining", "forward"
        return real_masked(*given, **named)

    def backward(tensor, *given, **named):
        steps.phase = "backward"
        real_backward(tensor, *given, **named)
        steps.phase = "update"

    def zero_grad(optimizer, *given, **named):
        real_zero_grad(optimizer, *given, **named)
        decoded = steps.steps.get(kind, {}).get("decoding")
        steps.keep(kind)
        if decoded:
            steps.steps[kind]["decoding"] = decoded

    def predict(model, task, sentences, *rest):
        return steps.decoding(task, lambda: real_predict(model, task, sentences, *rest))

    with (
        patch.object(TaskModel, "loss", loss),
        patch.object(TaskModel, "predict", predict),
        patch.object(pretrain, "masked_loss", masked_loss),
        patch.object(torch.Tensor, "backward", backward),
        patch.object(torch.optim.Optimizer, "zero_grad", zero_grad),
        steps,
    ):
        yield


# -- data and models ---------------------------------------------------------------------------------------


def write_data(folder, words):
    """Two batches of training sentences of so many words of one letter, one of development and one of test data."""
    generator = random.Random(1)
    for part, size in {"train": 2 * SENTENCES, "dev": SENTENCES, "test": SENTENCES}.items():
        trees, entities = [], []
        for number in range(size):
            letters = generator.choices(LETTERS, k=words)
            rows = [
                f"{place}\t{letter}\t_\tNOUN\t{letter}\t_\t{place - 1}\t{'root' if place == 1 else 'dep'}\t_\t_"
                for place, letter in enumerate(letters, start=1)
            ]
            trees.append("\n".join([f"# sent_id = {number}", f"# text = {' '.join(letters)}", *rows]) + "\n\n")
            labels = [ENTITIES[place % len(ENTITIES)] for place in range(words)]
            entities.append("".join(f"{word}\t{label}\n" for word, label in zip(letters, labels, strict=True)) + "\n")
        (folder / f"{part}.conllu").write_text("".join(trees), encoding="utf-8")
        (folder / f"{part}.tsv").write_text("".join(entities), encoding="utf-8")
        lines = "\n\n".join(" ".join(generator.choices(LETTERS, k=126)) for _ in range(size))
        (folder / f"{part.replace('dev', 'valid')}.txt").write_text(lines + "\n", encoding="utf-8")
    statistics = {"sentences": 2 * SENTENCES, "tokens": 2 * SENTENCES * 126}
    write_json(folder / "statistics.json", {"train": statistics})


def write_encoder(folder):
    """A narrow BERT with a piece for each letter, and its tokenizer."""
    tokenizer = bert_tokenizer({piece: number for number, piece in enumerate([*SPECIAL_TOKENS, *LETTERS])})
    seed_everything(1, 1, 1, threads=1)
    model = BertForMaskedLM(BertConfig(vocab_size=tokenizer.get_vocab_size(), **SIZES))
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return model, tokenizer


def finetune_once(experiment, name, data, encoder, vectors):
    representation, regime = JOBS[name]
    settings = experiment.finetuning("ug", representation, regime, 1)
    changes = {"epochs": 1, "frozen_epochs": 0, "threads": 1, "batch_size": SENTENCES}
    if settings.task_encoders is not None:
        changes["task_encoders"] = {task: sizes | {"hidden_size": 16} for task, sizes in settings.task_encoders.items()}
    start = encoder if representation == "mbert" else vectors
    with tempfile.TemporaryDirectory() as folder:
        data = {"conllu": data, "tsv": data}
        finetune.finetune(start, data, {}, settings.model_copy(update=changes), Path(folder), keep_model=False)


def pretrain_once(experiment, data, model, tokenizer):
    changes = {"epochs": 1, "threads": 1, "warmup_steps": 1, "copies": 1}
    settings = experiment.pretraining("tva").model_copy(update=changes)
    ids = torch.arange(len(SPECIAL_TOKENS), len(SPECIAL_TOKENS) + 2)
    pretrain.pretrain(model, tokenizer, [data / "train.txt"], [data / "valid.txt"], settings, (ids, 5.0))


def counted(names, words):
    """The operations of each kind of step, by job and kind."""
    experiment = Experiment.read([CONFIGURATION])
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        data, encoder, vectors = (Path(folder) / name for name in ("data", "encoder", "vectors"))
        for path in (data, encoder, vectors):
            path.mkdir()
        write_data(data, words)
        model, tokenizer = write_encoder(encoder)
        changes = {"dimension": 16, "buckets": 300, "epochs": 1}
        train_static_vectors(data, experiment.vectors("fasttext").model_copy(update=changes), vectors)
        for name in names:
            steps = Steps()
            with watched(steps):
                if name == "pretraining":
                    pretrain_once(experiment, data, model, tokenizer)
                else:
                    finetune_once(experiment, name, data, encoder, vectors)
            found |= {(name, kind): of_it for kind, of_it in steps.steps.items()}
    return found


def like_a_gpu():
    """Have the CRF take a GPU's way; a tree without one has a single way."""
    with contextlib.suppress(ImportError):
        crf = importlib.import_module("specialize.finetuning.crf")
        crf.partition_by_word, crf.best_by_word = crf.partition_by_scan, crf.best_by_scan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=100, help="of each labeled sentence")
    parser.add_argument("--only", nargs="+", choices=[*JOBS, "pretraining"], default=[*JOBS, "pretraining"])
    parser.add_argument("--gpu-paths", action="store_true", help="count what a GPU would be sent")
    arguments = parser.parse_args()
    if arguments.gpu_paths:
        like_a_gpu()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = counted(arguments.only, arguments.words)
    print(
        f"torch {torch.__version__}, {SENTENCES} sentences of {arguments.words} words, or 32 examples of 128 pieces\n"
    )
    columns = ["job", "learned from a batch", *PHASES[:3], "between steps", "step", "of them views", "decoded batch"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for (job, kind), numbers in found.items():
        if numbers["forward"]:  # not of a task that is learned together with another one
            decoded = " + ".join(str(found[job, task]["decoding"]) for task in kind.split("+"))
            phases = [numbers[phase] for phase in PHASES]
            print("| " + " | ".join(map(str, [job, kind, *phases, sum(phases), numbers["views"], decoded])) + " |")


if __name__ == "__main__":
    main()
