"""A finished model in use: raw text, CoNLL-U, several models in one file, and from Python."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fuzzing.test_predicted_files import errors_of

import specialize
from specialize.__main__ import argument_parser
from specialize.datasets import read_treebank
from specialize.errors import InputError, SpecializeError
from specialize.finetuning import analysis, model, raw_text
from specialize.finetuning.analysis import AnalysedWord
from specialize.finetuning.model import TaskModel, load_model
from specialize.finetuning.prediction import predict
from specialize.finetuning.raw_text import Words, sentences_of

CONLLU = """\
# newdoc id = kept
# sent_id = first
# text = irid mat-abide gon.
# note = kept
1\tirid\tirid\tX\tA\tCase=Nom\t_\t_\t_\tGloss=red
2-3\tmat-abide\t_\t_\t_\t_\t_\t_\t_\t_
2\tmat\t_\t_\tN\t_\t_\t_\t_\t_
3\tabide\t_\t_\t_\t_\t_\t_\t_\t_
3.1\tgon\tgon\tNOUN\t_\t_\t_\t_\t_\t_
4\tgon\t_\t_\t_\t_\t_\t_\t_\t_
5\t.\t_\t_\t_\t_\t_\t_\t_\t_

1\tkul\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tebuse\t_\t_\t_\t_\t_\t_\t_\t_

"""


def predicted(folders, text, **options):
    output = io.StringIO()
    lines = [text] if options.get("text_format") == "conllu" else text.split("\n")
    predict(folders, lines, output, **options)
    return output.getvalue()


def rows_of(text):
    return [line.split("\t") for line in text.split("\n") if line[:1].isdigit()]


# -- raw text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One two. Three!  Four?\nfive\n\nSix", ["One two.", "Three!", "Four?", "five", "Six"]),
        ("«Да.» Нет. 3.5 м.", ["«Да.»", "Нет.", "3.5 м."]),
        ("यह है। वह है।", ["यह है।", "वह है।"]),
        ("今天。明天。", ["今天。", "明天。"]),
        ("A mixed text. Ok\n\n今天。明天。", ["A mixed text.", "Ok", "今天。", "明天。"]),
        ("\u200b\n \n", []),
        ("...", ["..."]),
    ],
)
def test_text_is_parted_into_sentences(text, sentences):
    assert [sentence for _, sentence in sentences_of(text.split("\n"))] == sentences


def test_words_of_scripts_without_spaces_are_parted_where_icu_is_there(monkeypatch, capsys):
    assert Words().of("今天天气好。") != ["今天天气好", "。"]
    assert "".join(Words().of("今天天气好。")) == "今天天气好。"
    monkeypatch.setattr(raw_text.importlib.util, "find_spec", lambda name: None)
    parted = Words()
    assert parted.of("今天天气好。") == parted.of("今天天气好。") == ["今天天气好", "。"]
    assert capsys.readouterr().err.count("stay in one piece, since the package icu4py is not") == 1


def test_raw_text_becomes_sentences_of_conllu(jobs):
    written = predicted(jobs["ud"], "irid mat abide gon. kul ebuse!\ngon abide.", text_format="text")
    texts = [line for line in written.split("\n") if line.startswith("# text")]
    assert texts == ["# text = irid mat abide gon.", "# text = kul ebuse!", "# text = gon abide."]
    assert "4\tgon\t" in written and "SpaceAfter=No" in written
    assert errors_of(written) == []


# -- CoNLL-U -----------------------------------------------------------------------------------------------


def test_of_conllu_all_but_the_predicted_columns_stays(jobs):
    written = predicted(jobs["pos"], CONLLU, text_format="conllu")
    assert errors_of(written) == []
    for before, after in zip(rows_of(CONLLU), rows_of(written), strict=True):
        assert [after[column] for column in (0, 1, 2, 4, 5)] == [before[column] for column in (0, 1, 2, 4, 5)]
    for line in CONLLU.split("\n"):
        assert not line.startswith("#") or line in written.split("\n")
    assert "# sent_id = 2\n# text = kulebuse\n" in written, "made where they are absent"
    gloss = rows_of(written)[0]
    assert gloss[9] == "Gloss=red"
    assert [row[9] for row in rows_of(written) if row[1] == "gon" and "." not in row[0]] == ["SpaceAfter=No"]


def test_what_was_predicted_of_words_does_not_depend_on_the_format(jobs):
    lines = "irid mat abide gon .\nkul ebuse ."
    written = predicted(jobs["ud"], lines)
    assert predicted(jobs["ud"], written, text_format="conllu") == written
    tagged = predicted(jobs["pos"], written, text_format="conllu")
    assert [row[6:8] for row in rows_of(tagged)] == [row[6:8] for row in rows_of(written)], "the tree stays"
    assert "# not_predicted" not in tagged and "# not_predicted = UPOS" in written


def test_a_text_of_other_words_is_made_anew_and_kept(jobs, capsys):
    written = predicted(jobs["ud"], CONLLU.replace("mat-abide gon.", "mat gon"), text_format="conllu")
    assert "# text = irid mat-abide gon .\n# not valid: text = irid mat gon\n" in written
    assert "texts that the words are not, now made of them: 1" in capsys.readouterr().err
    assert errors_of(written) == []


def test_what_was_corrected_by_hand_stays(jobs):
    tagged = predicted(jobs["pos"], "irid mat abide gon .\nkul ebuse .\nmat .\n.")
    assert predicted(jobs["pos"], tagged, text_format="conllu") == tagged
    first, second, third, fourth = tagged.removesuffix("\n\n").split("\n\n")
    first = corrected(first, [("2", "amod"), ("3", "nsubj"), ("0", "root"), ("3", "obj"), ("3", "punct")])
    second = corrected(second, [("2", "dep"), ("0", "root"), ("2", "dep")])
    third = corrected(third, [("0", "root"), ("1", "punct")])
    again = predicted(jobs["pos"], "\n\n".join([first, second, third, fourth]) + "\n\n", text_format="conllu")
    blocks = again.removesuffix("\n\n").split("\n\n")
    assert [rows_of(block) for block in blocks] == [rows_of(block) for block in (first, second, third, fourth)]
    said = [[line for line in block.split("\n") if line.startswith("# not_predicted")] for block in blocks]
    assert said == [[], ["# not_predicted = DEPREL"], [], ["# not_predicted = HEAD DEPREL"]]
    parsed = predicted(jobs["ud"], "irid mat abide gon .").replace("\tX\t", "\tNOUN\t", 1)
    assert rows_of(predicted(jobs["ner"], parsed, text_format="conllu"))[0][3] == "NOUN"


def corrected(block, arcs):
    lines, arcs = block.split("\n"), iter(arcs)
    for place, line in enumerate(lines):
        if line[:1].isdigit():
            row = line.split("\t")
            row[6:8] = next(arcs)
            lines[place] = "\t".join(row)
    return "\n".join(lines)


def test_blanks_at_the_end_of_a_comment_are_taken_off(jobs, capsys):
    text = CONLLU.replace("= first", "= weblog-1 \u00a0").replace("= kept", "= kept ")
    text = text.replace("\n1\tkul", "\n# sent_id = 2 \n# parallel_id = a/2 \n1\tkul")
    written = predicted(jobs["pos"], text, text_format="conllu")
    comments = [line for line in written.split("\n") if line.startswith("#")]
    assert {"# sent_id = weblog-1", "# sent_id = 2", "# parallel_id = a/2", "# note = kept"} <= set(comments)
    assert "not valid" not in written + capsys.readouterr().err
    assert errors_of(written) == []


@pytest.mark.parametrize(
    ("text_format", "text", "line"),
    [
        ("lines", "mat .\n\n" + "mat " * 30 + "\n", 3),
        ("text", "mat .\n\nKul. Mat.\n mat .\n" + "mat " * 30 + "\n", 5),
        ("conllu", CONLLU + "".join(f"{number}\tmat\t_\t_\t_\t_\t_\t_\t_\t_\n" for number in range(1, 31)) + "\n", 16),
    ],
)
def test_a_sentence_that_no_parser_can_read_is_refused_with_its_line(jobs, monkeypatch, text_format, text, line):
    monkeypatch.setattr(analysis, "LONGEST_SENTENCE", 29)
    output = io.StringIO()
    lines = [text] if text_format == "conllu" else text.split("\n")
    with pytest.raises(InputError, match=f"a.txt, line {line}: has a sentence of 30 words") as caught:
        predict([jobs["pos"], jobs["ud"]], lines, output, text_format=text_format, source=Path("a.txt"))
    assert output.getvalue() == "", "before anything is analysed"
    remedy = str(caught.value).rpartition(";")[2]
    assert (
        remedy
        == {
            "lines": " break the line, or say --format text if it holds several sentences",
            "text": " break the line where a sentence ends",
            "conllu": " part the sentence",
        }[text_format]
    )
    assert predicted(jobs["pos"], text, text_format=text_format), "taggers read it"
    with pytest.raises(SpecializeError, match="has a sentence of 30 words"):
        specialize.load(jobs["ud"]).tag("mat " * 30)


def test_many_long_sentences_are_parsed_a_few_at_a_time(jobs, monkeypatch):
    lines = "\n".join("mat abide . " * length for length in (1, 2, 3, 3, 5))
    expected = predicted(jobs["ud"], lines)
    decoded, decode = [], TaskModel._decode
    monkeypatch.setattr(model, "PAIRS", 2 * 9**2)
    monkeypatch.setattr(TaskModel, "_decode", lambda *given: decoded.append(len(given[-1])) or decode(*given))
    assert predicted(jobs["ud"], lines) == expected
    assert decoded == [2, 2, 1]


def test_broken_conllu_is_refused_with_its_line(jobs):
    with pytest.raises(InputError, match="standard input, line 1: has 3 columns"):
        predicted(jobs["ud"], "1\ta\tb\n\n", text_format="conllu")
    with pytest.raises(SpecializeError, match="leave --tokenized out"):
        predicted(jobs["ud"], CONLLU, text_format="conllu", split_words=False)
    with pytest.raises(SpecializeError, match="there is no format 'xml'"):
        predicted(jobs["ud"], "", text_format="xml")


# -- models ------------------------------------------------------------------------------------------------


def test_several_models_write_one_file(jobs):
    text = "irid mat abide gon.\nkul ebuse."
    written = predicted([jobs["ner"], jobs["ud"], jobs["pos"]], text)
    assert errors_of(written) == [] and "# not_predicted" not in written
    alone = {regime: predicted(jobs[regime], text) for regime in ("pos", "ud", "ner")}
    labels = [line.split("\t")[1] for line in alone["ner"].split("\n") if line]
    rows = rows_of(written)
    assert [row[3] for row in rows] == [row[3] for row in rows_of(alone["pos"])]
    assert [row[6:8] for row in rows] == [row[6:8] for row in rows_of(alone["ud"])]
    found = [dict(part.split("=") for part in row[9].split("|") if "=" in part).get("NER", "O") for row in rows]
    assert found == labels and len(set(labels)) > 1


def test_an_entity_tagger_writes_into_conllu_that_it_reads(jobs):
    written = predicted(jobs["ner"], CONLLU, text_format="conllu")
    assert "NER=B-" in written and "# not_predicted = UPOS HEAD DEPREL" in written
    assert errors_of(written) == []
    assert predicted(jobs["ner"], "mat", conllu=True).startswith("# sent_id = 1\n")
    only = predicted(jobs["ner"], CONLLU, text_format="conllu", entities=True)
    assert [line.split("\t")[0] for line in only.split("\n") if line] == [
        "irid",
        "mat",
        "abide",
        "gon",
        ".",
        "kul",
        "ebuse",
    ]


def test_two_models_that_predict_the_same_are_refused(jobs):
    with pytest.raises(InputError, match=r"predicts HEAD and DEPREL, and so does .*; leave one of the two out"):
        predicted([jobs["ud"], jobs["pos"], jobs["ud"]], "mat")
    with pytest.raises(InputError, match="predicts named entities, and so does"):
        predicted([jobs["ner"], jobs["ner"]], "mat")


def test_a_tree_has_one_root_whatever_single_root_said(jobs, tmp_path):
    model = load_model(jobs["ud"])
    model.settings["ud"] = {**model.settings["ud"], "single_root": False}
    model.heads["ud"].single_root = False
    model.heads["ud"].arc.data.zero_()
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model", jobs["ud"] / "model")
    written = predicted(tmp_path, "irid mat abide gon .\nkul ebuse .")
    assert errors_of(written) == []
    assert [row[6] for row in rows_of(written)].count("0") == 2


# -- Python and the command line -----------------------------------------------------------------------------


def test_a_model_is_loaded_from_python(jobs):
    models = specialize.load(jobs["pos"], str(jobs["ner"]))
    first, second = models.tag("irid mat abide gon. kul!")
    assert (first.text, second.text) == ("irid mat abide gon.", "kul!")
    assert [word.form for word in first.words] == ["irid", "mat", "abide", "gon", "."]
    assert all(word.upos and word.entity and word.head is None and word.xpos is None for word in first.words)
    (parsed,) = specialize.load(jobs["ud"]).tag("mat abide")
    assert isinstance(parsed.words[0], AnalysedWord)
    assert sorted(word.head == 0 for word in parsed.words) == [False, True]
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        _ = specialize.lode


@pytest.mark.parametrize("folder", [".", "/"])
def test_an_output_that_is_a_folder_is_refused_before_the_model_is_loaded(folder):
    arguments = argument_parser().parse_args(["predict", "--model", "none", "--output", folder])
    with pytest.raises(SpecializeError, match="is a folder; give --output a file in it"):
        arguments.run_command(arguments)


@pytest.mark.slow
def test_the_command_line_reads_and_writes_files(jobs, tmp_path):
    (tmp_path / "in.conllu").write_text("\ufeff" + CONLLU.replace("\n", "\r\n"), encoding="utf-8", newline="")
    command = [sys.executable, "-m", "specialize", "predict", "--input", tmp_path / "in.conllu"]
    command += ["--output", tmp_path / "out.conllu", "--model", jobs["pos"], "--model", jobs["ner"]]
    finished = subprocess.run(list(map(str, command)), capture_output=True, encoding="utf-8", check=False)
    assert (finished.returncode, finished.stdout) == (0, "")
    written = (tmp_path / "out.conllu").read_text(encoding="utf-8")
    assert written == predicted([jobs["pos"], jobs["ner"]], CONLLU, text_format="conllu")
    assert len(read_treebank(tmp_path / "out.conllu")) == 2
