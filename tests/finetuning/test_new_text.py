"""Tagging and parsing new text with a kept model, from Python and from the command line."""

import io
import shlex
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.datasets import COLUMNS, described_transliteration, read_entities, read_treebank
from specialize.errors import InputError
from specialize.finetuning.model import load_model
from specialize.finetuning.prediction import predict
from specialize.finetuning.raw_text import words_of
from specialize.run_command import record_command

LINES = ["irid mat abide gon .", "kul ebuse.", "", "  gon   abide mat , kul  ", "მატ abide!"]
WORDS = [
    ["irid", "mat", "abide", "gon", "."],
    ["kul", "ebuse", "."],
    ["gon", "abide", "mat", ",", "kul"],
    ["მატ", "abide", "!"],
]


def predicted(folder, lines, **options):
    output = io.StringIO()
    predict(folder, lines, output, **options)
    return output.getvalue()


def run_predict(*arguments, text):
    command = [sys.executable, "-m", "specialize", "predict", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", timeout=120)


# -- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Hello, world!", "Hello , world !"),
        ("«Привет», — сказал он.", "« Привет » , — сказал он ."),
        ("سالام، دۇنيا؟", "سالام ، دۇنيا ؟"),
        ("यह हिन्दी है।", "यह हिन्दी है ।"),
        ("ทำไม?", "ทำไม ?"),
        ("你好。", "你好 。"),
        ("cái\u0301 bánh.", "cái\u0301 bánh ."),
        ("e\u0301te\u0301, ok", "e\u0301te\u0301 , ok"),
        ("l'eau d’or", "l'eau d’or"),
        ("well-known (or not)", "well-known ( or not )"),
        ("3,5 or 3.5, then", "3,5 or 3.5 , then"),
        ("-a- 'b'", "- a - ' b '"),
        ("...", ". . ."),
        ("हिन्दी-उर्दू, पूर्व-पश्चिम", "हिन्दी-उर्दू , पूर्व-पश्चिम"),
        ("a..b", "a . . b"),
        ("5$ + 3%", "5 $ + 3 %"),
        ("می\u200cخواهم،", "می\u200cخواهم ،"),
        ("l\u200d'\u2060eau\u200d, a\u200d.", "l\u200d'\u2060eau\u200d , a\u200d ."),
        ("\u200bខ្ញុំ\u200bទៅ\u200b។", "ខ្ញុំ ទៅ ។"),
        ("", ""),
    ],
)
def test_words_and_punctuation_are_parted_in_several_scripts(line, words):
    assert list(words_of(line)) == words.split()


LETTERS_AND_MARKS = "aé漢ئقაक" + "\u0301\u0654\u093f\u094d\u200c"
TEXT = st.text(alphabet=LETTERS_AND_MARKS + ".,'-!?«»،। \t\u00a0", max_size=30)


@settings(max_examples=200)
@given(TEXT)
def test_nothing_is_lost_and_no_word_is_empty(line):
    words = list(words_of(line))
    assert "".join(words) == "".join(line.split())
    assert all(words)


@settings(max_examples=200)
@given(st.text(alphabet=LETTERS_AND_MARKS, min_size=1, max_size=20))
def test_letters_with_their_combining_marks_stay_whole(word):
    assert list(words_of(word)) == [word]
    assert list(words_of(f"«{word}»!")) == ["«", word, "»", "!"]


@settings(max_examples=200)
@given(TEXT)
def test_a_word_is_letters_or_one_punctuation_mark(line):
    for word in words_of(line):
        marks = [character for character in word if unicodedata.category(character)[0] in "PS"]
        assert len(word) == 1 or set(marks) <= set("-'’.,·")
        assert len(word) == 1 or not {word[0], word[-1]} & set(marks)


# -- analyses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", ["pos", "ud"])
def test_the_job_s_predictions_come_again_from_plain_words(jobs, data, regime):
    gold, expected = read_treebank(data / "test.conllu"), read_treebank(jobs[regime] / "predictions.conllu")
    lines = [" ".join(word.form for word in sentence.words) for sentence in gold]
    blocks = predicted(jobs[regime], lines, split_words=False).strip().split("\n\n")
    for block, sentence in zip(blocks, expected, strict=True):
        rows = [row.split("\t") for row in block.split("\n") if row[0] != "#"]
        assert [row[1] for row in rows] == [word.form for word in sentence.words]
        if regime == "pos":
            assert [row[3] for row in rows] == [word.upos for word in sentence.words]
        else:
            assert [(int(row[6]), row[7]) for row in rows] == [(word.head, word.deprel) for word in sentence.words]


def test_the_job_s_entities_come_again_from_plain_words(jobs, data, tmp_path):
    lines = [" ".join(sentence.tokens) for sentence in read_entities(data / "test.tsv")]
    (tmp_path / "entities.tsv").write_text(predicted(jobs["ner"], lines, split_words=False), encoding="utf-8")
    assert read_entities(tmp_path / "entities.tsv") == read_entities(jobs["ner"] / "predictions.tsv")


def test_tags_are_written_as_conllu(jobs):
    blocks = predicted(jobs["pos"], LINES).removesuffix("\n\n").split("\n\n")
    assert len(blocks) == len(WORDS)
    texts = [line.strip() for line in LINES if line.strip()]
    for number, (block, words, text) in enumerate(zip(blocks, WORDS, texts, strict=True), start=1):
        first, second, third, *rows = block.split("\n")
        assert (first, second) == (f"# sent_id = {number}", f"# text = {text}")
        assert third == "# not_predicted = HEAD DEPREL"
        columns = [row.split("\t") for row in rows]
        assert [row[0] for row in columns] == [str(index) for index in range(1, len(words) + 1)]
        assert [row[1] for row in columns] == words
        assert all(len(row) == COLUMNS and all(row) for row in columns)
        assert {row[3] for row in columns} <= {"ADJ", "NOUN", "PUNCT", "VERB"}
        assert {cell for row in columns for cell in (row[2], *row[4:6], row[8])} == {"_"}
        assert [row[6:8] for row in columns] == [["0", "root"], *[["1", "dep"]] * (len(words) - 1)]
        glued = "".join(row[1] + ("" if "SpaceAfter=No" in row[9] else " ") for row in columns)
        assert glued.split() == text.split()


def test_trees_are_written_as_conllu_that_reads_as_trees(jobs, tmp_path):
    (tmp_path / "trees.conllu").write_text(predicted(jobs["ud"], LINES), encoding="utf-8")
    sentences = read_treebank(tmp_path / "trees.conllu")
    assert [[word.form for word in sentence.words] for sentence in sentences] == WORDS


def test_entities_are_written_as_valid_iob2(jobs, tmp_path):
    (tmp_path / "entities.tsv").write_text(predicted(jobs["ner"], LINES * 5), encoding="utf-8")
    sentences = read_entities(tmp_path / "entities.tsv")
    assert [list(sentence.tokens) for sentence in sentences] == WORDS * 5
    for sentence in sentences:
        for before, label in zip(("O", *sentence.labels), sentence.labels, strict=False):
            assert not label.startswith("I-") or before[2:] == label[2:]


def test_sentences_are_numbered_through_over_many_batches(jobs):
    text = predicted(jobs["pos"], ["mat abide .", " "] * 150)
    numbers = [int(line.split(" = ")[1]) for line in text.split("\n") if line.startswith("# sent_id")]
    assert numbers == list(range(1, 151))


def test_words_that_the_vocabulary_does_not_know_at_all_are_analysed(jobs):
    for folder in jobs.values():
        text = predicted(
            folder, ["\u200d", "\u200d \u200d mat", "漢字 ქართული", "a" * 500, "mat " * 60], split_words=False
        )
        assert len(text.strip("\n").split("\n\n")) == 5


@pytest.mark.parametrize("split_words", [True, False])
def test_joiners_stay_in_what_is_written(jobs, split_words):
    """Persian, Sinhala, Malayalam; a mark that nobody sees changes no analysis."""
    words = ["می\u200cخواهم", "ශ\u0dca\u200dරී", "അവന\u0d4d\u200d", "m\u2060at"]
    plain = [word.translate(dict.fromkeys([0x200C, 0x200D, 0x2060])) for word in words]
    written, same = (predicted(jobs["ud"], [" ".join(line)], split_words=split_words) for line in (words, plain))
    rows, others = ([row.split("\t") for row in text.split("\n") if row[:1].isdigit()] for text in (written, same))
    assert [row[1] for row in rows] == words
    assert [row[2:] for row in rows] == [row[2:] for row in others]


def test_no_text_gives_no_output(jobs):
    assert predicted(jobs["pos"], ["", "  \n", "\u200b", " \u200b \u200b"]) == ""


# -- transliterated twins ------------------------------------------------------------------------------------

CYRILLIC = str.maketrans("abdegiklmnorstu", "абдегиклмнорсту")


@pytest.fixture(scope="module")
def twins(jobs, tmp_path_factory):
    """The models as if they had been trained on transliterated text."""
    folders = {}
    for regime, folder in jobs.items():
        model = load_model(folder)
        model.transliteration = described_transliteration({"scheme": "transliterate", "language": "ru"}, "NFC")
        folders[regime] = tmp_path_factory.mktemp("twins") / regime
        folders[regime].mkdir()
        model.save(folders[regime], folder / "model")
    return folders


@pytest.mark.parametrize("regime", ["pos", "ud", "ner"])
@pytest.mark.parametrize("split_words", [True, False])
def test_a_twin_s_model_reads_text_in_the_original_script(twins, jobs, regime, split_words, capsys):
    latin = ["irid mat abide gon .", "kul, ebuse.", "  gon   abide mat , kul  "]
    original = [line.translate(CYRILLIC) for line in latin]
    written, expected = (
        predicted(folder, lines, split_words=split_words)
        for folder, lines in ((twins[regime], original), (jobs[regime], latin))
    )
    again = predicted(twins[regime], latin, split_words=split_words)
    assert again == expected, "what is transliterated already stays"
    if regime == "ner":
        assert [row.split("\t")[0].translate(CYRILLIC) for row in expected.split("\n")] == [
            row.split("\t")[0] for row in written.split("\n")
        ]
        assert [row.split("\t")[1:] for row in expected.split("\n")] == [
            row.split("\t")[1:] for row in written.split("\n")
        ]
        return
    for row, other in zip(written.split("\n"), expected.split("\n"), strict=True):
        if not row[:1].isdigit():
            name, equals, value = other.partition(" = ")
            assert row == name + equals + value.translate(CYRILLIC)
            continue
        columns, others = row.split("\t"), other.split("\t")
        assert columns[1] == others[1].translate(CYRILLIC)
        assert columns[2:9] == others[2:9]
        marks = set(columns[9].split("|")) - {f"Translit={others[1]}"}
        assert (marks or {"_"}) == set(others[9].split("|"))
        assert columns[1] == others[1] or f"Translit={others[1]}" in columns[9].split("|")
    assert capsys.readouterr().err == ""


def test_a_twin_s_model_warns_of_a_script_that_its_scheme_does_not_know(twins, capsys):
    assert predicted(twins["pos"], ["ქართული ენა", "мат"])
    error = capsys.readouterr().err
    assert error.startswith("Warning: ")
    assert error.count("\n") == 1


# -- the command line --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_line_gives_the_same_text(jobs):
    finished = run_predict("--model", jobs["ud"], text="\n".join(LINES) + "\n")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == predicted(jobs["ud"], LINES)


@pytest.mark.slow
def test_the_command_line_takes_words_that_stand_apart(jobs):
    finished = run_predict("--tokenized", "--model", jobs["ner"] / "model", text="a.b mat!\n")
    assert [row.split("\t")[0] for row in finished.stdout.split("\n") if row] == ["a.b", "mat!"]


@pytest.mark.slow
def test_without_a_model_there_is_one_clear_line(tmp_path):
    finished = run_predict("--model", tmp_path / "none", text="mat\n")
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr.count("\n") == 1
    assert finished.stderr.startswith("Error: ") and "there is no such folder" in finished.stderr
    assert "keep_models" in finished.stderr  # what to do


@pytest.mark.parametrize("inner", ["", "model"])
def test_a_job_whose_model_was_not_kept_is_told_the_command_that_makes_it(tmp_path, inner):
    job = tmp_path / "my run/results/finetuning/wo/tva/ud/seed1"
    job.mkdir(parents=True)
    (tmp_path / "my run/.snakemake").mkdir()
    with pytest.raises(InputError, match="is no job that has ended; the run has no finetuned model yet"):
        predicted(job / inner, ["mat"])
    (job / "metrics.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"snakemake results/finetuning/wo/tva/ud/seed1/model with the run's --dir"):
        predicted(job / inner, ["mat"])
    record_command(tmp_path / "my run", "/checkout/Snakefile", ["/mine.yaml"], {"mirror": "/a b"}, 2)
    with pytest.raises(InputError) as caught:
        predicted(job / inner, ["mat"])
    said, command = str(caught.value).split("; this makes it: ")
    assert "\n" not in str(caught.value)
    assert said.endswith("holds no finetuned model, since models are kept only if asked for")
    assert shlex.split(command) == [
        *(sys.executable, "-m", "snakemake", "results/finetuning/wo/tva/ud/seed1/model"),
        *("--snakefile", "/checkout/Snakefile", "--directory", str(tmp_path / "my run"), "--cores", "2"),
        *("--configfile", "/mine.yaml", "--config", "mirror=/a b", "keep_models=true"),
    ]


def test_a_folder_that_is_no_job_s_is_told_those_that_are(tmp_path):
    (tmp_path / ".snakemake").mkdir()
    for regime in ("pos", "ud"):
        job = tmp_path / f"results/finetuning/wo/tva/{regime}/seed1"
        job.mkdir(parents=True)
        (job / "metrics.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"the run has \S+/wo/tva/ud/seed1, \S+/wo/tva/pos/seed1"):
        predicted(tmp_path / "results/finetuning/wo/tva/ud/seed2", ["mat"])


def test_a_folder_of_another_kind_is_no_model(encoder_folder):
    with pytest.raises(InputError, match="holds no finetuned model"):
        predicted(encoder_folder, ["mat"])


@pytest.mark.slow
def test_text_in_another_encoding_is_one_clear_line(jobs):
    command = [sys.executable, "-m", "specialize", "predict", "--model", str(jobs["pos"])]
    finished = subprocess.run(command, input="ö\n".encode("latin-1"), capture_output=True, check=False)
    assert finished.returncode == 1
    assert finished.stderr.decode().startswith("Error: standard input is not UTF-8")
    assert len(finished.stderr.splitlines()) == 1
