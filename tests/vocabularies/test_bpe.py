"""BPE vocabularies that grow: new pieces come with the merges that make them, within words, and nothing else moves."""

import json
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

from specialize.files import read_json, write_json
from specialize.vocabularies import (
    BytePieceTraining,
    PieceTraining,
    WordCounts,
    build_vocabulary,
    check_ids,
    check_reload,
    coverage,
    in_order,
    kind_of,
    learn_byte_pieces,
    load_base,
    segment,
    settle_base,
    special_ids,
    with_normal_form,
)
from specialize.vocabularies.kinds.bpe import BYTE_PIECES, learn_pieces
from specialize.vocabularies.kinds.merges import Cut, Words, further_merges

WORDS = Counter({"talo": 9, "talossa": 8, "تالو": 6, "kala-talo": 5, "kalassa": 4, "漢字": 3, ".": 9})
OTHERS = Counter({"sata": 9, "satalo": 8, "lossi": 7, "ქარი": 6, "ქარიან": 5, "talon": 4, "1918": 9, "aaaa": 3})
LETTERS = "atlosknი ქარ漢é1-.".replace(" ", "")
CHOICE = piece_choice(500, choose="compression")
PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"  # Llama 3's, but for English


def llama(taken_whole=True, merges_more=False):
    """Byte-level pieces as Llama 3 and EuroBERT have them: words are parted by a pattern, some are taken whole."""
    learned = learn_byte_pieces(WORDS, BytePieceTraining(size=300, min_frequency=2))
    definition = json.loads(learned.to_str())
    definition["model"]["ignore_merges"] = taken_whole
    if merges_more:  # several ways to one piece, as in vocabularies whose merges were made of ranks
        vocabulary = definition["model"]["vocab"]
        ways = [
            [piece[:cut], piece[cut:]]
            for piece in vocabulary
            for cut in range(1, len(piece))
            if piece[:cut] in vocabulary and piece[cut:] in vocabulary and not piece.startswith("<")
        ]
        definition["model"]["merges"] += [way for way in ways if way not in definition["model"]["merges"]]
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN), "isolated"), bytes_])
    return tokenizer


def modern_bert():
    """Byte-level pieces as ModernBERT has them: BERT's special tokens and free slots, all of them added tokens."""
    learned = learn_byte_pieces(WORDS, BytePieceTraining(size=300, min_frequency=2))
    definition = json.loads(learned.to_str())
    vocabulary = definition["model"]["vocab"]
    for name in ("<s>", "<pad>", "</s>", "<unk>", "<mask>"):
        del vocabulary[name]
    definition["model"]["vocab"] = {piece: number for number, piece in enumerate(vocabulary)}
    definition |= {"added_tokens": [], "post_processor": None}
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFC(), pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_tokens([AddedToken("   ", normalized=True)])
    for token in ("[UNK]", "[CLS]", "[SEP]", "[PAD]"):
        tokenizer.add_special_tokens([token])
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, normalized=False)])
    tokenizer.add_tokens([AddedToken(f"[unused{number}]", normalized=True) for number in range(3)])
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ends)
    return tokenizer


def gemma(slots=3, normalizer=None):
    return learn_pieces(WORDS, PieceTraining(size=310, min_frequency=2, limit_alphabet=1000), normalizer, slots)


def settled(tokenizer):
    """As a run has it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        tokenizer.save(str(path))
        return kind_of(tokenizer).settled(tokenizer, path, {})


BASES = {
    "Gemma's": gemma(),
    "RoBERTa's": learn_byte_pieces(WORDS, BytePieceTraining(size=300, min_frequency=2)),
    "ModernBERT's": settled(modern_bert()),
    "Llama 3's": llama(),
    "byte-level, several ways to a piece": llama(taken_whole=False, merges_more=True),
}
some_words = st.dictionaries(st.text(LETTERS, min_size=1, max_size=8) | st.sampled_from([*OTHERS]), st.integers(1, 9))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(BASES)), some_words, st.integers(1, 12))
def test_old_ids_stay_and_every_new_piece_is_produced(name, words, number):
    """`grow` itself compares the library's pieces with those that it learned."""
    base, words = BASES[name], Counter(words)
    kind = kind_of(base)
    grown = kind.grow(base, words, number, CHOICE, {})
    ids = grown.tokenizer.get_vocab()
    check_ids(base, grown.tokenizer, {piece: ids[piece] for piece in grown.pieces})
    assert len(grown.pieces) <= number
    slots = kind.free_slots(base)
    places = [base.token_to_id(slot) for slot in slots] + list(range(base.get_vocab_size(), 999))
    assert [ids[piece] for piece in grown.pieces] == places[: len(grown.pieces)]
    assert kind.free_slots(grown.tokenizer) == slots[len(grown.pieces) :]
    distinct = sorted(words)
    before, after = (kind.segment(tokenizer, distinct) for tokenizer in (base, grown.tokenizer))
    assert all(len(new) <= len(old) for new, old in zip(after, before, strict=True))
    used = {piece for pieces in after for piece in pieces}
    assert set(grown.pieces) - used == set(grown.intermediate)
    assert not any("▁" in piece[1:] or "Ġ" in piece[1:] for piece in grown.pieces)
    merges = json.loads(grown.tokenizer.to_str())["model"]["merges"]
    for piece in grown.intermediate:  # some longer one is made of it
        assert any(piece in merge for merge in merges)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(BASES)), st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1))
def test_words_alone_are_cut_as_in_a_sentence(name, words):
    """After a space; the plain tokenizer puts none before the first word."""
    grown = GROWN[name]
    kind = kind_of(grown)
    alone = [piece for pieces in kind.segment(grown, words) for piece in pieces]
    sentence = grown.encode("".join(f" {word}" for word in words), add_special_tokens=False).tokens
    assert alone == sentence
    with_space = Tokenizer.from_str(grown.to_str())
    kind.set_leading_space(with_space, True)
    each = with_space.encode_batch_fast(words, add_special_tokens=False)
    assert [number for encoding in each for number in encoding.ids] == [grown.token_to_id(piece) for piece in alone]
    kind.set_leading_space(with_space, False)
    assert [with_space.encode(word).ids for word in words] == [
        Tokenizer.from_str(grown.to_str()).encode(word).ids for word in words
    ] or name == "RoBERTa's"  # whose own way is the space


AS_MADE = {name: base.to_str() for name, base in BASES.items()}
GROWN = {name: kind_of(base).grow(base, OTHERS, 9, CHOICE, {}).tokenizer for name, base in BASES.items()}


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text("ab", min_size=1, max_size=9), st.integers(1, 5), min_size=1), st.integers(1, 8))
def test_merges_are_those_of_counting_all_pairs_anew_each_time(words, number):
    """Beside a version that recounts everything, of words whose letters are alike."""
    cuts = [Cut(list(word), count) for word, count in sorted(words.items())]
    found = further_merges(Words(cuts, {}), [], {}, set("ab"), number, 1, lambda _: True)
    slow, known, merges = [[*word] for word in sorted(words)], set("ab"), []
    counts = [words[word] for word in sorted(words)]
    while len(known) < 2 + number:
        saved = Counter()
        for pieces, count in zip(slow, counts, strict=True):
            for pair in set(pairwise(pieces)):
                saved[pair] += count * (len(pieces) - len(joined(pieces, pair)))
        if not saved:
            break
        pair = min(saved, key=lambda pair: (-saved[pair], pair))
        merges.append(pair)
        known.add("".join(pair))
        slow = [joined(pieces, pair) for pieces in slow]
        for _ in range(9):  # a merge of before may go on with a piece that there are two ways to
            for merge in merges:
                slow = [joined(pieces, merge) for pieces in slow]
    if len(set(map("".join, merges))) == len(merges):
        assert found.merges == merges


def joined(pieces, pair):
    after = []
    for piece in pieces:
        if after and (after[-1], piece) == pair:
            after[-1] += piece
        else:
            after.append(piece)
    return after


def test_a_letter_of_three_bytes_becomes_one_piece():
    base = BASES["Gemma's"]
    kind = kind_of(base)
    assert kind.segment(base, ["ქ"]) == [["▁", "<0xE1>", "<0x83>", "<0xA5>"]]
    assert kind.missing_letters(base, "tქ") == ["ქ"]
    grown = kind.grow(base, Counter({"ქარი": 5, "sata": 3}), 5, CHOICE, {})
    assert set(grown.pieces[:4]) == set("ქარი")
    assert not any(piece.startswith("<0x") for piece in grown.pieces)
    assert kind.missing_letters(grown.tokenizer, "ქარი") == []
    assert kind.segment(grown.tokenizer, ["ქ"]) == [["▁", "ქ"]]


def test_without_bytes_the_letters_that_are_unknown_come_first():
    definition = json.loads(BASES["Gemma's"].to_str())
    definition["model"]["byte_fallback"] = False
    base = Tokenizer.from_str(json.dumps(definition))
    kind = kind_of(base)
    assert kind.unknown(base) == "<unk>" and kind.segment(base, ["ქა"]) == [["▁", "<unk>"]]
    text = Counter({"kosatalo": 99, "ქა": 2, "რ": 1})
    grown = kind.grow(base, text, 4, CHOICE, {})
    assert set(grown.pieces[:3]) == set("ქარ")
    measured = [coverage(tokenizer, text) for tokenizer in (base, grown.tokenizer)]
    assert [found.unknown_token_rate > 0 for found in measured] == [True, False]
    assert measured[0].bytes_per_wordpiece is None


def test_a_word_of_invisible_marks_has_no_pieces():
    base = gemma(normalizer=with_normal_form(None, "NFC"))
    assert kind_of(base).segment(base, ["\u200d", "talo"]) == [[], ["▁talo"]]
    assert kind_of(base).continuations(base, [[], ["▁", "t"]]) == [0, 1]
    assert kind_of(base).grow(base, Counter({"\u200d": 9, "sata": 9}), 1, CHOICE, {}).pieces


def test_bytes_names_and_lone_digits_are_never_merged():
    base = BASES["Gemma's"]
    rare = Counter({"ßßßß": 9, "19191919": 99, "<unused1": 99, "unused1>": 50, "a<mask>b": 99, "<0x0A": 50})
    grown = kind_of(base).grow(base, rare, 30, piece_choice(500, limit_alphabet=1), {})
    assert not any(set(piece) & set("0123456789") for piece in grown.pieces)
    assert not any("0x" in piece or "mask>" in piece for piece in grown.pieces)


def test_a_merge_that_makes_a_known_piece_costs_no_id():
    """Of "ab" + "c" the base makes "abc", and now of "a" + "bc" too."""
    model = models.BPE({piece: number for number, piece in enumerate(["▁", "a", "b", "c", "ab", "bc", "abc", "d"])}, [])
    definition = json.loads(Tokenizer(model).to_str())
    definition["model"]["merges"] = [["b", "c"], ["a", "b"], ["ab", "c"]]
    base = Tokenizer.from_str(json.dumps(definition))
    base.normalizer = normalizers.Replace(" ", "▁")
    assert kind_of(base).segment(base, ["abc"]) == [["▁", "a", "bc"]]
    grown = kind_of(base).grow(base, Counter({"abc": 9, "abcd": 7}), 2, CHOICE, {})
    assert grown.pieces == ["▁abc", "▁abcd"]
    assert json.loads(grown.tokenizer.to_str())["model"]["merges"][3:] == [["a", "bc"], ["▁", "abc"], ["▁abc", "d"]]
    assert kind_of(base).segment(grown.tokenizer, ["abc", "abcd"]) == [["▁abc"], ["▁abcd"]]


def test_words_of_other_languages_stay_as_they_are_up_to_the_bound():
    base = BASES["Gemma's"]
    kind = kind_of(base)
    text, other = Counter({"kalassa": 9, "sossa": 8, "ქარი": 7}), Counter({"ossa": 1, "ქ": 1, "talo": 98})
    free = kind.grow(base, text, 8, piece_choice(500, most_resegmented=1.0), {"fi": other})
    bound = kind.grow(base, text, 8, piece_choice(500, most_resegmented=0.0), {"fi": other})
    distinct = sorted(other)
    assert kind.segment(free.tokenizer, distinct) != kind.segment(base, distinct)
    assert kind.segment(bound.tokenizer, distinct) == kind.segment(base, distinct)
    assert "ქ" in bound.passed_over and "ქ" in free.pieces
    assert set(bound.passed_over).isdisjoint(bound.pieces)


def test_rare_pairs_are_not_merged_and_no_number_takes_the_size():
    base = BASES["RoBERTa's"]
    grown = kind_of(base).grow(base, OTHERS, 99, piece_choice(500, min_frequency=9), {})
    assert 0 < len(grown.pieces) < 20
    assert len(kind_of(base).grow(base, OTHERS, None, piece_choice(12), {}).pieces) == 12


# -- folders -------------------------------------------------------------------------------------------------------


def write_base(folder, tokenizer, settings=None):
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", {"model_type": "roberta", "vocab_size": 500, "max_position_embeddings": 64})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | (settings or {}))
    return folder


@pytest.mark.parametrize("name", ["mmBERT", "ModernBERT", "Llama 3"])
def test_a_folder_loads_with_the_library_and_keeps_every_id(tmp_path, name):
    tokenizer = {"mmBERT": gemma, "ModernBERT": modern_bert, "Llama 3": llama}[name]()
    before = tokenizer.get_vocab()
    folder = write_base(tmp_path / "base", tokenizer)
    settle_base(folder, "NFC", 64)
    (tmp_path / "train.txt").write_text(" ".join(OTHERS.elements()), encoding="utf-8")
    labeled = {"treebank": WordCounts(1, OTHERS)}
    build_vocabulary(folder, tmp_path / "train.txt", 6, CHOICE, labeled, tmp_path / "out")
    check_reload(tmp_path / "out", OTHERS)
    statistics = read_json(tmp_path / "out/statistics.json")
    pieces = statistics["pieces"]
    theirs = AutoTokenizer.from_pretrained(tmp_path / "out")
    after = theirs.get_vocab()
    assert len(pieces) == 6 and {piece: after[piece] for piece in pieces} == pieces
    lost = {piece for piece, number in before.items() if after.get(piece) != number}
    assert len(lost) == (0 if name == "Llama 3" else 3) and all("unused" in piece for piece in lost)
    special = special_ids(load_base(tmp_path / "out"))
    assert theirs("talo").input_ids[0] == special["start"] and theirs("talo").input_ids[-1] == special["end"]
    assert (theirs.pad_token_id, theirs.mask_token_id) == (special["pad"], special["mask"])
    measured = statistics["coverage"]["treebank"]
    assert measured["augmented"]["bytes_per_wordpiece"] > measured["base"]["bytes_per_wordpiece"] > 0
    assert measured["base"]["unknown_token_rate"] == 0


def test_slots_that_somebody_has_made_tokens_of_are_not_free(tmp_path):
    settings = {"additional_special_tokens": ["<unused1>"]}
    base = load_base(write_base(tmp_path / "base", gemma(), settings))
    assert kind_of(base).free_slots(base) == ["<unused0>", "<unused2>"]


def test_struck_through_text_of_html_is_not_taken_for_the_ends(tmp_path):
    tokenizer = gemma()
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in ("<s>", "</s>")])  # as Gemma has them
    base = load_base(write_base(tmp_path / "base", tokenizer))
    assert base.encode("").tokens == ["<bos>", "<eos>"]
    assert special_ids(base)["start"] == base.token_to_id("<bos>")


def test_dropout_is_left_out(tmp_path):
    tokenizer = gemma()
    tokenizer.model.dropout = 0.5
    assert load_base(write_base(tmp_path / "base", tokenizer)).model.dropout is None


def test_gemma_needs_no_pre_tokenizer(tmp_path):
    tokenizer = gemma()
    tokenizer.pre_tokenizer = None
    folder = write_base(tmp_path / "base", tokenizer)
    settle_base(folder, "NFC", 64)
    assert segment(load_base(folder), ["talossa"])[0][0].startswith("▁")


def test_a_text_is_cut_as_the_base_cuts_it(tmp_path):
    """No space is put before the first word of a line, since the base has none."""
    base = write_base(tmp_path / "base", gemma())
    settle_base(base, "NFC", 64)
    assert load_base(base).encode("talo talo", add_special_tokens=False).tokens[0] == "talo"
    assert segment(load_base(base), ["talo"]) == [["▁talo"]]


def test_a_learned_vocabulary_has_gemmas_layout():
    tokenizer = gemma(normalizer=normalizers.NFC())
    names = in_order(tokenizer)
    assert names[:8] == ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>", "<unused1>", "<unused2>"]
    assert names[8:264] == list(BYTE_PIECES)
    assert len(names) <= 310
    assert tokenizer.decode(tokenizer.encode("talossa ქ").ids) == "talossa ქ"
    measured = coverage(tokenizer, Counter({"talo": 3, "é": 1}))
    assert measured.unknown_token_rate == 0
    assert measured.bytes_per_wordpiece == pytest.approx((3 * 4 + 2) / (3 + 3), abs=1e-4)


def test_marks_at_the_start_only_for_metaspace_too():
    tokenizer = gemma()
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFC(), pre_tokenizers.Metaspace(prepend_scheme="first")
    kind = kind_of(tokenizer)
    assert kind.segment(tokenizer, ["talo"]) == [["▁talo"]]
    assert tokenizer.pre_tokenizer.prepend_scheme == "first"
    assert kind.grow(tokenizer, OTHERS, 3, CHOICE, {}).pieces


@pytest.mark.parametrize("name", BASES)
def test_growing_changes_neither_the_base_nor_what_is_done_to_a_text(name):
    assert BASES[name].to_str() == AS_MADE[name]
    before, after = (json.loads(text) for text in (AS_MADE[name], GROWN[name].to_str()))
    for step in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        assert after[step] == before[step]
    for text in ("1918 x1918", "  1918", "."):
        assert GROWN[name].encode(text).tokens == BASES[name].encode(text).tokens


def test_a_fixed_padding_of_the_file_leaves_pairs_as_they_are(tmp_path):
    tokenizer = learn_byte_pieces(WORDS, BytePieceTraining(size=300, min_frequency=2))
    pair = tokenizer.encode("talo", "kala").tokens
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(5)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert load_base(tmp_path).encode("talo", "kala").tokens == pair
