"""What the source code cites as a fact by its number stands in docs/facts.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CITED_IN = ("src", "workflow", "scripts", "config")
CITATION = re.compile(r"\bfacts?\s+(\d+(?:(?:,\s*|\s+and\s+|\s+to\s+|,\s*and\s+)\d+)*)", re.IGNORECASE)


def cited(text):
    """Numbers of facts: of `fact 17`, `facts 14, 15, 20`, `facts 9 and 10`, `facts 1 to 6`."""
    for listed in CITATION.findall(text):
        for first, last in re.findall(r"(\d+)(?:\s+to\s+(\d+))?", listed):
            yield from range(int(first), int(last or first) + 1)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(paper §2.1, fact 17)", [17]),
        ("facts 14, 15, 20", [14, 15, 20]),
        ("Facts 9 and 10; fact 2", [9, 10, 2]),
        ("facts 1 to 4 where", [1, 2, 3, 4]),
        ("in fact 3.1 is", [3]),
        ("an artifact 5", []),
    ],
)
def test_citations_are_found(text, numbers):
    assert list(cited(text)) == numbers


def test_every_fact_that_is_cited_is_explained():
    explained = re.findall(r"^### Fact (\d+)$", (ROOT / "docs/facts.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(explained) == len(set(explained))
    where = {}
    for folder in CITED_IN:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".smk", ".yaml", ".md", ".rst"):
                for number in cited(path.read_text(encoding="utf-8")):
                    where.setdefault(number, path.relative_to(ROOT))
    assert len(where) > 20
    assert {number: path for number, path in where.items() if str(number) not in explained} == {}
