"""Cross-validation: each sentence is tested on once, never by a model that saw it or its document."""

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.datasets import (
    PARTS,
    EntitySentence,
    documents_of,
    in_folds,
    prepare_treebank_folds,
    read_entities,
    read_treebank,
    write_entity_folds,
)
from specialize.errors import InputError
from specialize.files import read_json

HERE = Path("all.tsv")
COUNTER = itertools.count()


def sentences(number):
    return [EntitySentence((f"word{place}",), ("O",)) for place in range(number)]


def treebank(path, *documents):
    """Write a treebank of documents, each an id (or None for no comment) and a number of sentences."""
    blocks, number = [], 0
    for name, size in documents:
        for place in range(size):
            number += 1
            comment = f"# newdoc id = {name}\n" if name and place == 0 else ""
            row = "\t".join(["1", f"{path.stem}{number}", "_", "NOUN", "N", "_", "0", "root", "_", "_"])
            blocks.append(f"{comment}{row}\n\n")
    path.write_text("".join(blocks), encoding="utf-8")


@st.composite
def documents(draw):
    """The document of each of some sentences, and a number of folds."""
    number = draw(st.integers(3, 6))
    sizes = draw(st.lists(st.integers(1, 6), min_size=number, max_size=5 * number))
    return [f"document {name}" for name, size in enumerate(sizes) for _ in range(size)], number


@settings(deadline=None)
@given(documents(), st.integers(0, 3))
def test_each_sentence_is_tested_on_once_and_no_document_is_parted(drawn, seed):
    names, number = drawn
    everything = sentences(len(names))
    folds = in_folds(HERE, everything, names, number, seed)
    assert folds == in_folds(HERE, everything, names, number, seed)
    document = {sentence.tokens: name for sentence, name in zip(everything, names, strict=True)}
    tested = []
    for fold in range(1, number + 1):
        parts = folds.parts(fold)
        assert list(parts) == list(PARTS)
        assert all(parts.values())
        assert Counter(one for part in parts.values() for one in part) == Counter(everything)
        tested += parts["test"]
        if folds.by == "documents":
            found = [{document[one.tokens] for one in part} for part in parts.values()]
            assert sum(map(len, found)) == len(set(names))
    assert Counter(tested) == Counter(everything)
    sizes = Counter(names)
    few, large = len(sizes) < 3 * number, max(sizes.values()) * number > 2 * len(names)
    assert (folds.by == "blocks") == (few or large) == bool(folds.reason)


@settings(deadline=None)
@given(st.integers(3, 8), st.integers(0, 40), st.integers(0, 3))
def test_blocks_are_neighbours_of_equal_number(number, more, seed):
    everything = sentences(number + more)
    folds = in_folds(HERE, everything, [], number, seed)
    places = {sentence: place for place, sentence in enumerate(everything)}
    for fold in folds.sentences:
        found = [places[sentence] for sentence in fold]
        assert found == list(range(found[0], found[0] + len(found)))
    sizes = [len(fold) for fold in folds.sentences]
    assert max(sizes) - min(sizes) <= 1


def test_folds_of_documents_are_of_like_length_and_another_seed_deals_otherwise():
    names = [f"d{place % 40}" for place in range(400)]
    dealt = [in_folds(HERE, sentences(400), names, 5, seed) for seed in (1, 2)]
    assert dealt[0].sentences != dealt[1].sentences
    assert [len(fold) for one in dealt for fold in one.sentences] == 10 * [80]
    assert str(dealt[0]) == "400 sentences in 5 folds of 80 to 80 by documents"


def test_why_blocks_is_said():
    few = in_folds(HERE, sentences(20), [f"d{place // 2}" for place in range(20)], 4, 1)
    assert str(few).endswith("by blocks, since there are 10 documents, fewer than 3 times the folds")
    names = 30 * ["long"] + [f"d{place}" for place in range(10)]
    assert in_folds(HERE, sentences(40), names, 3, 1).reason == (
        "document 'long' has 75% of the sentences, more than 2 folds"
    )
    assert in_folds(HERE, sentences(9), [], 3, 1).reason == "no comment names a document"


def test_fewer_sentences_than_folds():
    with pytest.raises(InputError, match=r"all.tsv: has 4 sentences for 5 folds; set folds to 4 or less"):
        in_folds(HERE, sentences(4), [], 5, 1)


def test_documents_are_named_by_comments(tmp_path):
    for name, parts in (("train", [("a", 2), ("b", 1)]), ("test", [(None, 2), ("a", 1), ("c", 2)])):
        treebank(tmp_path / f"{name}.conllu", *parts)
    paths = [tmp_path / f"{part}.conllu" for part in ("train", "test")]
    read = {path: read_treebank(path) for path in paths}
    assert documents_of(read) == ["a", "a", "b", "test.conllu 0", "test.conllu 0", "a", "c", "c"]
    assert documents_of({paths[1]: read[paths[1]][:2]}) == []


def test_a_treebank_that_has_one_part_only_is_written_in_folds(tmp_path, capsys):
    treebank(tmp_path / "test.conllu", *[(f"document{number}", 2) for number in range(9)])
    folder = tmp_path / "results"
    folder.mkdir()
    prepare_treebank_folds({"test": [tmp_path / "test.conllu"]}, folder, ("pos", "ud"), "upos", 3, 1)
    everything = read_treebank(tmp_path / "test.conllu")
    assert read_treebank(folder / "all.conllu") == everything
    tested = [one for fold in (1, 2, 3) for one in read_treebank(folder / f"fold{fold}/test.conllu")]
    assert Counter(tested) == Counter(everything)
    statistics = read_json(folder / "statistics.json")["all"]
    assert (statistics["sentences"], statistics["folds"]) == (18, {"by": "documents", "sentences": [6, 6, 6]})
    assert capsys.readouterr().out == "18 sentences in 3 folds of 6 to 6 by documents\n"


def entities(*kinds):
    """A sentence of four words with these entities."""
    number = next(COUNTER)
    labels = [f"B-{kind}" for kind in kinds] + (4 - len(kinds)) * ["O"]
    return EntitySentence(tuple(f"w{number}.{place}" for place in range(4)), tuple(labels))


def test_named_entities_are_written_in_folds_of_blocks(tmp_path, capsys):
    parts = {"test": [entities("PER", "LOC") for _ in range(11)] + [entities("PER", "ORG")]}
    write_entity_folds(tmp_path, parts, 3, 1)
    assert len(read_entities(tmp_path / "ner/all.tsv")) == 12
    assert [len(read_entities(tmp_path / f"fold2/ner/{part}.tsv")) for part in PARTS] == [4, 4, 4]
    assert read_json(tmp_path / "ner/statistics.json")["all"]["folds"]["sentences"] == [4, 4, 4]
    assert "4.2% have an entity of a type that is in one fold only, most often 'ORG'" in capsys.readouterr().out


def test_a_fold_without_entities_is_refused(tmp_path):
    parts = {"train": [entities() for _ in range(8)], "dev": [entities("PER") for _ in range(4)]}
    with pytest.raises(InputError, match=r"all\.tsv: has no entity in folds \d, \d of 3; set folds lower"):
        write_entity_folds(tmp_path, parts, 3, 1)


def test_entities_of_a_treebanks_sentences_are_in_its_folds(tmp_path):
    common = [entities("PER") for _ in range(6)]
    paths = [tmp_path / f"{fold}.conllu" for fold in (1, 2, 3)]
    for fold, path in enumerate(paths):
        rows = [
            "".join(f"{place + 1}\t{token}\t_\tX\tX\t_\t{place}\tx\t_\t_\n" for place, token in enumerate(one.tokens))
            for one in common[2 * fold : 2 * fold + 2]
        ]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    alone = [entities("LOC") for _ in range(6)]
    write_entity_folds(tmp_path, {"test": [*alone, *reversed(common)]}, 3, 1, paths)
    for fold in (1, 2, 3):
        test = read_entities(tmp_path / f"fold{fold}/ner/test.tsv")
        assert set(common[2 * fold - 2 : 2 * fold]) == set(test) & set(common)
        assert len(test) == 4


def test_copies_are_counted_and_a_copied_part_is_refused(tmp_path, capsys):
    once = [entities("PER") for _ in range(30)]
    write_entity_folds(tmp_path, {"train": once, "test": once[:1]}, 3, 1)
    assert "2 of 31 sentences stand in several folds" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"60 of 60 sentences stand in several folds, where .* leave out the file"):
        write_entity_folds(tmp_path, {"train": once, "test": once}, 4, 1)


@pytest.mark.parametrize("comment", ["# newdoc", "# newdoc id = a", "# newdoc_id = a", "#newdoc id=a", "# newdoc = a"])
def test_how_a_document_may_be_named(tmp_path, comment):
    treebank(tmp_path / "test.conllu", (None, 2))
    text = (tmp_path / "test.conllu").read_text(encoding="utf-8")
    (tmp_path / "test.conllu").write_text(f"{comment}\n{text}", encoding="utf-8")
    names = documents_of({tmp_path / "test.conllu": read_treebank(tmp_path / "test.conllu")})
    assert names == 2 * ["a" if "a" in comment else "test.conllu 1"]
