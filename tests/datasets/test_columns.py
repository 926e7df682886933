"""What a treebank's columns lack is counted, and refused where it is to be learned, before anything is trained."""

import pytest

from specialize.datasets import HEAD, PARTS, UPOS, XPOS, check_prepared, prepare_treebank, read_treebank
from specialize.errors import InputError
from specialize.files import read_json

FORM, DEPREL = 1, 7
WORDS = 20  # of each part, in sentences of two


def write_part(path, missing=None, value="_"):
    """A part of a treebank; so many of its first words have no value in some columns."""
    lines = []
    for number in range(WORDS):
        first = number % 2 == 0
        columns = ["1" if first else "2", "word", "_", "NOUN", "N", "_", "0" if first else "1", "root", "_", "_"]
        for column, times in (missing or {}).items():
            if number < times:
                columns[column] = value
        lines.append("\t".join(columns) + ("\n" if first else "\n\n"))
    path.write_text("".join(lines), encoding="utf-8")


def prepare(folder, tasks, tags="xpos", **missing):
    """Prepare a treebank of which some parts lack something."""
    own = folder / "own"
    own.mkdir(exist_ok=True)
    for part in PARTS:
        write_part(own / f"{part}.conllu", missing.get(part))
    prepare_treebank({part: own / f"{part}.conllu" for part in PARTS}, folder / "results", tasks, tags)
    return folder / "results"


EVERYTHING = {FORM: WORDS, UPOS: WORDS, XPOS: WORDS, HEAD: WORDS, DEPREL: WORDS}
REFUSED = {
    "text withheld": (["pos"], "xpos", {FORM: WORDS}, r"100.0% of its words have _ in place of a form; the text is wi"),
    "text withheld, nothing learned": ([], "xpos", {FORM: WORDS}, r"in place of a form"),
    "no xpos": (["pos"], "xpos", {XPOS: WORDS}, r"in place of an xpos tag; set the treebank's tags: upos"),
    "no upos": (["pos", "ud"], "upos", {UPOS: WORDS}, r"in place of an upos tag; set the treebank's tags: xpos"),
    "no tags": (["pos"], "upos", {UPOS: WORDS, XPOS: WORDS}, r"in place of an upos tag; annotate them, or leave"),
    "hardly any": (["pos"], "xpos", {XPOS: WORDS - 1}, r"95.0% of its words have _ in place of an xpos tag"),
    "no relations": (["ud"], "xpos", {DEPREL: WORDS}, r"in place of a relation; annotate them, or leave out the reg"),
    "no heads": (["ud"], "xpos", {HEAD: WORDS}, r"its head is not a word number; annotate it, or leave out the reg"),
    "one head": (["pos", "ud"], "xpos", {HEAD: 1}, r"its head is not a word number"),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("tasks", "tags", "missing", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_a_task_needs_and_most_words_lack_is_refused(tmp_path, tasks, tags, missing, problem, part):
    with pytest.raises(InputError, match=problem) as caught:
        prepare(tmp_path, tasks, tags, **{part: missing})
    assert str(caught.value).startswith(f"{tmp_path}/own/{part}.conllu, line 1: ")


TAKEN = {
    "tags alone": (["pos"], "xpos", {HEAD: WORDS, DEPREL: WORDS, UPOS: WORDS}),
    "trees alone": (["ud"], "xpos", {UPOS: WORDS, XPOS: WORDS}),
    "universal tags": (["pos", "ud"], "upos", {XPOS: WORDS}),
    "words alone": ([], "xpos", {column: WORDS for column in EVERYTHING if column != FORM}),
}


@pytest.mark.parametrize(("tasks", "tags", "missing"), TAKEN.values(), ids=TAKEN)
def test_what_no_task_needs_may_be_missing_and_is_counted(tmp_path, tasks, tags, missing, capsys):
    results = prepare(tmp_path, tasks, tags, **dict.fromkeys(PARTS, missing))
    statistics = read_json(results / "statistics.json")
    names = {FORM: "form", UPOS: "upos", XPOS: "xpos", HEAD: "head", DEPREL: "deprel"}
    for part in PARTS:
        assert statistics[part] == {
            "sentences": WORDS // 2,
            "words": WORDS,
            "missing": {name: missing.get(column, 0) for column, name in names.items()},
            "no_trees": WORDS // 2 if HEAD in missing else 0,
            "mended": {},
        }
        assert (results / f"{part}.conllu").read_bytes() == (tmp_path / f"own/{part}.conllu").read_bytes()
    assert "Warning" not in capsys.readouterr().out


@pytest.mark.parametrize(("column", "name"), [(FORM, "a form"), (XPOS, "an xpos tag"), (DEPREL, "a relation")])
def test_a_smaller_share_is_a_warning_with_its_line(tmp_path, column, name, capsys):
    prepare(tmp_path, ["pos", "ud"], test={column: 3})
    said = capsys.readouterr().out
    assert f"own/test.conllu, line 1: 15.0% of its words have _ in place of {name}; scores count these words" in said


@pytest.mark.parametrize(("words", "warned"), [(1, False), (3, True)])
@pytest.mark.parametrize(("column", "name"), [(XPOS, "an xpos tag"), (DEPREL, "a relation")])
def test_labels_that_training_data_lack_are_told(tmp_path, column, name, words, warned, capsys):
    prepare(tmp_path, ["pos", "ud"])
    capsys.readouterr()
    own = tmp_path / "own"
    write_part(own / "dev.conllu", {column: words}, value="odd")
    prepare_treebank({part: own / f"{part}.conllu" for part in PARTS}, tmp_path / "results", ["pos", "ud"], "xpos")
    said = capsys.readouterr().out
    share = f"{words / WORDS:.1%} of its words have {name}"
    assert f"own/dev.conllu, line 1: {share} that train.conllu lacks, most often 'odd'; none of" in said
    assert ("Warning" in said) == warned


def test_an_underscore_that_is_punctuation_is_no_withheld_form(tmp_path, capsys):
    own = tmp_path / "own"
    own.mkdir()
    for part in PARTS:
        write_part(own / f"{part}.conllu", {FORM: 3})
        path = own / f"{part}.conllu"
        path.write_text(path.read_text().replace("\t_\t_\tNOUN", "\t_\t_\tPUNCT"))
    prepare_treebank({part: own / f"{part}.conllu" for part in PARTS}, tmp_path / "results", ["ud"], "xpos")
    assert "Warning" not in capsys.readouterr().out
    assert read_json(tmp_path / "results/statistics.json")["dev"]["missing"]["form"] == 0


def test_an_empty_label_is_none(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for part in PARTS:
        write_part(own / f"{part}.conllu", {XPOS: WORDS}, value=" ")
    with pytest.raises(InputError, match="in place of an xpos tag"):
        prepare_treebank({part: own / f"{part}.conllu" for part in PARTS}, tmp_path / "results", ["pos"], "xpos")


def test_what_was_mended_is_counted_where_a_user_looks(tmp_path, capsys):
    own = tmp_path / "own"
    own.mkdir()
    for part in PARTS:
        write_part(own / f"{part}.conllu")
    path = own / "dev.conllu"
    path.write_text(path.read_text().replace("2\tword", "# late\n2\tword", 1).replace("\tN\t", "\t N\t", 2))
    prepare_treebank({part: own / f"{part}.conllu" for part in PARTS}, tmp_path / "results", ["ud"], "xpos")
    mended = read_json(tmp_path / "results/statistics.json")["dev"]["mended"]
    assert list(mended.values()) == [1, 2]
    said = capsys.readouterr().out
    assert all(f"{path}: mended: {what}: {number}\n" in said for what, number in mended.items())


def test_a_prepared_treebank_is_checked_again_for_what_is_asked_later(tmp_path):
    check_prepared(tmp_path / "results", ["ud"], "upos")  # not there yet
    results = prepare(tmp_path, ["pos"], **{part: {HEAD: WORDS, UPOS: WORDS} for part in PARTS})
    check_prepared(results, ["pos"], "xpos")
    whole = (results / "test.conllu").read_bytes()
    (results / "test.conllu").write_text("unreadable", encoding="utf-8")
    check_prepared(results, ["pos", "ner"], "xpos")  # named entities ask nothing of it, so that nothing is read
    (results / "test.conllu").write_bytes(whole)
    with pytest.raises(InputError, match=r"results/train\.conllu, line 1: its head is not a word number"):
        check_prepared(results, ["pos", "ud"], "xpos")
    with pytest.raises(
        InputError, match=r"results/train\.conllu, line 1: 100.0% of its words have _ in place of an up"
    ):
        check_prepared(results, ["pos"], "upos")
    assert read_treebank(results / "dev.conllu")


def test_a_part_in_several_files_is_joined_in_their_order(tmp_path, capsys):
    own = tmp_path / "own"
    own.mkdir()
    for name in ("a.conllu", "dev.conllu", "test.conllu"):
        write_part(own / name)
    write_part(own / "b.conllu", {XPOS: 3})
    parts = {"train": [own / "a.conllu", own / "b.conllu"], "dev": [own / "dev.conllu"], "test": own / "test.conllu"}
    prepare_treebank(parts, tmp_path / "results", ["pos"], "xpos")
    train = read_treebank(tmp_path / "results/train.conllu")
    assert train == read_treebank(own / "a.conllu") + read_treebank(own / "b.conllu")
    assert f"own/b.conllu, line 1: {3 / (2 * WORDS):.1%}" in capsys.readouterr().out  # told where they stand
