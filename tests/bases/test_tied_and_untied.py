"""Heads that share the embeddings and heads that do not: how they are loaded, and written so that all read the same."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.bases.conftest import PIECES, change_config, save_model

from specialize.bases.architectures import known_architectures
from specialize.errors import InputError


@pytest.fixture(params=sorted(known_architectures()))
def architecture(request):
    return known_architectures()[request.param]


def written(architecture, folder, tied):
    classes = architecture.classes()
    return save_model(folder, classes.masked_lm, classes.config, tie_word_embeddings=tied, pad_token_id=1)


def logits(model):
    with torch.no_grad():
        return model.eval()(torch.arange(2, len(PIECES))[None]).logits


def in_file(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("tied", [True, False])
def test_each_is_loaded_as_the_library_loads_it(architecture, tied, tmp_path):
    folder = written(architecture, tmp_path / "base", tied)
    model, drawn = architecture.masked_lm(folder)
    assert not drawn
    assert len(architecture.matrices(model)) == (1 if tied else 2)
    assert len(architecture.output_bias(model)) == len(PIECES)
    theirs = architecture.classes().masked_lm.from_pretrained(folder)
    assert torch.equal(logits(model), logits(theirs))
    names = [name for name, _ in model.named_parameters() if name.endswith("bias") and len(PIECES) in _.shape]
    assert len(names) == 1, "a bias that nothing uses would have no gradient"


@pytest.mark.parametrize("kept", [0, 1])
def test_an_untied_head_whose_bias_has_one_name_only_keeps_it(architecture, kept, tmp_path):
    """Files of older versions of the library have it by the name that this one does not use."""
    folder = written(architecture, tmp_path / "base", tied=False)
    tensors = in_file(folder)
    biases = [name for name in tensors if name.endswith("bias") and tensors[name].shape == (len(PIECES),)]
    if architecture.spare_bias:
        assert sorted(biases)[0] == architecture.spare_bias and len(biases) == 2
        (dropped,) = (name for name in biases if name != sorted(biases)[kept])
        bias = tensors.pop(dropped)
        tensors[sorted(biases)[kept]] = bias
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model, drawn = architecture.masked_lm(folder)
    assert not drawn
    assert torch.equal(architecture.output_bias(model).detach(), tensors[sorted(biases)[kept and len(biases) - 1]])


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_written_again_gives_everybody_the_same_scores(architecture, tied, tmp_path):
    model, _ = architecture.masked_lm(written(architecture, tmp_path / "base", tied))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) / 10)
    expected = logits(model)
    architecture.part_biases(model)
    model.save_pretrained(tmp_path / "written")
    assert torch.equal(logits(architecture.classes().masked_lm.from_pretrained(tmp_path / "written")), expected)
    again, drawn = architecture.masked_lm(tmp_path / "written")
    assert torch.equal(logits(again), expected) and not drawn
    has = in_file(tmp_path / "written")
    assert not architecture.spare_bias or torch.equal(has[architecture.spare_bias], architecture.output_bias(model))


def test_a_head_that_is_said_to_be_tied_and_is_not_is_refused_with_what_to_write(architecture, tmp_path):
    folder = written(architecture, tmp_path / "base", tied=False)
    if architecture.spare_bias:
        tensors = in_file(folder)
        (used,) = (name for name in tensors if name.endswith("decoder.bias"))
        save_file(
            tensors | {architecture.spare_bias: tensors[used].clone()}, folder / "model.safetensors", {"format": "pt"}
        )
    change_config(folder, tie_word_embeddings=True)
    with pytest.raises(
        InputError, match=r"where the model has one; if both .* let config.json say tie_word_embeddings"
    ):
        architecture.masked_lm(folder)
    change_config(folder, tie_word_embeddings=False)
    architecture.masked_lm(folder)
