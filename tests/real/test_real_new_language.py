"""`python -m specialize new` on the real mirror: what it finds is right, and can be run."""

import pytest
import yaml
from tests.conftest import ROOT, planned_jobs

from specialize.errors import SpecializeError
from specialize.new_language import new_language

MIRROR = ROOT.parent / "shared" / "mirror"
pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason="no real data beside the checkout")


def found(tag, folder):
    path = folder / f"{tag}.yaml"
    printed = new_language(tag, path, str(MIRROR))  # reads back what it writes
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    return config["languages"][tag], config["experiment"], printed


@pytest.mark.parametrize(
    ("tag", "script", "date", "treebank", "folds", "ner"),
    [
        ("wo", "Latin", "20220301", "UD_Wolof-WTB", None, {"masakhaner": "wol"}),
        ("ug", "Arabic", "20220301", "UD_Uyghur-UDT", None, {"wikiann": "ug"}),
        ("kk", "Cyrillic", None, "UD_Kazakh-KTB", 10, None),
        ("yo", "Latin", None, "UD_Yoruba-YTB", 10, None),
        ("ltg", "Latin", "20170101", None, None, None),
        ("da", "Latin", None, None, None, {"universal": "UNER_Danish-DDT", "prefix": "da_ddt"}),
        ("kpv", "Cyrillic", None, "UD_Komi_Zyrian-Lattice", 10, None),
    ],
)
def test_what_the_mirror_has_for_a_language(tag, script, date, treebank, folds, ner, tmp_path):
    entry, grid, printed = found(tag, tmp_path)
    assert entry["script"] == script
    assert entry.get("corpus", {}).get("date") == date
    assert entry.get("treebank", {}).get("name") == treebank
    assert entry.get("treebank", {}).get("folds") == folds
    entities = entry.get("ner")
    if entities and "wikiann" not in entities:
        assert entities.pop("sha256").keys() == {"train", "dev", "test"}
    assert entities == ner
    assert grid["representations"] == (["mbert", "lapt", "tva"] if date else ["mbert"])
    (warning,) = (line for line in printed.splitlines() if "Warning" in line)
    assert "has no mbert in models (what there is: mini-mbert)" in warning


def test_of_wikiann_alone_the_script_is_that_of_its_words(tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/wikiann").symlink_to(MIRROR / "wikiann")
    printed = new_language("ug", tmp_path / "ug.yaml", str(tmp_path / "mirror"))
    assert "script Arabic: 9" in printed, "without `ug:`, which has most of the letters that are not Arabic"
    assert "Warning" not in printed


def test_a_language_that_the_mirror_lacks(tmp_path):
    with pytest.raises(SpecializeError, match=r"has no Wikipedia, treebank or named entities for Komi-Permyak \(koi\)"):
        found("koi", tmp_path)


def test_the_file_can_be_run(tmp_path):
    _, _, printed = found("mt", tmp_path)
    assert "train 1,123, dev 433, test 518 sentences" in printed
    base = tmp_path / "base.yaml"
    base.write_text("base_model: mini-mbert\nbase_models: {mini-mbert: {mirror: true}}\n", encoding="utf-8")
    options = ["--configfile", tmp_path / "mt.yaml", base, "--config", f'mirror="{MIRROR}"']
    (tmp_path / "run").mkdir()
    jobs = planned_jobs(tmp_path / "run", "all", *options)
    made = [path for outputs in jobs.values() for path in outputs if path.startswith("results/finetuning/mt/")]
    assert len(made) == 3 * 3 * 5, "representations, tasks, seeds"
