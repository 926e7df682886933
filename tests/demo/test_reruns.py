"""After a completed run, a change makes exactly the jobs run that it touches."""

import re
import shutil

import pytest
import yaml
from tests.conftest import ROOT, copy_of_run, demo_arguments, planned_jobs

# What shows scores: of any single task, of a language with a twin before and after, of multi-task learning.
SINGLE = {f"results/tables/{name}.md" for name in ("single-task", "comparisons", "answers", "costs")}
SINGLE |= {f"results/figures/{name}.svg" for name in ("scores", "learning-curves", "gains", "significance")}
TWINS = {"results/tables/transliteration.md", "results/figures/transliteration.svg"}
MULTI_TASK = {f"results/tables/{name}.md" for name in ("multi-task", "multi-task-all")}  # and the best single-task
SCORES = SINGLE | TWINS | MULTI_TASK
ANSWERS = {f"results/tables/{name}.md" for name in ("answers", "costs")}
SETTINGS = {"results/tables/hyperparameters.md"}
CURVES = {"results/figures/pretraining.svg"}


@pytest.fixture
def completed(demo, tmp_path):
    """A copy of the completed run, with its provenance and its times."""
    return copy_of_run(demo, tmp_path / "demo")


def cells(run, language="*", representation="*", regime="*"):
    paths = (run / "results/finetuning").glob(f"{language}/{representation}/{regime}/seed*/metrics.json")
    return {str(path.relative_to(run)) for path in paths}


def planned(run, *overlay, target="all"):
    """First outputs of the planned jobs, finetuning named by its metrics."""
    jobs = planned_jobs(run, target, *demo_arguments(*overlay))
    outputs = set().union(*jobs.values()) if jobs else set()
    return {re.sub("/model$", "/metrics.json", output) for output in outputs}


def overlay(tmp_path, **settings):
    path = tmp_path / "overlay.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def test_nothing_is_left_to_do(completed):
    assert planned(completed) == set()


def test_a_deleted_result_is_made_again_with_its_descendants(completed):
    lost = "results/finetuning/qad/tva/pos/seed2/metrics.json"
    (completed / lost).unlink()
    assert planned(completed) == {lost} | SCORES


def test_a_deleted_multi_task_result_is_made_again_with_what_was_trained_further(completed):
    folder = "results/finetuning/qad/tva"
    (completed / folder / "mtl-ups-alt/seed2/metrics.json").unlink()
    jobs = {f"{folder}/{regime}/seed2/metrics.json" for regime in ("mtl-ups-alt", "pft-mtl-ups-alt-pos")}
    assert planned(completed) == jobs | MULTI_TASK | ANSWERS | {"results/figures/scores.svg"}


def test_a_hyperparameter_of_one_task(completed, tmp_path):
    changed = overlay(tmp_path, finetuning={"pos": {"dropout": 0.3}})
    together = cells(completed, regime="mtl-*") | cells(completed, regime="pft-*")
    assert planned(completed, changed) == cells(completed, regime="pos") | together | SCORES | SETTINGS


def test_the_batch_size_of_one_language_and_task(completed, tmp_path):
    changed = overlay(tmp_path, finetuning={"batch_sizes": {"qae": {"pos": 8}}})
    assert planned(completed, changed) == cells(completed, "qae", regime="pos") | SINGLE | SETTINGS


def test_the_multiplier_of_one_representation(completed, tmp_path):
    changed = overlay(tmp_path, representations={"tva": {"multiplier": 3}})
    adapted = {f"results/pretraining/{language}/tva/config.json" for language in ("qad", "qae")}
    jobs = adapted | cells(completed, representation="tva")
    assert planned(completed, changed) == jobs | SCORES | SETTINGS | CURVES


def test_a_hyperparameter_of_pretraining_spares_the_unadapted(completed, tmp_path):
    changed = overlay(tmp_path, pretraining={"learning_rate": 0.001})  # the base model has a rate of its own
    pairs = (("qad", "lapt"), ("qad", "tva"), ("qad-Latn", "lapt"), ("qae", "lapt"), ("qae", "tva"))
    adapted = {f"results/pretraining/{language}/{name}/config.json" for language, name in pairs}
    jobs = cells(completed) - cells(completed, representation="mbert")
    assert planned(completed, changed) == adapted | jobs | SCORES | SETTINGS | CURVES


def test_one_more_seed_is_one_more_job_each(completed, tmp_path):
    demo_grid = {"languages": ["qae"], "representations": ["lapt"], "regimes": ["pos"], "exceptions": []}
    changed = overlay(tmp_path, experiment={**demo_grid, "seeds": [1, 2, 3, 4]})
    assert planned(completed, changed, target="finetuning") == {"results/finetuning/qae/lapt/pos/seed4/metrics.json"}


def test_another_place_of_the_mirror_changes_nothing(completed, tmp_path):
    elsewhere = tmp_path / "a mirror elsewhere"
    elsewhere.mkdir()
    arguments = [*demo_arguments()[:-1], f'mirror="{elsewhere}"']
    assert planned_jobs(completed, "all", *arguments) == {}


def test_how_pieces_are_learned_touches_only_representations_that_have_new_ones(completed, tmp_path):
    changed = overlay(tmp_path, vocabularies={"size": 300})
    with_pieces = [("qad", "tva"), ("qae", "tva")]
    jobs = set().union(*(cells(completed, *pair) for pair in with_pieces))
    jobs |= {f"results/vocabularies/{language}/{name}/tokenizer.json" for language, name in with_pieces}
    jobs |= {f"results/pretraining/{language}/{name}/config.json" for language, name in with_pieces}
    assert planned(completed, changed) == jobs | SCORES | SETTINGS | CURVES | {"results/tables/corpora.md"}


def test_a_run_without_the_mirror_that_it_began_with_has_nothing_to_do(completed):
    assert planned_jobs(completed, "all", "--configfile", ROOT / "config/demo.yaml") == {}


def test_a_model_that_was_not_kept_is_made_when_it_is_wanted(completed):
    shutil.rmtree(completed / "results/finetuning/qae/tva/pos/seed2/model")
    assert planned(completed) == {"results/finetuning/qae/tva/pos/seed2/metrics.json"} | SINGLE


def test_scalars_on_demand_train_nothing_again(completed, tmp_path):
    assert planned(completed, overlay(tmp_path, tensorboard=True)) == set()
