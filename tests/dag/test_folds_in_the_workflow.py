"""Cross-validation in a dry run: one text and one model for all folds, which are made at once, and counted."""

from tests.conftest import jobs_in, run_snakemake

TREE = "1\tword\t_\tNOUN\tN\t_\t0\troot\t_\t_\n\n"
OVERLAY = """
experiment: {{languages: [xx, xx-Latn], representations: [lapt], regimes: [ud, ner], seeds: [1, 2], exceptions: []}}
base_model: own
base_models: {{own: {{mirror: true}}}}
languages:
  xx:
    name: X
    corpus: {{text: {folder}/text.txt}}
    treebank: {{folder: {folder}, folds: 3}}
    ner: {{folder: {folder}, folds: 4}}
    transliteration: {{scheme: uroman}}
"""


def test_pretraining_is_done_once_and_finetuning_for_each_fold(tmp_path):
    (tmp_path / "text.txt").write_text("one sentence\n")
    (tmp_path / "test.conllu").write_text(12 * TREE)
    (tmp_path / "test.tsv").write_text(12 * "Oslo\tB-LOC\n\n")
    (tmp_path / "my.yaml").write_text(OVERLAY.format(folder=tmp_path))
    options = ["--configfile", tmp_path / "my.yaml", "--config", f"mirror={tmp_path}", "--dry-run"]
    finished = run_snakemake(tmp_path, "all", *options)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "28 finetuning jobs over 2 languages\n" in finished.stderr  # 2 languages, 2 seeds, 3 + 4 folds
    made = {}
    for job in jobs_in(finished.stdout + finished.stderr):
        made.setdefault(job.rule, []).append(job)

    assert len(made["adapt"]) == 2
    (corpus,) = made["corpus"]
    labeled = {"results/datasets/xx/all.conllu", "results/datasets/xx/ner/all.tsv"}
    assert labeled <= set(corpus.inputs)
    (dealt,) = made["treebank_in_3_folds"]
    assert len(dealt.outputs) == 1 + 3 * 3 + 1
    (twin,) = made["transliterated_entities_in_4_folds"]
    assert (twin.inputs[-1], twin.outputs[-1]) == tuple(
        f"results/datasets/{tag}/fold4/ner/test.tsv" for tag in ("xx", "xx-Latn")
    )
    inputs = {job.outputs[0]: set(job.inputs) for job in made["finetune"] + made["finetune_ner"]}
    assert len(inputs) == 28
    assert {f"results/datasets/xx/fold3/{part}.conllu" for part in ("train", "dev", "test")} <= inputs[
        "results/finetuning/xx/lapt/ud/fold3/seed2/metrics.json"
    ]
    assert (
        "results/datasets/xx-Latn/fold4/ner/dev.tsv"
        in inputs["results/finetuning/xx-Latn/lapt/ner/fold4/seed1/metrics.json"]
    )
