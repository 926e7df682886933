"""A real Unigram vocabulary takes pieces of real Irish; hardly a word of other languages changes."""

from pathlib import Path

import pytest
from tests.vocabularies.conftest import piece_choice

from specialize.vocabularies import check_ids, count_labeled_words, kind_of, load_base
from specialize.vocabularies.side_effects import pieces_in_use, resegmented

SHARED = Path(__file__).parents[3] / "shared"
BASE = SHARED / "vocabularies" / "multilingual-unigram"
TREEBANKS = SHARED / "mirror" / "universal-dependencies"
pytestmark = pytest.mark.skipif(not (BASE.is_dir() and TREEBANKS.is_dir()), reason="no real data beside the checkout")


def words(treebank, part):
    return count_labeled_words(sorted((TREEBANKS / treebank / "r2.5").glob(f"*-{part}.conllu")))["treebank"].words


def test_pieces_are_in_use_and_other_languages_stay_as_they_are():
    base = load_base(BASE)
    others = {name: words(name, "test") for name in ("UD_Vietnamese-VTB", "UD_Maltese-MUDT", "UD_Wolof-WTB")}
    choice = piece_choice(5000, min_frequency=5)
    grown, pieces, _, _ = kind_of(base).grow(base, words("UD_Irish-IDT", "train"), 99, choice, others)
    check_ids(base, grown, {piece: grown.token_to_id(piece) for piece in pieces})
    assert pieces_in_use(grown, pieces, words("UD_Irish-IDT", "test")) >= 95
    assert max(max(resegmented(base, grown, its_words)) for its_words in others.values()) <= 0.005
