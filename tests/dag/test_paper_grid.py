"""The paper's grid as a dry run: its jobs counted from first principles, and which rule makes which path."""

import re
import shutil

import pytest
from tests.conftest import ROOT, dry_run, first_outputs, run_snakemake

SEEDS = 5
LANGUAGES = {"be", "bg", "ga", "mhr", "mt", "ug", "ur", "vi", "wo"}
WITH_TREEBANK = LANGUAGES - {"mhr"}
WITH_ENTITIES = LANGUAGES - {"wo"}
REPRESENTATIONS = {"fasttext", "bert", "mbert", "lapt", "tva"}
WITH_WORDPIECES = {"mbert", "lapt", "tva"}  # of the base model, more or less
ADAPTED = {"lapt", "tva"}

FAMILIES = {  # a path of each family, and the rule that makes it
    "resources/wikipedia/ltgwiki/20170101/ltgwiki-20170101-pages-articles.xml.bz2": "wikipedia_dump",
    "resources/universal-dependencies/UD_Wolof-WTB/r2.5/wo_wtb-ud-dev.conllu": "treebank_release",
    "resources/wikiann/mt.tar.gz": "wikiann_archive",
    "results/datasets/wo/dev.conllu": "treebank",
    "results/datasets/ug-Latn/dev.conllu": "transliterated_treebank",
    "results/datasets/mhr/ner/test.tsv": "entities",
    "results/datasets/mhr-Latn/ner/test.tsv": "transliterated_entities",
    "results/corpora/vi/statistics.json": "corpus",
    "results/corpora/mhr-Latn/valid.txt": "transliterated_corpus",
    "results/vocabularies/ug-Latn/va/tokenizer.json": "vocabulary",
    "results/pretraining/base/mbert/model.safetensors": "base_model",
    "results/pretraining/ug/tva/history.json": "adapt",
    "results/vocabularies/ug/bert/tokenizer.json": "byte_vocabulary",
    "results/pretraining/ug/bert/README.md": "pretrain_monolingual",
    "results/pretraining/ug/fasttext/subwords.safetensors": "static_vectors",
    "results/figures/replication.svg": "figure",
    "results/export/ug-Latn/tva/README.md": "export_model",
    "results/figures/pretraining.svg": "figure",
    "results/figures/learning-curves.svg": "figure",
    "results/finetuning/ug/va/ud/seed3/predictions.conllu": "finetune",
    "results/finetuning/ug/va/ner/seed3/predictions.tsv": "finetune_ner",
    "results/finetuning/ug/fasttext/mtl-ups/seed3/predictions.tsv": "finetune_multi_task_ner",
    "results/finetuning/wo/va/mtl-ups-alt/seed3/predictions.conllu": "finetune_multi_task",
    "results/finetuning/ug-Latn/tva/mtl-int/seed3/model": "finetune_multi_task_ner",
    "results/finetuning/ug/tva/pft-mtl-int-ud/seed3/metrics.json": "finetune",
    "results/finetuning/ug/tva/pft-mtl-ups-alt-ner/seed3/predictions.tsv": "finetune_ner",
    "results/tables/hyperparameters.tex": "table",
    "results/tables/multi-task-all.tex": "table",
    "results/figures/gains.svg": "figure",
    "results/tables/diagnosis.md": "diagnose",
}
CELL = "results/finetuning/ug-Latn/tva/ner/seed3/metrics.json"
TARGETS = ["all", "table2", "table3", "table4", "table6", "diagnosis", "results/figures/coverage.svg", CELL, *FAMILIES]


@pytest.fixture(scope="module")
def dry_run_of_all_targets(tmp_path_factory):
    """The one dry run that these tests read, for planning the grid takes Snakemake long: all that they ask for."""
    directory = tmp_path_factory.mktemp("paper")
    planned = dry_run(directory, TARGETS)
    left_behind = {path.name for path in directory.iterdir()} - {".snakemake"}
    assert not left_behind, "a dry run wrote something"
    return planned


@pytest.fixture(scope="module")
def jobs(dry_run_of_all_targets):
    """What the target `all` alone would make."""
    return first_outputs(leading_to("all", dry_run_of_all_targets))


def leading_to(target, jobs):
    """The jobs that a target needs, a rule or a path."""
    maker = {output: job for job in jobs for output in job.outputs}
    waiting = [job for job in jobs if target == job.rule or target in job.outputs]
    needed = set()
    while waiting:
        job = waiting.pop()
        if job not in needed:
            needed.add(job)
            waiting += [maker[path] for path in job.inputs if path in maker]
    assert needed, f"nothing makes {target}"
    return needed


def test_finetuning_jobs_are_the_whole_grid(jobs):
    each = len(REPRESENTATIONS) * SEEDS
    originals = each * (2 * len(WITH_TREEBANK) + len(WITH_ENTITIES))
    twins = each * (3 + 1)  # Uyghur has three tasks, Meadow Mari one
    with_all = WITH_TREEBANK & WITH_ENTITIES
    multi_task = each * 4 * len(with_all), each * 2 * len(WITH_TREEBANK - with_all)  # Wolof's INT and UPS coincide
    further = each * (3 * len(with_all) + 2 * len(WITH_TREEBANK - with_all))
    assert (originals, twins, sum(multi_task), further) == (600, 100, 750, 575)
    assert (len(jobs["finetune_multi_task_ner"]), len(jobs["finetune_multi_task"])) == multi_task
    assert len(jobs["finetune"]) + len(jobs["finetune_ner"]) == originals + twins + further
    assert sum(len(outputs) for rule, outputs in jobs.items() if rule.startswith("finetune")) == 2025


def test_every_finetuning_job_is_a_cell_of_the_grid(jobs):
    pairs = [(language, task) for language in WITH_TREEBANK | {"ug-Latn"} for task in ("pos", "ud")]
    pairs += [(language, "ner") for language in WITH_ENTITIES | {"ug-Latn", "mhr-Latn"}]
    pairs += [(language, f"mtl-ups{alt}") for language in WITH_TREEBANK for alt in ("", "-alt")]
    pairs += [(language, f"mtl-int{alt}") for language in WITH_TREEBANK & WITH_ENTITIES for alt in ("", "-alt")]
    pairs += [(language, f"pft-mtl-ups-alt-{task}") for language in WITH_TREEBANK for task in ("pos", "ud")]
    pairs += [(language, "pft-mtl-ups-alt-ner") for language in WITH_TREEBANK & WITH_ENTITIES]
    expected = {
        f"results/finetuning/{language}/{representation}/{regime}/seed{seed}"
        for language, regime in pairs
        for representation in REPRESENTATIONS
        for seed in range(1, SEEDS + 1)
    }
    outputs = set().union(*(outputs for rule, outputs in jobs.items() if rule.startswith("finetune")))
    assert {output.rpartition("/")[0] for output in outputs} == expected


@pytest.mark.parametrize(
    ("target", "multi_task"),
    [("table2", 0), ("table3", 1), ("table4", 0), ("table6", 4)],
)
def test_a_table_needs_exactly_the_cells_that_it_prints(dry_run_of_all_targets, target, multi_task):
    jobs = first_outputs(leading_to(target, dry_run_of_all_targets))
    each = len(REPRESENTATIONS) * SEEDS
    assert len(jobs.get("finetune_multi_task_ner", ())) == each * 7 * multi_task
    assert len(jobs.get("finetune_multi_task", ())) == each * min(multi_task, 2)
    further = {path for path in jobs["finetune"] | jobs["finetune_ner"] if "/pft-" in path}
    assert len(further) == (575 if multi_task else 0)
    single = len(jobs["finetune"]) + len(jobs["finetune_ner"]) - len(further)
    assert single == {"table2": 600, "table3": 575, "table4": 200, "table6": 575}[target]


def test_a_single_cell_needs_exactly_what_leads_to_it(dry_run_of_all_targets):
    jobs = first_outputs(leading_to(CELL, dry_run_of_all_targets))
    assert {rule: len(outputs) for rule, outputs in jobs.items()} == dict.fromkeys(
        [
            *("wikipedia_dump", "treebank_release", "wikiann_archive", "base_model"),
            *("treebank", "entities", "corpus"),
            *("transliterated_treebank", "transliterated_entities", "transliterated_corpus"),
            *("vocabulary", "adapt", "finetune_ner"),
        ],
        1,
    )


def test_what_is_trained_further_knows_its_start_by_its_scores(dry_run_of_all_targets):
    """The start's own time does not count: it may be made again only to be kept."""
    further = [job for job in dry_run_of_all_targets if any("/pft-" in path for path in job.outputs)]
    assert len(further) >= 575
    for job in further:
        start = next(path for path in job.inputs if path.endswith("/model"))
        assert f"{start.removesuffix('model')}metrics.json" in job.inputs


def test_the_picture_of_the_rules_is_that_of_table2(dry_run_of_all_targets):
    needed = leading_to("table2", dry_run_of_all_targets)
    rule_of = {output: job.rule for job in needed for output in job.outputs}
    names = {job.rule for job in needed}
    edges = {(rule_of[path], job.rule) for job in needed for path in job.inputs if path in rule_of}
    picture = (ROOT / "docs/rules.svg").read_text(encoding="utf-8")
    drawn = dict(re.findall(r"<title>(\d+)</title>.*?>(\w+)</text>", picture, re.DOTALL))
    assert len(edges) > len(names) > 10
    assert sorted(drawn.values()) == sorted(names)
    assert {(drawn[one], drawn[other]) for one, other in re.findall(r"<title>(\d+)&#45;&gt;(\d+)<", picture)} == edges


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
        "adapt": len(ADAPTED) * (len(LANGUAGES) + 2),
        "table": 10,
        "figure": 7,
    }


@pytest.mark.parametrize(("path", "rule"), FAMILIES.items())
def test_each_family_of_paths_has_its_rule(dry_run_of_all_targets, path, rule):
    assert [job.rule for job in dry_run_of_all_targets if path in job.outputs] == [rule]


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU")
def test_without_a_gpu_a_real_start_stops_before_the_first_job(tmp_path):
    finished = run_snakemake(tmp_path, CELL)
    assert finished.returncode != 0
    refusal = next(line for line in finished.stderr.splitlines() if "has no GPU" in line)
    assert "2,025 finetuning jobs over 11 languages" in refusal
    assert "allow_cpu=true" in refusal
    assert not (tmp_path / "resources").exists()


def test_a_diagnosis_trains_nothing(dry_run_of_all_targets):
    jobs, for_the_figure = (
        first_outputs(leading_to(target, dry_run_of_all_targets))
        for target in ("diagnosis", "results/figures/coverage.svg")
    )
    assert jobs == for_the_figure
    assert not jobs.keys() & {"adapt", "pretrain_base", "pretrain_monolingual", "finetune", "finetune_ner"}
    assert len(jobs["vocabulary"]) == len(WITH_WORDPIECES) * (len(LANGUAGES) + 2)


def test_what_trains_nothing_needs_no_gpu(tmp_path):
    finished = run_snakemake(tmp_path, "table5")
    assert finished.returncode == 0, finished.stderr
    assert "estimated on" in finished.stderr
    assert (tmp_path / "results/tables/hyperparameters.md").is_file()


@pytest.mark.parametrize("cell", ["ug/tva/po", "wo/tva/mtl-int", "mhr/tva/mtl-ups"])
def test_a_path_outside_the_grids_words_has_no_rule(tmp_path, cell):
    finished = run_snakemake(tmp_path, f"results/finetuning/{cell}/seed1/metrics.json", "--dry-run")
    assert finished.returncode != 0
    assert "MissingRuleException" in finished.stderr + finished.stdout


def test_the_catalog_entry_is_the_same_workflow(tmp_path):
    cut = tmp_path / "cut.yaml"
    cut.write_text("experiment: {languages: [wo], seeds: [1]}\n", encoding="utf-8")
    entry = dry_run(tmp_path, "everything", "-s", ROOT / "workflow/Snakefile", "--configfile", cut)
    ours = dry_run(tmp_path, "all", "--configfile", cut)
    assert {job for job in entry if job.outputs} == {job for job in ours if job.outputs}
