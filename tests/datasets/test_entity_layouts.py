"""One's own named entities: every layout that people have is read right, or refused with the line and what to do."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.test_named_entities import is_iob2

from specialize.datasets import (
    EntitySentence,
    mend_labels,
    read_entities,
    read_own_entities,
    repair_entities,
    write_entities,
)
from specialize.datasets.entity_labels import as_iob2, plain_label
from specialize.errors import InputError

PLAIN = [("Ana Bel went . Oslo", "B-PER I-PER O O B-LOC"), ("In Rome", "O B-LOC")]
EXPECTED = [EntitySentence(tuple(tokens.split()), tuple(labels.split())) for tokens, labels in PLAIN]


def read_text_as(tmp_path, text, broken_labels="repair", name="train.tsv"):
    """The sentences of one file, read, mended and repaired as the job does."""
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_parts({"train": path}, broken_labels)["train"]


def read_parts(paths, broken_labels="repair"):
    parts = mend_labels(paths, read_own_entities(paths), broken_labels)
    return {part: repair_entities(paths[part], sentences, broken_labels) for part, sentences in parts.items()}


def rendered(row="{token}\t{label}", end="\n", before="", sentence_before="", labels=lambda labels: labels):
    """The sentences of `PLAIN` in another layout."""
    blocks = []
    for tokens, written in PLAIN:
        pairs = zip(tokens.split(), labels(written.split()), strict=True)
        rows = [row.format(token=token, label=label, number=number) for number, (token, label) in enumerate(pairs, 1)]
        blocks.append(sentence_before + end.join(rows) + end)
    return before + end.join(blocks)


def bioes(begin, inside, end, single):
    """IOB2 labels in a scheme that marks ends."""

    def convert(labels):
        converted = []
        for place, label in enumerate(labels):
            goes_on = labels[place + 1 : place + 2] == ["I" + label[1:]]
            prefix = {"B": begin if goes_on else single, "I": inside if goes_on else end}.get(label[0])
            converted.append(prefix + label[1:] if prefix else label)
        return converted

    return convert


LAYOUTS = {
    "tabs": (rendered(), "0 labels repaired"),
    "blanks": (rendered("{token} {label}"), "0 labels repaired"),
    "aligned": (rendered("{token}   {label}  "), "0 labels repaired"),
    "white space at the end": (rendered("{token}\t{label} \t"), "0 labels repaired"),
    "white space around": (rendered(" {token} \t {label}"), "0 labels repaired"),
    "CRLF": (rendered(end="\r\n"), "0 labels repaired"),
    "CR": (rendered(end="\r"), "0 labels repaired"),
    "blank lines with blanks": (rendered().replace("\n\n", "\n \t\n\n"), "0 labels repaired"),
    "byte-order mark": (rendered(before="\ufeff"), "0 labels repaired"),
    "files put together": (rendered(sentence_before="\ufeff"), "line 7: a byte-order mark within the file is left out"),
    "prefixes": (rendered("qac:{token}\t{label}"), "line 1: 'qac:' is taken off the 7 tokens of 7"),
    "long prefixes": (rendered("be-x-old:{token}\t{label}"), "'be-x-old:' is taken off the 7 tokens of 7"),
    "mark and prefix": (rendered("\ufeffqac:{token}\t{label}"), "line 1: 'qac:' is taken off the 7 tokens of 7"),
    "documents": (
        rendered(before="-DOCSTART-\tO\n\n"),
        "line 1: -DOCSTART- is no token: left out, and a sentence ends there",
    ),
    "documents alone": (rendered(before="-DOCSTART-\n"), "line 1: -DOCSTART- is no token"),
    "CoNLL-2003": (
        rendered("{token} NNP B-NP {label}", before="-DOCSTART- -X- -X- O\n\n"),
        "column 1 of 4 is taken for the tokens and column 4 for the labels",
    ),
    "CoNLL-2003 by tabs": (rendered("{token}\tNNP\tI-NP\t{label}"), "column 1 of 4"),
    "CoNLL-2002": (rendered("{token} NP {label}"), "column 1 of 3 is taken for the tokens and column 3"),
    "MultiCoNER": (rendered("{token} _ _ {label}", sentence_before="# id 5d-f3\tdomain=en\n"), "a comment is left out"),
    "label in the middle": (rendered("{token}\t{label}\t0.97"), "column 1 of 3 is taken for the tokens and column 2"),
    "Universal NER": (
        rendered("{number}\t{token}\t{label}\t{label}#O\tann", sentence_before="# sent_id = 1\n# text = a\tO\n"),
        "column 2 is taken for the tokens and column 3 for the labels",
    ),
    "GermEval": (rendered("{number}\t{token}\t{label}\tO", sentence_before="#\thttp://x.org [2009]\n"), "comment"),
    "comments": (rendered(sentence_before="# sent_id = 3\n#\n# any words\n"), "line 1: a comment is left out (and 5"),
    "comments by blanks": (rendered("{token} {label}", sentence_before="# text = so O\n"), "a comment is left out"),
    "IOB1": (rendered(labels=lambda labels: [re.sub("^B", "I", label) for label in labels]), "it is in IOB1"),
    "IOBES": (rendered(labels=bioes("B", "I", "E", "S")), "label 'E-PER' is not IOB2; taken as I-PER"),
    "BILOU": (rendered(labels=bioes("B", "I", "L", "U")), "label 'U-LOC' is not IOB2; taken as B-LOC"),
    "BMEWO": (rendered(labels=bioes("B", "M", "E", "W")), "label 'W-LOC' is not IOB2; taken as B-LOC"),
    "underscores": (rendered().replace("-", "_"), "line 1: label 'B_PER' is not IOB2; taken as B-PER"),
    "small letters": (rendered().lower().replace("ana", "Ana").replace("bel", "Bel"), "label 'o' is not IOB2"),
    "Cyrillic O": (rendered().replace("\tO", "\tО"), "line 3: label '\\u041e' is not IOB2; taken as O (and 2 more)"),
    "Greek O": (rendered().replace("\tO", "\tΟ"), "line 3: label '\\u039f'"),
    "Cyrillic B": (rendered().replace("B-", "В-"), "label '\\u0412-PER' is not IOB2; taken as B-PER"),
    "full width": (rendered().replace("I-PER", "Ｉ－ＰＥＲ"), "taken as I-PER"),
    "hyphen": (rendered().replace("-", "\u2010"), "label 'B\\u2010PER' is not IOB2; taken as B-PER"),
    "minus": (rendered().replace("-", "\u2212"), "taken as B-PER"),
    "unseen marks": (rendered().replace("I-PER", "I-PER\u200b"), "taken as I-PER"),
    "no-break space": (rendered().replace("B-LOC", "B-LOC\u00a0"), "0 labels repaired"),
    "case of types": (rendered().replace("I-PER", "I-Per"), "type 'Per' is written 'PER' more often"),
    "look-alikes in types": (rendered().replace("I-PER", "I-РЕR"), "line 2: type '\\u0420\\u0415R' is written 'PER'"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_that_is_read(tmp_path, capsys, layout):
    text, told = LAYOUTS[layout]
    lower = layout == "small letters"
    read = read_text_as(tmp_path, text)
    if lower:
        read = [EntitySentence(s.tokens, tuple(label.upper() for label in s.labels)) for s in read]
    expected = [EntitySentence(tuple(map(str.lower, s.tokens)), s.labels) for s in EXPECTED] if lower else EXPECTED
    lowered = [EntitySentence(tuple(map(str.lower, s.tokens)), s.labels) for s in read] if lower else read
    assert lowered == expected
    printed = capsys.readouterr().out
    assert told in printed
    assert len(printed.splitlines()) <= 21


REFUSED = {
    "a token that lacks its label": (rendered() + "word\n", "line 9: has no token or no label"),
    "a label that the line's end seems to be": (rendered() + "vitamin O\n", "line 9: has no token or no label"),
    "a label alone": (rendered() + "\tO\n", "line 9: has no token or no label"),
    "a token that is a space": (rendered() + "\u00a0\tO\n", "line 9: has no token or no label"),
    "a token in blanks": (rendered("{token} {label}") + "New York B-LOC\n", "line 9: has 3 columns.*by tabs if"),
    "a column too many": (rendered() + "word\tO\tO\n", "line 9: has 3 columns, most lines have 2; part them by tabs"),
    "a header": ("token\tlabel\n" + rendered(), "line 1: label 'label' is not IOB2; write token, tab and one of"),
    "types alone": (rendered().replace("B-", "").replace("I-", ""), "line 1: label 'PER' is not IOB2"),
    "numbers of classes": (rendered().replace("O\n", "0\n"), "line 3: label '0' is not IOB2"),
    "suffixes": (rendered().replace("B-PER", "PER-B"), "line 1: label 'PER-B' is not IOB2"),
    "commas": (rendered("{token},{label}"), "line 1: has no token or no label"),
    "two layers": (rendered("{token}\t{label}\t{label}"), "line 1: columns 2 and 3 both have labels"),
    "CoNLL-U": ("1\ta\ta\tX\tX\t_\t0\troot\t_\tEntity=x\n", "line 1: label 'a' is not IOB2"),
    "a hashtag without label": (rendered() + "#oslo\n", "line 9: has no token or no label"),
    "a # without label": (rendered() + "#\tX\n", "line 9: label 'X' is not IOB2"),
    "no blank line": (rendered().replace("\n\n", "\n") * 20, "line 1: starts a sentence of 140 tokens; put a blank"),
    "a long stretch": (rendered() + "\n" + "a\tO\n" * 2001, "line 10: starts a sentence of 2,001 tokens; put a blank"),
    "nothing": ("# a comment\n-DOCSTART- O\n", "line 1: has no sentences"),
    "no entity": ("a\tO\n\nb\tO\n", "line 1: has no entity"),
    "Latin-1": (b"a\tO\ncaf\xe9\tO\n", "line 2: is not UTF-8"),
}


@pytest.mark.parametrize("layout", REFUSED)
def test_a_layout_that_is_refused(tmp_path, layout):
    text, message = REFUSED[layout]
    with pytest.raises(InputError, match=rf"train\.tsv(, |: ){message}"):
        read_text_as(tmp_path, text)


def test_tokens_that_begin_with_a_hash_are_tokens(tmp_path):
    read = read_text_as(tmp_path, "#\tO\n#Oslo\tB-LOC\n# 1\tO\n\nx\tO\n")
    assert read[0].tokens == ("#", "#Oslo", "# 1")
    read = read_text_as(tmp_path, "# O\n#Oslo B-LOC\n\nx O\n")
    assert read[0].tokens == ("#", "#Oslo")


def test_tokens_with_blanks_stay_whole_where_tabs_part_columns(tmp_path):
    assert read_text_as(tmp_path, "New  York\tB-LOC\n10\u00a0000\tO\n\nx\tO\n")[0].tokens == (
        "New  York",
        "10\u00a0000",
    )


def test_a_document_ends_a_sentence_without_a_blank_line(tmp_path):
    read = read_text_as(tmp_path, "Ana\tB-PER\n-DOCSTART-\tO\nBel\tB-PER\n")
    assert [sentence.tokens for sentence in read] == [("Ana",), ("Bel",)]


def test_rows_of_multiword_tokens_and_empty_nodes_are_left_out(tmp_path, capsys):
    text = "1-2\tdel\tO\tO\n1\tde\tO\tO\n2\tel\tO\tO\n2.1\tx\t_\t_\n3\tOslo\tB-LOC\tO\n\n1\ta\tO\tO\n"
    assert read_text_as(tmp_path, text)[0].tokens == ("de", "el", "Oslo")
    assert "the row of a multiword token or an empty node is left out (and 1 more)" in capsys.readouterr().out


def test_a_part_without_entities_in_four_columns_is_not_read_by_its_chunks(tmp_path):
    with pytest.raises(InputError, match="has no entity"):
        read_text_as(tmp_path, "a DT B-NP O\nb NN I-NP O\n\nc NN B-NP O\n")


def test_typing_errors_in_the_last_column_do_not_hide_it(tmp_path):
    with pytest.raises(InputError, match="line 1: label 'PER' is not IOB2"):
        read_text_as(tmp_path, "a DT B-NP PER\nb NN I-NP O\n\nc NN B-NP O\n")


def test_a_few_tokens_with_a_colon_keep_it_and_many_are_told(tmp_path, capsys):
    text = "fi:a\tB-X\n" + "b\tO\n" * 20 + "\nde:c\tO\n"
    assert read_text_as(tmp_path, text)[1].tokens == ("de:c",)
    assert "stay as they are" not in capsys.readouterr().out
    assert read_text_as(tmp_path, "fi:a\tB-X\nde:b\tO\nc\tO\n\nd\tO\n")[0].tokens == ("fi:a", "de:b", "c")
    assert "line 1: 2 of 4 tokens begin as 'fi:' does and stay as they are" in capsys.readouterr().out


def test_tokens_that_are_a_prefix_alone_stay(tmp_path):
    read = read_text_as(tmp_path, "qac:Ana\tB-PER\nqac::\tO\nqac:\tO\nqac:qac:x\tO\n\nqac:\u00a0\tO\n")
    assert [sentence.tokens for sentence in read] == [("Ana", ":", "qac:", "qac:x"), ("qac:\u00a0",)]


def test_types_are_written_alike_in_all_parts(tmp_path, capsys):
    paths = {part: tmp_path / f"{part}.txt" for part in ("train", "dev", "test")}
    for part, kind in (("train", "Per"), ("dev", "PER"), ("test", "per")):
        paths[part].write_text("".join(f"Ana B-{kind}\n\n" for _ in range(3 if part == "train" else 1)))
    assert {label for read in read_parts(paths).values() for s in read for label in s.labels} == {"B-Per"}
    printed = capsys.readouterr().out
    assert "test.txt, line 1: type 'per' is written 'Per' more often; taken as that" in printed


def test_types_in_another_script_stay(tmp_path):
    assert read_text_as(tmp_path, "Ana\tB-ЛИЦО\nx\tI-ЛИЦО\n\ny\tO\n")[0].labels == ("B-ЛИЦО", "I-ЛИЦО")


@pytest.mark.parametrize("label", ["I-Per", "В-PER", "i-PER", "S-PER"])
def test_labels_that_would_be_mended_are_refused_where_that_is_wanted(tmp_path, label):
    text = f"Ana\tB-PER\nBel\t{label}\n\nx\tB-PER\n"
    with pytest.raises(InputError, match=r"train\.tsv, line 2: .*broken_labels: repair"):
        read_text_as(tmp_path, text, broken_labels="refuse")


def test_types_that_training_data_lack_are_told(tmp_path, capsys):
    paths = {part: tmp_path / f"{part}.tsv" for part in ("train", "dev")}
    paths["train"].write_text(rendered())
    paths["dev"].write_text(rendered(labels=lambda labels: [label.replace("PER", "PERSON") for label in labels]))
    read_parts(paths)
    said = capsys.readouterr().out
    assert "dev.tsv, line 1: type 'PERSON' is not in train.tsv, so that it cannot be found (of 2 labels)" in said
    assert "'LOC'" not in said


def test_lines_that_end_in_two_ways_are_refused_as_such(tmp_path):
    with pytest.raises(InputError, match=r"line 10: has 8 columns, .*; end all lines alike, in line feeds"):
        read_text_as(tmp_path, rendered() + "\n" + rendered(end="\r"))


def test_lines_of_repairs_are_those_of_the_file(tmp_path, capsys):
    read_text_as(tmp_path, "# text = a\n-DOCSTART-\tO\na\tB-LOC\n# between\nb\tI-PER\n\nc\tO\n")
    assert "line 5: label I-PER continues nothing of its type; taken as B-PER" in capsys.readouterr().out


def test_at_most_twenty_kinds_are_shown(tmp_path, capsys):
    read_text_as(tmp_path, "".join(f"a\tB_T{number}\n\n" for number in range(50)))
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 22
    assert "train.tsv: 30 more of 30 other kinds were mended" in printed


@pytest.mark.parametrize("label", ["O", "B-PER", "I-A-B", "B-ЛИЦО", "I-x"])
def test_a_label_of_iob2_is_itself(label):
    assert plain_label(label) == label


NO_LABELS = ["", "-", "B-", "B", "PER", "X-PER", "B PER", "OO", "B-\u200b", "B-\x99", "B-P\x00", "0", "é", "_"]


@pytest.mark.parametrize("label", NO_LABELS)
def test_what_is_no_label(label):
    assert plain_label(label) is None


@pytest.mark.parametrize(
    ("written", "iob2"),
    [
        ("S-A S-A", "B-A B-A"),
        ("B-A E-A B-A E-A", "B-A I-A B-A I-A"),
        ("E-A E-A", "I-A B-A"),  # IOE2: each ends an entity; the first is begun by the repair
        ("I-A E-A I-A", "I-A I-A B-A"),  # IOE1
        ("B-A I-A L-A U-A O", "B-A I-A I-A B-A O"),
        ("B-A M-A E-A W-B", "B-A I-A I-A B-B"),
    ],
)
def test_schemes_by_example(written, iob2):
    assert " ".join(as_iob2(written.split())) == iob2


# -- any sentences in any layout ---------------------------------------------------------------------------

LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters=":\ufeff")
TOKENS = st.text(LETTERS, min_size=1, max_size=5).filter(lambda token: not token.startswith(("#", "-DOCSTART-")))
SPANS = st.tuples(st.lists(TOKENS, min_size=1, max_size=3), st.sampled_from(["", "PER", "LOC", "ЛИЦО"]))
ENTITIES = st.lists(SPANS, min_size=1, max_size=3)


def labeled(spans):
    """A sentence of spans, each with its type or none."""
    tokens, labels = [], []
    for span, kind in spans:
        tokens += span
        labels += ["O"] * len(span) if not kind else [f"B-{kind}"] + [f"I-{kind}"] * (len(span) - 1)
    return EntitySentence(tuple(tokens), tuple(labels))


ROWS = st.sampled_from(
    [
        "{token}\t{label}",
        "{token} {label}",
        "{token} NN {label}",
        "{token} NN B-NP {label}",
        "{number}\t{token}\t{label}\tx\ty",
    ]
)
SCHEMES = st.sampled_from([list, bioes("B", "I", "E", "S"), bioes("B", "I", "L", "U"), bioes("B", "M", "E", "W")])


@st.composite
def written_files(draw):
    """Sentences, and a file that has them in some layout."""
    sentences = draw(st.lists(ENTITIES.map(labeled), min_size=2, max_size=4))
    sentences.append(EntitySentence(("Oslo",), ("B-LOC",)))
    row, scheme, end = draw(ROWS), draw(SCHEMES), draw(st.sampled_from(["\n", "\r\n"]))
    prefix = draw(st.sampled_from(["", "qac:"]))
    before = st.sampled_from(["", "# sent_id = 1" + end, "\ufeff", "-DOCSTART- O" + end + end])
    written = ""
    for sentence in sentences:
        pairs = zip(sentence.tokens, scheme(list(sentence.labels)), strict=True)
        rows = [
            row.format(token=prefix + token, label=label, number=number) + draw(st.sampled_from(["", " "])) + end
            for number, (token, label) in enumerate(pairs, start=1)
        ]
        written += draw(before) + "".join(rows) + end * draw(st.integers(1, 2))
    return sentences, written


@settings(max_examples=25, deadline=None)
@given(written=written_files())
def test_any_layout_is_read_written_and_read_as_the_same(tmp_path_factory, written):
    sentences, text = written
    folder = tmp_path_factory.getbasetemp()
    read = read_text_as(folder, text, name="layout.conll")
    assert read == sentences
    assert all(is_iob2(sentence.labels) for sentence in read)
    write_entities(folder / "written.tsv", read)
    assert read_entities(folder / "written.tsv") == sentences


NESTED = {
    "bars": ("B-PER|B-ORG", "label 'B-PER|B-ORG' is of several entities at once"),
    "within an O": ("O|B-LOC", "label 'O|B-LOC' is of several"),
    "pluses": ("B-PER+I-LOC", "label 'B-PER+I-LOC' is of several"),
    "types": ("B-PER|ORG", "label 'B-PER|ORG' is of several"),
}


@pytest.mark.parametrize("kind", NESTED)
def test_nested_labels_are_refused_with_their_line(tmp_path, kind):
    label, said = NESTED[kind]
    with pytest.raises(InputError, match=rf"train.tsv, line 5: {re.escape(said)}.*keep one label for each token"):
        read_text_as(tmp_path, rendered().replace("B-LOC", label, 1))


def test_types_may_have_marks_and_be_many(tmp_path):
    types = ["GPE/LOC", "A&B", "time;date", "MISC+", "x,y", *(f"T{number}" for number in range(200))]
    text = "".join(f"token\tB-{name}\nend\tI-{name}\n\n" for name in types)
    assert {label[2:] for sentence in read_text_as(tmp_path, text) for label in sentence.labels} == set(types)


def test_numbered_rows_with_a_second_column_of_labels_are_refused(tmp_path):
    text = rendered("{number}\t{token}\t{label}\tO").replace("B-LOC\tO", "B-LOC\tB-ORG", 1)
    with pytest.raises(InputError, match="line 1: columns 3 and 4 both have labels; nested entities are not learned"):
        read_text_as(tmp_path, text)


def test_a_label_after_no_break_spaces_alone_has_no_token_and_is_left_out(tmp_path, capsys):
    text = rendered("{token} {label}").replace("went O\n", "went O\n\u00a0 O\n O\n")
    assert read_text_as(tmp_path, text) == EXPECTED
    assert "line 4: a row of white space and a label is left out (and 1 more)" in capsys.readouterr().out
