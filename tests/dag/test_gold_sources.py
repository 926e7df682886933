"""Gold data of every kind in one plan: what is fetched by which rule, and what is counted."""

import re

from tests.conftest import run_snakemake

from specialize.files import file_hash

CONFIGURATION = """\
languages:
  xa: {name: A, treebank: {masakhapos: xya}, ner: {masakhaner: xya}}
  xb: {name: B, treebank: {name: UD_Bb-B, release: r2.17, prefix: bb_b}, ner: {universal: UNER_Bb-B}}
experiment: {languages: [xa, xb], representations: [mbert], regimes: [pos, ud, ner], seeds: [1], exceptions: []}
"""
FILES = {
    "masakhapos/xya": ["train.txt", "dev.txt", "test.txt"],
    "masakhaner/xya": ["train.txt", "dev.txt", "test.txt"],
    "universal-dependencies/UD_Bb-B/r2.17": [
        f"bb_b-ud-{part}.conllu" for part in ("train-a", "train-b", "dev", "test")
    ],
    "universal-ner/UNER_Bb-B": [f"bb_b-ud-{part}.iob2" for part in ("train", "dev", "test")],
}


def test_a_plan_has_each_source_once_and_knows_its_size(tmp_path):
    mirror = tmp_path / "mirror"
    for folder, names in FILES.items():
        (mirror / folder).mkdir(parents=True)
        for name in names:
            (mirror / folder / name).write_bytes(b"x" * 100_000)
        sums = [f"{file_hash(mirror / folder / name)}  {name}\n" for name in names]
        (mirror / folder / "sha256sums.txt").write_text("".join(sums))
    own = tmp_path / "own.yaml"
    own.write_text(CONFIGURATION)
    planned = run_snakemake(tmp_path, "datasets", "--dry-run", "--configfile", own, "--config", f"mirror={mirror}")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", planned.stdout + planned.stderr, re.MULTILINE))
    expected = {"masakhane": 2, "treebank_parts": 1, "universal_entities": 1, "treebank": 2, "entities": 2}
    assert {rule: int(counts[rule]) for rule in expected} == expected
    assert "treebank_release" not in counts
    assert "5 finetuning jobs over 2 languages\n" in planned.stderr  # none that parses words and tags
    assert "downloads: 8 files, 1 MB" in planned.stderr
