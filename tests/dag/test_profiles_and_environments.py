"""Settings that stand in two places agree."""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from tests.conftest import ROOT, run_snakemake

from specialize.experiment.machine import gpus_here
from specialize.tables.contents import FIGURES, TABLES


def test_no_key_stands_in_both_profiles():
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm")
    )
    assert not default.keys() & slurm.keys()


def test_the_short_profile_name_works_from_a_fresh_clone():
    assert (ROOT / "slurm").is_symlink()
    assert (ROOT / "slurm" / "config.yaml").samefile(ROOT / "profiles/slurm/config.yaml")


def test_every_rule_that_trains_asks_a_cluster_for_a_gpu_and_is_in_the_forecast():
    rules, training = set(), set()
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^(?=rule |use rule )", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            if match := re.match(r"use rule (\w+) as (\w+)", rule):
                rules.add(match[2])
                training |= {match[2]} if match[1] in training else set()
            elif match := re.match(r"rule (\w+)", rule):
                rules.add(match[1])
                training |= {match[1]} if "envs/training.yaml" in rule else set()
    training -= {"static_vectors", "base_model", "trim_model"}  # one takes minutes on a CPU, the others load a model
    assert len(training) == 7
    asked = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["set-resources"]
    assert {rule for rule, resources in asked.items() if resources["slurm_partition"] == "'gpu'"} == training
    forecast = (ROOT / "workflow/rules/common.smk").read_text(encoding="utf-8")
    stages = ast.literal_eval(re.search(r"^TRAINING_RULES = (\{.*\})$", forecast, re.MULTILINE)[1])
    prefixes = tuple(prefix for starts in stages.values() for prefix in starts)
    assert {rule for rule in rules if rule.startswith(prefixes)} == training


@pytest.fixture(scope="module")
def resources_by_rule(tmp_path_factory):
    """Ask a dry run with SLURM's profile for the resources of each rule's jobs; a rule's jobs all have the same."""
    directory = tmp_path_factory.mktemp("grid")
    # The part of the paper's grid that has all of its rules, for planning the whole takes long.
    cut = directory / "cut.yaml"
    cut.write_text("experiment: {languages: [ug, ug-Latn, wo], seeds: [1]}\npretraining: {gpus: 2}\n", encoding="utf-8")

    def resources_by_rule(*options):
        with_profile = ["--dry-run", "--profile", ROOT / "profiles/slurm", "--configfile", cut, *options]
        printed = run_snakemake(directory, "all", *with_profile).stdout
        found = re.findall(r"^ *(?:local)?rule (\w+):\n(?: +(?!resources)\w+: .*\n)* +resources: (.*)", printed, re.M)
        resources = defaultdict(set)
        for rule, text in found:
            resources[rule].add(
                frozenset(re.findall(r"(gpu|gres|nodes|mem_mb|runtime|slurm_partition)=([\w:]+)", text))
            )
        return {rule: dict(*texts) for rule, texts in resources.items()}

    return resources_by_rule


def test_on_a_cluster_jobs_that_train_ask_for_their_gpus_and_the_rest_for_none(resources_by_rule):
    resources = resources_by_rule()
    assert {rule for rule, asked in resources.items() if asked.get("gpu") == "1"} == {
        *("finetune", "finetune_ner", "finetune_multi_task", "finetune_multi_task_ner"),
    }
    for rule in ("adapt", "pretrain_monolingual"):  # pretraining.gpus, with memory for as many processes
        assert resources[rule] == {
            **{"gpu": "2", "nodes": "1", "mem_mb": "32000"},
            **{"runtime": "720", "slurm_partition": "gpu"},
        }
    assert {rule for rule, asked in resources.items() if "nodes" in asked} == {"adapt", "pretrain_monolingual"}
    assert {rule for rule, asked in resources.items() if "gpu" not in asked} == {
        *("wikipedia_dump", "treebank_release", "wikiann_archive", "base_model"),
        *("treebank", "entities", "corpus", "vocabulary", "byte_vocabulary", "static_vectors"),
        *("transliterated_treebank", "transliterated_entities", "transliterated_corpus"),
        *("table", "figure", "all"),
    }
    for rule, asked in resources.items():
        assert asked["slurm_partition"] == ("gpu" if "gpu" in asked else "cpu"), rule
        assert {"mem_mb", "runtime"} < asked.keys()


def test_jobs_that_share_a_gpu_name_it_in_common(resources_by_rule):
    asked = resources_by_rule("--config", "jobs_per_gpu=5")
    assert asked["finetune"]["gres"] == "gpu:1"
    assert asked["adapt"]["gres"] == "gpu:2"
    assert "gpu" not in asked["finetune"].keys() | asked["adapt"].keys()


def test_a_workstations_gpus_are_counted(tmp_path, monkeypatch):
    driver = tmp_path / "bin" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text('#!/bin/sh\nfor gpu in 0 1 2; do echo "GPU $gpu: Some Model (UUID: GPU-$gpu)"; done\n')
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(driver.parent), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus_here() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert gpus_here() == 2
    started = run_snakemake(tmp_path, "results/tables/hyperparameters.md", "--config", "jobs_per_gpu=2").stderr
    assert re.search(r"^Provided resources:.*\bgpu\b.*\b4\b", started, re.MULTILINE)
    started = run_snakemake(tmp_path, "results/tables/hyperparameters.md", "--force", "--resources", "gpu=1").stderr
    assert re.search(r"^Provided resources:.*\bgpu\b.*\b1\b", started, re.MULTILINE), "a user's own limit holds"
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert gpus_here() == 0


SCRIPTS_OF = {
    "text": [
        "byte_vocabulary",
        "corpus",
        "entities",
        "treebank",
        "trimmed_vocabulary",
        "vocabulary",
        "wikipedia_dump",
        "wikiann_archive",
        "base_model",
    ],
    "training": ["adapt", "finetune", "pretrain_base", "pretrain_monolingual", "static_vectors", "trim_model"],
    "tables": ["diagnose", "export_model", "figure", "table"],
}


def imported(module, seen):
    """Names that a script or a module of the package imports when it starts, and those of the package in turn."""
    if module in seen:
        return
    path = ROOT / "src" / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    seen.add(module)
    if path.is_file():
        for name in imports_of(ast.parse(path.read_text(encoding="utf-8")).body):
            imported(name, seen)


def imports_of(nodes):
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("name", SCRIPTS_OF)
def test_environments_have_what_their_jobs_import(name):
    wanted = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"][-1]["pip"]
    there = {re.split("==", requirement)[0].lower().replace("-", "_").partition(".")[0] for requirement in wanted}
    there |= {"yaml"} if "pyyaml" in there else set()
    seen = set()
    for script in SCRIPTS_OF[name]:
        for module in imports_of(ast.walk(ast.parse((ROOT / f"scripts/{script}.py").read_text(encoding="utf-8")))):
            imported(module, seen)
    if name == "tables":  # what a table or figure is made by is imported when it is made
        for entry in (*TABLES.values(), *FIGURES.values()):
            imported(entry.function.partition(":")[0], seen)
    needed = {module.partition(".")[0].lower() for module in seen} - set(sys.stdlib_module_names)
    assert needed - {"specialize", "snakemake", "checkout"} <= there


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_environments_pin_the_versions_of_the_package(path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["words"]
    pinned = dict(re.match(r"([\w.-]+)==([\w.]+)", line).groups() for line in lines)
    wanted = next(entry["pip"] for entry in yaml.safe_load(path.read_text())["dependencies"] if isinstance(entry, dict))
    assert wanted
    for requirement in wanted:
        name, _, version = requirement.partition("==")
        assert pinned[name] == version, requirement
