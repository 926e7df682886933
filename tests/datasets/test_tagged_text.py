"""Words and tags without trees, as MasakhaPOS has them, become a treebank that serves tagging."""

import json
from collections import Counter

import pytest

from specialize.datasets import prepare_treebank, read_treebank
from specialize.datasets.tagged_text import read_tagged_text
from specialize.errors import InputError

TEXT = 'Aba NOUN\nbide VERB\n# SYM\n. PUNCT\n\n"""" PUNCT\n#cod X\n\n'


def written(folder, text, part="train"):
    path = folder / "xyz" / f"{part}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_sentences_have_what_conllu_asks_and_no_trees(tmp_path):
    first, second = read_tagged_text(written(tmp_path, TEXT), Counter())
    assert first.lines[:3] == (
        "# sent_id = xyz-train-1",
        "# text = Aba bide # .",
        "1\tAba\t_\tNOUN\t_\t_\t_\t_\t_\t_",
    )
    assert [(word.form, word.upos) for word in second.words] == [('"' * 4, "PUNCT"), ("#cod", "X")]
    assert (first.line, second.line) == (1, 6)


def test_what_is_odd_is_mended_and_counted(tmp_path, capsys):
    mended = Counter()
    text = "\ufeffAba  noun \nbide VERB\n\u00a0 PUNCT\n. PUNCT\n"
    (sentence,) = read_tagged_text(written(tmp_path, text), mended)
    assert [(word.form, word.upos) for word in sentence.words] == [("Aba", "NOUN"), ("bide", "VERB"), (".", "PUNCT")]
    assert mended == {"tags in small letters, now in capitals": 1}
    assert "train.txt, line 3: a row of white space and a label is left out" in capsys.readouterr().out


def test_a_tag_that_is_not_of_upos_stays_and_is_told(tmp_path, capsys):
    mended = Counter()
    (sentence,) = read_tagged_text(written(tmp_path, "Aba NOUN\nbide NOUNN\nda nounn\nde NOUNN\n. PUNCT\n"), mended)
    assert [word.upos for word in sentence.words] == ["NOUN", "NOUNN", "nounn", "NOUNN", "PUNCT"]
    told = capsys.readouterr().out
    assert "train.txt, line 2: the tag 'NOUNN' is not of UPOS; it stays, as a tag of its own (and 1 more)" in told
    assert "train.txt, line 3: the tag 'nounn' is not of UPOS" in told
    assert not mended


BROKEN = {
    "a word without a tag": ("Aba NOUN\nbide\n", 2, "has no token or no label"),
    "a word too many": ("Aba NOUN\nbide da VERB\n. PUNCT\n", 2, "has 3 columns, most lines have 2"),
    "a control character": ("Aba NOUN\nbi\x07de VERB\n", 2, "has a control character"),
    "nothing": ("\n\n", 1, "has no sentences"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_the_rest_is_refused_with_its_line(tmp_path, kind):
    text, line, said = BROKEN[kind]
    with pytest.raises(InputError, match=rf"train.txt, line {line}: .*{said}"):
        read_tagged_text(written(tmp_path, text), Counter())


def test_it_is_prepared_as_a_treebank_is(tmp_path):
    parts = {part: written(tmp_path, TEXT, part) for part in ("train", "dev", "test")}
    prepare_treebank(parts, tmp_path / "results", ["pos"], "upos")
    counts = json.loads((tmp_path / "results/statistics.json").read_text())["test"]
    assert (counts["sentences"], counts["missing"]["upos"], counts["no_trees"]) == (2, 0, 2)
    assert read_treebank(tmp_path / "results/test.conllu")[1].lines[0] == "# sent_id = xyz-test-2"
    with pytest.raises(InputError, match="of its words have _ in place of an xpos tag"):
        prepare_treebank(parts, tmp_path / "results", ["pos"], "xpos")
