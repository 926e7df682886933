"""What learns in pretraining, over all architectures, tied and not: what stays, what is merged, how fast it goes."""

import pytest
import torch
from safetensors.torch import load_file
from tests.pretraining.conftest import (
    ARCHITECTURE,
    DESCRIPTION,
    NEW_PIECES,
    SLOTS,
    model_of_family,
    small_settings,
    small_tokenizer,
)
from tests.pretraining.conftest import write_vocabulary as write_small_vocabulary

from specialize.bases.architectures import known_architectures
from specialize.bases.folder import check_base_model
from specialize.errors import InputError, SpecializeError
from specialize.files import read_json
from specialize.pretraining.masked_loss import masked_loss
from specialize.pretraining.masked_text import training_text
from specialize.pretraining.new_rows import make_room
from specialize.pretraining.pretrain import _optimizer, adapt, pretrain
from specialize.pretraining.rows_that_learn import NewRows
from specialize.pretraining.settings import AdaptSettings, LoraSettings
from specialize.pretraining.what_learns import Learning
from specialize.training.checkpoint import Checkpoint, StoppedError
from specialize.training.optimizer import AdamW
from specialize.vocabularies import save_tokenizer

PIECES = small_tokenizer().get_vocab_size()
SIZES = ARCHITECTURE | {"num_hidden_layers": 3}
MANY = [*NEW_PIECES, "aმ", "qe", "ab", "##gde"]  # the first four take the slots
NEW = torch.tensor([*range(1, SLOTS + 1), PIECES, PIECES + 1])
IN_TEXT = torch.tensor([small_tokenizer().token_to_id(piece) for piece in ("l", "##a", "t")])
LORA = LoraSettings(rank=2, alpha=4)
NONE = torch.tensor([], dtype=torch.int64)


UNTIED = ("bert", "roberta")  # without and with a second name of the output layer's bias
FAMILIES = [*((name, True) for name in sorted(known_architectures())), *((name, False) for name in UNTIED)]


@pytest.fixture(params=FAMILIES, ids=str)
def family(request):
    name, tied = request.param
    return known_architectures()[name], tied


def made(architecture, tied, rows=PIECES):
    model = model_of_family(architecture, tied, PIECES, SIZES)
    make_room(model, rows)
    return model.eval()


def copied(model):
    return {name: tensor.detach().clone() for name, tensor in model.named_parameters(remove_duplicate=False)}


def trained(model, learning, batch, multiplier=1.0, ids=None, steps=3, **changes):
    """A few steps; what is drawn at random is not asked here."""
    settings = small_settings(learning_rate=1e-2, weight_decay=0.1, **changes)
    optimizer = _optimizer(model, settings, (ids, multiplier) if ids is not None else None, learning)
    for _ in range(steps):
        masked_loss(model, batch).backward()
        optimizer.step()
        optimizer.zero_grad()


def rows_that_changed(before, after):
    return (before != after).reshape(len(before), -1).any(1).nonzero().flatten().tolist()


@pytest.fixture(scope="module", name="batch")
def batch_of_text(corpus):
    return next(training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).in_order())


def part_of(architecture, model, name):
    return architecture.part(name, model)[0]


# -- low-rank updates --------------------------------------------------------------------------------------


def test_lora_changes_its_targets_and_new_rows_alone_and_leaves_the_same_tensors(family, batch):
    architecture, tied = family
    for targets in ("attention", "all-linear") if tied else ("attention",):
        model = made(architecture, tied)
        before = copied(model)
        targeted = {f"{name}.weight" for name in architecture.lora_targets(model, targets)}
        learning = Learning(model, AdaptSettings(lora=LORA.model_copy(update={"targets": targets})), IN_TEXT)
        trained(model, learning, batch, ids=IN_TEXT)
        logits = masked_logits(model, batch)
        learning.settled()
        torch.testing.assert_close(masked_logits(model, batch), logits, rtol=0, atol=1e-5)
        after = copied(model)
        assert list(after) == list(before)
        tables = {id(table) for table in (*architecture.matrices(model), architecture.output_bias(model))}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            assert after[name].shape == before[name].shape and parameter.requires_grad
            if name in targeted:
                assert not torch.equal(after[name], before[name]), name
            elif id(parameter) in tables:
                assert rows_that_changed(before[name], after[name]) == sorted(IN_TEXT.tolist()), name
            else:
                assert torch.equal(after[name], before[name]), name


def masked_logits(model, batch):
    """By the same path as training: embeddings by their rows, places of predictions alone."""
    found = []
    layer = model.get_output_embeddings()
    handle = layer.register_forward_hook(lambda _, __, output: found.append(output.detach().clone()))
    with torch.no_grad():
        masked_loss(model, batch)
    handle.remove()
    return found[0]


def test_which_matrices_get_an_update(family):
    architecture, tied = family
    model = made(architecture, tied)
    attention, every = (architecture.lora_targets(model, targets) for targets in ("attention", "all-linear"))
    assert set(attention) < set(every)
    linear = [name for name, one in model.named_modules() if isinstance(one, torch.nn.Linear)]
    assert every == [name for name in linear if part_of(architecture, model, f"{name}.weight") == "encoder"]
    per_layer = {"modernbert": (2, 4)}.get(architecture.model_type, (4, 6))
    if architecture.model_type == "deberta-v2":
        per_layer = (len(attention) // 3, len(attention) // 3 + 2)
        assert per_layer[0] >= 4
    assert (len(attention), len(every)) == tuple(3 * number for number in per_layer)


def test_an_architecture_without_known_attention_gets_no_updates(monkeypatch):
    architecture = known_architectures()["bert"]
    monkeypatch.setattr(type(architecture), "attention", "")
    with pytest.raises(InputError, match=r"no matrices that are known to take low-rank updates; leave out adapt\.lora"):
        Learning(made(architecture, True), AdaptSettings(lora=LORA), NONE)


def test_a_rank_above_the_width_is_refused():
    adapt_settings = AdaptSettings(lora=LoraSettings(rank=17))
    with pytest.raises(SpecializeError, match=r"adapt\.lora\.rank 17 is more than 16, the width"):
        Learning(made(known_architectures()["bert"], True), adapt_settings, NONE)


def test_the_number_of_what_learns():
    architecture = known_architectures()["bert"]
    model = made(architecture, True)
    assert Learning(model, AdaptSettings(lora=LORA), IN_TEXT).parameters == 3 * 4 * 2 * (16 + 16) + 3 * (16 + 1)
    model = made(architecture, True)
    every = sum(one.numel() for one in model.parameters())
    assert Learning(model, AdaptSettings(layer_decay=0.5), IN_TEXT).parameters == every


def test_a_head_that_was_drawn_learns_beside_the_updates(family, batch):
    architecture, tied = family
    model = made(architecture, tied)
    before = copied(model)
    learning = Learning(model, AdaptSettings(lora=LORA), IN_TEXT, head_drawn=True)
    trained(model, learning, batch, ids=IN_TEXT)
    learning.settled()
    embeddings = architecture.embeddings(model)
    for name, parameter in model.named_parameters():
        if parameter is embeddings:
            assert rows_that_changed(before[name], parameter) == sorted(IN_TEXT.tolist())
        elif part_of(architecture, model, name) == "head":
            assert not torch.equal(before[name], parameter), name


# -- new rows ----------------------------------------------------------------------------------------------


def test_rows_of_their_own_learn_as_the_whole_matrix_s_do(family, batch):
    """Loss and gradients are those of a model whose matrices learn as a whole."""
    architecture, tied = family
    whole, parts = made(architecture, tied), made(architecture, tied)
    for table in (*architecture.matrices(parts), architecture.output_bias(parts)):
        table.requires_grad_(False)
    rows = NewRows(parts, IN_TEXT)
    losses = [masked_loss(model, batch) for model in (whole, parts)]
    torch.testing.assert_close(losses[0], losses[1])
    for loss in losses:
        loss.backward()
    expected = [table.grad[IN_TEXT] for table in architecture.matrices(whole)]
    expected.append(architecture.output_bias(whole).grad[IN_TEXT])
    found = [rows.embeddings.grad, *([] if tied else [rows.output.grad]), rows.bias.grad]
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "tiering"), [*((one, "rows") for one in FAMILIES), (("bert", True), "released")], ids=str
)
def test_new_rows_learn_at_their_own_rate_beside_updates(family, batch, tiering):
    """The first step goes `multiplier` times as far, weight decay included; entries of the bias do not."""
    architecture, tied = known_architectures()[family[0]], family[1]
    moved = []
    for multiplier in (1.0, 5.0):
        model = made(architecture, tied)
        before = copied(model)
        learning = Learning(model, AdaptSettings(lora=LORA), IN_TEXT)
        trained(model, learning, batch, multiplier, IN_TEXT, steps=1, tiering=tiering)
        learning.settled()
        moved.append({name: after - before[name] for name, after in copied(model).items()})
    tables = [architecture.output_bias(model), *architecture.matrices(model)]
    named = dict(model.named_parameters())
    bias, *matrices = (next(name for name, one in named.items() if one is table) for table in tables)
    assert len(matrices) == (1 if tied else 2)
    torch.testing.assert_close(moved[1][bias], moved[0][bias])
    for name in matrices:
        expected = moved[0][name] * (5 if tiering == "rows" else 1)
        torch.testing.assert_close(moved[1][name], expected, rtol=1e-3, atol=1e-6)
        assert expected[IN_TEXT].all()


# -- parts that stay ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frozen", "new"),
    [(["embeddings"], True), (["embeddings"], False), (["encoder"], True), (["embeddings", "encoder"], True)],
    ids=str,
)
def test_what_is_frozen_stays_to_the_bit(family, batch, frozen, new):
    architecture, tied = family
    model, ids = made(architecture, tied), IN_TEXT if new else NONE
    before = copied(model)
    learning = Learning(model, AdaptSettings(freeze=frozen), ids)
    trained(model, learning, batch, 5.0, ids if new else None)
    learning.settled()
    for name, parameter in model.named_parameters():
        part = part_of(architecture, model, name)
        if part == "embeddings" in frozen and parameter is architecture.embeddings(model):
            assert rows_that_changed(before[name], parameter) == sorted(ids.tolist()), name
        elif part in frozen:
            assert torch.equal(before[name], parameter), name
        elif part == "head" or name.endswith(architecture.names.embeddings):
            assert not torch.equal(before[name], parameter), name


def test_a_head_alone_is_not_trained():
    with pytest.raises(SpecializeError, match="no new pieces, so that nothing but the head would learn"):
        Learning(made(known_architectures()["bert"], True), AdaptSettings(freeze=["embeddings", "encoder"]), NONE)


# -- rates of layers ---------------------------------------------------------------------------------------


def naive_rate(name, rate, decay, layers):
    """The number behind `layer` in a name; the lowest layers, and the embeddings, have the most above them."""
    words = name.split(".")
    if "embeddings" in words:
        return rate * decay**layers
    number = next((int(word) for word in words if word.isdecimal() and "layer" in name), None)
    return rate if number is None else rate * decay ** (layers - 1 - number)


def test_each_layer_learns_more_slowly_than_the_one_above(family):
    architecture, tied = family
    settings = small_settings(learning_rate=1e-3, weight_decay=0.1)
    for adapt_settings in (AdaptSettings(layer_decay=0.5), AdaptSettings(layer_decay=0.5, lora=LORA)):
        model = made(architecture, tied)
        learning = Learning(model, adapt_settings, NONE)
        undecayed = architecture.undecayed(model)
        rates = {}
        for group in _optimizer(model, settings, None, learning).param_groups:
            for parameter in group["params"]:
                (name,) = (name for name, one in model.named_parameters() if one is parameter)
                assert group["weight_decay"] == (0 if name in undecayed else 0.1)
                assert rates.setdefault(name, group["lr"]) == group["lr"]
        learnt = {name for name, one in model.named_parameters() if one.requires_grad}
        assert rates.keys() == learnt
        every = list(model.named_parameters(remove_duplicate=False))
        names = {name: [other for other, two in every if two is one] for name, one in every}  # a tied one has two
        expected = {name: min(naive_rate(one, 1e-3, 0.5, 3) for one in names[name]) for name in learnt}
        expected = {name: rate * (10 if "lora" in name else 1) for name, rate in expected.items()}
        assert rates == pytest.approx(expected)
        faster = 10 if adapt_settings.lora else 1
        assert {0.5**2 * 1e-3 * faster, 0.5 * 1e-3 * faster, 1e-3 * faster} <= set(rates.values())


def test_the_new_rows_rate_is_their_multiple_of_their_layer_s(family, batch):
    architecture, tied = family
    moved = {}
    frozen = AdaptSettings(layer_decay=0.5, freeze=["embeddings"])
    for key, multiplier, how in (
        ("plain", 1.0, AdaptSettings(layer_decay=1)),
        ("tiered", 4.0, AdaptSettings(layer_decay=0.5)),
        ("alone", 4.0, frozen),
    ):
        model = made(architecture, tied)
        before = architecture.embeddings(model).detach().clone()
        learning = Learning(model, how, IN_TEXT)
        trained(model, learning, batch, multiplier, IN_TEXT, steps=1)
        learning.settled()
        moved[key] = (architecture.embeddings(model).detach() - before)[IN_TEXT]
    for key in ("tiered", "alone"):  # 0.5 ** 3 × 4
        torch.testing.assert_close(moved[key], moved["plain"] * 0.5, rtol=1e-3, atol=1e-6)


# -- as a job ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    return write_small_vocabulary(tmp_path_factory.mktemp("vocabularies") / "many", MANY)


def write_base(architecture, folder):
    model = made(architecture, True)
    architecture.part_biases(model)
    model.save_pretrained(folder)
    save_tokenizer(small_tokenizer(), folder)
    return folder


@pytest.mark.parametrize("model_type", sorted(known_architectures()))
def test_a_job_with_updates_writes_a_model_like_any_other(model_type, corpus, vocabulary, tmp_path):
    architecture = known_architectures()[model_type]
    base = write_base(architecture, tmp_path / "base")
    short = small_settings(epochs=1, steps_per_epoch=2)
    lora = short.model_copy(update={"adapt": AdaptSettings(lora=LORA)})
    runs = {"full": short, "lora": lora} | ({"again": lora} if architecture.model_type == "bert" else {})
    for name, settings in runs.items():
        gpu_memory = tmp_path / "timings" / f"{name}.json"
        adapt(base, vocabulary, corpus, 5.0, settings, DESCRIPTION, tmp_path / name, gpu_memory=gpu_memory)
    check_base_model(tmp_path / "lora")
    full, lora, again = (load_file(tmp_path / name / "model.safetensors") for name in ("full", "lora", list(runs)[-1]))
    assert {name: tensor.shape for name, tensor in lora.items()} == {name: one.shape for name, one in full.items()}
    assert all(torch.equal(again[name], tensor) for name, tensor in lora.items())
    for name in ("config.json", "tokenizer.json"):
        assert (tmp_path / "full" / name).read_bytes() == (tmp_path / "lora" / name).read_bytes()
    histories = [read_json(tmp_path / name / "history.json") for name in ("full", "lora", list(runs)[-1])]
    assert histories[1] == histories[2]
    assert histories[1].pop("learning_parameters") > 0
    assert list(histories[0]) == list(histories[1])
    assert histories[1]["hyperparameters"]["adapt"]["lora"]["rank"] == 2
    assert "adapt" not in histories[0]["hyperparameters"]
    full, lora = ((tmp_path / name / "README.md").read_text(encoding="utf-8") for name in ("full", "lora"))
    assert "| What learned | updates of rank 2 (LoRA, attention), merged since: " in lora and "What learned" not in full
    assert (tmp_path / "timings/lora.json").exists() == torch.cuda.is_available()


class StopsAtStep(Checkpoint):
    """As if a signal had come in a step."""

    at = 3

    def due(self):
        type(self).at -= 1
        if type(self).at == 0:
            self.stopped_by = 15
        return super().due()


def test_a_training_with_updates_goes_on_to_the_same_bytes(corpus, tmp_path):
    architecture = known_architectures()["bert"]
    settings = small_settings(epochs=2, steps_per_epoch=4, weight_decay=0.1)
    lora = AdaptSettings(lora=LORA.model_copy(update={"dropout": 0.3}))

    def once(kind):
        model = made(architecture, True)
        learning = Learning(model, lora, IN_TEXT)
        texts = [[corpus / "train.txt"], [corpus / "valid.txt"]]
        with kind(tmp_path / "state", 1, {}, []) as checkpoint:
            outcome = pretrain(model, small_tokenizer(), *texts, settings, (IN_TEXT, 5.0), checkpoint, learning)
        return outcome.history, copied(model)

    expected, weights = once(Checkpoint)
    with pytest.raises(StoppedError):
        once(StopsAtStep)
    assert list((tmp_path / "state").glob("*.pt"))
    history, again = once(Checkpoint)
    assert history == expected
    assert all(torch.equal(again[name], tensor) for name, tensor in weights.items())


def test_rows_of_their_own_need_no_moments_of_a_matrix():
    model = made(known_architectures()["bert"], True)
    learning = Learning(model, AdaptSettings(lora=LORA), IN_TEXT)
    optimizer = _optimizer(model, small_settings(), (IN_TEXT, 5.0), learning)
    assert isinstance(optimizer, AdamW) and optimizer.tier is None
    assert sum(one.numel() for group in optimizer.param_groups for one in group["params"]) == learning.parameters
