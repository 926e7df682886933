"""Treebanks: what is written is what was read, and everything broken is refused with its file and line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.datasets import FORM, HEAD, UPOS, XPOS, read_treebank, write_treebank
from specialize.errors import InputError

# -- generated treebanks -----------------------------------------------------------------------------------

SURROGATES_AND_LINE_ENDS = st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r")
FIELDS = st.text(SURROGATES_AND_LINE_ENDS, min_size=1, max_size=6).filter(lambda text: text.strip())
PRINTABLE = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"])
FORMS = st.text(PRINTABLE, min_size=1, max_size=6)
COMMENTS = st.text(SURROGATES_AND_LINE_ENDS, max_size=12).map(lambda text: f"#{text}")


@st.composite
def trees(draw, size):
    """Heads of a random tree: every word but the root hangs on one that was attached before it."""
    order = draw(st.permutations(range(1, size + 1)))
    heads = {order[0]: 0}
    for position, word in enumerate(order[1:], start=1):
        heads[word] = order[draw(st.integers(0, position - 1))]
    return [heads[word] for word in range(1, size + 1)]


@st.composite
def sentence_lines(draw, smallest=1):
    """A sentence in CoNLL-U, with comments, multiword tokens and empty nodes here and there."""
    size = draw(st.integers(smallest, 6))
    lines = draw(st.lists(COMMENTS, max_size=2))
    if draw(st.booleans()):
        lines.append("\t".join(["0.1", draw(FORMS), *["_"] * 8]))
    covered = 0
    for number, head in enumerate(draw(trees(size)), start=1):
        if covered < number < size and draw(st.integers(0, 3)) == 0:
            covered = number + 1
            lines.append("\t".join([f"{number}-{covered}", draw(FORMS), *["_"] * 8]))
        fields = draw(st.lists(FIELDS, min_size=7, max_size=7))
        lines.append("\t".join([str(number), draw(FORMS), *fields[:4], str(head), *fields[4:]]))
        if draw(st.integers(0, 5)) == 0:
            lines.append("\t".join([f"{number}.1", draw(FORMS), *["_"] * 8]))
    return lines


TREEBANKS = st.lists(sentence_lines(), min_size=1, max_size=4)


def text_of(treebank):
    return "".join("\n".join(lines) + "\n\n" for lines in treebank)


def word_rows(lines):
    return [row for row, line in enumerate(lines) if line.split("\t")[0].isdigit()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("treebanks")


@settings(max_examples=60, deadline=None)
@given(TREEBANKS)
def test_what_is_written_is_what_was_read(folder, treebank):
    source, copy = folder / "source.conllu", folder / "copy.conllu"
    source.write_bytes(text_of(treebank).encode())
    sentences = read_treebank(source)
    write_treebank(copy, sentences)
    assert copy.read_bytes() == source.read_bytes()
    assert read_treebank(copy) == sentences
    assert [list(sentence.lines) for sentence in sentences] == treebank


@settings(max_examples=60, deadline=None)
@given(sentence_lines())
def test_only_rows_with_a_plain_number_are_words(folder, lines):
    path = folder / "words.conllu"
    path.write_bytes(text_of([lines]).encode())
    (sentence,) = read_treebank(path)
    assert [word.row for word in sentence.words] == word_rows(lines)
    for word in sentence.words:
        columns = lines[word.row].split("\t")
        assert (word.form, word.head) == (columns[FORM], int(columns[HEAD]))
        assert (word.upos, word.xpos, word.deprel) == (columns[UPOS], columns[XPOS], columns[7])


@settings(max_examples=40, deadline=None)
@given(sentence_lines(), st.data())
def test_relabelling_changes_one_column_of_the_words_and_nothing_else(folder, lines, data):
    path = folder / "relabelled.conllu"
    path.write_bytes(text_of([lines]).encode())
    (sentence,) = read_treebank(path)
    tags = data.draw(st.lists(FIELDS, min_size=len(sentence.words), max_size=len(sentence.words)))
    relabelled = sentence.relabeled({XPOS: tags})
    assert [word.xpos for word in relabelled.words] == tags
    assert [word.head for word in relabelled.words] == [word.head for word in sentence.words]
    for row, (old, new) in enumerate(zip(sentence.lines, relabelled.lines, strict=True)):
        if row in word_rows(lines):
            assert new.split("\t")[:XPOS] + new.split("\t")[XPOS + 1 :] == (
                old.split("\t")[:XPOS] + old.split("\t")[XPOS + 1 :]
            )
        else:
            assert new == old


def test_windows_line_ends_and_spare_blank_lines_are_forgiven(folder):
    path = folder / "forgiven.conllu"
    row = "1\tword\t_\tX\tX\t_\t0\troot\t_\t_"
    path.write_bytes(f"\r\n\r\n{row}\r\n\r\n\r\n{row}".encode())
    assert [[word.form for word in sentence.words] for sentence in read_treebank(path)] == [["word"], ["word"]]


def test_surface_has_multiword_tokens_as_they_are_written(folder):
    rows = [
        "# text = vámonos al  mar\n",
        "1-2 vámonos _ _ _ _ _ _ _ _",
        "1 vamos _ _ _ _ 0 root _ _",
        "2 nos _ _ _ _ 1 obj _ _",
        "2.1 ∅ _ _ _ _ _ _ _ _",
        "3-4 al _ _ _ _ _ _ _ _",
        "3 a _ _ _ _ 5 case _ _",
        "4 el _ _ _ _ 5 det _ _",
        "5 mar _ _ _ _ 1 obl _ _",
    ]
    path = folder / "surface.conllu"
    path.write_text("".join(row if row.startswith("#") else row.replace(" ", "\t") + "\n" for row in rows))
    (sentence,) = read_treebank(path)
    assert sentence.surface() == "vámonosalmar"
    assert [word.form for word in sentence.words] == ["vamos", "nos", "a", "el", "mar"]


# -- corruption --------------------------------------------------------------------------------------------


def damage(lines, row, column, value):
    columns = lines[row].split("\t")
    columns[column] = value
    return [*lines[:row], "\t".join(columns), *lines[row + 1 :]]


def words_below_the_root(lines):
    return [row for row in word_rows(lines) if lines[row].split("\t")[HEAD] != "0"]


def break_cycle(draw, lines):
    """Two words hang on each other."""
    rows = word_rows(lines)
    first, second = draw(st.permutations(words_below_the_root(lines)))[:2]
    broken = damage(lines, first, HEAD, str(rows.index(second) + 1))
    return damage(broken, second, HEAD, str(rows.index(first) + 1)), "cycle"


def break_self_loop(draw, lines):
    row = draw(st.sampled_from(words_below_the_root(lines)))
    return damage(lines, row, HEAD, lines[row].split("\t")[0]), "cycle"


def break_missing_head(draw, lines):
    row = draw(st.sampled_from(word_rows(lines)))
    head = draw(st.sampled_from(["_", "", "-1", "1.1", "one", "²", "1 "]))
    return damage(lines, row, HEAD, head), "is not a word number"


def break_head_out_of_range(draw, lines):
    row = draw(st.sampled_from(word_rows(lines)))
    return damage(lines, row, HEAD, str(len(word_rows(lines)) + draw(st.integers(1, 99)))), "is not in the sentence"


def break_two_roots(draw, lines):
    return damage(lines, draw(st.sampled_from(words_below_the_root(lines))), HEAD, "0"), "has 2 roots"


def break_no_root(draw, lines):
    rows = word_rows(lines)
    (root,) = (row for row in rows if lines[row].split("\t")[HEAD] == "0")
    return damage(lines, root, HEAD, str(draw(st.integers(1, len(rows))))), "has 0 roots"


def break_columns(draw, lines):
    row = draw(st.sampled_from(word_rows(lines)))
    columns = lines[row].split("\t")
    changed = draw(st.sampled_from([columns[:-1], [*columns, "_"], [" ".join(columns)]]))
    return [*lines[:row], "\t".join(changed), *lines[row + 1 :]], "columns"


def break_number(draw, lines):
    row = draw(st.sampled_from(word_rows(lines)))
    number = draw(st.sampled_from(["0", "99", "x", "01", "1 ", "-1", "²", "1.", "1--2"]))
    return damage(lines, row, 0, number), "is due"


def break_form(draw, lines):
    row = draw(st.sampled_from(word_rows(lines)))
    return damage(lines, row, FORM, draw(st.sampled_from(["", " ", "\u00a0"]))), "is empty"


def break_words(draw, lines):
    return [line for line in lines if line.startswith("#")] or ["# nothing"], "without words"


BREAKERS = [
    break_cycle,
    break_self_loop,
    break_missing_head,
    break_head_out_of_range,
    break_two_roots,
    break_no_root,
    break_columns,
    break_number,
    break_form,
    break_words,
]


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("breaker", BREAKERS, ids=lambda breaker: breaker.__name__)
@given(data=st.data())
def test_corruption_is_refused_with_file_and_line(folder, breaker, data):
    before, lines, after = (data.draw(sentence_lines(smallest=3)) for _ in range(3))
    broken, problem = breaker(data.draw, lines)
    path = folder / "broken.conllu"
    path.write_bytes(text_of([before, broken, after]).encode())
    with pytest.raises(InputError) as caught:
        read_treebank(path)
    message = str(caught.value)
    assert problem in message
    assert message.startswith(f"{path}, line ")
    line = int(message.removeprefix(f"{path}, line ").partition(":")[0])
    assert len(before) + 2 <= line <= len(before) + 1 + len(broken)


def test_the_very_line_is_named(folder):
    path = folder / "line.conllu"
    good = "# a comment\n1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n"
    path.write_text(f"{good}\n\n# another\n{good}2\tb\t_\tX\tX\t_\t7\tdep\t_\t_\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line\.conllu, line 8: head 7 is not in the sentence"):
        read_treebank(path)


@given(st.binary(max_size=20))
@settings(max_examples=30, deadline=None)
def test_what_is_not_utf8_is_refused(folder, rest):
    path = folder / "bytes.conllu"
    path.write_bytes(b"# comment \xff" + rest)
    with pytest.raises(InputError, match=r"bytes\.conllu, line 1: is not UTF-8"):
        read_treebank(path)


WORDS = {
    "-": "1\ta\t_\tX\tX\t_\t0\troot\t_\t_",
    "=": "2\tb\t_\tX\tX\t_\t1\tdep\t_\t_",
}
MALFORMED_ROWS = {
    "beyond the sentence": ("1-9", "-", "="),
    "of one word": ("1-1", "-", "="),
    "backwards": ("2-1", "-", "="),
    "after its words": ("-", "=", "1-2"),
    "within another": ("1-2", "-", "2-3", "="),
    "empty node of a later word": ("-", "2.1", "="),
    "empty node out of order": ("-", "1.2", "="),
}


@pytest.mark.parametrize("rows", MALFORMED_ROWS.values(), ids=MALFORMED_ROWS)
def test_rows_that_are_no_words_must_stand_where_they_belong(tmp_path, rows):
    lines = [WORDS.get(row) or "\t".join([row, "ab", *["_"] * 8]) for row in rows]
    number = next(number for number, row in enumerate(rows, start=1) if row not in WORDS)
    number = next((place for place, row in enumerate(rows, start=1) if row == "2-3"), number)
    path = tmp_path / "rows.conllu"
    path.write_text("\n".join(lines) + "\n\n")
    with pytest.raises(InputError, match=rf"rows\.conllu, line {number}: (multiword token|empty node)"):
        read_treebank(path)


@pytest.mark.parametrize("form", ["", " ", "a\rb", "a\u2028b", "a\x85b", "\x00"])
@pytest.mark.parametrize("row", ["1-2", "1", "1.1"])
def test_forms_that_scorers_stumble_over_are_refused(tmp_path, row, form):
    rows = [line.split("\t") for line in ("1-2\tab" + "\t_" * 8, WORDS["-"], "1.1\tab" + "\t_" * 8, WORDS["="])]
    number = next(number for number, columns in enumerate(rows) if columns[0] == row)
    rows[number][FORM] = form
    path = tmp_path / "forms.conllu"
    path.write_bytes("\n".join(map("\t".join, rows)).encode())
    with pytest.raises(InputError, match=rf"forms\.conllu, line {number + 1}: form"):
        read_treebank(path)


ALMOST_CONLLU = st.lists(
    st.sampled_from(["\t", "\n", "\n\n", "#", "_", "0", "1", "2", "1-2", "1.1", "9" * 9, "x", "\r"])
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), ALMOST_CONLLU.map("".join)))
def test_nothing_but_an_input_error_ever_comes_out(folder, text):
    path = folder / "anything.conllu"
    path.write_bytes(text.encode())
    try:
        sentences = read_treebank(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert all(sentence.words for sentence in sentences)


def test_a_cycle_is_reported_at_one_of_its_own_words(tmp_path):
    heads = ["2", "3", "2", "0"]  # the first word hangs on the cycle and is not in it
    rows = [f"{number}\ta\t_\t_\t_\t_\t{head}\tdep\t_\t_" for number, head in enumerate(heads, start=1)]
    path = tmp_path / "cycle.conllu"
    path.write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2: the heads run in a cycle through word 2"):
        read_treebank(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "marked.conllu"
    path.write_text("1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n\n", encoding="utf-8-sig")
    assert [word.form for sentence in read_treebank(path) for word in sentence.words] == ["a"]
