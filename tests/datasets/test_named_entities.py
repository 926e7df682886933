"""Named entities: reading, repairing and unpacking WikiAnn."""

import gzip
import io
import re
import tarfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specialize.datasets import (
    EntitySentence,
    parse_entities,
    read_entities,
    repair_entities,
    repair_labels,
    unpack_wikiann,
    write_entities,
)
from specialize.errors import InputError

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r")
TOKENS = st.text(LETTERS, min_size=1, max_size=6).filter(lambda token: token.strip())
TYPES = st.sampled_from(["PER", "LOC", "ORG"])
LABELS = st.one_of(st.just("O"), TYPES.map("B-{}".format), TYPES.map("I-{}".format))
SENTENCES = st.lists(st.tuples(TOKENS, LABELS), min_size=1, max_size=6).map(
    lambda pairs: EntitySentence(tuple(token for token, _ in pairs), tuple(label for _, label in pairs))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("entities")


@settings(max_examples=60, deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=4))
@example([EntitySentence(("\ufeffAna", "\ufeff"), ("O", "O"))] * 2)
def test_what_is_read_is_what_was_written(folder, sentences):
    path = folder / "written.tsv"
    write_entities(path, sentences)
    assert read_entities(path) == sentences


@pytest.mark.parametrize("line", ["word", "word O", "\tO", " \tO", "O"])
def test_a_line_without_a_label_or_a_token(folder, line):
    path = folder / "broken.tsv"
    path.write_text(f"a\tO\n\nb\tO\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.tsv, line 4: has no token or no label"):
        read_entities(path)


@pytest.mark.parametrize("label", ["", "PER", "E-PER", "B", "B-", "o", "0", "I PER", "b-PER", "B-PER "])
def test_a_label_that_is_not_iob2(folder, label):
    path = folder / "broken.tsv"
    path.write_text(f"a\tO\nb\t{label}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"broken\.tsv, line 2: label {re.escape(repr(label))} is not IOB2"):
        read_entities(path)


ALMOST_IOB2 = st.lists(st.sampled_from(["\t", "\n", "\n\n", "O", "B-", "I-", "PER", "x", "\r", " "])).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), ALMOST_IOB2))
def test_nothing_but_an_input_error_ever_comes_out(folder, text):
    path = folder / "anything.tsv"
    path.write_bytes(text.encode())
    try:
        sentences = read_entities(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert all(sentence.tokens for sentence in sentences)


# -- repairs -----------------------------------------------------------------------------------------------


def is_iob2(labels):
    """An I- always continues an entity of its own type."""
    before = "O"
    for label in labels:
        if label.startswith("I-") and before not in (f"B-{label[2:]}", f"I-{label[2:]}"):
            return False
        before = label
    return True


@settings(deadline=None)
@given(st.lists(LABELS, max_size=8))
def test_repaired_labels_are_iob2_and_stay_as_they_are(labels):
    repaired = repair_labels(labels)
    assert is_iob2(repaired)
    assert repair_labels(repaired) == repaired
    assert [label[1:] for label in repaired] == [label[1:] for label in labels]
    if is_iob2(labels):
        assert repaired == tuple(labels)


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("I-PER I-PER", "B-PER I-PER"),
        ("O I-LOC O", "O B-LOC O"),
        ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
        ("B-PER B-PER I-PER", "B-PER B-PER I-PER"),
    ],
)
def test_repairs_by_example(broken, whole):
    assert " ".join(repair_labels(broken.split())) == whole


# -- WikiAnn -----------------------------------------------------------------------------------------------


def write_archive(path, members):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=0))


def test_unpacking_takes_off_the_prefix(tmp_path):
    archive = tmp_path / "xx.tar.gz"
    write_archive(
        archive,
        {
            "train": "xx:Ana\tI-PER\nxx:went\tO\nxx:xx:\tO\n\nxx::\tO\n\n",
            "dev": "\ufeffxx:Oslo\tB-LOC\n\n",
            "test": "xx:\tO\nxx:yy:b\tI-ORG\n",
        },
    )
    assert unpack_wikiann(archive, "xx") == {
        "train": [
            EntitySentence(("Ana", "went", "xx:"), ("I-PER", "O", "O")),
            EntitySentence((":",), ("O",)),
        ],
        "dev": [EntitySentence(("Oslo",), ("B-LOC",))],
        "test": [EntitySentence(("xx:", "yy:b"), ("O", "I-ORG"))],
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=3))
def test_unpacking_keeps_every_token(folder, sentences):
    archive = folder / "yy.tar.gz"
    part = "".join(
        "".join(f"yy:{token}\t{label}\n" for token, label in zip(sentence.tokens, sentence.labels, strict=True)) + "\n"
        for sentence in sentences
    )
    write_archive(archive, {"train": part, "dev": part, "test": part})
    assert unpack_wikiann(archive, "yy") == {"train": sentences, "dev": sentences, "test": sentences}


def test_two_members_of_one_name_are_refused(tmp_path):
    archive = tmp_path / "xx.tar.gz"
    write_archive(archive, {"train": "xx:a\tO\n", "dev": "xx:a\tO\n", "test": "xx:a\tO\n", "old/dev": "xx:b\tO\n"})
    with pytest.raises(InputError, match="two members named dev"):
        unpack_wikiann(archive, "xx")


def test_a_broken_line_names_archive_member_and_line(tmp_path):
    archive = tmp_path / "xx.tar.gz"
    write_archive(archive, {"train": "xx:a\tO\n", "dev": "xx:a\tO\n\nxx:b\n", "test": "xx:a\tO\n"})
    with pytest.raises(InputError, match=re.escape(f"{archive / 'dev'}, line 3")):
        unpack_wikiann(archive, "xx")


def test_an_archive_without_a_part(tmp_path):
    archive = tmp_path / "xx.tar.gz"
    write_archive(archive, {"train": "xx:a\tO\n", "test": "xx:a\tO\n"})
    with pytest.raises(InputError, match="no member named dev"):
        unpack_wikiann(archive, "xx")


def test_text_without_a_last_line_feed_keeps_its_last_sentence(tmp_path):
    assert parse_entities(tmp_path, "a\tO\n\nb\tB-PER") == [
        EntitySentence(("a",), ("O",)),
        EntitySentence(("b",), ("B-PER",)),
    ]


def test_a_file_in_latin_1_is_refused_by_name(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_bytes(b"caf\xe9\tO\n")
    with pytest.raises(InputError, match=r"train\.tsv, line 1: is not UTF-8"):
        read_entities(path)


def test_a_token_that_is_a_space_keeps_its_prefix_so_that_the_file_can_be_read(tmp_path):
    archive = tmp_path / "xx.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for part in ("train", "dev", "test"):
            content = "xx:\u00a0\tO\nxx:a\rb\tO\n\n".encode()
            member = tarfile.TarInfo(part)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    write_entities(tmp_path / "dev.tsv", unpack_wikiann(archive, "xx")["dev"])
    assert read_entities(tmp_path / "dev.tsv")[0].tokens == ("xx:\u00a0", "a\rb")


BROKEN = "a\tO\nb\tI-PER\n\nc\tB-LOC\nd\tI-PER\n"


def test_broken_labels_are_repaired_and_reported_with_their_lines(tmp_path, capsys):
    path = tmp_path / "train.tsv"
    path.write_text(BROKEN)
    repaired = repair_entities(path, read_entities(path), "repair")
    assert [sentence.labels for sentence in repaired] == [("O", "B-PER"), ("B-LOC", "B-PER")]
    printed = capsys.readouterr().out
    assert f"{path}, line 2: label I-PER continues nothing of its type; taken as B-PER" in printed
    assert f"{path}, line 5: label I-PER" in printed
    assert f"{path}: 2 labels repaired" in printed


def test_broken_labels_are_refused_where_that_is_wanted(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text(BROKEN)
    with pytest.raises(InputError, match=r"train\.tsv, line 2: label I-PER continues nothing.*write B-PER"):
        repair_entities(path, read_entities(path), "refuse")
    whole = parse_entities(path, BROKEN.replace("I-PER", "B-PER"))
    assert repair_entities(path, whole, "refuse") == whole


def test_a_part_without_any_entity_is_refused(tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("a\tO\nb\tO\n")
    with pytest.raises(InputError, match=r"test\.tsv, line 1: has no entity"):
        repair_entities(path, read_entities(path), "repair")


@pytest.mark.parametrize("line", ["Ana\tNNP\tB-PER", "Ana\tB-PER\t"])
def test_a_third_column_is_refused(tmp_path, line):
    with pytest.raises(InputError, match=r"line 1: label .* is not IOB2"):
        parse_entities(tmp_path / "train.tsv", line)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_sentences_is_refused(tmp_path, content):
    path = tmp_path / "dev.tsv"
    path.write_text(content)
    with pytest.raises(InputError, match=r"dev\.tsv, line 1: has no sentences"):
        read_entities(path)
