"""Published gold data beside the checkout, fetched from the mirror by their entries and read as they are."""

from pathlib import Path

import pytest

from specialize.datasets import prepare_treebank, read_own_entities, read_treebank
from specialize.files import read_json
from specialize.sources import (
    entities_origin,
    fetch_listed,
    fetch_parts,
    listed_parts,
    places_in_run,
    treebank_origin,
)

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"

pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason="no real data beside the checkout")


def fetched(run, origin, all_parts=False):
    """The files of each part, taken from the mirror."""
    places = {part: run / place for part, place in places_in_run(origin).items()}
    if "files" in places:
        fetch_listed(origin, places["files"], {}, str(MIRROR), all_parts)
        return listed_parts(places["files"])
    fetch_parts(origin, places, str(MIRROR))
    return {part: [path] for part, path in places.items()}


@pytest.mark.parametrize(
    ("entry", "sentences"),
    [({"masakhaner": "wol"}, (4593, 656, 1312)), ({"universal": "UNER_Danish-DDT"}, (4383, 564, 565))],
    ids=["masakhaner", "universal"],
)
def test_entities_by_one_entry(tmp_path, entry, sentences):
    parts = fetched(tmp_path, entities_origin(entry), all_parts=True)
    read = read_own_entities({part: paths[0] for part, paths in parts.items()})
    assert tuple(map(len, read.values())) == sentences


def test_words_and_tags_by_one_entry(tmp_path, capsys):
    parts = fetched(tmp_path, treebank_origin({"masakhapos": "wol"}))
    prepare_treebank(parts, tmp_path / "results", ["pos"], "upos")
    counts = read_json(tmp_path / "results/statistics.json").values()
    assert [(part["sentences"], part["words"], part["missing"]["upos"]) for part in counts] == [
        (782, 22118, 0),
        (156, 4501, 0),
        (625, 17383, 0),
    ]
    assert capsys.readouterr().out == ""  # nothing had to be mended


@pytest.mark.parametrize(
    ("name", "prefix", "sentences"),
    [
        ("UD_Kazakh-KTB", "kk_ktb", {"train": 31, "test": 1047}),
        ("UD_Yoruba-YTB", "yo_ytb", {"test": 317}),
        ("UD_Komi_Zyrian-Lattice", "kpv_lattice", {"train": 20, "test": 643}),
    ],
)
def test_treebanks_without_some_parts_are_listed_as_they_are(tmp_path, name, prefix, sentences):
    parts = fetched(tmp_path, treebank_origin({"name": name, "release": "master", "prefix": prefix}))
    assert {part: sum(len(read_treebank(path)) for path in paths) for part, paths in parts.items()} == sentences
