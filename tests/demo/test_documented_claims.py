"""What README.md and docs/ say of the demo, held against the run: numbers are read out of the sentences."""

import re
import statistics

import pytest
from tests.conftest import ROOT
from tests.demo.test_scores import METRICS, scores

from specialize.tables.screen import table_rows

CELLS = {  # a column of docs/demo.md's table of scores: language and task
    "Ondurese POS": ("qad", "pos"),
    "the same in Latin letters": ("qad-Latn", "pos"),
    "Ondurese UD (LAS)": ("qad", "ud"),
    "Ondurese NER (F1)": ("qad", "ner"),
    "Feldrish POS": ("qae", "pos"),
}
METHODS = {  # a row: representation and regime, None for single-task learning
    "mbert": ("mbert", None),
    "lapt": ("lapt", None),
    "tva": ("tva", None),
    "tva + UPS + ALT": ("tva", "mtl-ups-alt"),
    "tva + UPS + ALT + PFT": ("tva", "pft-mtl-ups-alt-{task}"),
}
# A sentence, with a number in brackets: the first cell is better than the second by at least so much; or, with "less
# than", the two differ by less.
SENTENCES = [
    ("README.md", r"In its unseen script, `tva` tags at least (\d+) points better than `lapt`",
     "qad/tva/pos", "qad/lapt/pos"),
    ("README.md", r"on its language in Latin letters the two differ by less than (\d+)",
     "qae/tva/pos", "qae/lapt/pos"),
    ("docs/demo.md", r"on Ondurese `tva` tags at least (\d+) points better than `lapt`",
     "qad/tva/pos", "qad/lapt/pos"),
    ("docs/demo.md", r"parses at least (\d+) points better",
     "qad/tva/ud", "qad/lapt/ud"),
    ("docs/demo.md", r"finds named entities at least (\d+) points better",
     "qad/tva/ner", "qad/lapt/ner"),
    ("docs/demo.md", r"on Feldrish tagging differs by less than (\d+) points",
     "qae/tva/pos", "qae/lapt/pos"),
    ("docs/demo.md", r"in Latin letters `lapt` tags Ondurese at least (\d+) points better",
     "qad-Latn/lapt/pos", "qad/lapt/pos"),
]  # fmt: skip


def text_of(name):
    """A document without its line breaks."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def said(name, pattern):
    """What the brackets of a pattern match in a document, where it must stand once."""
    found = re.findall(pattern, text_of(name))
    assert len(found) == 1, f"{name}: {pattern}"
    return found[0]


def mean(run, cell):
    return 100 * statistics.mean(scores(run, *cell.split("/")))


@pytest.mark.parametrize(("name", "sentence", "first", "second"), SENTENCES)
def test_a_sentence_holds_in_this_run(demo, name, sentence, first, second):
    number = int(said(name, sentence))
    difference = mean(demo, first) - mean(demo, second)
    if "less than" in sentence:
        assert abs(difference) < number
    else:
        assert difference >= number


def test_documents_say_how_much_is_run(demo):
    assert int(said("docs/demo.md", r"(\d+) finetuning jobs")) == len(list(demo.glob(METRICS)))


def rows_of(table):
    """Rows of a Markdown table, cells stripped of spaces and bold."""
    return [[cell.strip().strip("*") for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]


def test_the_table_of_scores_is_near_those_of_this_run(demo):
    page = (ROOT / "docs/demo.md").read_text(encoding="utf-8")
    room = int(said("docs/demo.md", r"scores of another may be up to (\d+) points away"))
    (table,) = re.findall(r"^\| \|.*\n(?:\|.*\n)+", page, re.MULTILINE)
    (_, *columns), _, *rows = rows_of(table)
    assert columns == list(CELLS)
    assert [row[0].split("`")[1] for row in rows] == list(METHODS)
    printed = 0
    for name, *cells in rows:
        representation, regime = METHODS[name.split("`")[1]]
        for (language, task), cell in zip(CELLS.values(), cells, strict=True):
            known = scores(demo, language, representation, (regime or task).format(task=task), task)
            assert bool(known) == bool(cell), (name, language, task)
            if known:
                printed += 1
                score = float(cell.split(" ± ")[0])
                assert 100 * statistics.mean(known) == pytest.approx(score, abs=room), (name, language, task)
    assert printed == 14


def test_the_row_of_answers_in_readme_is_that_of_this_run(demo):
    """Words to the letter, numbers but for what another processor changes."""
    room = int(said("docs/demo.md", r"scores of another may be up to (\d+) points away"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (quoted,) = [row for row in rows_of(readme) if row[0] == "RQ1, tests"]
    *_, answer, difference, seeds, _ = quoted
    (row,) = [row for row in map(list, map(dict.values, table_rows(demo, "answers"))) if row[:3] == quoted[:3]]
    assert re.sub(r"[\d.]+", "…", row[3]) == re.sub(r"[\d.]+", "…", answer)
    assert float(row[4]) == pytest.approx(float(difference), abs=room)
    assert row[5] == seeds
