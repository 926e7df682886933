"""A run that another version has made is recognised before anything is made again."""

import pytest

from specialize import __version__
from specialize.errors import ConfigError
from specialize.experiment.versions import STAGE_VERSIONS, Rerun, check_versions
from specialize.files import read_json, write_json

AGAIN = [
    Rerun("finetuning", f"results/finetuning/ug/tva/pos/seed{seed}/metrics.json", "Params have changed")
    for seed in range(1, 8)
]
CURRENT = {"specialize": __version__, "stages": STAGE_VERSIONS}


def older(**versions):
    return {"specialize": "0.0.1", "stages": STAGE_VERSIONS | versions}


def test_a_new_run_is_recorded(tmp_path):
    check_versions(tmp_path, [], [], accepted=False)
    assert read_json(tmp_path / "versions.json") == CURRENT


def test_changed_settings_of_ones_own_run_again_unasked(tmp_path):
    write_json(tmp_path / "versions.json", CURRENT)
    check_versions(tmp_path, AGAIN, [], accepted=False)


@pytest.mark.parametrize(
    ("recorded", "maker"),
    [
        (older(finetuning=1), rf"made by specialize 0\.0\.1 \(finetuning 1 is now {STAGE_VERSIONS['finetuning']}\)"),
        (older(), r"made by specialize 0\.0\.1 \(the same stages\)"),
        (None, "an earlier version of specialize, which left no record"),
    ],
)
def test_a_run_of_another_version_is_refused_once_with_what_would_run_again(tmp_path, recorded, maker):
    if recorded:
        write_json(tmp_path / "versions.json", recorded)
    with pytest.raises(ConfigError, match=maker) as caught:
        check_versions(tmp_path, AGAIN, [], accepted=False)
    message = str(caught.value)
    assert "7 of finetuning would be made again: results/finetuning/ug/tva/pos/seed1/metrics.json (Params" in message
    assert "and 2 more" in message
    assert "--config accept_rerun=true" in message and "\n" not in message
    assert (read_json(tmp_path / "versions.json") if recorded else None) == recorded, "refused again the next time"


def test_a_run_of_another_version_that_keeps_everything_goes_on(tmp_path):
    write_json(tmp_path / "versions.json", older(tables=1))
    check_versions(tmp_path, [], [], accepted=False)
    assert read_json(tmp_path / "versions.json") == CURRENT


def test_who_accepts_is_not_asked_again(tmp_path):
    write_json(tmp_path / "versions.json", older(finetuning=1))
    check_versions(tmp_path, AGAIN, [], accepted=True)
    check_versions(tmp_path, AGAIN[:3], [], accepted=False)


@pytest.mark.parametrize("split", ["", "share8/", "fold1/", "fold1/share8/"])
def test_scores_of_folds_and_shares_are_finished_training_too(tmp_path, split):
    write_json(tmp_path / "versions.json", older(finetuning=1))
    write_json(tmp_path / f"results/finetuning/ug/tva/pos/{split}seed1/metrics.json", {})
    check_versions(tmp_path, [], [], accepted=False)
    assert read_json(tmp_path / "versions.json") == older(finetuning=1)


def test_a_start_that_sees_only_a_part_leaves_the_record_as_it_is(tmp_path):
    write_json(tmp_path / "versions.json", older(finetuning=1))
    made = [rerun.output for rerun in AGAIN]
    for path in made:
        write_json(tmp_path / path, {})
    check_versions(tmp_path, [], made[:2], accepted=False)
    check_versions(tmp_path, AGAIN[:1], made[:2], accepted=True)
    with pytest.raises(ConfigError, match="7 of finetuning"):
        check_versions(tmp_path, AGAIN, made, accepted=False)
    check_versions(tmp_path, [], made, accepted=False)
    assert read_json(tmp_path / "versions.json") == CURRENT
