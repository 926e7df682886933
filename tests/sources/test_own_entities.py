"""Where one's own named entities lie: under the names that published sets have."""

import pytest

from specialize.sources import entity_files


@pytest.mark.parametrize(
    "names",
    [
        ("train.tsv", "dev.tsv", "test.tsv"),
        ("train.txt", "dev.txt", "test.txt"),  # MasakhaNER
        ("train.conll", "dev.iob2", "test.bio"),
        ("da_ddt-ud-train.iob2", "da_ddt-ud-dev.iob2", "da_ddt-ud-test.iob2"),  # Universal NER
    ],
)
def test_each_part_is_found_among_other_files(tmp_path, names):
    for name in (*names, "LICENSE.txt", "sha256sums.txt", "text.txt", "train.conllu", "train.txt.gz", "x-train.iob2"):
        (tmp_path / name).touch()
    (tmp_path / "train.iob").mkdir()
    assert entity_files(tmp_path) == {
        part: [tmp_path / name] for part, name in zip(("train", "dev", "test"), names, strict=True)
    }


def test_files_that_are_missing_or_doubled(tmp_path):
    for name in ("train.tsv", "train.txt", "a-ud-test.iob2", "b-ud-test.iob2"):
        (tmp_path / name).touch()
    assert {part: [path.name for path in paths] for part, paths in entity_files(tmp_path).items()} == {
        "train": ["train.tsv", "train.txt"],
        "dev": [],
        "test": ["a-ud-test.iob2", "b-ud-test.iob2"],
    }
    assert entity_files(tmp_path / "absent") == {"train": [], "dev": [], "test": []}
