"""The overlay of what the paper's code did changes what docs/as-run.md says, and nothing else."""

import re
from pathlib import Path

import yaml
from snakemake.utils import update_config
from tests.conftest import configuration

CONFIGURATIONS = Path(__file__).parents[2] / "config"
UNSET = "unset"

# Facts in which the paper's code differs from its text.
DIFFERENCES = {1, 2, 5, 6, 15, 16, 17, 21, 22, 23, 24, 25, 30, 32, 33, 37, 38}


def documented():
    """Rows of the table: fact, key, default, value as run."""
    text = (CONFIGURATIONS.parent / "docs/as-run.md").read_text(encoding="utf-8")
    row = r"^\| \[(\d+)\]\(facts.md#fact-\1\) \| `(\S+)` \| `(\S+)` \| `(\S+)` \| .+ \|$"
    rows = re.findall(row, text, flags=re.MULTILINE)
    return [(int(fact), key, yaml.safe_load(default), yaml.safe_load(value)) for fact, key, default, value in rows]


def settings(value, key=""):
    """Each key of a configuration, with those above it, and its value."""
    if not isinstance(value, dict):
        return {key: value}
    found = {}
    for name, below in value.items():
        found |= settings(below, f"{key}.{name}" if key else str(name))
    return found


def test_as_run_changes_what_the_table_says_and_nothing_else():
    config = configuration()
    default = settings(config)
    update_config(config, configuration("as-run.yaml"))
    changes = [(key, default.get(key, UNSET), value) for key, value in settings(config).items()]
    rows = documented()
    assert {change for change in changes if change[1] != change[2]} == {row[1:] for row in rows}
    assert len({key for _, key, *_ in rows}) == len(rows)


def test_as_run_names_nothing_that_it_does_not_change():
    assert settings(configuration("as-run.yaml")) == {key: value for _, key, _, value in documented()}


def test_every_difference_between_paper_and_code_has_an_option():
    assert {fact for fact, *_ in documented()} >= DIFFERENCES
