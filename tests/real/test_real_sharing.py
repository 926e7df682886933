"""Real vocabularies grown by real text: whoever loads the folder cuts 10,000 real sentences as training does."""

from itertools import islice

import pytest
from tests.conftest import ROOT
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from specialize.bases.architectures import known_architectures
from specialize.datasets import read_treebank
from specialize.files import read_json
from specialize.finetuning.encoder import WordPieces
from specialize.vocabularies import build_vocabulary, special_ids

SHARED = ROOT.parent / "shared"
TREEBANKS = SHARED / "mirror" / "universal-dependencies"
BASES = {
    "WordPiece": (SHARED / "mirror" / "models" / "mini-mbert", "bert"),
    "Unigram": (SHARED / "vocabularies" / "multilingual-unigram", "xlm-roberta"),
}
LANGUAGES = {"Uyghur-UDT": 99, "Maltese-MUDT": 99}
pytestmark = pytest.mark.skipif(not TREEBANKS.is_dir(), reason="no real data beside the checkout")


@pytest.fixture(scope="module")
def treebanks():
    """The sentences of every treebank: as they are written, and by word."""
    sentences = []
    for path in sorted(TREEBANKS.rglob("*-ud-*.conllu")):
        text = [line.partition("= ")[2] for line in path.read_text("utf-8").splitlines() if line.startswith("# text =")]
        words = [[word.form for word in sentence.words] for sentence in read_treebank(path)]
        sentences += zip(text, words, strict=True)
    return sentences


@pytest.fixture(scope="module", params=[(base, language) for base in BASES for language in LANGUAGES], ids=" ".join)
def grown(request, tmp_path_factory):
    """A vocabulary folder with the configuration of a model, as an exported one has it."""
    base, language = request.param
    folder, architecture = BASES[base]
    if not folder.is_dir():
        pytest.skip("no real vocabulary beside the checkout")
    home = tmp_path_factory.mktemp("grown")
    (path,) = TREEBANKS.glob(f"UD_{language}/**/*-ud-train.conllu")
    lines = (" ".join(word.form for word in sentence.words) for sentence in read_treebank(path))
    (home / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    choice = piece_choice(5000, min_frequency=2)
    build_vocabulary(folder, home / "train.txt", LANGUAGES[language], choice, {}, home / "out")
    pieces = read_json(home / "out" / "statistics.json")["pieces"]
    known_architectures()[architecture].classes().config().save_pretrained(home / "out")
    return home / "out", pieces


def test_ten_thousand_real_sentences_are_cut_as_in_training(grown, treebanks):
    folder, pieces = grown
    theirs, ours = AutoTokenizer.from_pretrained(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert theirs.get_vocab() == ours.get_vocab()
    evenly = treebanks[:: max(len(treebanks) // 10_000, 1)]
    lines = [text for text, _ in islice(evenly, 10_000)]
    assert len(lines) == 10_000
    special = special_ids(ours)
    cut = [encoding.ids for encoding in ours.encode_batch(lines, add_special_tokens=False)]
    assert theirs(lines).input_ids == [[special["start"], *ids, special["end"]] for ids in cut]
    assert len(set(pieces.values()) & {number for ids in cut for number in ids}) > len(pieces) / 2


def test_words_by_themselves_are_cut_as_within_real_sentences(grown, treebanks):
    folder, _ = grown
    plain, pieces = Tokenizer.from_file(str(folder / "tokenizer.json")), WordPieces(folder)
    evenly = [words for _, words in treebanks[::5]]
    cut = plain.encode_batch([f"a {' '.join(words)}" for words in evenly], add_special_tokens=False)
    before = len(plain.encode("a", add_special_tokens=False).ids)
    alone = [[piece for word in pieces.encode(words) for piece in word] for words in evenly]
    otherwise = [words for words, one, other in zip(evenly, alone, cut, strict=True) if one != other.ids[before:]]
    assert not otherwise
