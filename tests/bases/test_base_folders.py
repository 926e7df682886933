"""The folder of a base model: what is taken, in which formats, and what is refused before any long job starts.

Each refusal is tried with what it says is to be done about it: the command is run, the key is set, the file is copied.
"""

import ast
import json
import os
import re
import shlex
import shutil
import sys
import traceback
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tests.bases.conftest import PIECES, change_config, change_weights, save_model
from tokenizers import Tokenizer, models, trainers
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, BertModel

from specialize.__main__ import main
from specialize.bases import folder as folder_module
from specialize.bases import loading, supported, weights
from specialize.bases.architectures import known
from specialize.bases.folder import check_base_model, files_in, model_files, take_base_model
from specialize.bases.weights import convert_weights
from specialize.errors import InputError
from specialize.files import read_json

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def same_tensors(folder, other):
    """Whether a folder has all tensors of another; pickled ones have the output layer besides."""
    mine, theirs = load_file(folder / WEIGHTS), load_file(other / WEIGHTS)
    return all(torch.equal(mine[name], theirs[name]) for name in theirs)


# -- what is taken ---------------------------------------------------------------------------------------------------


def test_its_files_are_those_that_are_downloaded(whole):
    assert model_files() == (
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.json",
        "merges.txt",
        "vocab.txt",
        "special_tokens_map.json",
        "added_tokens.json",
        WEIGHTS,
        INDEX,
        "model-*-of-*.safetensors",
    )
    assert [path.name for path in files_in(whole)] == sorted([*model_files()[:3], "vocab.txt", WEIGHTS])
    assert files_in(whole / "absent") == []


def test_a_whole_one_is_copied_as_it_is(folder, tmp_path, capsys):
    (folder / "training_args.bin").write_bytes(b"not needed")
    take_base_model(folder, tmp_path / "base")
    assert names(tmp_path / "base") == [path.name for path in files_in(folder)]
    for path in files_in(folder):
        assert (tmp_path / "base" / path.name).read_bytes() == path.read_bytes()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("size", ["1KB", "3KB"])
def test_weights_in_several_files_become_one(folder, tmp_path, size):
    model = BertForMaskedLM.from_pretrained(folder)
    (folder / WEIGHTS).rename(tmp_path / WEIGHTS)
    model.save_pretrained(folder, max_shard_size=size)
    assert not (folder / WEIGHTS).exists() and len(list(folder.glob("model-*"))) > 1
    take_base_model(folder, tmp_path / "base")
    assert same_tensors(tmp_path / "base", tmp_path)
    assert not list((tmp_path / "base").glob("model-*")) and INDEX not in names(tmp_path / "base")


def segmented(folder, words):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return [tokenizer.encode(word, add_special_tokens=False).ids for word in words]


WORDS = ["abab", "Abba", "CAB", "É", "[MASK]", "a b", "x", "cab"]


@pytest.mark.parametrize("setting", [None, {}, {"do_lower_case": False}, {"do_lower_case": True}])
@pytest.mark.parametrize("capitals", [True, False])
@pytest.mark.parametrize("marks", [("", "\n"), ("\ufeff", "\r\n")])
def test_vocab_txt_alone_is_enough(folder, tmp_path, capsys, setting, capitals, marks):
    mark, end = marks
    pieces = [piece if capitals or piece.startswith("[") else piece.replace("A", "x").lower() for piece in PIECES]
    pieces = [piece if pieces.index(piece) == number else f"x{number}" for number, piece in enumerate(pieces)]
    (folder / "vocab.txt").write_text(mark + end.join(pieces) + end, encoding="utf-8", newline="")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    if setting is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(setting))
    take_base_model(folder, tmp_path / "base")
    lowers = (setting or {}).get("do_lower_case", not capitals)
    assert read_json(tmp_path / "base" / "tokenizer_config.json")["do_lower_case"] is lowers
    vocabulary = Tokenizer.from_file(str(tmp_path / "base" / "tokenizer.json")).get_vocab()
    assert vocabulary == {piece: number for number, piece in enumerate(pieces)}
    user_s = AutoTokenizer.from_pretrained(tmp_path / "base")
    expected = [user_s(word, add_special_tokens=False).input_ids for word in WORDS]
    assert segmented(tmp_path / "base", WORDS) == expected
    assert (segmented(tmp_path / "base", ["Cab"]) == segmented(tmp_path / "base", ["cab"])) is lowers
    said = "vocab.txt is taken as a vocabulary that " + ("lowers all words" if lowers else "keeps case")
    assert (said in capsys.readouterr().out) is ("do_lower_case" not in (setting or {}))


def test_a_head_that_is_not_there_is_said(folder, tmp_path, capsys):
    change_weights(folder, lambda name, tensor: None if name.startswith("cls.") else (name, tensor))
    take_base_model(folder, tmp_path / "base")
    assert "Warning: the base model has no head that predicts masked pieces" in capsys.readouterr().out
    save_model(folder, BertModel, BertConfig)  # without the prefix, as sentence-transformers has it
    check_base_model(folder)
    assert "Warning: the base model has no head that predicts masked pieces" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (
            "encoder.layer.1",
            "2 layer .* made \\(bert.encoder.layer.1.attention.output.LayerNorm, bert.encoder.layer.1.output",
        ),
        ("cls", "1 layer .* made \\(cls.predictions.transform.LayerNorm\\): were they"),
        ("", "6 layer .* made \\(bert.embeddings.LayerNorm, .*, …\\): were they"),
    ],
)
def test_a_model_or_a_head_that_was_never_trained_is_said(folder, tmp_path, capsys, place, named):
    def fresh(name, tensor):
        if place in name and "LayerNorm" in name:
            tensor = torch.ones_like(tensor) if name.endswith("weight") else torch.zeros_like(tensor)
        return name, tensor

    take_base_model(change_weights(folder, fresh), tmp_path / "base")
    assert re.match(f"Warning: {named}", capsys.readouterr().out)


# -- what is refused, and what is done about it ----------------------------------------------------------------------


def restored(name):
    """Copy a file of the whole model again."""

    def mend(folder, whole, remedy):
        assert re.search(r"cop(y|ied)|take|give|choose|download", remedy), remedy
        shutil.copyfile(whole / name, folder / name)

    return mend


def another(folder, whole, remedy):
    """Take another model."""
    assert re.search(r"choose|take|copy", remedy), remedy
    shutil.rmtree(folder)
    shutil.copytree(whole, folder)


def keys_set(folder, whole, remedy):
    """Set the keys of config.json that the remedy names."""
    said = remedy.partition("let config.json say ")[2].split(", ")
    change_config(folder, **{key: value for pair in said for key, value in yaml.safe_load(pair).items()})


def command_run(folder, whole, remedy):
    """Run the command that the remedy names, as a shell would part it."""
    command = shlex.split(remedy[remedy.index(".venv/bin/python") :])
    assert command[:3] == [".venv/bin/python", "-m", "specialize"]
    before = sys.argv
    try:
        sys.argv = command[2:]
        main()
    finally:
        sys.argv = before


def pickled(folder, change=lambda tensors: tensors, name="pytorch_model.bin"):
    torch.save(change(BertForMaskedLM.from_pretrained(folder).state_dict()), folder / name)
    (folder / WEIGHTS).unlink()


def pickled_in_two(folder):
    """With an index, as `save_pretrained` wrote it once."""
    tensors = BertForMaskedLM.from_pretrained(folder).state_dict()
    parts = {f"pytorch_model-0000{part + 1}-of-00002.bin": sorted(tensors)[part::2] for part in range(2)}
    for part, chosen in parts.items():
        torch.save({name: tensors[name] for name in chosen}, folder / part)
    places = {name: part for part, chosen in parts.items() for name in chosen}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    (folder / WEIGHTS).unlink()


def sharded(folder, spoil=lambda folder: None):
    BertForMaskedLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="3KB")
    spoil(folder)


def index_changed(change):
    def spoil(folder):
        index = read_json(folder / INDEX)
        (folder / INDEX).write_text(json.dumps(change(index)))

    return lambda folder: sharded(folder, spoil)


def mapped(change):
    return index_changed(lambda index: index | {"weight_map": change(index["weight_map"])})


def foreign(model, trainer):
    def spoil(folder):
        tokenizer = Tokenizer(model)
        tokenizer.train_from_iterator(["talo kala sana"], trainer)
        tokenizer.save(str(folder / "tokenizer.json"))

    return spoil


def vocabulary(content, **settings):
    def spoil(folder):
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_bytes(content)
        if settings:
            (folder / "tokenizer_config.json").write_text(json.dumps(settings))

    return spoil


def written(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def absent(name, *others):
    def spoil(folder):
        (folder / name).unlink()
        for other in others:
            (folder / other).write_bytes(b"other")

    return spoil


def of_tensors(change):
    return lambda folder: change_weights(folder, change)


def part_of(name, tensor, number):
    spoiled = tensor.clone()
    spoiled.view(-1)[0] = number
    return name, spoiled


def two_truths(folder):
    tensors = load_file(folder / WEIGHTS)
    output = torch.randn_like(tensors["bert.embeddings.word_embeddings.weight"])
    save_file(tensors | {"cls.predictions.decoder.weight": output}, folder / WEIGHTS)


def cut(folder):
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1])


def layers(number):
    return lambda folder: change_config(folder, num_hidden_layers=number)


def config(**changes):
    return lambda folder: change_config(folder, **changes)


REFUSED = {
    "no config": (absent("config.json"), r"config\.json: is missing from the base model", restored("config.json")),
    "no vocabulary": (
        lambda folder: (absent("tokenizer.json")(folder), absent("vocab.txt")(folder)),
        r"tokenizer\.json: is missing from the base model",
        another,
    ),
    "config is a list": (written("config.json", b"[1]"), "is of a list model", restored("config.json")),
    "T5": (
        config(model_type="t5"),
        "is of a t5 model; supported are .* XLM-R, and vocabularies of .*WordPiece",
        another,
    ),
    "CANINE": (config(model_type="canine"), "is of a canine model; supported are the architectures BERT, ", another),
    "DeBERTa-v3": (
        config(model_type="deberta-v2", relative_attention=True),
        r"config\.json: has no trained head .*: DeBERTa-v3 was trained to tell which .*; use it by .* method base, and",
        another,
    ),
    "Unigram": (
        foreign(models.Unigram(), trainers.UnigramTrainer(show_progress=False, vocab_size=20)),
        "puts no ▁ before words",
        another,
    ),
    "another kind": (
        foreign(models.WordLevel({"a": 0}, "a"), trainers.WordLevelTrainer(show_progress=False)),
        "holds a WordLevel vocabulary; supported are the architectures BERT, .* WordPiece",
        another,
    ),
    "no tokenizer": (written("tokenizer.json", b'{"model": {}}'), "is not a tokenizer", another),
    "tied not": (config(tie_word_embeddings=False), r"lacks 1 of .* \(cls\.predictions\.decoder\.weight", keys_set),
    "decoder": (config(is_decoder=True), "has is_decoder: true", keys_set),
    "quantized": (config(quantization_config={"load_in_8bit": True}), "has a quantization_config", another),
    "whole numbers": (of_tensors(lambda name, tensor: (name, tensor.to(torch.int8))), r"I8\); choose", another),
    "heads": (config(num_attention_heads=3), r"config\.json: describes no model \(The hidden", restored("config.json")),
    "size as text": (config(num_hidden_layers="two"), "describes no model", restored("config.json")),
    "activation": (config(hidden_act="sigh"), "describes no model", restored("config.json")),
    "other rows": (config(vocab_size=2), "vocab_size is 2", restored("config.json")),
    "rows not said": (config(vocab_size=None), "vocab_size is None", restored("config.json")),
    "no embeddings": (of_tensors(lambda name, tensor: (name + ".x", tensor)), "has no word embeddings", another),
    "garbage": (written(WEIGHTS, b"weights"), "is not safetensors", restored(WEIGHTS)),
    "cut off": (cut, "is not safetensors", restored(WEIGHTS)),
    "prefix": (of_tensors(lambda name, tensor: ("module." + name, tensor)), "lacks 42 of the 42", command_run),
    "more layers said": (layers(4), "lacks 32 of the 74 tensors", keys_set),
    "fewer layers said": (layers(1), "has 16 tensors that the model of config.json would leave out", keys_set),
    "other sizes": (config(intermediate_size=96), "has 6 tensors of another size", keys_set),
    "other width": (config(hidden_size=16), "has 39 tensors of another size .* 16×8, not 16×16", keys_set),
    "half a head": (
        of_tensors(lambda name, tensor: None if "transform" in name else (name, tensor)),
        r"lacks 4 of the 42 tensors .* \(cls\.predictions\.transform",
        restored(WEIGHTS),
    ),
    "two truths": (two_truths, "has two tensors, .* where the model has one; if both", keys_set),
    "not a number": (
        of_tensors(lambda name, tensor: part_of(name, tensor, float("nan")) if "query" in name else (name, tensor)),
        r"infinite, huge or none at all in 4 tensors \(bert\.encoder\.layer\.0\.attention\.self\.query\.weight",
        restored(WEIGHTS),
    ),
    "zeros": (
        of_tensors(lambda name, tensor: (name, torch.zeros_like(tensor) if "layer.1" in name else tensor)),
        "has 6 matrices of one and the same number",
        restored(WEIGHTS),
    ),
    "pickled": (pickled, "is missing from the base model; its weights are pickled, .* convert them", command_run),
    "pickled in two": (pickled_in_two, "its weights are pickled", command_run),
    "TensorFlow": (absent(WEIGHTS, "tf_model.h5"), "has only TensorFlow's weights", another),
    "no weights": (absent(WEIGHTS), f"{WEIGHTS}: is missing .*; give a folder", restored(WEIGHTS)),
    "no index": (
        lambda folder: sharded(folder, lambda folder: (folder / INDEX).unlink()),
        f"it has model-00001-of-.*, but not {INDEX}; copy that",
        restored(WEIGHTS),
    ),
    "index without a map": (index_changed(lambda index: {}), "has no weight_map", restored(WEIGHTS)),
    "index names no parts": (mapped(lambda places: {}), "names no parts", restored(WEIGHTS)),
    "index leads elsewhere": (
        mapped(lambda places: dict.fromkeys(places, "../x")),
        "is not the plain name of a file",
        restored(WEIGHTS),
    ),
    "a part is missing": (
        mapped(lambda places: places | {"x": "model-9-of-9.safetensors"}),
        r"1 of its \d parts are missing \(model-9",
        restored(WEIGHTS),
    ),
    "a part lacks a tensor": (
        mapped(lambda places: places | {"bert.x": next(iter(places.values()))}),
        r"names 1 tensors that no part has \(bert\.x\)",
        restored(WEIGHTS),
    ),
    "vocab.txt without a mask": (
        vocabulary("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"]).encode()),
        r"vocab\.txt: has no \[MASK\]; take the vocabulary of a BERT",
        restored("tokenizer.json"),
    ),
    "vocab.txt of another kind": (
        vocabulary("\n".join(PIECES).encode(), tokenizer_class="BertJapaneseTokenizer", do_lower_case=False),
        r"vocab\.txt: is for a BertJapaneseTokenizer",
        another,
    ),
    "vocab.txt of no kind": (
        vocabulary("\n".join(PIECES).encode(), tokenizer_class="NoSuchTokenizer", do_lower_case=False),
        r"vocab\.txt: makes no tokenizer",
        another,
    ),
    "settings are a list": (
        lambda folder: (absent("tokenizer.json")(folder), written("tokenizer_config.json", b"[]")(folder)),
        r"tokenizer_config\.json: holds no settings",
        restored("tokenizer_config.json"),
    ),
}


class Code:
    """What a hostile pickle holds."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def two_alike(folder):
    save_file({"a.x": torch.zeros(2), "x": torch.ones(2)}, folder / WEIGHTS)


NOT_CONVERTED = [
    (lambda folder: None, "", "is there already; nothing is to be converted"),
    (lambda folder: None, "module.", "no name of a tensor begins with 'module.'; it has bert.embeddings"),
    (two_alike, "a.", "names become equal without 'a.'"),
    (absent(WEIGHTS), "", f"has neither {WEIGHTS} nor pytorch_model.bin; give a folder"),
    (absent(WEIGHTS, "flax_model.msgpack"), "", "has only Flax's weights"),
    (absent(WEIGHTS, "pytorch_model.bin"), "", "cannot be read as tensors"),
    (lambda folder: pickled(folder, lambda tensors: {"x": Code()}), "", "cannot be read as tensors"),
    (lambda folder: pickled(folder, lambda tensors: {"model": tensors, "epoch": 1}), "", r"by name \(model, epoch"),
    (lambda folder: pickled(folder, lambda tensors: list(tensors.values())), "", r"by name \(list\)"),
    (lambda folder: (pickled_in_two(folder), next(folder.glob("*-00002.bin")).unlink()), "", "1 of its 2 parts"),
]


def test_what_cannot_be_used_is_refused_with_a_remedy_that_works(whole, tmp_path, monkeypatch, subtests, capsys):
    monkeypatch.chdir(tmp_path)
    seen = set()  # file and line of each error

    def note(raised):
        traces = [raised.tb, getattr(raised.value.__cause__, "__traceback__", None)]
        seen.update(
            (Path(frame.filename).name, frame.lineno) for trace in traces for frame in traceback.extract_tb(trace)
        )

    for number, (name, (spoil, message, mend)) in enumerate(REFUSED.items()):
        with subtests.test(msg=name):
            folder, destination = tmp_path / f"my base {number}", tmp_path / f"taken{number}"
            spoil(shutil.copytree(whole, folder))
            if (folder / INDEX).is_file() or "index" in name:
                (folder / WEIGHTS).unlink(missing_ok=True)
            with pytest.raises(InputError) as raised:
                take_base_model(folder, destination)
            note(raised)
            assert re.search(message, str(raised.value)), str(raised.value)
            assert str(raised.value).startswith(f"{folder}/") and "\n" not in str(raised.value)
            mend(folder, whole, raised.value.remedy)
            shutil.rmtree(destination)
            take_base_model(folder, destination)
            assert same_tensors(destination, whole)
    for number, (spoil, prefix, message) in enumerate(NOT_CONVERTED):
        with subtests.test(msg=message):
            spoil(folder := shutil.copytree(whole, tmp_path / f"unconverted{number}"))
            before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
            with pytest.raises(InputError, match=message) as raised:
                convert_weights(folder, prefix)
            note(raised)
            assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
            assert not (tmp_path / "ran").exists()

    unseen = []
    for module in (weights, loading, folder_module, known, supported):
        path = Path(module.__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and not any(
                (path.name, line) in seen for line in range(node.lineno, node.end_lineno + 1)
            ):
                unseen.append(f"{path.name}, line {node.lineno}")
    assert not unseen
