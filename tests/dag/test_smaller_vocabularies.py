"""Trimmed representations in the workflow: what they are of is made, and all that follows takes them like others."""

import pytest
from tests.conftest import run_snakemake

pytestmark = pytest.mark.dag

OVERLAY = """\
experiment:
  {languages: [mt, ug-Latn], representations: [small, small-base, small-bert, new], regimes: [pos], seeds: [1]}
vocabularies: {other_languages: [vi]}
representations:
  small: {method: trim, of: tva}
  small-base: {method: trim, of: mbert}
  small-bert: {method: trim, of: bert}
  new: {method: adapt, pieces: 99, growth: replace, multiplier: 5}
"""


def test_a_trimmed_representation_brings_what_it_is_of(tmp_path):
    (tmp_path / "own.yaml").write_text(OVERLAY)
    planned = run_snakemake(tmp_path, "export", "--configfile", tmp_path / "own.yaml", "--dry-run")
    said = planned.stdout + planned.stderr
    assert planned.returncode == 0, said
    counts = dict(line.split() for line in said.splitlines() if len(line.split()) == 2 and line.split()[1].isdigit())
    assert counts["trim_model"] == counts["trimmed_vocabulary"] == "6"
    assert counts["adapt"] == "4" and counts["pretrain_monolingual"] == "2"  # tva and new, and bert
    assert counts["finetune"] == "8" and counts["export_trimmed_model"] == "6" and counts["export_model"] == "6"
    assert counts["vocabulary"] == "6" and counts["byte_vocabulary"] == "2"
    assert "8 finetuning jobs over 2 languages" in said
    assert "results/datasets/vi/test.conllu" in said
