"""Where new rows start from by script, similarity or dictionary, for every kind of vocabulary, by naive readings."""

import math
import random
from collections import Counter, defaultdict
from fractions import Fraction

import numpy
import pytest
import torch
from fontTools.unicodedata import script
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pretraining.conftest import ARCHITECTURE, DESCRIPTION, NEW_PIECES, small_settings, write_vocabulary
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer

from specialize.bases.architectures import known_architectures
from specialize.errors import InputError
from specialize.files import read_json
from specialize.pretraining.initialisation import LanguageSources, check_slots, start_new_rows
from specialize.pretraining.new_rows import NewPieces, make_room
from specialize.pretraining.pretrain import adapt
from specialize.pretraining.rows_by_dictionary import by_dictionary
from specialize.pretraining.rows_by_script import by_script
from specialize.pretraining.rows_by_similarity import SETTINGS, by_similarity, piece_vectors, sparsemax
from specialize.sources import read_word_list
from specialize.training.devices import seed_everything
from specialize.unicode import main_script
from specialize.vocabularies import (
    BytePieceTraining,
    PieceTraining,
    bert_tokenizer,
    in_order,
    kind_named,
    kind_of,
    new_base_vocabulary,
    special_ids,
)

KINDS = ("wordpiece", "unigram", "bpe", "byte-level")
LATIN, CYRILLIC, GEORGIAN = ["la", "mi", "no", "tu"], ["ла", "ми", "но", "ту"], ["ქა", "რი", "ლო"]


def words_of(syllables, number, seed):
    source = random.Random(seed)
    words = ["".join(source.choices(syllables, k=source.randint(1, 3))) for _ in range(number)]
    return Counter({word: 1 + number // place for place, word in enumerate(words, 1)})


BASE_WORDS = words_of([*LATIN, "ke"], 80, 1) + words_of(CYRILLIC, 80, 2) + Counter({"1": 9, ".": 9, "é": 9})
NEW_WORDS = words_of([*LATIN, "wë"], 60, 3) + words_of([*CYRILLIC, "қы"], 60, 4) + words_of(GEORGIAN, 60, 5)


def base_of(kind):
    if kind == "wordpiece":
        training = PieceTraining(size=80, min_frequency=1, limit_alphabet=1000)
        listed = new_base_vocabulary(BASE_WORDS, training, 3)
        return bert_tokenizer({piece: number for number, piece in enumerate(listed)})
    if kind == "byte-level":
        return kind_named(kind).learn(BASE_WORDS, BytePieceTraining(size=330, min_frequency=1))
    size = {"unigram": 80, "bpe": 340}[kind]
    return kind_named(kind).learn(BASE_WORDS, PieceTraining(size=size, min_frequency=1, limit_alphabet=1000))


class Case:
    """A base vocabulary of a kind, with new pieces."""

    def __init__(self, kind):
        self.base = base_of(kind)
        growth = kind_of(self.base).grow(self.base, NEW_WORDS, 40, piece_choice(80, choose="compression"), {})
        self.grown = growth.tokenizer
        ids = self.grown.get_vocab()
        self.pieces = NewPieces.of(self.base, {piece: ids[piece] for piece in growth.pieces})
        assert len(growth.pieces) > 10

    def model(self, tied=False):
        seed_everything(1, 1, 1, threads=1)
        architecture = known_architectures()["bert"]
        sizes = ARCHITECTURE | {"tie_word_embeddings": tied}
        made = architecture.new_masked_lm(sizes, 1 + max(self.base.get_vocab().values()), special_ids(self.base))
        architecture.join_biases(made)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.normal_(0.0, 0.1)
        make_room(made, 1 + max(self.grown.get_vocab().values()))
        return made

    def started(self, how, text, word_list=None, tied=False, **changes):
        """The tables before and after, and what is told."""
        model = self.model(tied)
        before = [table.detach().clone() for table in tables(model)]
        language = LanguageSources(self.grown, text, word_list)
        told = start_new_rows(model, self.pieces, language, small_settings(initialisation=how, **changes))
        return before, [table.detach().clone() for table in tables(model)], told


@pytest.fixture(autouse=True)
def few_buckets(monkeypatch):
    """So that drawing them takes no time."""
    monkeypatch.setitem(SETTINGS, "buckets", 500)


def tables(model):
    architecture = known_architectures()["bert"]
    return [*architecture.matrices(model), architecture.output_bias(model)]


@pytest.fixture(scope="module", params=KINDS)
def case(request):
    return Case(request.param)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "train.txt"
    source, words = random.Random(6), list((NEW_WORDS + BASE_WORDS).elements())
    lines = [" ".join(source.choices(words, k=8)) for _ in range(400)]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def word_list(tmp_path_factory):
    path = tmp_path_factory.mktemp("list") / "words.tsv"
    source, known = random.Random(7), sorted(words_of(LATIN, 60, 1))
    lines = [f"{word}\t{source.choice(known)}" for word in sorted(NEW_WORDS)[::2] for _ in range(source.randint(1, 2))]
    lines += ["ქარილო ლო\tla mi no", "ქაქაქაქა\t漢"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("how", ["script", "focus", "dictionary"])
def test_only_new_rows_move_and_twice_to_the_same_bytes(case, text, word_list, how):
    before, after, told = case.started(how, text, word_list)
    again, other = (case.started(how, text, word_list, seed=seed)[1] for seed in (7, 8))
    new = sorted(case.pieces.ids.values())
    kept = [number for number in range(len(before[0])) if number not in set(new)]
    for old, now, twin, unlike in zip(before, after, again, other, strict=True):
        assert torch.equal(old[kept], now[kept])
        assert torch.isfinite(now).all()
        assert (now[new] != old[new]).reshape(len(new), -1).any(1).all()
        assert torch.equal(now, twin)
        assert torch.equal(now, unlike) == (how == "dictionary")  # the others draw, or have vectors that are drawn
    ways = {"script": ("script", "all_rows"), "focus": ("similar_pieces", "all_rows")}
    named = ways.get(how, ("translations", "parts", "all_rows"))
    assert sum(told["new_rows"][way] for way in named) == len(new)
    assert told["new_rows"][named[0]] > 0
    tied = case.started(how, text, word_list, tied=True)[1]
    assert len(tied) == 2


def test_a_piece_is_read_without_its_marks():
    def reading(kind, piece):
        return kind_named(kind).reading(base_of(kind), piece)

    assert [reading("wordpiece", piece) for piece in ("қы", "##қы")] == [("қы", True), ("қы", False)]
    assert [reading("unigram", piece) for piece in ("▁қы", "қы", "▁")] == [("қы", True), ("қы", False), ("", True)]
    assert reading("bpe", "<0xE1>") == ("", False)
    assert reading("bpe", "▁қы") == ("қы", True)
    coded = base_of("byte-level").pre_tokenizer.pre_tokenize_str("қы")[0][0]  # a space is put before it
    assert reading("byte-level", coded) == ("қы", True)
    assert reading("byte-level", coded[1:]) == ("қы", False)
    assert reading("byte-level", coded[:-1]) == ("қ", True)  # cut within a letter
    assert reading("byte-level", coded[1]) == ("", False)


def test_the_script_of_a_piece_is_that_of_most_characters():
    assert [main_script(text) for text in ("қыz", "ქa", "a1", "1", "ा", "")] == [
        "Cyrl",
        "Geor",
        "Latn",
        "Zyyy",
        "Deva",
        "",
    ]


def naive_groups(kind, vocabulary, special):
    """As in the paper's code: `{script}_initial` and `{script}_medial`, of the characters without the mark."""
    groups = defaultdict(list)
    for piece, number in vocabulary.items():
        if piece in special:
            continue
        if kind == "wordpiece":
            initial, letters = not piece.startswith("##"), piece.removeprefix("##")
        elif kind == "byte-level":
            codes = {letter: code for code, letter in byte_letters().items()}
            letters = bytes(codes[letter] for letter in piece).decode(errors="ignore")
            initial, letters = letters.startswith(" "), letters.strip(" ")
        else:
            initial, letters = piece.startswith("▁"), "" if piece.startswith("<0x") else piece.replace("▁", "")
        counts = Counter(map(script, letters)).most_common(1)
        groups[(counts[0][0] if counts else "", initial)].append(number)
    return groups


def byte_letters():
    """GPT-2's letters of bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}


@pytest.mark.parametrize("kind", KINDS)
def test_script_is_what_the_paper_says(kind, text):
    case = Case(kind)
    known = case.base.get_vocab()
    special = {token.content for token in case.base.get_added_tokens_decoder().values()}
    special |= {piece for piece in known if "unused" in piece}
    before, after, told = case.started("script", text, seed=3)
    base_groups, new_groups = naive_groups(kind, known, special), naive_groups(kind, case.pieces.ids, set())
    in_base = {group: ids for group, ids in base_groups.items() if len(ids) > 1}
    everything = [number for piece, number in sorted(known.items(), key=lambda item: item[1]) if piece not in special]
    others = sorted(number for group, ids in new_groups.items() if group not in in_base for number in ids)
    assert told == {"new_rows": {"script": len(case.pieces.ids) - len(others), "all_rows": len(others)}}
    assert others or kind == "byte-level"  # Georgian
    generator = torch.Generator().manual_seed(3)
    plan = [(sorted(new_groups[group]), sorted(in_base[group])) for group in sorted(new_groups) if group in in_base]
    for ids, of in [*plan, *([(others, everything)] if others else [])]:
        for old, now in zip(before, after, strict=True):
            drawn = torch.empty(len(ids), *old.shape[1:]).normal_(generator=generator)
            expected = old[of].mean(0) + drawn * torch.stack([old[number] for number in of]).std(0)
            torch.testing.assert_close(now[ids], expected)


def test_rows_drawn_by_script_have_its_distribution(case):
    drawn, _ = by_script(case.pieces)
    largest = max(drawn, key=lambda start: len(start.of))
    table = torch.randn(1 + max(case.grown.get_vocab().values()), 4) * torch.tensor([1.0, 2.0, 3.0, 0.0]) + 5
    many = type(largest)(list(range(20_000)), largest.of).rows(table, torch.Generator().manual_seed(1))
    rows = table[largest.of]
    torch.testing.assert_close(many.mean(0), rows.mean(0), atol=0.1, rtol=0)
    torch.testing.assert_close(many.std(0), rows.std(0), atol=0.1, rtol=0)


def naive_sparsemax(scores):
    """Martins and Astudillo (2016), by halving the interval that the threshold is in."""
    low, high = min(scores) - 1, max(scores)
    for _ in range(100):
        threshold = (low + high) / 2
        if sum(max(score - threshold, 0) for score in scores) > 1:
            low = threshold
        else:
            high = threshold
    return [max(score - high, 0) for score in scores]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=30))
def test_sparsemax_is_the_nearest_distribution(scores):
    found = sparsemax(torch.tensor([scores, scores]))
    torch.testing.assert_close(found[0], torch.tensor(naive_sparsemax(scores)), atol=1e-5, rtol=0)
    assert torch.equal(found[0], found[1])
    assert math.isclose(found[0].sum().item(), 1, abs_tol=1e-5)


def test_focus_is_what_the_paper_says(case, text):
    """Each new row by itself: cosines with every shared piece that has a vector, their sparsemax, and the mean."""
    before, after, told = case.started("focus", text, seed=5)
    vectors = piece_vectors(case.grown, text, 5)
    cut = Counter(
        case.grown.id_to_token(number)
        for line in text.read_text(encoding="utf-8").splitlines()
        for number in case.grown.encode(line, add_special_tokens=False).ids
    )
    assert set(vectors.key_to_index) == {piece for piece, count in cut.items() if count >= 10}
    special = {token.content for token in case.grown.get_added_tokens_decoder().values()}
    shared = [piece for piece in in_order(case.base) if piece in vectors.key_to_index and piece not in special]
    new = [piece for piece in case.pieces.ids if piece in vectors.key_to_index]
    assert told == {"new_rows": {"similar_pieces": len(new), "all_rows": len(case.pieces.ids) - len(new)}}
    known = case.base.get_vocab()
    for piece in new:
        one = vectors[piece]
        cosines = [
            float(one @ vectors[other] / numpy.linalg.norm(one) / numpy.linalg.norm(vectors[other])) for other in shared
        ]
        weights = naive_sparsemax(cosines)
        for old, now in zip(before, after, strict=True):
            expected = sum(weight * old[known[other]] for weight, other in zip(weights, shared, strict=True))
            torch.testing.assert_close(now[case.pieces.ids[piece]], expected, atol=1e-5, rtol=1e-3)


def test_focus_on_a_text_without_frequent_pieces_draws_all(case, tmp_path):
    short = tmp_path / "train.txt"
    short.write_text("la mi no\n\n", encoding="utf-8")
    starts, told = by_similarity(case.pieces, case.grown, short, 1)
    assert told == {"similar_pieces": 0, "all_rows": len(case.pieces.ids)}
    assert [start.of for start in starts] == [list(case.pieces.kept().values())]


def test_some_rows_at_a_time_are_all_rows_at_once(case, text, monkeypatch):
    at_once = case.started("focus", text)[1]
    monkeypatch.setattr("specialize.pretraining.rows_by_similarity.WEIGHTS_AT_ONCE", 1)
    for one, other in zip(at_once, case.started("focus", text)[1], strict=True):
        torch.testing.assert_close(one, other)


def test_dictionary_is_what_the_paper_says(case, text, word_list):
    """Relative counts of links between pieces, as of a parallel text, in fractions."""
    before, after, told = case.started("dictionary", text, word_list)
    kind, known = kind_of(case.base), case.base.get_vocab()
    counts = Counter(text.read_text(encoding="utf-8").split())
    listed = defaultdict(list)
    for line in dict.fromkeys(word_list.read_text(encoding="utf-8").splitlines()):
        word, translation = line.split("\t")
        listed[word].append(translation)
    links, needless = defaultdict(Counter), {kind.unknown(case.base), "▁"}
    for word, translations in listed.items():
        cuts = [[p for p in kind.segment(case.base, [one])[0] if p not in needless] for one in translations]
        cuts = [cut for cut in cuts if cut]
        for piece in set(kind.segment(case.grown, [word])[0]) & case.pieces.ids.keys():
            for cut in cuts:
                for part in cut:
                    links[piece][part] += Fraction(1 + counts[word], len(cuts) * len(cut))
    assert told["new_rows"]["translations"] == len(links) > 5
    assert told["new_rows"]["listed_words"] == len(listed)
    assert told["new_rows"]["listed_words_in_text"] == sum(word in counts for word in listed)
    has_letter = {"wordpiece", "unigram"}  # 漢 is bytes elsewhere
    assert told["new_rows"]["listed_words_of_unknown_translations"] == (kind.key in has_letter)
    parts = case.pieces.parts(beyond_slots=False)
    everything = list(case.pieces.kept().values())
    for piece, number in case.pieces.ids.items():
        weights = {known[part]: float(count / links[piece].total()) for part, count in links[piece].items()}
        if not weights:
            of = parts[number] or everything
            weights = Counter({part: count / len(of) for part, count in Counter(of).items()})
        for old, now in zip(before, after, strict=True):
            expected = sum(weight * old[part] for part, weight in weights.items())
            torch.testing.assert_close(now[number], expected, atol=1e-6, rtol=1e-4)


def test_words_are_looked_up_in_the_normal_form_of_the_text(tmp_path):
    from specialize.vocabularies import with_normal_form

    case = Case("wordpiece")
    case.grown.normalizer = with_normal_form(case.grown.normalizer, "NFC")
    (tmp_path / "train.txt").write_text("wëla wëla\n\n", encoding="utf-8")
    (tmp_path / "list.tsv").write_text("we\u0308la\tla\n", encoding="utf-8")
    _, found = by_dictionary(case.pieces, case.grown, tmp_path / "train.txt", tmp_path / "list.tsv")
    assert found["listed_words_in_text"] == 1


def test_a_list_that_fits_nothing_is_refused(tmp_path):
    case = Case("wordpiece")
    (tmp_path / "train.txt").write_text("wela wela\n\n", encoding="utf-8")
    (tmp_path / "list.tsv").write_text("ქა\tქა\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"list\.tsv: has no word .*; the language's words stand in the first column"):
        by_dictionary(case.pieces, case.grown, tmp_path / "train.txt", tmp_path / "list.tsv")


def test_a_new_piece_may_take_the_row_of_one_that_others_start_from(text, word_list):
    """As where new pieces replace some of the base: all rows start from what there was."""
    case = Case("unigram")
    taken = case.base.get_vocab()["▁la"]
    first = next(iter(case.pieces.ids))
    case.pieces = NewPieces(case.base, case.pieces.ids | {first: taken}, frozenset())
    assert taken not in case.pieces.kept().values()
    expected, after = case.started("dictionary", text, word_list)[::2]
    starts, _ = by_dictionary(case.pieces, case.grown, text, word_list)
    model = case.model()
    for start in starts:
        for old, now in zip(expected, tables(model), strict=True):
            assert torch.equal(start.rows(old, torch.Generator()), start.rows(now.detach(), torch.Generator()))
    assert after["new_rows"]["translations"] > 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"talo\tla\n\nvesi vette\n", r"list\.tsv, line 3: the line has no tab; each line is a word, a tab"),
        (b"talo\tla\nvesi\tla\tmi\n", r"list\.tsv, line 2: the line has 3 columns"),
        (b"\tla\n", r"list\.tsv, line 1: a column is empty"),
        (b"talo\tla\nv\xe4si\tla\n", r"list\.tsv, line 2: is not UTF-8"),
        (b"\n \n", r"list\.tsv: has no word; each line is"),
        (None, r"list\.tsv: is not there; correct the path"),
    ],
)
def test_a_word_list_that_is_none_is_refused_with_its_line(tmp_path, content, said):
    path = tmp_path / "list.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_word_list(path)


def test_a_word_list_has_all_translations_once(tmp_path):
    path = tmp_path / "list.tsv"
    path.write_bytes("\ufefftalo\tla\r\nhyvä  talo\tmi no\r\ntalo\tmi\r\ntalo\tla\r\n".encode())
    assert read_word_list(path) == {"talo": ["la", "mi"], "hyvä talo": ["mi no"]}


def test_slots_that_are_asked_for_but_not_there_are_refused_before_training(base, corpus, tmp_path, new_vocabulary):
    wanted = small_settings(slots_wanted=True, epochs=1, steps_per_epoch=1)
    adapt(base, new_vocabulary, corpus, 1.0, wanted, DESCRIPTION, tmp_path / "model")  # this base has some
    case = Case("unigram")
    with pytest.raises(InputError, match=r"tokenizer\.json: has no free slots.*; write initialisation: mean"):
        check_slots(case.pieces, wanted, base)
    check_slots(case.pieces, small_settings(), base)  # the section's own `slot` means mean there
    check_slots(NewPieces(case.base, {}, frozenset()), wanted, base)


@pytest.mark.parametrize("how", ["script", "focus", "dictionary"])
def test_a_model_is_adapted_with_each_and_says_so(base, corpus, tmp_path, how, capsys):
    pieces = [*NEW_PIECES, "lam", "##ino"]
    vocabulary = write_vocabulary(tmp_path / "vocabulary", pieces)
    (tmp_path / "list.tsv").write_text("lamino\ttu\n", encoding="utf-8")
    once = small_settings(epochs=1, steps_per_epoch=2, initialisation=how)
    word_list = tmp_path / "list.tsv" if how == "dictionary" else None
    adapt(base, vocabulary, corpus, 5.0, once, DESCRIPTION, tmp_path / "model", None, word_list)
    known = read_json(tmp_path / "model" / "history.json")["hyperparameters"]
    assert known["initialisation"] == how
    ways = {"script": ("script", "all_rows"), "focus": ("similar_pieces", "all_rows")}
    assert sum(known["new_rows"][way] for way in ways.get(how, ("translations", "parts", "all_rows"))) == len(pieces)
    assert f"4 new rows start by {how}: " in capsys.readouterr().out


@pytest.mark.parametrize("how", ["script", "focus", "dictionary"])
def test_without_new_pieces_nothing_starts(base, same_vocabulary, corpus, tmp_path, how):
    tokenizer = Tokenizer.from_file(str(same_vocabulary / "tokenizer.json"))
    pieces = NewPieces.of(tokenizer, {})
    assert start_new_rows(None, pieces, LanguageSources(tokenizer, corpus), small_settings(initialisation=how)) == {}
