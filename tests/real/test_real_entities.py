"""Published named entities beside the checkout, read as they are."""

from collections import Counter
from pathlib import Path

import pytest

from specialize.datasets import mend_labels, read_entities, read_own_entities, repair_entities, write_entities
from specialize.sources import entity_files

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"


@pytest.mark.parametrize(
    ("folder", "sentences", "entities", "repaired"),
    [
        ("masakhaner/wol", (4593, 656, 1312), {"LOC": 2558, "PER": 2269, "ORG": 1773, "DATE": 831}, 0),
        ("universal-ner/UNER_Danish-DDT", (4383, 564, 565), {"PER": 1588, "ORG": 1187, "LOC": 1079}, 7),
    ],
)
def test_sets_are_read_as_they_are(tmp_path, capsys, folder, sentences, entities, repaired):
    if not (MIRROR / folder).is_dir():
        pytest.skip("no real data beside the checkout")
    paths = {part: files[0] for part, files in entity_files(MIRROR / folder).items()}
    parts = mend_labels(paths, read_own_entities(paths), "repair")
    found = Counter()
    for part, path in paths.items():
        parts[part] = repair_entities(path, parts[part], "repair")
        write_entities(tmp_path / "written.tsv", parts[part])
        assert read_entities(tmp_path / "written.tsv") == parts[part]
        found.update(label[2:] for sentence in parts[part] for label in sentence.labels if label.startswith("B-"))
    assert tuple(map(len, parts.values())) == sentences
    assert found == entities
    assert capsys.readouterr().out.count("continues nothing of its type") == repaired
