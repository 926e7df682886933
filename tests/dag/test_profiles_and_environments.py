"""Settings that stand in two places agree."""

import re
import tomllib

import pytest
import yaml
from tests.conftest import ROOT

pytestmark = pytest.mark.dag


def test_no_key_stands_in_both_profiles():
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm")
    )
    assert not default.keys() & slurm.keys()


def test_the_short_profile_name_works_from_a_fresh_clone():
    assert (ROOT / "slurm").is_symlink()
    assert (ROOT / "slurm" / "config.yaml").samefile(ROOT / "profiles/slurm/config.yaml")


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_environments_pin_the_versions_of_the_package(path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(re.match(r"([\w.-]+)==([\w.]+)", line).groups() for line in project["dependencies"])
    wanted = next(entry["pip"] for entry in yaml.safe_load(path.read_text())["dependencies"] if isinstance(entry, dict))
    assert wanted
    for requirement in wanted:
        name, _, version = requirement.partition("==")
        assert pinned[name] == version, requirement
