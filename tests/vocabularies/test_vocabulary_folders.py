"""Putting pieces into free slots, measuring what a vocabulary covers, and the folder that others load."""

import json
from collections import Counter
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer, models, trainers
from transformers import AutoTokenizer, BertConfig, RobertaConfig

from specialize.errors import InputError
from specialize.files import read_json, write_json
from specialize.vocabularies import (
    PieceTraining,
    WordCounts,
    bert_tokenizer,
    build_vocabulary,
    count_labeled_words,
    count_words,
    coverage,
    in_order,
    inject,
    learn_wordpieces,
    load_base,
    new_base_vocabulary,
    save_tokenizer,
)

SLOTS = 6
BASE_TEXT = Counter({"talo": 9, "talossa": 8, "kala": 6, "kalassa": 5, "sana": 4, ".": 9, ",": 3})


def base_tokenizer():
    pieces = new_base_vocabulary(
        BASE_TEXT, PieceTraining(size=60, min_frequency=1, limit_alphabet=1000), unused_slots=SLOTS
    )
    return bert_tokenizer({piece: number for number, piece in enumerate(pieces)})


@pytest.fixture(scope="module")
def base():
    return base_tokenizer()


@pytest.fixture
def base_folder(tmp_path, base):
    folder = tmp_path / "base"
    folder.mkdir()
    save_tokenizer(base, folder)
    BertConfig(vocab_size=base.get_vocab_size()).save_pretrained(folder)
    return folder


# -- injection ---------------------------------------------------------------------------------------------

NEW_PIECES = st.lists(st.text(st.sampled_from("ئۇيغر漢é"), min_size=1, max_size=4), max_size=SLOTS, unique=True)


@settings(max_examples=50, deadline=None)
@given(NEW_PIECES, st.booleans())
def test_new_pieces_take_the_first_free_ids_and_every_other_id_stays(base, pieces, continuing):
    pieces = [f"##{piece}" if continuing else piece for piece in pieces]
    before, after = in_order(base), in_order(inject(base, pieces))
    assert len(after) == len(before)
    assert after[1 : 1 + len(pieces)] == pieces
    assert after[0] == before[0]
    assert after[1 + len(pieces) :] == before[1 + len(pieces) :]


def test_free_slots_are_taken_in_the_order_of_their_ids():
    scattered = bert_tokenizer(
        {"[UNK]": 0, "[unused10]": 1, "a": 2, "[unused9]": 3, "[CLS]": 4, "[SEP]": 5, "[unused11]": 6}
    )
    assert in_order(inject(scattered, ["x", "y"])) == ["[UNK]", "x", "a", "y", "[CLS]", "[SEP]", "[unused11]"]


def test_pieces_beyond_the_slots_come_after_all_others(base):
    pieces = [f"x{number}" for number in range(SLOTS + 3)]
    before, after = in_order(base), in_order(inject(base, pieces))
    assert after[1 : 1 + SLOTS] == pieces[:SLOTS]
    assert after[1 + SLOTS : len(before)] == before[1 + SLOTS :]
    assert after[len(before) :] == pieces[SLOTS:]


def test_a_base_without_slots_grows():
    base = bert_tokenizer({"[UNK]": 0, "a": 1, "[CLS]": 2, "[SEP]": 3})
    assert in_order(inject(base, ["x", "##y"])) == ["[UNK]", "a", "[CLS]", "[SEP]", "x", "##y"]


def test_an_injected_piece_is_used(base):
    augmented = inject(base, ["ئات", "##لار"])
    assert base.encode("ئاتلار talo", add_special_tokens=False).tokens[0] == "[UNK]"
    encoding = augmented.encode("ئاتلار talo", add_special_tokens=False)
    assert encoding.tokens == ["ئات", "##لار", "talo"]
    assert encoding.ids[:2] == [1, 2]


def test_the_base_is_left_as_it_was(base):
    before = base.to_str()
    inject(base, ["x"])
    assert base.to_str() == before


# -- the folder --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [[], ["ئات", "##لار", "Ünlü"]])
def test_a_saved_folder_loads_with_transformers_and_gives_the_same_ids(tmp_path, base, pieces):
    ours = inject(base, pieces)
    save_tokenizer(ours, tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    texts = ["talossa kalassa, sana.", "ئاتلار ئات", "Ünlü ünlü Talo", "漢字 ok\u0000\u00a0x", "[unused6]", ""]
    for text in texts:
        assert theirs(text)["input_ids"] == ours.encode(text).ids
    pair = theirs("talo", "kala")
    assert pair["input_ids"] == ours.encode("talo", "kala").ids
    assert pair["token_type_ids"] == ours.encode("talo", "kala").type_ids
    assert len(theirs) == base.get_vocab_size()
    assert (theirs.pad_token, theirs.unk_token, theirs.mask_token) == ("[PAD]", "[UNK]", "[MASK]")


def test_vocabulary_text_has_a_line_for_every_id(tmp_path, base):
    save_tokenizer(inject(base, ["ئات"]), tmp_path)
    lines = (tmp_path / "vocab.txt").read_text(encoding="utf-8").split("\n")
    assert lines[-1] == ""
    assert lines[1] == "ئات"
    assert lines[:-1] == in_order(Tokenizer.from_file(str(tmp_path / "tokenizer.json")))


def write_corpus(tmp_path):
    corpus = tmp_path / "train.txt"
    corpus.write_text("ئات talo\nئاتلار kala .\n\nئات ئات\ntalo\n\n", encoding="utf-8")
    return corpus


def test_building_puts_the_pieces_that_rescue_into_a_folder(tmp_path, base_folder, base):
    labeled = {"treebank": WordCounts(2, Counter({"ئات": 2, "talo": 1}))}
    training = piece_choice(100)
    folder = tmp_path / "vocabulary"
    build_vocabulary(base_folder, write_corpus(tmp_path), 2, training, labeled, folder)
    statistics = json.loads((folder / "statistics.json").read_text(encoding="utf-8"))
    assert statistics["pieces"] == {"ئات": 1, next(iter(statistics["pieces"].keys() - {"ئات"})): 2}
    augmented = vocabulary_of(folder)
    assert in_order(augmented)[3:] == in_order(base)[3:]
    assert statistics["coverage"]["treebank"] == {
        "sentences": 2,
        "letters": 10,
        "scripts": {"Arabic": 0.6, "Latin": 0.4},
        "missing_letters": {"ئ": 0.2, "ا": 0.2, "ت": 0.2},
        "base": measured(base, labeled["treebank"].words),
        "augmented": measured(augmented, labeled["treebank"].words),
    }
    assert statistics["coverage"]["treebank"]["base"]["unknown_token_rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert statistics["coverage"]["treebank"]["augmented"]["unknown_token_rate"] == 0
    assert statistics["coverage"]["corpus"]["base"]["tokens"] == 8
    assert statistics["coverage"]["corpus"]["sentences"] == 4


def measured(tokenizer, words):
    """Its coverage but for what a kind of vocabulary with unknown words does not measure."""
    return {name: value for name, value in asdict(coverage(tokenizer, words)).items() if name != "bytes_per_wordpiece"}


def vocabulary_of(folder):
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def test_building_with_no_pieces_keeps_the_base_vocabulary(tmp_path, base_folder, base):
    training = piece_choice(100)
    build_vocabulary(base_folder, write_corpus(tmp_path), 0, training, {}, tmp_path / "vocabulary")
    assert in_order(vocabulary_of(tmp_path / "vocabulary")) == in_order(base)


def test_building_twice_gives_the_same_bytes(tmp_path, base_folder):
    training = piece_choice(100)
    for name in ("first", "second"):
        build_vocabulary(base_folder, write_corpus(tmp_path), SLOTS, training, {}, tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == ["statistics.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_fewer_pieces_than_asked_for_are_said(tmp_path, base_folder, capsys):
    training = piece_choice(10)
    build_vocabulary(base_folder, write_corpus(tmp_path), SLOTS, training, {}, tmp_path / "vocabulary")
    pieces = json.loads((tmp_path / "vocabulary/statistics.json").read_text(encoding="utf-8"))["pieces"]
    assert f"only {len(pieces)} new wordpieces of the {SLOTS} asked for" in capsys.readouterr().out


def test_without_a_corpus_only_labeled_data_are_measured(tmp_path, base_folder):
    labeled = {"ner": WordCounts(1, Counter({"talo": 1}))}
    build_vocabulary(
        base_folder,
        None,
        0,
        piece_choice(5000, min_frequency=5),
        labeled,
        tmp_path / "vocabulary",
    )
    statistics = json.loads((tmp_path / "vocabulary/statistics.json").read_text(encoding="utf-8"))
    assert list(statistics["coverage"]) == ["ner"]


def test_all_pieces_are_those_of_the_new_vocabulary_that_the_base_lacks_and_words_use(tmp_path, base_folder, base):
    training = piece_choice(100)
    corpus = write_corpus(tmp_path)
    build_vocabulary(base_folder, corpus, None, training, {}, tmp_path / "vocabulary")
    new = learn_wordpieces(count_words([corpus]).words, training).get_vocab().keys()
    statistics = read_json(tmp_path / "vocabulary/statistics.json")
    pieces = statistics["pieces"]
    assert pieces.keys() == new - base.get_vocab().keys() - set(statistics["passed_over"]) == {"ئات", "ئاتلار"}
    assert len(statistics["passed_over"]) == len(set(statistics["passed_over"])) > 5
    grown = vocabulary_of(tmp_path / "vocabulary")
    assert grown.get_vocab_size() == base.get_vocab_size() + max(0, len(pieces) - SLOTS)
    assert len((tmp_path / "vocabulary/vocab.txt").read_text(encoding="utf-8").splitlines()) == grown.get_vocab_size()
    assert AutoTokenizer.from_pretrained(tmp_path / "vocabulary").get_vocab() == grown.get_vocab()


# -- coverage ----------------------------------------------------------------------------------------------


def test_coverage_by_hand():
    tokenizer = bert_tokenizer({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "ta": 3, "##lo": 4, "##s": 5, "ka": 6, ".": 7})
    words = Counter({"talos": 2, "ka": 3, "x": 4, "ka.x": 1})
    # talos: ta ##lo ##s; ka: ka; x: unknown; ka.x: ka . unknown
    measured = coverage(tokenizer, words)
    assert measured.tokens == 10
    assert measured.wordpieces_per_token == pytest.approx((2 * 3 + 3 + 4 + 3) / 10)
    assert measured.unknown_token_rate == pytest.approx(5 / 10)
    assert measured.unknown_wordpiece_rate == pytest.approx(5 / 16, abs=1e-6)
    assert measured.continuation_rate == pytest.approx(4 / 16, abs=1e-4)


def test_coverage_of_nothing_is_zero(base):
    assert not any(asdict(coverage(base, Counter())).values())


def test_unknown_words_and_unknown_marks_are_counted_apart():
    pieces = ["[UNK]", "[CLS]", "[SEP]", "ta", "##lo", "##s", ".", "-"]
    tokenizer = bert_tokenizer({piece: number for number, piece in enumerate(pieces)})
    words = Counter({"talos": 5, "–": 7, "talo–ta": 2, "ţalo": 3, "ta-ţa": 1, "–ţ": 1, "19": 4, "\u0301": 1})
    measured = coverage(tokenizer, words)
    assert (measured.tokens, measured.words) == (24, 12)
    assert measured.frequent_unknown_words == {"ţalo": 3, "ta-ţa": 1, "–ţ": 1}
    assert measured.frequent_unknown_marks == {"–": 7, "19": 4, "talo–ta": 2, "\u0301": 1}
    assert (measured.unknown_words, measured.unknown_marks) == (5, 14)
    assert measured.unknown_word_rate == pytest.approx(5 / 12, abs=1e-6)
    assert measured.unknown_token_rate == pytest.approx(19 / 24, abs=1e-6)


def test_a_dozen_of_unknown_words_are_named_the_most_frequent_first():
    tokenizer = bert_tokenizer({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2})
    words = Counter({chr(number): 40 - number % 7 for number in range(ord("a"), ord("a") + 20)})
    named = coverage(tokenizer, words).frequent_unknown_words
    assert len(named) == 12
    assert list(named) == sorted(words, key=lambda word: (-words[word], word))[:12]


@given(st.lists(st.text(alphabet="taloţé–-.9\u0301ไ", min_size=1, max_size=8), max_size=30))
def test_every_unknown_token_is_a_word_or_a_mark(words):
    tokenizer = bert_tokenizer({piece: n for n, piece in enumerate(["[UNK]", "[CLS]", "[SEP]", "ta", "##l", "o", "-"])})
    measured = coverage(tokenizer, Counter(words))
    assert measured.unknown_words <= measured.words <= measured.tokens == len(words)
    unknown = measured.unknown_words + measured.unknown_marks
    assert measured.unknown_token_rate == pytest.approx(unknown / max(len(words), 1), abs=1e-6)


def test_words_are_counted_where_they_stand(tmp_path):
    corpus, treebank, entities = tmp_path / "train.txt", tmp_path / "train.conllu", tmp_path / "train.tsv"
    corpus.write_text("a b a\n\nc\n\n", encoding="utf-8")
    treebank.write_text(
        "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\t_\t_\t_\t_\t0\troot\t_\t_\n2\tle\t_\t_\t_\t_\t1\tdet\t_\t_\n\n",
        encoding="utf-8",
    )
    entities.write_text("a\tO\nd\tB-PER\n\na\tO\n\n", encoding="utf-8")
    assert count_words([corpus, corpus]) == WordCounts(4, Counter({"a": 4, "b": 2, "c": 2}))
    assert count_labeled_words([treebank, entities, treebank]) == {
        "treebank": WordCounts(2, Counter({"de": 2, "le": 2})),
        "ner": WordCounts(2, Counter({"a": 2, "d": 1})),
    }


# -- base models that will not do --------------------------------------------------------------------------


def foreign_folder(folder, config, model, trainer):
    folder.mkdir()
    config.save_pretrained(folder)
    tokenizer = Tokenizer(model)
    tokenizer.train_from_iterator(["talo kala sana"], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


BERT = BertConfig()
FOREIGN = {
    "a RoBERTa": (RobertaConfig(), models.BPE(), trainers.BpeTrainer(show_progress=False)),
    "a BERT over BPE": (BERT, models.BPE(), trainers.BpeTrainer(show_progress=False)),
    "a BERT over words": (BERT, models.WordLevel(), trainers.WordLevelTrainer(show_progress=False)),
}


@pytest.mark.parametrize(("config", "model", "trainer"), FOREIGN.values(), ids=FOREIGN)
def test_a_base_without_wordpieces_is_refused(tmp_path, config, model, trainer):
    folder = foreign_folder(tmp_path / "foreign", config, model, trainer)
    with pytest.raises(InputError, match=r"the kinds that can take pieces are .*WordPiece|puts no ▁ before words"):
        load_base(folder)


def test_a_base_without_a_tokenizer_is_refused(base_folder):
    (base_folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"tokenizer\.json: is missing from the base model"):
        load_base(base_folder)


def test_a_base_is_loaded_as_it_was_saved(base_folder, base):
    assert in_order(load_base(base_folder)) == in_order(base)


def test_a_tokenizer_of_an_older_library_without_its_kind_is_a_wordpiece_base(base_folder, base):
    path = base_folder / "tokenizer.json"
    definition = read_json(path)
    del definition["model"]["type"]
    write_json(path, definition)
    assert in_order(load_base(base_folder)) == in_order(base)


def test_a_broken_tokenizer_is_refused_with_its_name(base_folder):
    (base_folder / "tokenizer.json").write_text('{"model": {}}')
    with pytest.raises(InputError, match=r"tokenizer\.json: is not a tokenizer"):
        load_base(base_folder)
