"""A base's tokenizer as people have them: every id stays its piece's, and whoever loads a folder reads what we do."""

import itertools
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, BertConfig, BertTokenizer

from specialize.errors import InputError, SpecializeError
from specialize.files import read_json, write_json
from specialize.vocabularies import (
    SPECIAL_TOKENS,
    bert_tokenizer,
    build_vocabulary,
    check_ids,
    check_reload,
    choose_pieces,
    inject,
    kind_of,
    learn_wordpieces,
    load_base,
    segment,
    settle_base,
)

LETTERS = "abdeiklmnost"
SPECIAL = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
TRAINING = piece_choice(200)
WORDS = Counter({"ئات": 9, "ئاتلار": 5, "Talo": 8, "talossa": 7, "kettä-sé": 3, "mato.": 3, "talo": 2})


def base_folder(folder, vocabulary, added=(), settings=None, positions=64, **tokenizer_parts):
    """A base's folder as others write it: its tokenizer.json has what is given, right or wrong."""
    folder.mkdir(parents=True)
    names = {"pad": "[PAD]", "unk": "[UNK]", "start": "[CLS]", "end": "[SEP]", "mask": "[MASK]"}
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token=tokenizer_parts.get("unknown", names["unk"])))
    tokenizer.normalizer = tokenizer_parts.get("normalizer", normalizers.BertNormalizer(lowercase=False))
    tokenizer.pre_tokenizer = tokenizer_parts.get("pre_tokenizer", pre_tokenizers.BertPreTokenizer())
    definition = json.loads(tokenizer.to_str())
    definition["model"]["vocab"] = vocabulary
    definition["added_tokens"] = [{"id": number, "content": token, **SPECIAL} for token, number in added]
    (folder / "tokenizer.json").write_text(json.dumps(definition, ensure_ascii=False), encoding="utf-8")
    BertConfig(max_position_embeddings=positions, vocab_size=500).save_pretrained(folder)
    if settings is not None:
        write_json(folder / "tokenizer_config.json", settings)
    return folder


def plain_vocabulary(slots=4):
    pieces = [*SPECIAL_TOKENS, *(f"[unused{number}]" for number in range(1, slots + 1)), ".", *LETTERS]
    return {piece: number for number, piece in enumerate([*pieces, *(f"##{letter}" for letter in LETTERS)])}


def train_text(folder):
    path = folder / "train.txt"
    path.write_text("\n".join(" ".join([word] * count) for word, count in WORDS.items()) + "\n", encoding="utf-8")
    return path


# -- ids ---------------------------------------------------------------------------------------------------------


@st.composite
def bases(draw):
    """(model's vocabulary, added tokens, settings): holes, added tokens in the middle and at the end, slots in use."""
    pieces = list(plain_vocabulary(draw(st.integers(0, 8))))
    pieces += draw(st.sampled_from([[], ["", "a\rb"], ["[no piece 7]"]]))
    pieces = draw(st.permutations(pieces))
    steps = [draw(st.sampled_from([1, 1, 1, 1, 2, 5])) for _ in pieces]
    ids = dict(zip(pieces, itertools.accumulate(steps, initial=draw(st.integers(0, 2))), strict=False))
    slots = [piece for piece in pieces if piece.startswith("[unused")]
    used = draw(st.lists(st.sampled_from(slots), unique=True)) if slots else []
    free = [number for number in range(max(ids.values()) + 6) if number not in ids.values()]
    tokens = [f"<t{number}>" for number in range(draw(st.integers(0, 4)))]
    places = draw(st.lists(st.sampled_from(free), unique=True, min_size=len(tokens), max_size=len(tokens)))
    added = {**dict(zip(tokens, places, strict=True)), **{slot: ids[slot] for slot in used[::2]}}
    named = draw(st.sampled_from(["additional_special_tokens", "extra_special_tokens", "added_tokens_decoder"]))
    if named == "added_tokens_decoder":
        besides = {str(ids[slot]): {"content": slot, **SPECIAL} for slot in used[1::2]}
    else:
        besides = used[1::2]
    return ids, sorted(added.items(), key=lambda item: item[1]), {named: besides}, set(used)


@settings(max_examples=12, deadline=None)
@given(bases(), st.sampled_from([0, 2, 6, None]))
def test_every_old_id_stays_whatever_the_vocabulary_looks_like(base, number):
    vocabulary, added, besides, used = base
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folder = base_folder(home / "base", vocabulary, added, besides)
        settle_base(folder, "NFC", 64)
        build_vocabulary(folder, train_text(home), number, TRAINING, {}, home / "out")
        (home / "out/config.json").write_bytes((folder / "config.json").read_bytes())
        old = {**vocabulary, **dict(added)}
        pieces = read_json(home / "out/statistics.json")["pieces"]
        kept = {piece: place for piece, place in old.items() if place not in pieces.values()}
        free = [piece for piece in sorted(old, key=old.get) if piece.startswith("[unused") and piece not in used]
        for path, expected in ((folder, old), (home / "out", kept | pieces)):
            theirs, ours = AutoTokenizer.from_pretrained(path), Tokenizer.from_file(str(path / "tokenizer.json"))
            read = theirs.get_vocab()
            assert {piece: read.get(piece) for piece in expected} == expected
            assert read == ours.get_vocab()
            assert sorted(read.values()) == list(range(len(read)))
            slow = (path / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
            assert {piece: slow[place] for piece, place in read.items() if "\r" not in piece} == {
                piece: piece for piece in read if "\r" not in piece
            }
            assert all(theirs.convert_ids_to_tokens(place) == piece for piece, place in expected.items())
        assert list(pieces.values()) == [
            *(old[slot] for slot in free[: len(pieces)]),
            *range(1 + max(old.values()), 1 + max(old.values()) + len(pieces) - len(free)),
        ]
        if number:
            assert set(pieces) <= {piece for cut in segment(ours, list(WORDS)) for piece in cut}


def test_the_library_would_renumber_an_added_token(tmp_path):
    """What the ids of `_without_holes` are for: if this fails, the library has been mended."""
    vocabulary = plain_vocabulary()
    hole, last = vocabulary.pop("##a"), max(vocabulary.values())
    folder = base_folder(tmp_path / "base", vocabulary, [("<x>", last + 3)])
    assert AutoTokenizer.from_pretrained(folder).get_vocab()["<x>"] == last
    known = load_base(folder).get_vocab()
    assert known["<x>"] == last + 3
    assert {known[f"[no piece {number}]"] for number in (hole, last + 1, last + 2)} == {hole, last + 1, last + 2}


def test_a_blank_and_a_doubled_line_of_vocab_txt_shift_nothing(tmp_path):
    """As the library's own reading of vocab.txt numbers them, which is by line."""
    lines = list(plain_vocabulary())
    lines[-3], lines[-5] = "", lines[-6]
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False, "tokenizer_class": "BertTokenizer"})
    BertConfig(vocab_size=len(lines)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
    settle_base(folder, "NFC", 64)
    build_vocabulary(folder, train_text(tmp_path), 9, TRAINING, {}, tmp_path / "out")
    pieces = read_json(tmp_path / "out/statistics.json")["pieces"]
    assert len(pieces) == 9 > 4  # more than slots
    (tmp_path / "slow").mkdir()
    shutil.copyfile(tmp_path / "out/vocab.txt", tmp_path / "slow/vocab.txt")
    read = BertTokenizer.from_pretrained(tmp_path / "slow").get_vocab()
    for number, piece in enumerate(lines):
        if number not in pieces.values() and piece not in lines[number + 1 :]:
            assert read[piece] == number
    assert all(read[piece] == number for piece, number in pieces.items())


@pytest.mark.parametrize(
    ("change", "problem", "mend"),
    [
        ({"model": {"q": 9}}, "has two pieces of the id 9, '.' and 'q'", {"model": {}}),
        ({"added": [("<x>", 9)]}, "has two pieces of the id 9, '.' and '<x>'", {"added": []}),
        ({"added": [("a", 12)]}, "has two ids for 'a', 10 and 12", {"added": [("a", 10)]}),
        ({"model": {"q": 2_000_000_000}}, "has the id 2000000000 among", {"model": {"q": 40}}),
    ],
)
def test_an_id_of_two_pieces_is_refused_and_the_remedy_works(tmp_path, change, problem, mend):
    for name, parts in (("wrong", change), ("mended", mend)):
        vocabulary = plain_vocabulary() | parts.get("model", {})
        folder = base_folder(tmp_path / name, vocabulary, parts.get("added", ()))
        if name == "wrong":
            with pytest.raises(InputError, match=f"tokenizer.json: {problem}"):
                settle_base(folder, "NFC", 64)
        else:
            settle_base(folder, "NFC", 64)


def test_ids_that_do_not_stay_are_told():
    base = bert_tokenizer(plain_vocabulary())
    grown = inject(base, ["x", "y"])
    ids = grown.get_vocab()
    check_ids(base, grown, {"x": ids["x"], "y": ids["y"]})
    shifted = bert_tokenizer({piece: number + (number > 9) for piece, number in plain_vocabulary().items()})
    for other, pieces in ((shifted, {}), (grown, {}), (grown, {"x": ids["x"], "y": 70}), (base, {"x": 5})):
        with pytest.raises(SpecializeError, match="ids of the base vocabulary do not stand for its pieces"):
            check_ids(base, other, pieces)


# -- what everybody reads ------------------------------------------------------------------------------------------

SAYS = [
    None,
    {"model_max_length": 512},
    {"do_lower_case": True, "tokenizer_class": "BertTokenizer"},
    {"do_lower_case": False, "strip_accents": True, "tokenizer_class": "BertTokenizerFast"},
    {"tokenizer_class": "BertTokenizer", "tokenize_chinese_chars": False, "model_max_length": 10**30},
    {"tokenizer_class": "DistilBertTokenizer", "unk_token": "<what>", "cls_token": "<begin>"},
    {"auto_map": {"AutoTokenizer": ["x.X", None]}, "add_bos_token": True, "split_special_tokens": True},
]
NORMALIZERS = [
    None,
    normalizers.BertNormalizer(lowercase=True),
    normalizers.BertNormalizer(lowercase=False, strip_accents=False, handle_chinese_chars=False),
    normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]),
]
SPLITTERS = [
    pre_tokenizers.BertPreTokenizer(),
    pre_tokenizers.WhitespaceSplit(),
    pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]),
]


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(SAYS),
    st.sampled_from(NORMALIZERS),
    st.sampled_from(SPLITTERS),
    st.sampled_from(["NFC", "none"]),
    st.booleans(),
)
def test_whatever_a_base_s_files_say_everybody_reads_one_tokenizer(says, normalizer, splitter, form, roberta):
    """Texts with words, marks, digits and special tokens in them; with the model's config beside it, and without."""
    spelled = dict(zip(SPECIAL_TOKENS, ("<pad>", "<unk>", "<s>", "</s>", "<mask>"), strict=True)) if roberta else {}
    vocabulary = {spelled.get(piece, piece): number for piece, number in plain_vocabulary().items()}
    parts = {"normalizer": normalizer, "pre_tokenizer": splitter, "unknown": spelled.get("[UNK]", "[UNK]")}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folder = base_folder(home / "base", vocabulary, (), says, **parts)
        settle_base(folder, form, 64)
        build_vocabulary(folder, train_text(home), 5, TRAINING, {}, home / "out", form)
        shutil.copytree(home / "out", home / "model")
        shutil.copyfile(folder / "config.json", home / "model/config.json")
        start, end, mask = (spelled.get(token, token) for token in ("[CLS]", "[SEP]", "[MASK]"))
        texts = [*WORDS, "Talo talossa, MATO 12 漢字 é", f"talo {mask} {end} talo", "ئاتلار", "kettä e\u0301"]
        for path in (folder, home / "out", home / "model"):
            ours, theirs = Tokenizer.from_file(str(path / "tokenizer.json")), AutoTokenizer.from_pretrained(path)
            for text in texts:
                cut = ours.encode(text, add_special_tokens=False)
                ids = [vocabulary[start], *cut.ids, vocabulary[end]]
                assert theirs(text).input_ids == ours.encode(text).ids == ids
                assert set(ids) <= set(range(500))
            pair = theirs("talo", "mato")
            second = len(pair.input_ids) - ours.encode("mato", add_special_tokens=False).ids.__len__() - 1
            assert pair.token_type_ids == [int(place >= second) for place in range(len(pair.input_ids))]
            assert theirs.model_max_length == 64
            assert theirs.unk_token == parts["unknown"] == kind_of(ours).unknown(ours)
        statistics = read_json(home / "out/statistics.json")
        assert not set(statistics["pieces"]) & {*SPECIAL_TOKENS, *spelled.values()}
        base, words = load_base(folder), list(WORDS)
        lost = [parts["unknown"] in pieces for pieces in segment(base, words)]
        rate = sum(itertools.compress(WORDS.values(), lost)) / WORDS.total()
        assert statistics["coverage"]["corpus"]["base"]["unknown_token_rate"] == pytest.approx(rate, abs=1e-6)


def test_a_base_that_is_read_in_two_ways_is_told(tmp_path, capsys):
    folder = base_folder(tmp_path / "base", plain_vocabulary(), settings={"tokenizer_class": "BertTokenizer"})
    settle_base(folder, "NFC", 64)
    printed = capsys.readouterr().out
    assert (
        f"Warning: {folder}: AutoTokenizer reads this base model's tokenizer otherwise than tokenizer.json" in printed
    )
    assert "words otherwise" in printed
    settle_base(folder, "NFC", 64)
    assert "Warning" not in capsys.readouterr().out
    assert read_json(folder / "tokenizer_config.json")["do_lower_case"] is False


def test_what_autotokenizer_reads_can_be_made_what_counts(tmp_path, capsys):
    """The remedy of that warning."""
    folder = base_folder(tmp_path / "base", plain_vocabulary(), settings={"tokenizer_class": "BertTokenizer"})
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    settle_base(folder, "NFC", 64)
    assert "Warning" not in capsys.readouterr().out
    assert segment(load_base(folder), ["TALO"]) == [["t", "##a", "##l", "##o"]]
    assert read_json(folder / "tokenizer_config.json")["do_lower_case"] is True


def test_older_files_are_read_and_left_out(tmp_path):
    vocabulary = plain_vocabulary()
    folder = base_folder(tmp_path / "base", vocabulary)
    write_json(folder / "special_tokens_map.json", {"additional_special_tokens": ["[unused2]"], "mask_token": "[MASK]"})
    write_json(folder / "added_tokens.json", {"<new>": len(vocabulary) + 1})
    settle_base(folder, "NFC", 64)
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    base = load_base(folder)
    assert base.get_vocab()["<new>"] == len(vocabulary) + 1
    assert kind_of(base).free_slots(base) == ["[unused1]", "[unused3]", "[unused4]"]
    assert AutoTokenizer.from_pretrained(folder)("talo <new>", add_special_tokens=False).input_ids[
        -1
    ] == base.token_to_id("<new>")


@pytest.mark.parametrize(
    ("parts", "vocabulary", "problem"),
    [
        ({"pre_tokenizer": None}, {}, "has no pre_tokenizer"),
        ({"unknown": "<?>"}, {}, r"lacks <\?>, its piece for unknown words"),
        ({}, {"[MASK]": None}, "the tokenizer lacks special tokens"),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_refused(tmp_path, parts, vocabulary, problem):
    pieces = {piece: number for piece, number in plain_vocabulary().items() if piece not in vocabulary}
    with pytest.raises(InputError, match=rf"tokenizer\.json: {problem}"):
        settle_base(base_folder(tmp_path / "base", pieces, **parts), "NFC", 64)


@pytest.mark.parametrize("content", ["[1]", "{", '"x"'])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
def test_settings_that_are_none_are_refused_with_their_name(tmp_path, name, content):
    folder = base_folder(tmp_path / "base", plain_vocabulary())
    (folder / name).write_text(content)
    with pytest.raises(InputError, match=name):
        settle_base(folder, "NFC", 64)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"tokenizer_class": "BertTokenizer"}, "words otherwise"),
        ({"unk_token": "[SEP]"}, r"its unk_token is \[SEP\], not \[UNK\]"),
        ({"extra_special_tokens": ["<new>"]}, r"1 of its pieces are none or have another id \(<new>\)"),
        ({"model_max_length": 512}, "it allows 512 pieces, where the model has 64 positions"),
        ({"tokenizer_class": 7}, "it does not load"),
    ],
)
def test_a_folder_that_says_two_things_does_not_pass(tmp_path, settings, problem):
    folder = base_folder(tmp_path / "base", plain_vocabulary())
    settle_base(folder, "NFC", 64)
    path = folder / "tokenizer_config.json"
    check_reload(folder, WORDS, 64)
    write_json(path, read_json(path) | settings)
    with pytest.raises(SpecializeError, match=f"AutoTokenizer reads another tokenizer than training does: .*{problem}"):
        check_reload(folder, ["b\u200bd", "Talo"], 64)


# -- pieces that are used --------------------------------------------------------------------------------------------

TEXTS = st.dictionaries(st.text(st.sampled_from("abcdeé.-漢"), min_size=1, max_size=8), st.integers(1, 6), min_size=1)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.lists(st.sampled_from("abcdeé.-漢"), unique=True), st.sampled_from([1, 5, 30, None]))
def test_every_chosen_piece_is_one_that_some_word_is_cut_into(words, letters, number):
    pieces = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters)]
    base = bert_tokenizer({piece: place for place, piece in enumerate(pieces)})
    new = learn_wordpieces(Counter(words), TRAINING)
    chosen, passed_over = choose_pieces(Counter(words), base, new, number)
    used = {piece for cut in segment(inject(base, chosen), list(words)) for piece in cut}
    assert set(chosen) <= used
    assert not set(chosen) & set(passed_over)
    assert set(chosen) | set(passed_over) <= new.get_vocab().keys() - base.get_vocab().keys()
    if number is None:
        assert set(chosen) | set(passed_over) == new.get_vocab().keys() - base.get_vocab().keys()
