"""Any BERT as a base: whatever it does to text before its pieces, new ones are produced, and old ones stay."""

import itertools
import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from specialize.files import write_json
from specialize.vocabularies import bert_tokenizer, check_ids, kind_of, load_base, segment, with_normal_form

PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
Bert = normalizers.BertNormalizer
NORMALIZERS = {
    "cased": Bert(lowercase=False),
    "uncased": Bert(lowercase=True),  # strips accents
    "uncased, accents kept": Bert(lowercase=True, strip_accents=False),
    "no Chinese": Bert(lowercase=False, handle_chinese_chars=False, clean_text=False),
    "of its own": normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex("[٠-٩]"), "0"), normalizers.Lowercase()]
    ),
    "none": None,
}
PRE_TOKENIZERS = {
    "BERT's": pre_tokenizers.BertPreTokenizer(),
    "white space": pre_tokenizers.WhitespaceSplit(),
    "and digits": pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(True)]),
    "and hyphens kept": pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("[.,]"), "isolated")]
    ),
}
LETTERS = "abdeéiàlmnost"
TEXT = "abdeéÉiàlmnostTM漢字かئ٣3.-,ﬁ\u0301ß"


@st.composite
def bases(draw):
    """A tokenizer.json with other names, holes in its ids, slots in use and added tokens that the text has."""
    unknown, prefix = draw(st.sampled_from(["[UNK]", "<unk>", "*"])), draw(st.sampled_from(["##", "@@", "▁"]))
    single = draw(st.lists(st.sampled_from(LETTERS + "漢.-"), unique=True))
    longer = draw(st.lists(st.text(LETTERS, min_size=2, max_size=4), unique=True, max_size=8))
    slots = [f"[unused{number}]" for number in range(draw(st.integers(0, 5)))]
    marked = [prefix + piece for piece in [*single, *longer[::2]]]
    pieces = list(dict.fromkeys(["[PAD]", unknown, "[CLS]", "[SEP]", "[MASK]", *slots, *single, *longer, *marked]))
    pieces = draw(st.permutations(pieces))
    steps = [draw(st.sampled_from([1, 1, 1, 3])) for _ in pieces]
    vocabulary = dict(zip(pieces, itertools.accumulate(steps, initial=0), strict=False))
    used = draw(st.lists(st.sampled_from(slots), unique=True)) if slots else []
    texts = draw(st.lists(st.sampled_from(["<t>", "tal", "É", "漢字", "-", "[unused99]"]), unique=True, max_size=3))
    last = 1 + max(vocabulary.values())
    added = [
        {"id": vocabulary.get(token, last + number), "content": token}
        | PLAIN
        | {name: draw(st.booleans()) for name in ("single_word", "lstrip", "rstrip", "normalized")}
        for number, token in enumerate([*used, *(text for text in texts if text not in vocabulary)])
    ]
    model = models.WordPiece(
        {unknown: 0}, unk_token=unknown, continuing_subword_prefix=prefix,
        max_input_chars_per_word=draw(st.sampled_from([4, 100])),
    )  # fmt: skip
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = NORMALIZERS[draw(st.sampled_from(sorted(NORMALIZERS)))]
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[draw(st.sampled_from(sorted(PRE_TOKENIZERS)))]
    definition = json.loads(tokenizer.to_str())
    definition["model"]["vocab"], definition["added_tokens"] = vocabulary, added
    return definition, set(used)


TEXTS = st.dictionaries(st.text(TEXT, min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=14).map(Counter)


def loaded(definition, form):
    """The base as a run has it."""
    with tempfile.TemporaryDirectory() as name:
        write_json(Path(name) / "tokenizer.json", definition)
        base = load_base(Path(name))
    base.normalizer = with_normal_form(base.normalizer, form)
    return base


@settings(max_examples=60, deadline=None)
@given(bases(), TEXTS, TEXTS, st.sampled_from([1, 4, 9, None]), st.sampled_from(["NFC", "none"]))
def test_every_new_piece_is_produced_and_what_has_none_is_cut_as_before(described, words, others, number, form):
    definition, used = described
    base = loaded(definition, form)
    kind = kind_of(base)
    grown, pieces, *_ = kind.grow(base, words, number, piece_choice(120), {})
    ids = grown.get_vocab()
    check_ids(base, grown, {piece: ids[piece] for piece in pieces})
    assert used <= ids.keys(), "somebody's"
    assert len(pieces) == len(set(pieces))
    assert not set(pieces) & base.get_vocab().keys()

    text = sorted(words)
    cut = segment(grown, text)
    assert set(pieces) <= {piece for its_pieces in cut for piece in its_pieces}
    lines = grown.encode_batch([" ".join(text)], add_special_tokens=False)[0].tokens
    assert set(pieces) <= set(lines), "as text is read"
    everything = sorted(words | others)
    unknown = kind.unknown(base)
    for word, before, after in zip(everything, segment(base, everything), segment(grown, everything), strict=True):
        if not set(after) & {*pieces, unknown}:
            assert after == before, word
        if unknown not in before and word in words:
            assert unknown not in after, word


@pytest.mark.parametrize(
    ("number", "pieces"), [(4, ["##q", "##y", "##z"]), (None, ["##q", "##y", "##z", "q", "y", "z"])]
)
def test_no_new_piece_leads_a_word_that_was_known_to_where_no_piece_goes_on(number, pieces):
    """`ab` before `##cd`: the base goes on with `##bcd`, and has no `##c`."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "##bcd"]
    base = bert_tokenizer({piece: number for number, piece in enumerate(vocabulary)})
    words = Counter({"abz": 2, "abq": 2, "aby": 2, "abcd": 1})
    choice = piece_choice(60, min_frequency=3, limit_alphabet=5)
    grown, chosen, passed_over, *_ = kind_of(base).grow(base, words, number, choice, {})
    assert segment(grown, ["abcd", "abz"]) == [["a", "##bcd"], ["a", "##b", "##z"]]
    assert "ab" in passed_over
    assert set(chosen) <= set(pieces)


def test_a_base_without_a_normalizer_has_pieces_learned_without_one():
    """With a cased BERT's, the letters would be learned as words by themselves, which no text has here."""
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    grown, pieces, *_ = kind_of(tokenizer).grow(tokenizer, Counter({"漢字": 5, "字漢": 4}), 9, piece_choice(60), {})
    assert {"漢字", "字漢"} <= set(pieces)
    assert segment(grown, ["漢字"]) == [["漢字"]]
