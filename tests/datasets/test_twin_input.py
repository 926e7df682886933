"""New text for the model of a transliterated twin is what the twin's corpus is made of, byte for byte."""

import io
import json
import shlex
import sys

import pytest

from specialize.__main__ import main
from specialize.corpora import transliterate_corpus
from specialize.datasets import (
    TRANSLITERATION,
    described_transliteration,
    read_transliteration,
    token_converter,
    warning_of_letters_left,
)
from specialize.datasets.settings import SCHEME_FORMS, TRANSLITERATE_LANGUAGES
from specialize.errors import InputError
from specialize.files import write_json

OPTIONS = [("uyghur", None), *(("transliterate", language) for language in TRANSLITERATE_LANGUAGES)]
OPTIONS += [pytest.param("uroman", language, marks=pytest.mark.slow) for language in (None, "hin")]
every_option = pytest.mark.parametrize(("scheme", "language"), OPTIONS)
LINES = [
    "ئۇيغۇر تىلى ، مەڭگۈ ﺑﺎﻻ ء",
    "Шуматик мо\u0301жно и\u0306 ӱ  два  пробела",
    "გამარჯობა Names Ⴀ ჵ",
    "Հայաստան և ու Եւ",
    "Ελλάδα ή Ω ϊ\u0301",
    "हिन्दी ខ្មែរ 中文 ﷺ",
    "already Latin, ÄÖÜ é e\u0301 \u00a0 x\u2028y",
    " a blank at either end ",
    "",
    "tab\there and a carriage return\r",
]


def write_corpus(folder):
    for split in ("train", "valid", "test"):
        (folder / f"{split}.txt").write_bytes(("\n".join(LINES) + "\n").encode())
    write_json(folder / "statistics.json", {})
    return folder


def run(monkeypatch, arguments, text):
    """What the command writes to standard output, and to standard error."""
    streams = {"stdin": io.BytesIO(text), "stdout": io.BytesIO(), "stderr": io.BytesIO()}
    for name, stream in streams.items():
        # As under a locale that is not UTF-8; what standard error cannot say, Python escapes there.
        errors = "backslashreplace" if name == "stderr" else "strict"
        monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, encoding="latin-1", errors=errors))
    monkeypatch.setattr(sys, "argv", ["specialize", *map(str, arguments)])
    try:
        main()
    finally:
        for name in ("stdout", "stderr"):
            getattr(sys, name).flush()
    return streams["stdout"].getvalue(), streams["stderr"].getvalue().decode()


@every_option
def test_the_command_writes_what_the_corpus_stage_writes(tmp_path, monkeypatch, scheme, language):
    source = tmp_path / "corpus"
    source.mkdir()
    write_corpus(source)
    transliterate_corpus(source, tmp_path / "twin", scheme, language, largest_share_left=1)
    expected = (tmp_path / "twin/train.txt").read_bytes()
    entry = {"scheme": scheme} | ({"language": language} if language else {})
    described = described_transliteration(entry, "NFC")
    write_json(tmp_path / TRANSLITERATION, described)
    text = (source / "train.txt").read_bytes()
    _, _, _, *options = shlex.split(described["command"])
    assert described["command"].startswith("python -m specialize transliterate ")
    assert run(monkeypatch, options, text)[0] == expected
    assert run(monkeypatch, ["transliterate", "--model", tmp_path], text.removesuffix(b"\n"))[0] == expected


@every_option
def test_what_is_latin_already_stays(scheme, language):
    convert = token_converter(scheme, language)
    once = [convert(token) for line in LINES for token in line.split()]
    composed = [token.replace("o\u0301", "ó") for token in once]  # which tokenizers read alike
    assert [convert(token).replace("o\u0301", "ó") for token in once] == composed


def test_every_scheme_says_its_normal_form():
    assert {"uyghur", "transliterate", "uroman"} == SCHEME_FORMS.keys()
    described = described_transliteration(
        {"scheme": "transliterate", "language": "ru", "largest_share_left": 1}, "NFKC"
    )
    assert described == {
        "scheme": "transliterate",
        "language": "ru",
        "scheme_normal_form": "NFC",
        "normal_form": "NFKC",
        "command": "python -m specialize transliterate --scheme transliterate --language ru",
    }
    assert described_transliteration({"scheme": "uyghur", "language": "ug"}, "none")["command"].endswith("uyghur")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scheme", "transliterate"], "give --language, one of bg, el"),
        (["--scheme", "transliterate", "--language", "rus"], "no alphabet of 'rus': give --language, one of bg, el"),
        (["--scheme", "uyghur", "--language", "ug"], "leave --language ug out"),
        (["--scheme", "Uyghur"], "there is no scheme 'Uyghur'; there are: uyghur, transliterate, uroman"),
        (["--model", ".", "--language", "ru"], "--language goes with --scheme"),
        (["--model", "/nowhere"], "/nowhere: has neither transliteration.json nor task.json; give a model's"),
    ],
)
def test_what_cannot_be_done_is_one_line(monkeypatch, arguments, said):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, ["transliterate", *arguments], b"x\n")
    assert said in str(ended.value)
    assert "\n" not in str(ended.value)


def test_text_of_another_language_is_warned_of(monkeypatch):
    written, said = run(monkeypatch, ["transliterate", "--scheme", "uyghur"], "привет мир\n".encode())
    assert written.decode() == "привет мир\n"
    assert said.startswith("Warning: 100.0% of 9 letters stay in another script")
    assert said.count("\n") == 1
    assert run(monkeypatch, ["transliterate", "--scheme", "uyghur"], "بالا\n".encode())[1] == ""


def test_a_model_says_its_scheme_wherever_it_is_kept(tmp_path):
    described = described_transliteration({"scheme": "uyghur"}, "NFC")
    finetuned, plain = tmp_path / "seed1", tmp_path / "plain"
    (finetuned / "model").mkdir(parents=True)
    plain.mkdir()
    (finetuned / "model/task.json").write_text(json.dumps({"transliteration": described}), encoding="utf-8")
    assert read_transliteration(finetuned) == read_transliteration(finetuned / "model") == described
    for content in ({"transliteration": None}, {}):
        write_json(plain / "task.json", content)
        with pytest.raises(InputError, match="is the model of no transliterated twin"):
            read_transliteration(plain)
    assert warning_of_letters_left({}, str) == ""
