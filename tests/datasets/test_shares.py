"""Shares of the training sentences: nested, drawn by the seed alone, with development and test data as they are."""

import pytest

from specialize.datasets import PARTS, read_entities, read_treebank, write_share

SIZE = 53


def sentence(number, ending):
    if ending == "tsv":
        return f"w{number}\tO\nx\tB-PER\n\n"
    columns = "\t".join(["_", "NOUN", "N", "_", "0", "root", "_", "_"])
    return f"# sent_id = {number}\n# newdoc\n1\tw{number}\t{columns}\n\n"


def sources(folder, ending):
    folder.mkdir()
    paths = {part: folder / f"{part}.{ending}" for part in PARTS}
    for part, path in paths.items():
        path.write_text("".join(sentence(number, ending) for number in range(SIZE if part == "train" else 3)))
    return paths


def drawn(parts, folder, share, seed):
    folder.mkdir(parents=True)
    write_share(parts, folder, share, seed)
    path = folder / parts["train"].name
    if path.suffix == ".tsv":
        return [sentence.tokens[0] for sentence in read_entities(path)]
    return [sentence.words[0].form for sentence in read_treebank(path)]


@pytest.mark.parametrize("ending", ["conllu", "tsv"])
def test_shares_are_nested_in_the_order_of_the_data_and_others_with_each_seed(tmp_path, ending):
    parts = sources(tmp_path / "all", ending)
    everything = [f"w{number}" for number in range(SIZE)]
    first = {share: drawn(parts, tmp_path / f"1/{share}", share, 1) for share in (16, 8, 4, 2)}
    assert [len(words) for words in first.values()] == [3, 6, 13, 26]
    for words in first.values():
        assert words == [word for word in everything if word in words]
    for smaller, larger in ((16, 8), (8, 4), (4, 2)):
        assert set(first[smaller]) < set(first[larger])
    assert drawn(parts, tmp_path / "again", 4, 1) == first[4]
    assert drawn(parts, tmp_path / "2", 4, 2) != first[4]
    for part in ("dev", "test"):
        assert (tmp_path / "1/4" / parts[part].name).read_bytes() == parts[part].read_bytes()


def test_sentences_are_taken_as_they_are_and_at_least_one(tmp_path):
    parts = sources(tmp_path / "all", "conllu")
    (word,) = drawn(parts, tmp_path / "one", 1000, 1)
    text = (tmp_path / "one/train.conllu").read_text()
    assert text == sentence(int(word[1:]), "conllu")


def test_both_formats_of_equal_size_give_sentences_of_equal_places(tmp_path):
    # So does a transliterated twin, whose sentences are its original's.
    treebank, entities = (sources(tmp_path / ending, ending) for ending in ("conllu", "tsv"))
    assert drawn(treebank, tmp_path / "a", 5, 3) == drawn(entities, tmp_path / "b", 5, 3)
