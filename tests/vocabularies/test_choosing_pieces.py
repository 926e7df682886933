"""Learning new wordpieces and choosing among them, against a slow and plain reading of the paper."""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers.trainers import WordPieceTrainer

from specialize.vocabularies import (
    SPECIAL_TOKENS,
    PieceTraining,
    bert_tokenizer,
    cased_normalizer,
    choose_pieces,
    in_order,
    inject,
    learn_wordpieces,
    new_base_vocabulary,
    segment,
    with_normal_form,
)

SMALL = PieceTraining(size=60, min_frequency=1, limit_alphabet=1000)


def vocabulary_of(*pieces):
    return {piece: number for number, piece in enumerate([*SPECIAL_TOKENS, *pieces])}


def with_continuations(letters):
    return [*letters, *(f"##{letter}" for letter in letters)]


# -- learning ----------------------------------------------------------------------------------------------

TEXT = Counter(
    {"talo": 9, "talossa": 8, "talot": 7, "kala": 6, "kalassa": 5, "kalat": 5, "sana": 4, "sanat": 4, "b": 1}
)


def test_learning_and_choosing_give_the_same_pieces_every_time():
    base = bert_tokenizer(vocabulary_of(*with_continuations("taloksn")))
    words = TEXT + Counter({"ئات": 9, "ئاتلار": 8, "ئانا": 7, "ئانالار": 5})
    learned, chosen = set(), set()
    for order in (words, Counter(dict(reversed(words.items()))), words, words):
        new = learn_wordpieces(order, PieceTraining(size=200, min_frequency=1, limit_alphabet=1000))
        learned.add(frozenset(new.get_vocab()))
        chosen.add(tuple(choose_pieces(order, base, new, 9).pieces))
    assert len(learned) == len(chosen) == 1


def test_learned_pieces_obey_size_and_frequency():
    small = in_order(learn_wordpieces(TEXT, PieceTraining(size=25, min_frequency=1, limit_alphabet=1000)))
    assert len(small) == 25
    assert tuple(small[:5]) == SPECIAL_TOKENS
    frequent = learn_wordpieces(TEXT, PieceTraining(size=1000, min_frequency=5, limit_alphabet=1000)).get_vocab()
    assert "talo" in frequent
    whole = learn_wordpieces(TEXT, PieceTraining(size=1000, min_frequency=1, limit_alphabet=1000)).get_vocab()
    assert len(whole) > len(frequent)
    assert "sana" in whole
    assert "sanat" not in frequent


def test_the_rarest_letters_beyond_the_limit_are_left_out():
    kept = learn_wordpieces(TEXT, PieceTraining(size=200, min_frequency=1, limit_alphabet=3)).get_vocab()
    counts = Counter()
    for word, count in TEXT.items():
        for letter in word:
            counts[letter] += count
    assert {piece.removeprefix("##")[0] for piece in kept if piece not in SPECIAL_TOKENS} == {
        letter for letter, _ in counts.most_common(3)
    }


def test_case_and_accents_are_kept_and_cjk_letters_split():
    vocabulary = learn_wordpieces(Counter({"Éa": 5, "éa": 5, "漢字": 5}), SMALL).get_vocab()
    assert {"É", "é", "漢", "字"} <= vocabulary.keys()
    assert "漢字" not in vocabulary


TEXT_OF_MANY_KINDS = st.dictionaries(
    st.text(st.sampled_from("abéکئا漢字かな(،.-’«\u00ad\u200b\u0301\t\ufffd 1٣"), min_size=1, max_size=8),
    st.integers(1, 5),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(words=TEXT_OF_MANY_KINDS, form=st.sampled_from(["none", "NFC", "NFKC"]))
@example(words={"1a\ufffd\u0301": 1}, form="NFC")
def test_only_letters_that_continue_a_word_take_a_place_for_it(words, form):
    normalizer = with_normal_form(cased_normalizer(), form)
    new = learn_wordpieces(Counter(words), SMALL, normalizer)
    parts = [
        part for word in words for part, _ in new.pre_tokenizer.pre_tokenize_str(new.normalizer.normalize_str(word))
    ]
    continuing = {piece[2:] for piece in new.get_vocab() if piece.startswith("##") and len(piece) == 3}
    assert continuing == {letter for part in parts for letter in part[1:]}


@settings(max_examples=30, deadline=None)
@given(words=TEXT_OF_MANY_KINDS)
def test_the_pieces_are_those_of_the_plain_trainer_where_all_have_room(words):
    """Without a choice to make, its order of letters changes nothing."""
    plain = bert_tokenizer(vocabulary_of())
    trainer = WordPieceTrainer(
        vocab_size=10_000, min_frequency=1, special_tokens=list(SPECIAL_TOKENS), show_progress=False
    )
    plain.train_from_iterator([" ".join([word] * count) for word, count in words.items()], trainer)
    ours = learn_wordpieces(Counter(words), PieceTraining(size=10_000, min_frequency=1, limit_alphabet=1000))
    assert {piece for piece in ours.get_vocab() if len(piece.removeprefix("##")) == 1} == {
        piece for piece in plain.get_vocab() if len(piece.removeprefix("##")) == 1
    }


def test_a_new_base_vocabulary_has_the_slots_of_mbert():
    vocabulary = new_base_vocabulary(TEXT, PieceTraining(size=30, min_frequency=1, limit_alphabet=1000), unused_slots=7)
    assert vocabulary[0] == "[PAD]"
    assert vocabulary[1:8] == [f"[unused{number}]" for number in range(1, 8)]
    assert vocabulary[8:12] == ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(vocabulary) == len(set(vocabulary)) == 30 + 7
    assert "##o" in vocabulary[12:]
    without = new_base_vocabulary(TEXT, PieceTraining(size=30, min_frequency=1, limit_alphabet=1000), unused_slots=0)
    assert without[:5] == list(SPECIAL_TOKENS)


# -- choosing ----------------------------------------------------------------------------------------------


def chosen_slowly(words, base, new, number):
    """Fact 12 token by token: every occurrence is looked at by itself, and nothing is weighed."""
    rescuing, used = {}, {}
    base_has = set(base.get_vocab())
    for word, count in words.items():
        for _ in range(count):
            old = base.encode(word, add_special_tokens=False).tokens
            fresh = new.encode(word, add_special_tokens=False).tokens
            more_unknown = old.count("[UNK]") > fresh.count("[UNK]")
            for piece in fresh:
                if piece not in base_has:
                    used[piece] = used.get(piece, 0) + 1
                if more_unknown and piece not in old and piece not in base_has:
                    rescuing[piece] = rescuing.get(piece, 0) + 1
    ranked = sorted(sorted(rescuing), key=lambda piece: rescuing[piece], reverse=True)[:number]
    fill = sorted(sorted(used), key=lambda piece: used[piece], reverse=True)
    for piece in fill:
        if len(ranked) < number and piece not in ranked and piece not in rescuing:
            ranked.append(piece)
    return ranked


def chosen_until_all_are_used(words, base, new, number):
    passed_over = []
    while True:
        chosen = chosen_slowly(words, base, new, number + len(passed_over))
        chosen = [piece for piece in chosen if piece not in passed_over][:number]
        grown = inject(base, chosen)
        used = {piece for word in words for piece in grown.encode(word, add_special_tokens=False).tokens}
        if used >= set(chosen):
            return chosen, passed_over
        passed_over += [piece for piece in chosen if piece not in used]


WORDS = st.text(st.sampled_from("abcdeé.-漢"), min_size=1, max_size=6)
CORPORA = st.dictionaries(WORDS, st.integers(1, 6), min_size=1, max_size=25).map(Counter)
BASES = st.lists(st.sampled_from("abcdeé.-漢"), unique=True).map(with_continuations)


@settings(max_examples=60, deadline=None)
@given(CORPORA, BASES, st.integers(0, 40))
def test_choice_is_that_of_the_slow_reading(words, base_pieces, number):
    base = bert_tokenizer(vocabulary_of(*base_pieces))
    new = learn_wordpieces(words, SMALL)
    chosen, passed_over = choose_pieces(words, base, new, number)
    assert (chosen, passed_over) == chosen_until_all_are_used(words, base, new, number)
    assert len(chosen) == len(set(chosen)) <= number
    assert not set(chosen) & base.get_vocab().keys()


def test_pieces_that_rescue_go_before_pieces_that_are_merely_frequent():
    base = bert_tokenizer(vocabulary_of(*with_continuations("ab")))
    new = bert_tokenizer(vocabulary_of("ab", "xy", "z"))
    words = Counter({"ab": 100, "xy": 2, "z": 3})
    assert choose_pieces(words, base, new, 1).pieces == ["z"]
    assert choose_pieces(words, base, new, 2).pieces == ["z", "xy"]
    assert choose_pieces(words, base, new, 9).pieces == ["z", "xy", "ab"]


def test_a_word_that_the_new_vocabulary_lacks_as_well_rescues_nothing():
    base = bert_tokenizer(vocabulary_of("a"))
    new = bert_tokenizer(vocabulary_of("a", "b"))
    assert choose_pieces(Counter({"q": 50, "b": 1}), base, new, 5).pieces == ["b"]


def test_a_word_with_one_unknown_less_counts_all_its_new_pieces():
    base = bert_tokenizer(vocabulary_of("a"))
    new = bert_tokenizer(vocabulary_of("a", "b", "."))
    # `b.q` is three words to the tokenizer; the new vocabulary still lacks q
    assert segment(base, ["b.q"]) == [["[UNK]", "[UNK]", "[UNK]"]]
    assert segment(new, ["b.q"]) == [["b", ".", "[UNK]"]]
    assert choose_pieces(Counter({"b.q": 1}), base, new, 5).pieces == [".", "b"]


def test_pieces_that_save_the_most_go_first_where_that_is_asked_for():
    base = bert_tokenizer(vocabulary_of(*with_continuations("abc")))
    new = bert_tokenizer(vocabulary_of("ab", "abcab", "##ca", "##b", "xy", "a"))
    words = Counter({"ab": 10, "abcab": 4, "abcaca": 3, "xy": 50, "b": 9})
    # ab 2 → 1; abcab 5 → 1; abcaca 6 → ab ##ca ##ca, which share what they save; xy is unknown, which saves nothing
    assert choose_pieces(words, base, new, 4, "compression").pieces == ["abcab", "ab", "##ca", "xy"]
    assert choose_pieces(words, base, new, 4, "both").pieces == ["xy", "abcab", "ab", "##ca"]
    assert choose_pieces(words, base, new, 4, "unknown").pieces == ["xy", "ab", "##ca", "abcab"]


@pytest.mark.parametrize("number", [0, 1, 3])
def test_no_more_than_asked_for(number):
    base = bert_tokenizer(vocabulary_of())
    assert len(choose_pieces(TEXT, base, learn_wordpieces(TEXT, SMALL), number).pieces) == number


@pytest.mark.slow
def test_ties_are_broken_alike_in_every_process():
    program = (
        "from collections import Counter; from specialize.vocabularies import *;"
        "words = Counter({a + b + c: 5 for a in 'abcdefghijklm' for b in 'aeiou' for c in 'adgjmpsvy'});"
        "print(in_order(learn_wordpieces(words, PieceTraining(size=120, min_frequency=2, limit_alphabet=1000))))"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(3)
    }
    assert len(outputs) == 1
