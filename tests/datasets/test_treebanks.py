"""Treebanks: what is written is what was read, and everything broken is refused with its file and line."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.datasets import FORM, HEAD, NO_HEAD, UPOS, XPOS, read_treebank, write_treebank
from specialize.errors import InputError
from specialize.unicode import invisible_marks

# -- generated treebanks -----------------------------------------------------------------------------------

PRINTABLE = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"])
FORMS = st.text(PRINTABLE, min_size=1, max_size=6)
FIELDS = FORMS.filter(lambda text: not invisible_marks(text))  # which labels lose
COMMENTS = st.text(st.one_of(PRINTABLE, st.sampled_from("\t \u00a0")), max_size=12).map(lambda text: f"#{text}")


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
    head = draw(st.sampled_from(["_", "", "-1", "1.1", "one", "²", "1 2"]))
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
        read_treebank(path, "trees")
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
        read_treebank(path, "trees")


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


# -- what is mended ----------------------------------------------------------------------------------------

AMONG, CONTROL, AROUND = (
    "comments among the words of a sentence, now before them",
    "control characters outside forms and labels, now spaces",
    "labels and heads with white space around them or invisible marks, now without",
)
ROWS = ["# text = a b", "1\ta\tl\tX\tY\tf\t0\troot\td\tm", "2\tb\tl\tX\tY\tf\t1\tdep\td\tm"]
MENDED = {
    "a comment among the words": ([*ROWS[:2], "# late", ROWS[2]], [ROWS[0], "# late", *ROWS[1:]], {AMONG: 1}),
    "a comment after the words": ([*ROWS, "# late", "#"], [ROWS[0], "# late", "#", *ROWS[1:]], {AMONG: 2}),
    "tags with spaces": ([*ROWS[:2], ROWS[2].replace("X", " X\u00a0")], ROWS, {AROUND: 1}),
    "heads with spaces": ([ROWS[0], ROWS[1].replace("\t0", "\t 0 "), ROWS[2]], ROWS, {AROUND: 1}),
    "a tag with invisible marks": ([*ROWS[:2], ROWS[2].replace("X\tY", "\ufeffX\tY\u200b\u200d")], ROWS, {AROUND: 2}),
    "a relation with a line end": ([*ROWS[:2], ROWS[2].replace("dep", "dep\r")], ROWS, {AROUND: 1}),
    "a mark of another file's beginning": ([ROWS[0], "\ufeff" + ROWS[1], ROWS[2]], ROWS, {}),
    "two carriage returns": ([line + "\r\r" for line in ROWS], ROWS, {}),
    "heads of another format": ([line.replace("\td\t", "\t1\t") for line in ROWS],) * 2 + ({},),
} | {
    f"{character!r} in {place}": (
        [line.replace(place, f"x{character}y") for line in ROWS],
        [line.replace(place, "x y") for line in ROWS],
        {CONTROL: times},
    )
    for character in "\r\x00\x0b\x0c\x1c\x85\u2028\u2029"
    for place, times in (("a b", 1), ("l", 2), ("f", 2), ("m", 2))
}


@pytest.mark.parametrize(("lines", "expected", "counts"), MENDED.values(), ids=MENDED)
def test_what_no_stage_needs_is_mended_and_counted(tmp_path, lines, expected, counts):
    path, copy = tmp_path / "odd.conllu", tmp_path / "even.conllu"
    path.write_bytes("\n".join([*lines, "", *lines]).encode())
    mended = Counter()
    sentences = read_treebank(path, "trees", mended)
    assert [list(sentence.lines) for sentence in sentences] == [expected] * 2
    assert mended == {what: 2 * number for what, number in counts.items()}
    assert [expected[word.row].split("\t")[FORM] for word in sentences[1].words] == ["a", "b"]
    write_treebank(copy, sentences)
    again = Counter()
    assert read_treebank(copy, "trees", again) == sentences
    assert not again


def test_lines_may_end_as_on_an_old_macintosh(tmp_path):
    path = tmp_path / "old.conllu"
    path.write_bytes("\r".join([*ROWS, "", *ROWS, "", ""]).encode())
    assert [list(sentence.lines) for sentence in read_treebank(path)] == [ROWS, ROWS]


@pytest.mark.parametrize("ends", ["\r", "\r\r"])
def test_lines_that_end_in_two_ways_are_no_long_comment(tmp_path, ends):
    path = tmp_path / "joined.conllu"
    path.write_bytes((ends.join(ROWS) + "\n\n" + "\n".join(ROWS)).encode())
    with pytest.raises(InputError, match=r"joined\.conllu, line \d: .*carriage return.*; end all lines alike"):
        read_treebank(path)


OTHER_FORMATS = {"tokens and tags": "word NOUN", "CoNLL-2009": "1\tw" + 12 * "\t_", "an end": ROWS[1] + "\t"}


@pytest.mark.parametrize("line", OTHER_FORMATS.values(), ids=OTHER_FORMATS)
def test_another_format_is_refused_with_what_to_do(tmp_path, line):
    path = tmp_path / "other.conllu"
    path.write_text(line + "\n")
    remedy = "write each of them after a single tab, with _ for what is not there; docs/tutorial.md says how for tokens"
    with pytest.raises(InputError, match=rf"line 1: has \d+ columns, CoNLL-U has 10; {remedy}"):
        read_treebank(path)


@pytest.mark.parametrize("column", [UPOS, XPOS, 7])
def test_a_label_with_a_control_character_is_refused(tmp_path, column):
    path = tmp_path / "label.conllu"
    path.write_bytes("\n".join(damage(ROWS, 2, column, "a\u2028b")).encode())
    with pytest.raises(InputError, match=r"label\.conllu, line 3: (UPOS|XPOS|DEPREL) 'a\\u2028b' has a control"):
        read_treebank(path)


def test_lines_are_named_as_they_stand_although_comments_move(tmp_path):
    path = tmp_path / "moved.conllu"
    path.write_text("\n".join([*ROWS[:2], "# late", "# later", ROWS[2].replace("\t1\t", "\t9\t")]))
    with pytest.raises(InputError, match=r"moved\.conllu, line 5: head 9"):
        read_treebank(path, "trees")


# -- heads -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["_", "", "0", "2", "9", "²", "x"])
def test_heads_that_nothing_is_asked_of_are_read_as_they_are(tmp_path, head):
    path, copy = tmp_path / "tagged.conllu", tmp_path / "copy.conllu"
    path.write_text("\n".join(damage(damage(ROWS, 1, HEAD, head), 2, HEAD, head)) + "\n\n", encoding="utf-8")
    (sentence,) = read_treebank(path)
    assert {word.head for word in sentence.words} == {int(head) if head in ("0", "2", "9") else NO_HEAD}
    write_treebank(copy, [sentence])
    assert copy.read_bytes() == path.read_bytes()
    with pytest.raises(InputError, match=r"line [23]: "):
        read_treebank(path, "trees")


def test_predicted_trees_may_have_several_roots_and_no_cycle(tmp_path):
    path = tmp_path / "predicted.conllu"
    path.write_text("\n".join(damage(ROWS, 2, HEAD, "0")), encoding="utf-8")
    (sentence,) = read_treebank(path, "forests")
    assert [word.head for word in sentence.words] == [0, 0]
    path.write_text("\n".join(damage(ROWS, 2, HEAD, "2")), encoding="utf-8")
    with pytest.raises(InputError, match="line 3: the heads run in a cycle"):
        read_treebank(path, "forests")


def test_a_tree_of_many_thousand_levels_is_read(tmp_path):
    path = tmp_path / "deep.conllu"
    levels = 30_000
    path.write_text("".join(f"{number}\ta\t_\tX\tX\t_\t{(number + 1) % (levels + 1)}\tdep\t_\t_\n"
                            for number in range(1, levels + 1)))  # fmt: skip
    (sentence,) = read_treebank(path, "trees")
    assert len(sentence.words) == levels


def test_a_cycle_is_reported_at_one_of_its_own_words(tmp_path):
    heads = ["2", "3", "2", "0"]  # the first word hangs on the cycle and is not in it
    rows = [f"{number}\ta\t_\t_\t_\t_\t{head}\tdep\t_\t_" for number, head in enumerate(heads, start=1)]
    path = tmp_path / "cycle.conllu"
    path.write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2: the heads run in a cycle through word 2"):
        read_treebank(path, "trees")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "marked.conllu"
    path.write_text("1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n\n", encoding="utf-8-sig")
    assert [word.form for sentence in read_treebank(path) for word in sentence.words] == ["a"]
