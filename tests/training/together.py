"""What the processes of `test_processes` do. They write what they find where the test reads it."""

import contextlib
import os
import shutil
import signal

import torch
from tests.pretraining.conftest import DESCRIPTION, small_settings
from tokenizers import Tokenizer
from transformers import BertForMaskedLM

from specialize.errors import InputError
from specialize.pretraining.masked_text import MaskedText, training_text
from specialize.pretraining.pretrain import adapt, masked_loss
from specialize.training import loop
from specialize.training.checkpoint import StoppedError
from specialize.training.optimizer import AdamW, Tier, decayed_groups
from specialize.training.process_group import process_group

STEPS = 20
SETTINGS = small_settings(batch_size=5, bias_correction=True)  # two processes have three examples and two


class PlainMean(MaskedText):
    """As if each process took the mean loss of its part, and the gradient were the mean of theirs."""

    def micro_batches(self, batch, number):
        parts = super().micro_batches(batch, number)
        return [(1 / len(parts), examples) for _, examples in parts]


def steps(folder, *, kind=MaskedText, batch_size=5, most=None):
    """Losses and last weights of some steps without dropout, and into how many parts each process has split its own.

    Args:
        folder: with the inputs.
        kind: of text.
        batch_size: examples.
        most: examples at a time that fit the last process.
    """
    group = process_group()
    model = BertForMaskedLM.from_pretrained(folder / "plain").train()
    tokenizer = Tokenizer.from_file(str(folder / "plain/tokenizer.json"))
    settings = SETTINGS.model_copy(update={"batch_size": batch_size})
    text = training_text([folder / "corpus/train.txt"], tokenizer, settings)
    text.__class__ = kind
    tier = Tier([model.bert.embeddings.word_embeddings.weight], torch.tensor([1, 7]), 5.0)
    optimizer = AdamW(decayed_groups(model, 2e-3, 0.01, ()), 1e-6, True, tier)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)

    def loss_of(batch):
        if most and group.rank == group.size - 1 and len(batch.ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return masked_loss(model, batch)

    training = loop.Training(model, optimizer, schedule, text, loss_of, gradient_norm=0.5)
    sums = []
    for examples, _ in zip(text.epoch(1), range(STEPS), strict=False):
        training.step(training.prepared(examples))
        sums.append(group.total(training.loss_sum).clone())
    group.check_equal(model, "in this test")
    weights = {name: value.detach().clone() for name, value in model.named_parameters()}
    return {"losses": torch.stack(sums).diff(), **weights}, training.outcome.micro_batches


def adapted(folder, name, base="base", *, stop_at=None):
    """A whole training, in which one process gets a signal after so many steps; how many steps it took."""
    group, step, done = process_group(), loop.Training.step, []

    def counted(self, batch):
        done.append(1)
        if len(done) == stop_at and group.rank == group.size - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, batch)

    loop.Training.step = counted
    settings = SETTINGS.model_copy(update={"gpus": group.size})
    inputs = (folder / base, folder / "vocabulary", folder / "corpus")
    try:
        adapt(*inputs, 5.0, settings, DESCRIPTION, folder / name, folder / f"{name}-state")
    except StoppedError:
        assert stop_at
    else:
        assert not stop_at
    finally:
        loop.Training.step = step
    return len(done)


def everything(folder):
    """All that two processes are asked for, lest each test starts its own."""
    group = process_group()
    found = {
        "equal": steps(folder),
        "plain mean": steps(folder, kind=PlainMean),
        "one example": steps(folder, batch_size=1),
        "too large": steps(folder, most=1),
        "undisturbed": adapted(folder, "undisturbed"),
        "before": adapted(folder, "resumed", stop_at=13),
    }
    if group.first:
        shutil.copytree(folder / "resumed-state", folder / "ended-alone-state")
    group.wait()
    found["after"] = adapted(folder, "resumed")
    found["after one alone"] = adapted(folder, "begun-alone", "plain")
    if group.first:
        torch.save(found, folder / "found.pt")
    print(f"process {group.rank} prints")
    group.wait()
    if not group.first:
        raise InputError("text", "is bad", line=3)
    with contextlib.suppress(TimeoutError):
        group.wait()  # for one that is gone
