"""Folds in the grid: folds times seeds, each in a folder of its own, and nothing else changes."""

import pytest

from specialize.errors import ConfigError
from specialize.experiment import Experiment
from specialize.experiment.costs import Costs
from specialize.experiment.data_sizes import DataSizes

ROW = "1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n\n"
ENTRY = """experiment: {{languages: [xx], representations: [mbert], regimes: [{regimes}], seeds: [1, 2]}}
languages:
  xx:
    name: X
    treebank:
      folder: {folder}
      {folds}
    ner: {{wikiann: xx, {entity_folds}}}
"""


@pytest.fixture
def read(tmp_path):
    """Read a configuration of one language that has a test part of 30 sentences."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own/test.conllu").write_text(30 * ROW, encoding="utf-8")

    def read(regimes="pos, ner", folds="folds: 3", entity_folds=""):
        text = ENTRY.format(folder=tmp_path / "own", regimes=regimes, folds=folds, entity_folds=entity_folds)
        (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
        return Experiment.read(tmp_path / "mine.yaml")

    return read


def test_a_trimmed_model_is_told_of_words_that_are_no_fold_s(read, tmp_path):
    read()
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8").replace("[mbert]", "[mbert, small]")
    text += "representations:\n  small: {method: trim, of: mbert}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"representations\.small\.of .*: a trimmed model .* and xx has no text"):
        Experiment.read(tmp_path / "mine.yaml")
    (tmp_path / "text.txt").write_text("a b\n\nc d\n", encoding="utf-8")
    with_text = text.replace("    name: X\n", f"    name: X\n    corpus: {{text: {tmp_path / 'text.txt'}}}\n")
    (tmp_path / "mine.yaml").write_text(with_text, encoding="utf-8")
    assert {cell.representation for cell in Experiment.read(tmp_path / "mine.yaml").cells} == {"mbert", "small"}


def test_the_grid_is_folds_times_seeds(read):
    folders = [cell.folder for cell in read().cells]
    tail = "results/finetuning/xx/mbert"
    folds = [f"{tail}/pos/fold{fold}/seed{seed}" for fold in (1, 2, 3) for seed in (1, 2)]
    assert folders == [*folds, f"{tail}/ner/seed1", f"{tail}/ner/seed2"]
    assert [cell.fold for cell in read().cells] == [1, 1, 2, 2, 3, 3, 0, 0]


def test_labeled_files_of_a_fold_and_of_all(read):
    language = read().languages["xx"]
    assert language.labeled_files(["pos"], split="fold2") == [
        f"results/datasets/xx/fold2/{part}.conllu" for part in ("train", "dev", "test")
    ]
    whole = ["results/datasets/xx/all.conllu", "results/datasets/xx/ner/test.tsv"]
    assert language.labeled_files(parts=["test"]) == whole
    assert language.held_out_treebank == whole[0]
    assert read(entity_folds="folds: 3").languages["xx"].labeled_files(["ner"], ["dev"], "fold1") == [
        "results/datasets/xx/fold1/ner/dev.tsv"
    ]


def test_data_that_are_learned_together_have_equally_many_folds(read):
    together = [cell.split for cell in read("mtl-ups", entity_folds="folds: 3").cells]
    assert together == ["fold1", "fold1", "fold2", "fold2", "fold3", "fold3"]
    start = read("mtl-ups, pft-mtl-ups-ner", entity_folds="folds: 3").cells[-1].prefinetuned
    assert start.folder == "results/finetuning/xx/mbert/mtl-ups/fold3/seed2"
    with pytest.raises(ConfigError, match="and mtl-ups learns from both"):
        read("pft-mtl-ups-ner")
    with pytest.raises(
        ConfigError,
        match=r"languages\.xx\.treebank\.folds \(\S+mine\.yaml, line 7\): treebank has 3 "
        r"folds and ner has no folds, and mtl-ups learns from both; give them equally many",
    ):
        read("mtl-ups")


@pytest.mark.parametrize("folds", ["folds: 2", "folds: ten", "folds: 3.5", "fold: 3"])
def test_what_is_no_number_of_folds(read, folds):
    with pytest.raises(ConfigError, match=r"languages\.xx\.treebank\.folds? \(\S+mine\.yaml, line 7\)"):
        read(folds=folds)


def test_parts_that_are_missing_need_folds(read):
    with pytest.raises(ConfigError, match=r"there is no file \S+train\.conllu; give the treebank folds: 10 for cross-"):
        read(folds="tags: upos")


def test_jobs_of_all_folds_are_forecast(read):
    experiment = read("pos")
    jobs = [job for job in Costs(experiment).jobs if not job.pretrains]
    assert [job.folder for job in jobs] == [cell.folder for cell in experiment.cells]
    assert DataSizes(experiment).labeled(experiment.languages["xx"], "pos", "test") == (10, 10)
    assert DataSizes(experiment).labeled(experiment.languages["xx"], "pos", "train") == (10, 10)
