"""The same bytes twice: always on a CPU, on a GPU if asked for.

There is no GPU here: what torch would say of one is put in its place. That no operation without a deterministic form
would stop a job on one is told from the operations that it runs here.
"""

import os

import pytest
import torch
from tests.finetuning.conftest import finetuned, write_data, write_encoder, write_static_vectors
from tests.pretraining.conftest import DESCRIPTION, small_settings, write_base, write_corpus, write_vocabulary
from torch.utils._python_dispatch import TorchDispatchMode

from specialize.pretraining.pretrain import adapt
from specialize.training.devices import CUBLAS_WORKSPACE, seed_everything


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.delenv(CUBLAS_WORKSPACE, raising=False)
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    yield
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("on_gpu", [False, True])
def test_torch_is_asked_for_deterministic_algorithms(monkeypatch, deterministic, on_gpu):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: on_gpu)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", deterministic)
    seed_everything(1, 1, 1, threads=1, deterministic=deterministic)
    assert torch.are_deterministic_algorithms_enabled() == (deterministic or not on_gpu)
    assert torch.is_deterministic_algorithms_warn_only_enabled() == (not on_gpu)
    assert os.environ.get(CUBLAS_WORKSPACE) == (":4096:8" if deterministic and on_gpu else None)
    assert torch.backends.cudnn.benchmark == (deterministic and not on_gpu), "the choice of the fastest is off"


@pytest.mark.parametrize(("given", "taken"), [(":16:8", ":16:8"), (":0:1", ":4096:8")])
def test_a_workspace_of_the_user_is_kept_if_it_gives_the_same_bytes(monkeypatch, given, taken):
    monkeypatch.setenv(CUBLAS_WORKSPACE, given)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    seed_everything(1, 1, 1, threads=1, deterministic=True)
    assert os.environ[CUBLAS_WORKSPACE] == taken


# What torch.use_deterministic_algorithms says has no deterministic form on a GPU.
WITHOUT = (
    "put_", "histc", "bincount", "median", "nll_loss2d", "ctc_loss", "grid_sampler", "upsample", "reflection_pad",
    "adaptive_", "avg_pool3d", "fractional_max_pool", "max_unpool", "scatter_reduce", "kthvalue", "cudnn_ctc",
)  # fmt: skip


MAXIMUM = 2  # of the words of a bag


class Refused(TorchDispatchMode):
    """Notes the operations that a deterministic job on a GPU would be stopped by."""

    def __init__(self):
        super().__init__()
        self.of, self.number = set(), 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name = function.overloadpacket.__name__.lstrip("_")
        summed = name.startswith("cumsum") and arguments[0].is_floating_point()
        largest = name == "embedding_bag" and arguments[4] == MAXIMUM
        if name.startswith(WITHOUT) or summed or largest:
            self.of.add(name)
        self.number += 1
        return function(*arguments, **(keywords or {}))


def test_operations_without_a_deterministic_form_are_noticed():
    with Refused() as refused:
        values = torch.rand(4, requires_grad=True)
        values.cumsum(0).sum().backward()
        torch.arange(4).cumsum(0)
        torch.zeros(4).put_(torch.tensor([1]), torch.ones(1))
        for mode in ("mean", "max"):
            table = torch.rand(4, 2, requires_grad=True)
            torch.nn.functional.embedding_bag(torch.arange(4), table, torch.tensor([0, 2]), mode=mode)
            assert ("embedding_bag" in refused.of) == (mode == "max")
    assert refused.of == {"cumsum", "put_", "embedding_bag"}


def test_no_operation_of_a_job_lacks_a_deterministic_form(tmp_path):
    for name in ("base", "corpus", "encoder", "data", "vectors"):
        (tmp_path / name).mkdir()
    vocabulary = write_vocabulary(tmp_path / "tva", ["ქა", "##რი"])
    base, corpus, data = (
        write(tmp_path / name) for name, write in (("base", write_base), ("corpus", write_corpus), ("data", write_data))
    )
    encoder, vectors = write_encoder(tmp_path / "encoder"), write_static_vectors(tmp_path / "vectors", data)
    recurrent = {"layers": 1, "hidden_size": 4, "input_dropout": 0.0, "dropout": 0.1, "highway": True}
    once = {"epochs": 1, "frozen_epochs": 0, "batch_size": 24}
    with Refused() as refused:
        settings = small_settings(epochs=1, steps_per_epoch=2, tiering="two-groups")
        adapt(base, vocabulary, corpus, 5.0, settings, DESCRIPTION, tmp_path / "model")
        finetuned(tmp_path / "mtl", encoder, data, "mtl-int", **once)
        for updates, task in (("sparse", "ud"), ("dense", "pos")):
            changes = {"task_encoders": {task: recurrent}, "method": "fasttext", "vector_updates": updates}
            finetuned(tmp_path / task, vectors, data, task, **once, **changes)
    assert refused.number > 1000
    assert refused.of == set()
