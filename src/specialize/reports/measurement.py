"""How fast this machine trains: a few steps of real models with random weights and data, timed and kept."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from specialize.bases.architectures import known_architectures
from specialize.experiment.machine import Machine
from specialize.experiment.speeds import Shape, Speed, keep_speeds, key_of
from specialize.finetuning.encoder import ScalarMix
from specialize.finetuning.layout import Layout
from specialize.finetuning.recurrent import TaskEncoder
from specialize.finetuning.settings import EntityTaggerSettings, ParserSettings, TaggerSettings
from specialize.finetuning.tasks import task_named
from specialize.pretraining.masked_loss import masked_loss
from specialize.pretraining.masked_text import MaskedBatch
from specialize.pretraining.settings import BASE_ARCHITECTURE
from specialize.training.devices import device, seed_everything
from specialize.training.feeding import on_device
from specialize.training.optimizer import AdamW
from specialize.training.precision import matrix_products, use_precision

EXAMPLES = 32
PIECES, PREDICTED = 128, 19  # of an example of pretraining
WORDS, PIECES_PER_WORD = 20, 2  # of a sentence of finetuning
LABELS = {"pos": ["X"] * 30, "ud": ["x"] * 40, "ner": ["O", "B-X", "I-X", "B-Y", "I-Y", "B-Z", "I-Z"]}
HEADS: dict[str, dict[str, Any]] = {
    "pos": TaggerSettings(dropout=0.4).as_dict(),
    "ner": EntityTaggerSettings(dropout=0.1, loss="mean").as_dict(),
    "ud": ParserSettings(
        input_dropout=0.3, dropout=0.3, arc_dimension=100, label_dimension=100, single_root=True
    ).as_dict(),
}
# A model of more is measured in fewer layers or with a smaller vocabulary, a batch of more with fewer examples, so that
# a measurement takes seconds and little memory. Speeds are of operations, so that the rest follows.
MOST_PARAMETERS = 100_000_000
MOST_OPERATIONS = {"cpu": 2e10, "cuda": 1e13}
SECONDS = 1.0  # of steps, at least, and two of them


def measure(shapes: Sequence[Shape]) -> dict[str, Speed]:
    """Measure speeds on the device that a job would train on, and keep them.

    Returns:
        By `speeds.key_of`.

    Raises:
        OSError: if they cannot be kept.
    """
    start = time.process_time()  # of this process, which has imported what a job imports
    machine = Machine.here()
    name = machine.device if torch.cuda.is_available() else "cpu"
    measured = {key_of(shape, name): _speed_of(shape, start) for shape in shapes}
    keep_speeds(measured)
    return measured


def _speed_of(shape: Shape, start: float) -> Speed:
    seed_everything(1, 1, 1, shape.threads)
    measured = replace(_smaller(shape), precision=use_precision(shape.precision))
    masked = shape.task == "masked"
    length, predicted = (PIECES, PREDICTED) if masked else (WORDS * PIECES_PER_WORD, 0)
    if shape.encoder != "transformer":
        length = WORDS
    operations = measured.operations(1, length, predicted)
    examples = max(1, min(EXAMPLES, math.floor(MOST_OPERATIONS[device().type] / (3 * operations))))
    model, loss, predict = (_pretraining if masked else _finetuning)(measured, examples)
    model.to(device())
    optimizer = AdamW([{"params": list(model.parameters()), "lr": 1e-5}], 1e-8, True)
    schedule = LambdaLR(optimizer, lambda step: 1.0)

    def update() -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()

    def train() -> None:
        loss().backward()  # type: ignore[no-untyped-call]

    model.train()
    training, updating = _seconds(train, update)
    model.eval()
    with torch.no_grad():
        (predicting,) = _seconds(predict)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Speed(3 * examples * operations / training, examples * operations / predicting, parameters / updating, start)


def _smaller(shape: Shape) -> Shape:
    """A shape of which a few steps take seconds, as fast by its operations as the given one."""
    if shape.encoder != "transformer":
        return shape
    most_pieces = max(1000, MOST_PARAMETERS // 4 // shape.width)
    pieces = min(shape.pieces, most_pieces)
    a_layer = 4 * shape.width**2 + 2 * shape.width * shape.inner
    layers = max(1, min(shape.layers, MOST_PARAMETERS // a_layer))
    return replace(shape, layers=layers, pieces=pieces)


def _seconds(*steps: Callable[[], object]) -> list[float]:
    """The seconds that each of some steps takes, one after the other: the median of some rounds.

    On a CPU it is the threads' own time, so that what else the machine does at the moment is hardly any part of it.
    """
    taken: list[list[float]] = [[] for _ in steps]
    rounds, spent = 0, 0.0
    while rounds < 3 or spent < SECONDS:
        for step, seconds in zip(steps, taken, strict=True):
            before = _clock()
            step()
            if rounds:  # the first one allocates
                seconds.append(_clock() - before)
                spent += seconds[-1]
        rounds += 1
    return [median(seconds) for seconds in taken]


def _clock() -> float:
    if device().type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time() / min(torch.get_num_threads(), os.cpu_count() or 1)


def _new_model(shape: Shape) -> Any:
    heads = next(number for number in range(max(1, shape.width // 64), 0, -1) if shape.width % number == 0)
    sizes = {
        "num_hidden_layers": shape.layers,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_attention_heads": heads,
    }
    return known_architectures()[BASE_ARCHITECTURE].new_masked_lm(sizes, shape.pieces, {"pad": 0})


def _pretraining(shape: Shape, examples: int) -> tuple[nn.Module, Callable[[], Tensor], Callable[[], object]]:
    model = _new_model(shape)
    ids = torch.randint(1, shape.pieces, (examples, PIECES))
    places = torch.arange(examples * PREDICTED) * (PIECES // PREDICTED)
    everywhere = torch.ones_like(ids, dtype=torch.bool)
    batch = MaskedBatch(ids, everywhere, torch.zeros_like(ids), places, ids.flatten()[places], padded=False)
    batch = on_device(batch, device())

    def loss() -> Tensor:
        return masked_loss(model, batch, shape.precision)

    return model, loss, loss


def _finetuning(shape: Shape, sentences: int) -> tuple[nn.Module, Callable[[], Tensor], Callable[[], object]]:
    model = nn.ModuleDict()
    transformer = shape.encoder == "transformer"
    if transformer:
        model["encoder"] = _new_model(shape).base_model
        model["mix"] = ScalarMix(shape.layers, 0.1, False)
        width = shape.width
    else:
        highway = shape.encoder == "highway"
        model["encoder"] = TaskEncoder(shape.inner, shape.layers, shape.width, 0.0, 0.3, highway)
        width = 2 * shape.width
    model["head"] = head = task_named(shape.task, "xpos", LABELS[shape.task]).head(width, HEADS[shape.task])
    layout = on_device(Layout.of([WORDS] * sentences), device())
    ids = torch.randint(1, max(shape.pieces, 2), (sentences, WORDS * PIECES_PER_WORD), device=device())
    static = torch.randn(sentences, WORDS, shape.inner, device=device())
    targets = [torch.randint(0, min(WORDS, len(LABELS[shape.task])), layout.places.shape, device=device())]
    if shape.task == "ud":
        targets *= 2  # heads and relations

    def vectors() -> Tensor:
        if not transformer:
            found: Tensor = model["encoder"](static, layout)
            return found
        with matrix_products(shape.precision, model["encoder"]):
            hidden = model["encoder"](ids, output_hidden_states=True).hidden_states[1:]
        mixed: Tensor = model["mix"](hidden)
        return mixed.reshape(sentences, WORDS, PIECES_PER_WORD, width).mean(2)

    def loss() -> Tensor:
        measured: Tensor = head.loss(vectors(), layout, *targets)  # type: ignore[operator]
        return measured

    def predict() -> None:
        head.decode(vectors(), layout)  # type: ignore[operator]

    return model, loss, predict


if __name__ == "__main__":
    measure([Shape(**sizes) for sizes in json.load(sys.stdin)])
