"""The target `curve` as a dry run: its jobs beside the grid's (which tests of the paper's grid count)."""

from collections import Counter

from tests.conftest import jobs_in, run_snakemake

CONFIGURATION = """\
experiment: {{languages: [xx], representations: [tiny], regimes: [pos, ner], seeds: [1, 2], exceptions: []}}
base_model: tiny
base_models: {{tiny: {{folder: {folder}}}}}
representations: {{tiny: {{method: base}}}}
languages:
  xx:
    name: Own
    treebank: {{folder: {folder}, folds: 3}}
    ner: {{folder: {folder}}}
curve: {{shares: [2, 4]}}
finetuning: {{threads: 1}}
"""
SIZES = '{"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 32, "vocab_size": 99}'
WORD = "1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n\n"


def test_a_curve_is_planned_beside_the_grid(tmp_path):
    folder, run = tmp_path / "own", tmp_path / "run"
    folder.mkdir()
    run.mkdir()
    for name in ("tokenizer.json", "model.safetensors"):
        (folder / name).touch()
    (folder / "config.json").write_text(SIZES, encoding="utf-8")
    (folder / "test.conllu").write_text(WORD * 60, encoding="utf-8")
    for part in ("train", "dev", "test"):
        (folder / f"{part}.tsv").write_text("a\tO\n\n" * 50, encoding="utf-8")
    file = tmp_path / "own.yaml"
    file.write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    prepared = run / "results/datasets/xx/all.conllu"  # counts, and the folder does not
    prepared.parent.mkdir(parents=True)
    prepared.write_text(WORD * 90, encoding="utf-8")
    printed = run_snakemake(run, "curve", "--dry-run", "--configfile", file, cwd=tmp_path)
    assert printed.returncode == 0, printed.stdout + printed.stderr
    jobs = jobs_in(printed.stdout + printed.stderr)
    made = [output for job in jobs for output in job.outputs]
    # 3 folds of the treebank, whose quarters of 30 sentences are left out; halves and quarters of the entities.
    assert Counter(job.rule for job in jobs if "finetune" in job.rule or "share" in job.rule) == {
        "finetune": 3 * 2 + 3 * 2, "share_of_treebank": 3 * 2, "finetune_ner": 2 + 2 * 2, "share_of_entities": 2 * 2,
    }  # fmt: skip
    assert len(set(made)) == len(made)
    (half,) = (job for job in jobs if "results/finetuning/xx/tiny/pos/fold3/share2/seed2/metrics.json" in job.outputs)
    assert "results/datasets/xx/fold3/share2/seed2/train.conllu" in half.inputs
    (share,) = (job for job in jobs if "results/datasets/xx/share4/seed1/ner/dev.tsv" in job.outputs)
    assert share.inputs == tuple(f"results/datasets/xx/ner/{part}.tsv" for part in ("train", "dev", "test"))
    assert "results/figures/curve.png" in made
    assert (
        "of the learning curve 10 finetuning jobs on shares of the training sentences; left out, being fewer than 10 "
        "sentences: xx (treebank): 1/4 of 30 training sentences\n"
    ) in printed.stderr
