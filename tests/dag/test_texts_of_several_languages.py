"""Models that learn from texts of several languages, in a dry run."""

from tests.conftest import ROOT, dry_run

OVERLAY = """\
experiment: {languages: [qad, qae], representations: [lapt, bert], regimes: [pos], seeds: [1], exceptions: []}
pretraining: {with: {qad: 0.3, qaa: 0.2}}
representations: {lapt: {training: {with: [qad-Latn]}}}
"""


def test_the_texts_of_other_languages_are_made_before_and_are_inputs(tmp_path):
    (tmp_path / "my.yaml").write_text(OVERLAY, encoding="utf-8")
    files = ["--configfile", ROOT / "config/demo.yaml", tmp_path / "my.yaml"]
    targets = [f"results/pretraining/{model}/config.json" for model in ("qad/lapt", "qad/bert", "qae/bert")]
    jobs = dry_run(tmp_path, targets, *files)
    made = {path for job in jobs for path in job.outputs}
    texts = {
        job.outputs[0].split("/")[2]: [path.split("/")[2] for path in job.inputs if path.endswith("train.txt")]
        for job in jobs
        if job.rule in ("adapt", "pretrain_monolingual") and job.outputs[0].split("/")[3] == "bert"
    }
    assert texts == {"qad": ["qad", "qaa"], "qae": ["qae", "qaa", "qad"]}
    (adapted,) = (job for job in jobs if job.rule == "adapt")
    assert {"results/corpora/qad/train.txt", "results/corpora/qad-Latn/train.txt"} <= set(adapted.inputs)
    assert {f"results/corpora/{tag}/train.txt" for tag in ("qaa", "qad", "qad-Latn", "qae")} <= made
