"""The architectures of models, each asked what only it knows."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from specialize.bases.architectures import architecture_of, known_architectures
from specialize.errors import InputError
from specialize.files import write_json

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 16,
}
SPECIAL = {"start": 5, "end": 6, "pad": 1, "mask": 7}
CLASSES = {
    "bert": (BertConfig, BertForMaskedLM),
    "deberta-v2": (DebertaV2Config, DebertaV2ForMaskedLM),
    "modernbert": (ModernBertConfig, ModernBertForMaskedLM),
    "roberta": (RobertaConfig, RobertaForMaskedLM),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaForMaskedLM),
}


def test_there_is_one_of_each():
    assert list(known_architectures()) == list(CLASSES)
    assert [one.name for one in known_architectures().values()] == [
        "BERT",
        "DeBERTa-v2/v3",
        "ModernBERT",
        "RoBERTa",
        "XLM-R",
    ]


@pytest.fixture(params=CLASSES)
def model_type(request):
    return request.param


@pytest.fixture
def architecture(model_type):
    return known_architectures()[model_type]


def test_it_is_known_by_a_folder_or_a_configuration(architecture, model_type, tmp_path):
    write_json(tmp_path / "config.json", {"model_type": model_type})
    config, _ = CLASSES[model_type]
    for model in (tmp_path, {"model_type": model_type}, config(), config().to_dict()):
        assert architecture_of(model) is architecture


@pytest.mark.parametrize(
    ("config", "named"),
    [({"model_type": "albert"}, "albert"), ({}, "None"), ({"model_type": []}, r"\[\]"), ([1], "list")],
)
def test_one_that_is_not_known_is_refused_by_its_name(tmp_path, config, named):
    write_json(tmp_path / "config.json", config)
    with pytest.raises(InputError, match=rf"config\.json: is of a {named} model; the architectures known are BERT, De"):
        architecture_of(tmp_path)
    with pytest.raises(InputError, match=rf"is of a {named} model; choose another"):
        architecture_of(config, "choose another")


def test_a_folder_without_a_configuration_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config\.json: is missing from the base model"):
        architecture_of(tmp_path)


def by_name(model):
    """The rule that the architectures' own replaced; ModernBERT calls its layer norms `norm`."""
    parts = ("bias", "LayerNorm", "layer_n", "norm")
    return {name for name, _ in model.named_parameters() if any(part in name for part in parts)}


def test_biases_and_layer_norms_do_not_decay(architecture, model_type):
    config, masked_lm = CLASSES[model_type]
    model = masked_lm(config(vocab_size=11, pad_token_id=1, **SIZES))
    undecayed = architecture.undecayed(model)
    assert undecayed == by_name(model)
    assert architecture.undecayed(model.base_model) == by_name(model.base_model)
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    parameters = dict(model.named_parameters())
    # ModernBERT's first layer has one only, but there is one after the last.
    assert len(norms) == 2 * SIZES["num_hidden_layers"] + 2
    assert all(any(parameters[name] is norm.weight for name in undecayed) for norm in norms)
    assert all(parameter.ndim == 2 for name, parameter in parameters.items() if name not in undecayed)


READ = {"bert": 16, "deberta-v2": 16, "modernbert": 16, "roberta": 14, "xlm-roberta": 14}


def test_a_model_reads_as_many_pieces_as_it_says(architecture, model_type):
    """RoBERTa's and XLM-R's first two positions are the padding's; ModernBERT's are no matrix, and have no end."""
    config, masked_lm = CLASSES[model_type]
    config = config(vocab_size=11, pad_token_id=1, **SIZES)
    positions = architecture.positions(config.to_dict())
    assert positions == architecture.positions(SIZES) == READ[model_type]
    model = masked_lm(config).eval()
    assert model(torch.full((1, positions), 7)).logits.shape == (1, positions, 11)
    if model_type != "modernbert":
        with pytest.raises((IndexError, RuntimeError)):
            model(torch.full((1, positions + 1), 7))


def test_positions_begin_after_the_padding_wherever_that_is():
    for model_type in ("roberta", "xlm-roberta"):
        architecture = known_architectures()[model_type]
        model = architecture.new_masked_lm(SIZES, 11, SPECIAL | {"pad": 4}, segments=1).eval()
        positions = architecture.positions(model.config.to_dict())
        assert positions == 16 - 5
        assert model(torch.full((1, positions), 7)).logits.shape == (1, positions, 11)
        with pytest.raises((IndexError, RuntimeError)):
            model(torch.full((1, positions + 1), 7))


def test_sizes_that_do_not_say_it_mean_the_library_s_positions(architecture, model_type):
    config, _ = CLASSES[model_type]
    assert architecture.positions({}) == architecture.positions(config().to_dict())


@pytest.mark.parametrize("segments", [1, 2])
def test_a_new_model_is_the_library_s(architecture, model_type, segments):
    config, masked_lm = CLASSES[model_type]
    torch.manual_seed(1)
    model = architecture.new_masked_lm(SIZES, 11, SPECIAL, segments)
    own = {"pad_token_id": 1}
    if model_type == "deberta-v2":
        own |= {"type_vocab_size": segments - segments % 2}
    elif model_type != "bert":
        own |= {"bos_token_id": 5, "eos_token_id": 6}
        cls_and_sep = {"cls_token_id": 5, "sep_token_id": 6}
        own |= cls_and_sep if model_type == "modernbert" else {"type_vocab_size": segments}
    torch.manual_seed(1)
    expected = masked_lm(config(vocab_size=11, **own, **SIZES))
    assert model.config.to_dict() == expected.config.to_dict()
    for (name, value), (_, theirs) in zip(model.state_dict().items(), expected.state_dict().items(), strict=True):
        assert torch.equal(value, theirs), name


def test_a_saved_model_is_loaded_with_its_head_and_without(architecture, tmp_path):
    model = architecture.new_masked_lm(SIZES, 11, SPECIAL).eval()
    model.save_pretrained(tmp_path)
    ids, segments = torch.tensor([[5, 8, 7, 6]]), torch.zeros((1, 4), dtype=torch.int64)
    (whole, head_drawn), encoder = architecture.masked_lm(tmp_path), architecture.encoder(tmp_path).eval()
    assert not head_drawn and not whole.training
    assert whole.dtype == encoder.dtype == torch.float32
    assert type(whole) is type(model) and type(encoder) is type(model.base_model)
    assert not any("pooler" in name for name, _ in encoder.named_parameters())
    with torch.no_grad():
        hidden = encoder(ids, **architecture.segment_inputs(segments, encoder.config)).last_hidden_state
        logits = architecture.head(whole)(hidden)
        torch.testing.assert_close(logits, model(ids).logits)
    assert architecture.embeddings(whole) is whole.get_input_embeddings().weight
    assert architecture.embeddings(whole) is whole.get_output_embeddings().weight
    (name,) = (name for name in model.state_dict() if name.endswith(architecture.names.embeddings))
    assert torch.equal(model.state_dict()[name], architecture.embeddings(whole))


IMPORTS = """
import sys
from specialize.bases.architectures import architecture_of, known_architectures
assert known_architectures()["roberta"].positions({"max_position_embeddings": 514}) == 512
assert architecture_of({"model_type": "bert"}).positions({}) == 512
heavy = {"torch", "transformers", "tokenizers"} & sys.modules.keys()
assert not heavy, heavy
"""


def test_positions_are_asked_without_torch():
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


def test_only_its_own_class_is_imported(architecture, model_type, monkeypatch):
    names = [one.replace("-", "_") for one in CLASSES]
    modules = [f"transformers.models.{one}.modeling_{one}" for one in names]
    for module in modules:
        monkeypatch.delitem(sys.modules, module, raising=False)
    architecture.classes()
    assert [module for module in modules if module in sys.modules] == [modules[list(CLASSES).index(model_type)]]


# -- what an encoder is told -------------------------------------------------------------------------------

LENGTHS = (12, 5, 9)


@pytest.mark.parametrize("local_attention", [4, 128])
@pytest.mark.parametrize("padded", [True, False])
def test_attention_is_the_library_s(architecture, model_type, padded, local_attention):
    """What `attention_inputs` makes, so that no device is asked, comes to what the library makes of a plain mask."""
    config, masked_lm = CLASSES[model_type]
    own = {"local_attention": local_attention} if model_type == "modernbert" else {}
    own |= {"conv_kernel_size": 3, "relative_attention": True} if model_type == "deberta-v2" else {}
    torch.manual_seed(1)
    own |= SIZES | {"num_hidden_layers": 4, "initializer_range": 0.5}
    model = masked_lm(config(vocab_size=11, pad_token_id=1, **own)).eval()
    attention = torch.arange(12) < torch.tensor(LENGTHS if padded else [12, 12])[:, None]
    ids = torch.randint(2, 11, attention.shape).masked_fill(~attention, 1)
    with torch.no_grad():
        theirs = model.base_model(ids, attention_mask=attention.long()).last_hidden_state
        told = architecture.attention_inputs(attention, padded, model.config)
        ours = model.base_model(ids, **told).last_hidden_state
    torch.testing.assert_close(ours[attention], theirs[attention])


def test_segments_are_told_only_to_a_model_that_has_two(architecture, model_type):
    segments = torch.tensor([[0, 0, 1]])
    model = architecture.new_masked_lm(SIZES, 11, SPECIAL, segments=1)
    assert bool(architecture.segment_inputs(segments, model.config)) == (model_type == "bert")
    two = architecture.new_masked_lm(SIZES, 11, SPECIAL, segments=2)
    assert bool(architecture.segment_inputs(segments, two.config)) == (model_type != "modernbert")
    two.base_model(torch.tensor([[5, 8, 6]]), **architecture.segment_inputs(segments, two.config))


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ({"relative_attention": True, "position_buckets": 256, "norm_rel_ebd": "layer_norm"}, True),  # v3, mDeBERTa
        ({"relative_attention": True, "conv_kernel_size": 3}, False),  # v2
        ({"relative_attention": True, "architectures": ["DebertaV2ForMaskedLM"]}, False),  # v2 without the convolution
        ({}, False),
    ],
)
def test_a_deberta_v3_cannot_be_pretrained_further(config, refused):
    reason = known_architectures()["deberta-v2"].no_masked_training(config)
    assert ("which pieces had been replaced" in reason) == refused == bool(reason)


def test_a_file_of_mdeberta_may_have_what_no_model_reads(tmp_path):
    known = known_architectures()["deberta-v2"]
    made = known.new_masked_lm(SIZES, 11, SPECIAL, segments=1)
    made.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["deberta.embeddings.word_embeddings._weight"] = torch.zeros(1)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    words = known.encoder(tmp_path).get_input_embeddings().weight
    assert torch.equal(words, made.get_input_embeddings().weight)
