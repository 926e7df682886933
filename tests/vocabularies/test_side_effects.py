"""What new pieces do to the text that they are for, and to others, counted by hand."""

from collections import Counter

from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer, inject
from specialize.vocabularies.side_effects import Resegmented, pieces_in_use, resegmented

PIECES = [*SPECIAL_TOKENS, *"talosk", *(f"##{letter}" for letter in "talosk")]
BASE = bert_tokenizer({piece: number for number, piece in enumerate(PIECES)})
GROWN = inject(BASE, ["talo", "##ssa", "kalassako"])


def test_pieces_in_use_are_those_that_some_word_is_cut_into():
    pieces = ["talo", "##ssa", "kalassako"]
    assert pieces_in_use(GROWN, pieces, Counter({"talossa": 1, "kala": 9})) == 2
    assert pieces_in_use(GROWN, ["talo"], Counter({"talossa": 1})) == 1
    assert pieces_in_use(GROWN, pieces, Counter()) == 0


def test_words_that_are_cut_otherwise_are_counted_once_and_as_often_as_they_occur():
    assert resegmented(BASE, GROWN, Counter({"talo": 3, "kala": 5, "kassa": 1, "sata": 1})) == Resegmented(0.4, 0.5)
    assert resegmented(BASE, BASE, Counter({"talo": 3})) == Resegmented(0.0, 0.0)
    assert resegmented(BASE, GROWN, Counter()) == Resegmented(0.0, 0.0)
