"""The paper's grid as a dry run: its jobs counted from first principles, and which rule makes which path."""

import shutil

import pytest
from tests.conftest import ROOT, planned_jobs, run_snakemake

pytestmark = pytest.mark.dag

SEEDS = 5
LANGUAGES = {"be", "bg", "ga", "mhr", "mt", "ug", "ur", "vi", "wo"}
WITH_TREEBANK = LANGUAGES - {"mhr"}
WITH_ENTITIES = LANGUAGES - {"wo"}
REPRESENTATIONS = {"fasttext", "bert", "mbert", "lapt", "tva"}
WITH_WORDPIECES = {"mbert", "lapt", "tva"}  # of the base model, more or less
ADAPTED = {"lapt", "tva"}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("paper")
    planned = planned_jobs(directory, "all")
    left_behind = {path.name for path in directory.iterdir()} - {".snakemake"}
    assert not left_behind, "a dry run wrote something"
    return planned


def test_finetuning_jobs_are_the_built_part_of_the_grid(jobs):
    originals = len(REPRESENTATIONS) * SEEDS * (2 * len(WITH_TREEBANK) + len(WITH_ENTITIES))
    twins = len(REPRESENTATIONS) * SEEDS * (3 + 1)  # Uyghur has three tasks, Meadow Mari one
    assert (originals, twins) == (600, 100)
    assert len(jobs["finetune"]) + len(jobs["finetune_ner"]) == originals + twins


def test_every_finetuning_job_is_a_cell_of_the_grid(jobs):
    expected = set()
    for representation in REPRESENTATIONS:
        for seed in range(1, SEEDS + 1):
            pairs = [(language, task) for language in WITH_TREEBANK | {"ug-Latn"} for task in ("pos", "ud")]
            pairs += [(language, "ner") for language in WITH_ENTITIES | {"ug-Latn", "mhr-Latn"}]
            for language, task in pairs:
                expected.add(f"results/finetuning/{language}/{representation}/{task}/seed{seed}/metrics.json")
    assert jobs["finetune"] | jobs["finetune_ner"] == expected


def test_everything_else_is_what_those_jobs_need(jobs):
    counts = {rule: len(outputs) for rule, outputs in jobs.items() if not rule.startswith("finetune")}
    assert counts == {
        "wikipedia_dump": len(LANGUAGES),
        "treebank_release": len(WITH_TREEBANK),
        "wikiann_archive": len(WITH_ENTITIES),
        "base_model": 1,
        "treebank": len(WITH_TREEBANK),
        "entities": len(WITH_ENTITIES),
        "transliterated_treebank": 1,
        "transliterated_entities": 2,
        "corpus": len(LANGUAGES),
        "transliterated_corpus": 2,
        "vocabulary": len(WITH_WORDPIECES) * (len(LANGUAGES) + 2),
        "byte_vocabulary": len(LANGUAGES) + 2,
        "pretrain_monolingual": len(LANGUAGES) + 2,
        "static_vectors": len(LANGUAGES) + 2,
        "pretraining_figure": 1,
        "learning_curves": 1,
        "replication_figure": 1,
        "adapt": len(ADAPTED) * (len(LANGUAGES) + 2),
        "table": 6,
    }


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("resources/wikipedia/ltgwiki/20170101/ltgwiki-20170101-pages-articles.xml.bz2", "wikipedia_dump"),
        ("resources/universal-dependencies/UD_Wolof-WTB/r2.5/wo_wtb-ud-dev.conllu", "treebank_release"),
        ("resources/wikiann/mt.tar.gz", "wikiann_archive"),
        ("results/datasets/wo/dev.conllu", "treebank"),
        ("results/datasets/ug-Latn/dev.conllu", "transliterated_treebank"),
        ("results/datasets/mhr/ner/test.tsv", "entities"),
        ("results/datasets/mhr-Latn/ner/test.tsv", "transliterated_entities"),
        ("results/corpora/vi/statistics.json", "corpus"),
        ("results/corpora/mhr-Latn/valid.txt", "transliterated_corpus"),
        ("results/vocabularies/ug-Latn/va/tokenizer.json", "vocabulary"),
        ("results/pretraining/base/mbert/model.safetensors", "base_model"),
        ("results/pretraining/ug/tva/history.json", "adapt"),
        ("results/vocabularies/ug/bert/tokenizer.json", "byte_vocabulary"),
        ("results/pretraining/ug/bert/README.md", "pretrain_monolingual"),
        ("results/pretraining/ug/fasttext/subwords.safetensors", "static_vectors"),
        ("results/figures/replication.svg", "replication_figure"),
        ("results/export/ug-Latn/tva/README.md", "export_model"),
        ("results/figures/pretraining.svg", "pretraining_figure"),
        ("results/figures/learning-curves.svg", "learning_curves"),
        ("results/finetuning/ug/va/ud/seed3/predictions.conllu", "finetune"),
        ("results/finetuning/ug/va/ner/seed3/predictions.tsv", "finetune_ner"),
        ("results/tables/hyperparameters.tex", "table"),
        ("results/tables/diagnosis.md", "diagnose"),
    ],
)
def test_each_family_of_paths_has_its_rule(tmp_path, path, rule):
    jobs = planned_jobs(tmp_path, path)
    folder = path.rpartition("/")[0]
    assert any(output.startswith(folder) for output in jobs[rule])


@pytest.mark.parametrize(
    ("target", "part"),
    [
        ("table3", "table 3"),
        ("table6", "table 6"),
        ("results/finetuning/ug/tva/mtl-ups/seed1/metrics.json", "regime mtl-ups"),
    ],
)
def test_what_is_not_built_refuses(tmp_path, target, part):
    finished = run_snakemake(tmp_path, target, "--dry-run")
    output = finished.stdout + finished.stderr
    assert finished.returncode != 0
    assert any(part in line and "not built yet" in line for line in output.splitlines()), output


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU")
def test_without_a_gpu_a_real_start_stops_before_the_first_job(tmp_path):
    finished = run_snakemake(tmp_path, "all")
    assert finished.returncode != 0
    refusal = next(line for line in finished.stderr.splitlines() if "has no GPU" in line)
    assert "700 finetuning jobs over 11 languages" in refusal
    assert "allow_cpu=true" in refusal
    assert not (tmp_path / "resources").exists()


def test_a_diagnosis_trains_nothing(tmp_path):
    jobs = planned_jobs(tmp_path, "diagnosis")
    assert jobs == planned_jobs(tmp_path, "results/figures/coverage.svg")
    assert not jobs.keys() & {"adapt", "pretrain_base", "pretrain_monolingual", "finetune", "finetune_ner"}
    assert len(jobs["vocabulary"]) == len(WITH_WORDPIECES) * (len(LANGUAGES) + 2)


def test_what_trains_nothing_needs_no_gpu(tmp_path):
    finished = run_snakemake(tmp_path, "table5")
    assert finished.returncode == 0, finished.stderr
    assert "estimated on" in finished.stderr
    assert (tmp_path / "results/tables/hyperparameters.md").is_file()


def test_a_path_outside_the_grids_words_has_no_rule(tmp_path):
    finished = run_snakemake(tmp_path, "results/finetuning/ug/tva/po/seed1/metrics.json", "--dry-run")
    assert finished.returncode != 0
    assert "MissingRuleException" in finished.stderr + finished.stdout


def test_the_catalog_entry_is_the_same_workflow(tmp_path):
    finished = run_snakemake(tmp_path, "all", "-s", ROOT / "workflow/Snakefile", "--dry-run", "--quiet", "all")
    assert finished.returncode == 0, finished.stderr
