"""What these tests share: a whole small BERT as its folder, and what `save_pretrained` of any class writes."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertForMaskedLM

from specialize.vocabularies import SPECIAL_TOKENS

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
}
PIECES = [*SPECIAL_TOKENS, *"abcdeABC", "##a", "##b"]


def save_model(folder, model_class, config_class, **changes):
    """Write a model whose every tensor is drawn, biases and norms too, as training leaves them."""
    torch.manual_seed(1)
    model = model_class(config_class(**({"vocab_size": len(PIECES)} | SIZES | changes)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.1)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of a base model that has everything."""
    folder = save_model(tmp_path_factory.mktemp("whole") / "base", BertForMaskedLM, BertConfig)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    tokenizer = BertWordPieceTokenizer(vocab={piece: number for number, piece in enumerate(PIECES)}, lowercase=False)
    tokenizer._tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    """A copy that a test may spoil; its path has a blank."""
    return shutil.copytree(whole, tmp_path / "my base")


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_weights(folder, change):
    """Write the weights anew: the tensors that `change(name, tensor)` gives, each under the name that it gives."""
    path = folder / "model.safetensors"
    changed = (change(name, tensor) for name, tensor in load_file(path).items())
    save_file({pair[0]: pair[1].contiguous() for pair in changed if pair}, path, metadata={"format": "pt"})
    return folder
