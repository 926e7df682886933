"""A bilingual word list is an input of the jobs that read it, and of no other; a twin reads its own."""

from tests.conftest import jobs_in, run_snakemake

OVERLAY = """
experiment: {{languages: [xx, xx-Latn], representations: [lapt, words], regimes: [pos], seeds: [1], exceptions: []}}
base_model: own
base_models: {{own: {{mirror: true}}}}
representations: {{words: {{method: adapt, pieces: 9, training: {{initialisation: dictionary}}}}}}
pretraining: {{initialisation: dictionary}}
languages:
  xx:
    name: X
    corpus: {{text: {folder}/text.txt}}
    dictionary: {folder}/list.tsv
    transliteration: {{scheme: uroman}}
"""


def test_the_word_list_is_an_input_where_it_is_read(tmp_path):
    (tmp_path / "text.txt").write_text("one sentence\n")
    (tmp_path / "list.tsv").write_text("one\tun\n")
    (tmp_path / "my.yaml").write_text(OVERLAY.format(folder=tmp_path))
    options = ["--configfile", tmp_path / "my.yaml", "--config", f"mirror={tmp_path}", "--dry-run"]
    finished = run_snakemake(tmp_path, "all", *options)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    inputs = {job.outputs[0]: set(job.inputs) for job in jobs_in(finished.stdout + finished.stderr) if job.outputs}
    own, twin = f"{tmp_path}/list.tsv", "results/corpora/xx-Latn/dictionary.tsv"
    lists = {
        path: its_inputs & {own, twin}
        for path, its_inputs in inputs.items()
        if path.startswith("results/pretraining/xx")
    }
    assert lists == {
        "results/pretraining/xx/words/config.json": {own},
        "results/pretraining/xx-Latn/words/config.json": {twin},
        "results/pretraining/xx/lapt/config.json": set(),
        "results/pretraining/xx-Latn/lapt/config.json": set(),
    }
    assert inputs[twin] == {own}
