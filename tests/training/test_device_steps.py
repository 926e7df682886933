"""No training step waits for the device: it reads no number back, and indexes by no mask.

Model and batch are on torch's meta device, where tensors have no content. What asks for content raises there, as it
would make a GPU wait; the rest of what makes one wait is refused by `NeverWaits`. The jobs are real ones: they are
stopped where their training begins.
"""

from collections import Counter
from itertools import islice

import pytest
import torch
from tests.finetuning.conftest import (
    finetuned,
    write_data,
    write_encoder,
    write_monolingual_encoder,
    write_static_vectors,
)
from tests.pretraining.conftest import (
    ARCHITECTURE,
    DESCRIPTION,
    NEW_PIECES,
    small_tokenizer,
    write_base,
    write_corpus,
    write_vocabulary,
)
from tests.pretraining.conftest import small_settings as pretraining_settings
from tokenizers import Tokenizer
from torch.optim import optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import RobertaForMaskedLM

from specialize.bases.architectures import Architecture, known_architectures
from specialize.finetuning import finetune as finetuning
from specialize.pretraining import pretrain as pretraining
from specialize.training.loop import Training
from specialize.training.optimizer import AdamW, linear_schedule
from specialize.vocabularies import save_tokenizer, special_ids

META = torch.device("meta")
TO_CPU = ("meta", "cpu")
READS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::_unique2"}
INDEXED = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_", "aten::_unsafe_index"}
COPIES = {"aten::_to_copy", "aten::copy_"}


class WaitsError(AssertionError):
    """An operation would make a GPU wait."""


class NeverWaits(TorchDispatchMode):
    """Counts operations by name, and refuses those for which the CPU would wait for a GPU.

    With a GPU at hand, `torch.cuda.set_sync_debug_mode("error")` does the same, and sees one thing more: a tensor that
    is made of Python's numbers on the device.
    """

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function.name().partition(".")[0]
        self.counts[name] += 1
        self.check(name, args, kwargs)
        return function(*args, **kwargs)

    @staticmethod
    def check(name, args, kwargs):
        if name in READS and args[0].device == META:
            raise WaitsError(f"{name} reads the device")
        if name in INDEXED:
            kinds = {one.dtype for one in tree_leaves(args[1]) if isinstance(one, torch.Tensor)}
            if args[0].device == META and kinds & {torch.bool, torch.uint8}:
                raise WaitsError(f"{name} counts the places of a mask")
        if name in COPIES:
            source, to = (args[0], kwargs.get("device")) if name == "aten::_to_copy" else (args[1], args[0].device)
            from_pinned = source.device.type == "cpu" and (kwargs.get("non_blocking") or args[2:] == (True,))
            if to not in (None, source.device) and not from_pinned:
                raise WaitsError(f"{name} from {source.device} to {to}")


# -- jobs that stop where training begins ------------------------------------------------------------------


class BeginsError(Exception):
    """Training would begin now."""


@pytest.fixture
def begun(monkeypatch):
    """Runs a job on the meta device up to its training: what `fit` was given, as a training with model and batches."""
    monkeypatch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: ["cpu", "meta"])
    autocast = torch.autocast  # which knows no meta device; on it, nothing is rounded anyway
    monkeypatch.setattr(torch, "autocast", lambda kind, *how, **also: autocast(kind.replace(*TO_CPU), *how, **also))
    monkeypatch.setattr(pretraining, "validation_loss", lambda *_: 1.0)
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)  # or tied weights part on their way

    def begin(model, optimizer, schedule, loader, loss_of, evaluate, *, gradient_norm, before_epoch=print, **_):
        training = Training(model.train(), optimizer, schedule, loader, loss_of, gradient_norm)
        raise BeginsError(training, before_epoch)

    for stage in (finetuning, pretraining):
        monkeypatch.setattr(stage, "device", lambda: META)
        monkeypatch.setattr(stage, "fit", begin)

    def run(job, *arguments, **options):
        with pytest.raises(BeginsError) as stopped:
            job(*arguments, **options)
        return stopped.value.args

    yield run
    torch.__future__.set_swap_module_params_on_conversion(before)


def guarded(training, number, epoch=1):
    """A few steps of an epoch under guard: the batches, and how often each operation was called."""
    batches = [training.prepared(examples) for examples in islice(training.loader.epoch(epoch), number)]
    with NeverWaits() as guard:
        for batch in batches:
            training.step(batch)
    assert training.steps == len(batches) == number
    assert guard.counts["aten::_fused_adamw_"] >= number
    return batches, guard.counts


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("data", "bert", "roberta", "vectors", "base", "corpus"):
        (folder / name).mkdir()
    data = write_data(folder / "data")
    write_encoder(folder / "bert")
    write_monolingual_encoder(folder / "roberta", data)
    write_static_vectors(folder / "vectors", data)
    write_base(folder / "base")
    write_corpus(folder / "corpus")
    write_vocabulary(folder / "vocabulary", NEW_PIECES)
    return folder


# -- finetuning --------------------------------------------------------------------------------------------


def test_no_step_of_all_three_tasks_on_a_transformer_waits(begun, inputs, tmp_path):
    """Tagger and parser learn from the same batches, the entity tagger from others."""
    training, before_epoch = begun(finetuned, tmp_path / "job", inputs / "bert", inputs / "data", "mtl-ups-alt")
    before_epoch(2)
    batches, _ = guarded(training, 4)
    learned = {(task, words.padded) for batch in batches for _, (words, its) in batch.parts for task in its}
    assert {task for task, _ in learned} == {"pos", "ud", "ner"}
    assert True in {padded for _, padded in learned}


@pytest.mark.parametrize("epoch", [1, 2])
def test_no_step_of_another_architecture_waits_the_encoder_frozen_or_not(begun, inputs, tmp_path, epoch):
    options = {"bias_correction": False, "batch_size": 1}  # without padding
    training, before_epoch = begun(finetuned, tmp_path / "job", inputs / "roberta", inputs / "data", "pos", **options)
    before_epoch(epoch)
    batches, _ = guarded(training, 1, epoch)
    assert not batches[0].parts[0][1][0].padded


@pytest.mark.parametrize(
    ("regime", "highway", "updates"),
    [("pos", True, "sparse"), ("ud", True, "dense"), ("ner", False, "sparse"), ("pos", False, "dense")],
)
def test_no_step_on_static_vectors_waits(begun, inputs, tmp_path, regime, highway, updates):
    sizes = {"layers": 2, "hidden_size": 6, "input_dropout": 0.3, "dropout": 0.5, "highway": highway}
    options = {"task_encoders": {regime: sizes}, "vector_updates": updates}
    training, before_epoch = begun(finetuned, tmp_path / "job", inputs / "vectors", inputs / "data", regime, **options)
    before_epoch(2)
    guarded(training, 2)


# -- pretraining -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"short_sequence_probability": 0.5, "masking": "dynamic"},
        {"tiering": "two-groups", "bias_correction": True, "examples": "sentence-pairs"},
    ],
)
def test_no_step_of_pretraining_waits(begun, inputs, tmp_path, settings):
    folders = (inputs / name for name in ("base", "vocabulary", "corpus"))
    settings = pretraining_settings(**settings)
    training, _ = begun(pretraining.adapt, *folders, 5.0, settings, DESCRIPTION, tmp_path / "model")
    assert training.optimizer.tier.decayed_twice == (settings.tiering == "two-groups")
    batches, counts = guarded(training, 3)
    padded = {batch.parts[0][1].padded for batch in batches}
    assert padded == ({True, False} if settings.masking == "dynamic" else {False})
    assert counts["aten::index_copy_"] >= 3


def test_no_step_of_pretraining_another_architecture_waits(begun, inputs):
    model = RobertaForMaskedLM.from_pretrained(inputs / "roberta")
    tokenizer = Tokenizer.from_file(str(inputs / "roberta/tokenizer.json"))
    files = [[inputs / "corpus" / name] for name in ("train.txt", "valid.txt")]
    settings = pretraining_settings(examples="lines", sequence_length=20)
    training, _ = begun(pretraining.pretrain, model, tokenizer, *files, settings)
    guarded(training, 1)


@pytest.mark.parametrize("model_type", sorted(known_architectures()))
def test_no_step_of_adapting_any_architecture_waits(begun, inputs, tmp_path, model_type):
    base, architecture = tmp_path / "base", known_architectures()[model_type]
    sizes = (
        ARCHITECTURE | {"tie_word_embeddings": False} | ({"local_attention": 8} if model_type == "modernbert" else {})
    )
    tokenizer = small_tokenizer()
    architecture.new_masked_lm(sizes, tokenizer.get_vocab_size(), special_ids(tokenizer)).save_pretrained(base)
    save_tokenizer(tokenizer, base)
    settings = pretraining_settings(short_sequence_probability=0.5, masking="dynamic", batch_size=8)
    folders = (base, inputs / "vocabulary", inputs / "corpus")
    training, _ = begun(pretraining.adapt, *folders, 5.0, settings, DESCRIPTION, tmp_path / "model")
    batches, counts = guarded(training, 3)
    assert True in {batch.parts[0][1].padded for batch in batches}
    assert counts["aten::index_copy_"] >= 3 * 2  # in both matrices


def test_parts_of_a_batch_do_not_wait_either(begun, inputs, tmp_path):
    training, _ = begun(finetuned, tmp_path / "job", inputs / "bert", inputs / "data", "ud")
    training.outcome.micro_batches = 2
    batches, _ = guarded(training, 1)
    assert len(batches[0].parts) == 2


# -- the guard itself --------------------------------------------------------------------------------------


class OneBatch:
    """A loader of one batch: numbers, and a mask of them."""

    def tensors(self, batch):
        return batch

    def epoch(self, number):
        yield torch.ones(3), torch.tensor([True, False, True])


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (lambda numbers, mask: numbers.tolist(), "_to_copy from meta to cpu"),
        (lambda numbers, mask: numbers.to("cpu"), "_to_copy from meta to cpu"),
        (lambda numbers, mask: numbers.sum().item(), "_local_scalar_dense"),
        (lambda numbers, mask: bool(mask.all()), "_local_scalar_dense"),
        (lambda numbers, mask: numbers[mask], "index counts"),
        (lambda numbers, mask: numbers.__setitem__(mask, 0.0), "index_put_ counts"),
        (lambda numbers, mask: numbers.__setitem__(mask, torch.ones(2, device=META)), "index_put_ counts"),
        (lambda numbers, mask: mask.nonzero(), "nonzero"),
        (lambda numbers, mask: torch.ones(3).to(META), "_to_copy from cpu to meta"),
        (lambda numbers, mask: numbers.copy_(torch.ones(3)), "copy_ from cpu to meta"),
        (lambda numbers, mask: torch.ones(3).to(META, non_blocking=True), None),
        (lambda numbers, mask: numbers[torch.zeros(2, dtype=torch.int64, device=META)], None),
    ],
)
def test_the_guard_sees_whatever_is_planted_in_a_step(begun, planted, said):
    model = torch.nn.Linear(3, 1, device=META)
    groups = [{"params": list(model.parameters()), "lr": 0.1, "weight_decay": 0.0}]
    adam = AdamW(groups, 1e-8, bias_correction=True)

    def loss_of(batch):
        planted(*batch)
        return model(batch[0]).sum()

    training = Training(model, adam, linear_schedule(adam, 0, 9), OneBatch(), loss_of, 1.0)
    if said is None:
        guarded(training, 1)
        return
    with pytest.raises(WaitsError, match=said):
        guarded(training, 1)


def test_the_guard_sees_the_library_ask_for_padding(begun, inputs, tmp_path, monkeypatch):
    """A plain mask has it do so: this is why `Architecture.attention_inputs` makes the mask."""
    monkeypatch.setattr(Architecture, "attention_inputs", lambda _, attention, *__: {"attention_mask": attention})
    training, _ = begun(finetuned, tmp_path / "job", inputs / "bert", inputs / "data", "pos")
    with pytest.raises(WaitsError, match="_local_scalar_dense"):
        guarded(training, 1)
