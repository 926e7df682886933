"""What README.md and docs/ quote is what the program takes and says."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from specialize.experiment import Experiment

ROOT = Path(__file__).parents[2]
OF_OTHERS = {  # messages of Snakemake, Python, jsonschema and torch
    "Directory cannot be locked",
    "out of memory",
    "… is not of type 'string'; put it in quotes",
}


@pytest.fixture(scope="module")
def said():
    """All texts in the source; what stands between braces is …"""
    texts = []
    for path in sorted((ROOT / "src/specialize").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def test_messages_of_the_troubleshooting_page_are_those_of_the_program(said):
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    rows = [row.split(" | ")[0] for row in page.splitlines() if row.startswith("| `")]
    quoted = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    parts = {part.strip() for message in quoted if message not in OF_OTHERS for part in message.split("…")}
    assert len(parts) > 60
    assert [part for part in sorted(parts) if part not in said] == []


def test_the_configuration_in_readme_can_be_run(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    own = tmp_path / "own.yaml"
    own.write_text(text.replace("latest", '"20170101"'), encoding="utf-8")
    experiment = Experiment.read([ROOT / "config/config.yaml", own])
    assert [language.name for language in experiment.grid_languages] == ["Latgalian"]
    assert len(experiment.adaptations) == 2


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.stem)
def test_configurations_in_the_documents_have_keys_that_there_are(path):
    known = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))["properties"]
    for text in re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        assert yaml.safe_load(text).keys() <= known.keys()


def test_what_developers_are_led_to_is_there():
    page = (ROOT / "docs/development.md").read_text(encoding="utf-8")
    names = re.findall(r"`([\w/]+(?:/|\.(?:py|yaml|smk)))`", page)
    assert len(names) > 60
    assert [name for name in names if not developers_file(name).exists()] == []
    for name, functions in re.findall(r"`([\w/]+\.(?:py|smk))` \((`[\w.`, ]+`)\)", page):
        text = developers_file(name).read_text(encoding="utf-8")
        assert [name for name in re.findall(r"\w+", functions) if name not in text] == [], name


def developers_file(name):
    """What docs/development.md means by a file."""
    elsewhere = name.startswith(("workflow/", "scripts/", "tests/", "benchmarks/", "config/", "profiles/"))
    return (ROOT if elsewhere else ROOT / "src/specialize") / name


def test_readme_has_the_two_commands_and_fits_two_screens():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("make demo ") for line in lines)
    assert any(line.startswith("make test ") for line in lines)
    assert len(lines) <= 140
