"""The pieces of a word that is cut alone are those that the plain tokenizer gives it in a sentence, after a space."""

from collections import Counter

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from specialize.finetuning.encoder import WordPieces
from specialize.finetuning.layout import EncodedSentences
from specialize.vocabularies import (
    SPECIAL_TOKENS,
    BytePieceTraining,
    PieceTraining,
    bert_tokenizer,
    kind_of,
    learn_byte_pieces,
    learn_wordpieces,
)

WORDS = Counter("talo talossa talon kala kalassa kalan 漢字 かな слово слова été l'été Straße x2 9:30 - . , !".split())
WORDS = Counter({word: 20 - place // 2 for place, word in enumerate(WORDS)})
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
ALPHABET = "atlokns漢字かсловоéßÉ.,'-:!29\u0301ﬁ😀´…"
sentences = st.lists(
    st.text(alphabet=ALPHABET, min_size=1, max_size=7) | st.sampled_from([*WORDS, "talo kala", "10 漢字"]), min_size=1
)
Metaspace, Replace = pre_tokenizers.Metaspace, normalizers.Replace


def unigram(pre_tokenizer, normalizer=None):
    """Over `▁`, as XLM-R's: the mark is a piece by itself, and no piece is longer than a word."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.UnigramTrainer(
        vocab_size=90, special_tokens=ROBERTA, unk_token="<unk>", initial_alphabet=["▁"], show_progress=False
    )
    tokenizer.train_from_iterator([" ".join([word] * count) for word, count in WORDS.items()], trainer)
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def bpe_over_marks(normalizer, pre_tokenizer):
    """Over `▁` with bytes for what is rare, as Gemma's: spaces become marks before anything parts the text."""
    learned = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    learned.pre_tokenizer = Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=[*ROBERTA, *(f"<0x{number:02X}>" for number in range(256))],
        initial_alphabet=["▁"],
        limit_alphabet=30,
        show_progress=False,
    )
    learned.train_from_iterator([" ".join([word] * count) for word, count in WORDS.items()], trainer)
    learned.normalizer = normalizer
    learned.pre_tokenizer = pre_tokenizer
    return learned


def byte_level(leading_space):
    tokenizer = learn_byte_pieces(WORDS, BytePieceTraining(size=330, min_frequency=2))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=leading_space)
    return tokenizer


def wordpiece(normalizer=None):
    training = PieceTraining(size=60, min_frequency=2, limit_alphabet=25)
    return learn_wordpieces(WORDS, training, normalizer)


SPACES = Replace(Regex(" {2,}"), " ")
TOKENIZERS = {
    "WordPiece": wordpiece(),
    "WordPiece, uncased": wordpiece(normalizers.BertNormalizer(lowercase=True, strip_accents=True)),
    "Unigram, parted first": unigram(pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), Metaspace()])),
    "Unigram": unigram(Metaspace()),
    "Unigram, NFKC": unigram(Metaspace(), normalizers.Sequence([normalizers.NFKC(), SPACES])),
    "Unigram, only the first": unigram(Metaspace(prepend_scheme="first")),
    "Unigram, never": unigram(Metaspace(prepend_scheme="never")),
    "byte-level": byte_level(leading_space=True),
    "byte-level, no space at first": byte_level(leading_space=False),
    "BPE, Gemma's": bpe_over_marks(Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous")),
    "BPE, Llama's": bpe_over_marks(normalizers.Sequence([normalizers.Prepend("▁"), Replace(" ", "▁")]), None),
    "BPE, Metaspace": bpe_over_marks(normalizers.NFC(), Metaspace()),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folders = {}
    for number, (name, tokenizer) in enumerate(TOKENIZERS.items()):
        folders[name] = tmp_path_factory.mktemp(f"tokenizer{number}")
        tokenizer.save(str(folders[name] / "tokenizer.json"))
    return folders


def within_the_sentence(tokenizer, words):
    """What the plain tokenizer gives each of the words of a sentence, which has another one before them."""
    text, ends = "talo", [len("talo")]
    for word in words:
        text += f" {word}"
        ends.append(len(text))
    encoding = tokenizer.encode(text, add_special_tokens=False)
    found = [[] for _ in ends]
    for number, (start, _) in zip(encoding.ids, encoding.offsets, strict=True):
        found[next(place for place, end in enumerate(ends) if start < end)].append(number)
    return found[1:]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_word_alone_is_cut_as_within_a_sentence(folders, name):
    pieces = WordPieces(folders[name])
    plain = Tokenizer.from_file(str(folders[name] / "tokenizer.json"))

    @settings(max_examples=30, deadline=None)
    @given(sentences)
    def check(words):
        assert pieces.encode(words) == within_the_sentence(plain, words)

    check()


# -- pieces that say nothing of a word ---------------------------------------------------------------------


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_mark_of_spaces_by_itself_is_no_evidence_where_spaces_become_it(name):
    tokenizer = TOKENIZERS[name]
    marks = {tokenizer.id_to_token(number) for number in kind_of(tokenizer).bare_marks(tokenizer)}
    assert marks == ({"▁"} if name.startswith(("Unigram", "BPE")) else set())


def test_a_wordpiece_that_looks_like_the_mark_is_a_letter():
    tokenizer = bert_tokenizer({piece: number for number, piece in enumerate([*SPECIAL_TOKENS, "▁", "a"])})
    assert kind_of(tokenizer).bare_marks(tokenizer) == frozenset()


MARKS = (18, 20)
some_sentences = st.lists(
    st.lists(st.lists(st.integers(10, 20), max_size=5), min_size=1, max_size=6), min_size=1, max_size=6
)


@settings(max_examples=40, deadline=None)
@given(some_sentences, st.integers(3, 9))
def test_a_word_is_the_mean_of_all_but_its_bare_marks_which_the_model_reads(folders, encoded, longest):
    pieces = WordPieces(folders["WordPiece"])
    plain = pieces.collate(EncodedSentences.of(encoded), longest)
    pieces.bare_marks = numpy.asarray(MARKS)
    batch = pieces.collate(EncodedSentences.of(encoded), longest)
    assert batch.ids.tolist() == plain.ids.tolist()
    assert batch.attention.tolist() == plain.attention.tolist()
    words = [word for sentence in encoded for word in sentence]
    counted = [[piece for piece in word if piece not in MARKS] or word for word in words]
    flat = batch.ids.flatten()
    parts = torch.tensor_split(batch.pieces, batch.offsets[1:])
    assert [flat[part].tolist() for part in parts] == counted
    if not any(set(MARKS) & set(word) for word in words):
        assert batch.pieces.tolist() == plain.pieces.tolist()
