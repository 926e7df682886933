"""Loading: what each class of the library writes is taken whole, and nothing that lacks or spoils a tensor is."""

import re
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tests.bases.conftest import change_config, change_weights, save_model
from transformers.models import bert, roberta, xlm_roberta

from specialize.bases import loading
from specialize.bases.architectures import known_architectures
from specialize.bases.architectures.architecture import Classes
from specialize.bases.loading import load_sound
from specialize.errors import InputError
from specialize.finetuning.encoder import WordEncoder

LIBRARY = {
    "Bert": bert.modeling_bert,
    "Roberta": roberta.modeling_roberta,
    "XLMRoberta": xlm_roberta.modeling_xlm_roberta,
}
HEADED = ["BertForMaskedLM", "BertForPreTraining", "RobertaForMaskedLM", "XLMRobertaForMaskedLM"]
HEADLESS = [
    *(f"{name}{kind}" for name in LIBRARY for kind in ("Model", "ForTokenClassification", "ForSequenceClassification")),
    "BertForNextSentencePrediction",
    "BertForQuestionAnswering",
]


def classes(name):
    family = next(family for family in sorted(LIBRARY, key=len, reverse=True) if name.startswith(family))
    module = LIBRARY[family]
    found = [getattr(module, f"{family}{kind}") for kind in ("Config", "Model", "ForMaskedLM")]
    return Classes(*found), getattr(module, name)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder that a class of the library writes, once."""
    folder, made = tmp_path_factory.mktemp("saved"), {}

    def write(name):
        if name not in made:
            known, written = classes(name)
            made[name] = save_model(folder / name, written, known.config)
        return made[name]

    return write


@pytest.fixture(params=["BertForPreTraining", "XLMRobertaForMaskedLM"])
def headed(request, saved, tmp_path):
    """A copy of what a class with a head writes, and the architecture's classes."""
    return shutil.copytree(saved(request.param), tmp_path / "model"), classes(request.param)[0]


def encoder(known, folder):
    return load_sound(known.encoder, folder, add_pooling_layer=False)[0]


def plain(names):
    """Names without the encoder's prefix, which the library takes off as often as it is there."""
    return {re.sub(r"^((bert|roberta)\.)+", "", name): name for name in names}


def own_tensors(model):
    """Parameters by the names that files have them by."""
    return {name: one for name, one in model.named_parameters(remove_duplicate=False) if "decoder" not in name}


def assert_from_file(model, folder, drawn=()):
    """Each parameter is the file's."""
    stored = load_file(folder / "model.safetensors")
    names = plain(stored)
    for name, parameter in own_tensors(model).items():
        if name not in drawn:
            (short,) = plain([name])
            assert torch.equal(parameter.detach(), stored[names[short]].float()), name


@pytest.mark.parametrize("name", HEADED)
def test_what_a_class_with_a_head_writes_is_taken_whole(saved, name):
    folder, (known, _) = saved(name), classes(name)
    model, drawn = load_sound(known.masked_lm, folder)
    assert not drawn
    assert_from_file(model, folder)
    assert_from_file(encoder(known, folder), folder)


@pytest.mark.parametrize("name", HEADLESS)
def test_what_a_class_without_a_head_writes_gets_one_by_the_seed(saved, name):
    folder, (known, _) = saved(name), classes(name)
    made = []
    for seed in (1, 1, 2) if name.endswith("Model") else (1, 1):
        torch.manual_seed(seed)
        model, drawn = load_sound(known.masked_lm, folder)
        assert_from_file(model, folder, drawn)
        assert drawn and not any(part in one for one in drawn for part in ("embeddings", "encoder"))
        made.append(torch.cat([model.get_parameter(one).flatten() for one in drawn]))
    assert torch.equal(made[0], made[1]) and not any(torch.equal(made[0], other) for other in made[2:])
    assert_from_file(encoder(known, folder), folder)


@pytest.fixture
def all_named(monkeypatch):
    """Errors name all tensors, not only the first ones."""
    monkeypatch.setattr(loading, "SHOWN", 1000)


def named_in(load):
    with pytest.raises(InputError) as raised:
        load()
    return set(re.findall(r"[\w.]+", raised.value.problem.partition("(")[2].partition(")")[0])), raised.value.problem


@pytest.mark.usefixtures("all_named")
def test_each_tensor_that_is_missing_is_named(headed):
    folder, known = headed
    tensors = load_file(folder / "model.safetensors")
    used, within = (own_tensors(model) for model in (load_sound(known.masked_lm, folder)[0], encoder(known, folder)))
    names = sorted(tensors)
    for dropped in (names[::2], names[1::2], names[:1], names[-1:]):
        save_file({name: tensors[name] for name in names if name not in dropped}, folder / "model.safetensors")
        missing = {name for name in dropped if name in used}
        if missing:
            found, problem = named_in(lambda: load_sound(known.masked_lm, folder))
            assert found == missing and problem.startswith(f"lacks {len(missing)} of the {len(used)} tensors")
        else:
            load_sound(known.masked_lm, folder)
        missing = set(plain(dropped)) & within.keys()
        if missing:
            assert named_in(lambda: encoder(known, folder))[0] == missing
        else:
            encoder(known, folder)


@pytest.mark.usefixtures("all_named")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -1e30])
def test_one_number_that_is_none_is_refused_where_it_is_used(headed, value):
    folder, known = headed
    tensors = load_file(folder / "model.safetensors")
    used = own_tensors(load_sound(known.masked_lm, folder)[0]).keys()

    def spoiled(name):
        tensor = tensors[name].clone()
        tensor.view(-1)[-1] = value
        return tensor

    chosen = sorted(used)[::2] if value > 0 else sorted(used)[1::2]
    for names in (chosen, chosen[:1], tensors.keys() - used):
        save_file(tensors | {name: spoiled(name) for name in names}, folder / "model.safetensors")
        if used.isdisjoint(names):
            load_sound(known.masked_lm, folder)
        else:
            assert named_in(lambda: load_sound(known.masked_lm, folder))[0] == set(names)


@pytest.mark.usefixtures("all_named")
@pytest.mark.parametrize("number", [0.0, 1.0])
def test_a_matrix_of_one_number_is_an_unfinished_copy(headed, number):
    folder, known = headed
    tensors = load_file(folder / "model.safetensors")
    used = own_tensors(load_sound(known.masked_lm, folder)[0])
    save_file({name: torch.full_like(tensor, number) for name, tensor in tensors.items()}, folder / "model.safetensors")
    matrices = {name for name in used if tensors[name].ndim > 1}
    assert len(matrices) == 16
    found, _ = named_in(lambda: load_sound(known.masked_lm, folder))
    assert matrices - found == {name for name in matrices if "token_type" in name}  # RoBERTa's


PREFIXES = ["module.", "_orig_mod.", "0.auto_model.", "model.", "module.bert."]


@pytest.mark.parametrize("number", range(len(PREFIXES)))
def test_a_prefix_too_many_is_named_with_the_command(saved, tmp_path, number):
    folder, known = shutil.copytree(saved(HEADED[number % 4]), tmp_path / "model"), classes(HEADED[number % 4])[0]
    prefix = PREFIXES[number]
    change_weights(folder, lambda name, tensor: (prefix + name, tensor))
    for load in (lambda: load_sound(known.masked_lm, folder), lambda: encoder(known, folder)):
        with pytest.raises(InputError, match=rf"lacks \d+ of .* and has \d+ that .*--without-prefix {prefix}$"):
            load()


def test_the_encoder_s_own_prefix_may_be_there_or_not(headed):
    folder, known = headed
    change_weights(folder, lambda name, tensor: (next(iter(plain([name]))), tensor))
    model, drawn = load_sound(known.masked_lm, folder)
    assert not drawn
    assert_from_file(model, folder)
    assert_from_file(encoder(known, folder), folder)


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"num_hidden_layers": 1}, "num_hidden_layers: 2"),
        ({"num_hidden_layers": 3}, "num_hidden_layers: 2"),
        ({"intermediate_size": 16}, "intermediate_size: 12"),
        ({"hidden_size": 4}, "hidden_size: 8"),
        ({"max_position_embeddings": 512}, "max_position_embeddings: 16"),
        ({"type_vocab_size": 3}, "type_vocab_size: 2"),
        ({"vocab_size": 100}, "vocab_size: 15"),
        ({"intermediate_size": 16, "num_hidden_layers": 3}, "intermediate_size: 12, num_hidden_layers: 2"),
    ],
)
@pytest.mark.parametrize("name", ["BertForMaskedLM", "XLMRobertaForMaskedLM"])
def test_other_sizes_in_config_are_said_with_those_of_the_file(saved, tmp_path, changes, remedy, name):
    folder, known = shutil.copytree(saved(name), tmp_path / "model"), classes(name)[0]
    change_config(folder, **({"type_vocab_size": 2} | changes))
    for load in (lambda: load_sound(known.masked_lm, folder), lambda: encoder(known, folder)):
        with pytest.raises(InputError, match=rf"let config\.json say {remedy}$"):
            load()


def test_every_kind_of_floating_point_becomes_float32(headed):
    folder, known = headed
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        change_weights(folder, lambda name, tensor, dtype=dtype: (name, tensor.to(dtype)))
        model, _ = load_sound(known.masked_lm, folder)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert_from_file(model, folder)
    change_weights(folder, lambda name, tensor: (name, (100 * tensor).to(torch.int8)))
    with pytest.raises(InputError, match=r"tensors that are not of F64, .*I8"):
        load_sound(known.masked_lm, folder)


def test_half_of_a_tie_will_do_but_not_two_truths(headed):
    folder, known = headed
    tensors = load_file(folder / "model.safetensors")
    (words,) = (name for name in tensors if name.endswith("word_embeddings.weight"))
    bias = "cls.predictions.bias" if "cls.predictions.bias" in tensors else "lm_head.bias"
    output = bias.removesuffix("bias") + "decoder."
    for same in ({output + "weight": tensors[words]}, {output + "bias": tensors[bias]}):
        save_file(tensors | {name: tensor.clone() for name, tensor in same.items()}, folder / "model.safetensors")
        assert not load_sound(known.masked_lm, folder)[1]
        save_file(tensors | {name: tensor + 1 for name, tensor in same.items()}, folder / "model.safetensors")
        with pytest.raises(InputError, match=rf"has two tensors, .*{next(iter(same))}, where the model has one"):
            load_sound(known.masked_lm, folder)
        encoder(known, folder)
    save_file({**tensors, output + "bias": tensors[bias]} | {bias: tensors[bias] + 0}, folder / "model.safetensors")
    load_sound(known.masked_lm, folder)


def test_names_of_the_first_berts_are_known(headed):
    folder, known = headed
    expected = load_sound(known.masked_lm, folder)[0].state_dict()
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def rename(name, tensor):
        for new, before in old.items():
            name = name.replace(new, before)
        return name, tensor

    change_weights(folder, rename)
    for name, tensor in load_sound(known.masked_lm, folder)[0].state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    encoder(known, folder)


def test_an_encoder_for_finetuning_is_taken_on_trust_as_little(saved, tmp_path):
    folder = shutil.copytree(saved("BertForMaskedLM"), tmp_path / "model")
    WordEncoder(folder, layer_dropout=0.0, dropout_when_evaluating=False)
    change_weights(folder, lambda name, tensor: None if "layer.1" in name else (name, tensor))
    with pytest.raises(InputError, match="lacks 16 of the 37 tensors"):
        WordEncoder(folder, layer_dropout=0.0, dropout_when_evaluating=False)


def renamed(tensors, name, prefix):
    tensors[prefix + name] = tensors.pop(name)


def dropped(tensors, name):
    del tensors[name]


def retyped(tensors, name, dtype):
    tensors[name] = tensors[name].to(dtype)


def reshaped(tensors, name, shape):
    tensors[name] = torch.rand(shape)


TENSORS = st.integers(0, 40)
DTYPES = st.sampled_from([torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool])
CHANGES = st.one_of(
    st.tuples(st.just(renamed), TENSORS, st.sampled_from(["module.", "bert.", "x", "cls."])),
    st.tuples(st.just(dropped), TENSORS),
    st.tuples(st.just(retyped), TENSORS, DTYPES),
    st.tuples(st.just(reshaped), TENSORS, st.lists(st.integers(0, 9), max_size=3)),
)
KEYS = [
    *known_architectures()["bert"].sizes,
    "num_hidden_layers",
    "num_attention_heads",
    "hidden_act",
    "is_decoder",
    "pad_token_id",
    "dtype",
]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 20), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=3), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=2))
def test_whatever_is_changed_it_is_refused_or_all_is_from_the_file(saved, tmp_path_factory, changes, config):
    folder = shutil.copytree(saved("BertForMaskedLM"), tmp_path_factory.mktemp("changed") / "model")
    tensors = load_file(folder / "model.safetensors")
    for change, number, *more in changes:
        if names := sorted(tensors):
            change(tensors, names[number % len(names)], *more)
    save_file(tensors, folder / "model.safetensors")
    change_config(folder, **config)
    known, _ = classes("BertForMaskedLM")
    for load in (lambda: load_sound(known.masked_lm, folder), lambda: (encoder(known, folder), [])):
        try:
            model, drawn = load()
        except InputError as error:
            assert error.remedy and "\n" not in str(error)
        else:
            assert_from_file(model, folder, drawn)
