"""Batches made ahead by another thread: the same ones, in order, with their errors, and no thread left over."""

import signal
import threading
import time
from contextlib import closing
from dataclasses import dataclass

import pytest
import torch
from tests.finetuning import conftest as finetuning
from tests.pretraining import conftest as pretraining
from torch import nn

from specialize.finetuning.finetune import finetune
from specialize.pretraining.pretrain import adapt
from specialize.training import loop
from specialize.training.checkpoint import StoppedError
from specialize.training.feeding import AHEAD, fed, made_ahead, on_device
from specialize.training.loop import Training
from specialize.training.optimizer import AdamW, linear_schedule


def numbers(until, made=None, error_at=None):
    for number in range(until):
        if number == error_at:
            raise ValueError(f"number {number}")
        if made is not None:
            made.append((number, threading.current_thread()))
        yield number


def threads_left(before):
    """Threads that were not there before; one may need a moment to end."""
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


@pytest.mark.parametrize("until", [0, 1, AHEAD, 20])
def test_all_items_come_in_order_made_by_one_other_thread(until):
    made, before = [], set(threading.enumerate())
    assert list(made_ahead(numbers(until, made))) == list(range(until))
    assert [number for number, _ in made] == list(range(until))
    assert len({thread for _, thread in made} - {threading.main_thread()}) == min(until, 1)
    assert not threads_left(before)


def test_no_more_are_made_than_a_few_ahead():
    made = []
    with closing(made_ahead(numbers(100, made))) as items:
        assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
        time.sleep(0.05)
        assert 5 <= len(made) <= 5 + AHEAD


def test_an_error_comes_where_its_item_would():
    before, seen = set(threading.enumerate()), []
    with pytest.raises(ValueError, match="number 7"):
        seen.extend(made_ahead(numbers(20, error_at=7)))
    assert seen == list(range(7))
    assert not threads_left(before)


@pytest.mark.parametrize("taken", [0, 1, 4])
def test_whoever_stops_early_leaves_no_thread(taken):
    before = set(threading.enumerate())
    items = made_ahead(numbers(10**9))
    with pytest.raises(KeyboardInterrupt), closing(items):
        for _ in range(taken):
            next(items)
        raise KeyboardInterrupt
    assert not threads_left(before)


def test_a_cpu_that_computes_makes_each_when_it_is_asked_for():
    made = []
    items = fed(numbers(9, made), torch.device("cpu"))
    assert [next(items), next(items)] == [0, 1]
    assert made == [(0, threading.current_thread()), (1, threading.current_thread())]


@dataclass(frozen=True)
class Nested:
    tensor: torch.Tensor
    lengths: tuple[int, ...]
    more: dict


def test_a_batch_moves_with_all_that_is_in_it():
    batch = [(0.5, Nested(torch.ones(2), (1, 2), {"a": [torch.zeros(3), None]}))]
    ((weight, moved),) = on_device(batch, torch.device("meta"))
    assert (weight, moved.lengths, moved.more["a"][1]) == (0.5, (1, 2), None)
    assert moved.tensor.device.type == moved.more["a"][0].device.type == "meta"


class Watched:
    """A loader of ten batches, noting which were made."""

    def __init__(self):
        self.made = []

    def epoch(self, number):
        return iter(range(10))

    def steps(self):
        return 10

    def micro_batches(self, batch, number):
        return [(1 / number, batch)] * number

    def tensors(self, batch):
        self.made.append(batch)
        return torch.full((2,), float(batch))


def test_batches_that_are_done_are_not_made_again():
    model, loader = nn.Linear(2, 1), Watched()
    optimizer = AdamW([{"params": list(model.parameters()), "lr": 0.1, "weight_decay": 0.0}], 1e-8, True)
    training = Training(
        model, optimizer, linear_schedule(optimizer, 0, 9), loader, lambda batch: model(batch).sum(), 1.0
    )
    training.steps = 7
    training.train_epoch(1)
    assert loader.made == [7, 8, 9]
    assert training.steps == 10


# -- whole jobs --------------------------------------------------------------------------------------------


def pretrained(folder, inputs):
    settings = pretraining.small_settings(masking="dynamic")
    folders = (inputs / name for name in ("base", "vocabulary", "corpus"))
    adapt(*folders, 5.0, settings, pretraining.DESCRIPTION, folder / "results", folder / "checkpoints")
    return (folder / "results/model.safetensors").read_bytes(), (folder / "results/history.json").read_bytes()


def finetuned(folder, inputs):
    (folder / "results").mkdir(parents=True, exist_ok=True)
    settings, cell = finetuning.small_settings("ud", epochs=2), {"regime": "ud"}
    data = {"conllu": inputs / "data"}
    finetune(inputs / "encoder", data, cell, settings, folder / "results", False, folder / "checkpoints")
    return (folder / "results/predictions.conllu").read_bytes(), (folder / "results/history.json").read_bytes()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("base", "corpus", "data", "encoder"):
        (folder / name).mkdir()
    pretraining.write_base(folder / "base")
    pretraining.write_corpus(folder / "corpus")
    pretraining.write_vocabulary(folder / "vocabulary", pretraining.NEW_PIECES)
    finetuning.write_data(folder / "data")
    finetuning.write_encoder(folder / "encoder")
    return folder


@pytest.mark.parametrize("job", [pretrained, finetuned])
def test_a_job_whose_batches_a_thread_makes_ends_alike_stopped_by_a_signal_or_not(job, inputs, tmp_path, monkeypatch):
    expected = job(tmp_path / "alone", inputs)
    threads, step, steps = set(threading.enumerate()), Training.step, []

    def stopped_at_the_ninth(training, batch):
        step(training, batch)
        steps.append(training.steps)
        if len(steps) == 9:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(loop, "fed", lambda items, device: made_ahead(items))
    monkeypatch.setattr(Training, "step", stopped_at_the_ninth)
    with pytest.raises(StoppedError):
        job(tmp_path / "ahead", inputs)
    assert len(steps) == 10, "processes agree on a signal within a step, so it is the next one that ends it"
    assert not threads_left(threads)
    assert job(tmp_path / "ahead", inputs) == expected
    assert steps[10] == steps[9] % max(steps) + 1, "it goes on with the next batch"
