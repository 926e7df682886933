"""Whatever text and whatever model: what `predict` writes passes `udvalidate --level 2`."""

import io
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from udtools.data import Data
from udtools.validator import Validator

from specialize.datasets import DEPREL, HEAD, UPOS, XPOS
from specialize.errors import InputError
from specialize.finetuning import prediction
from specialize.finetuning.analysis import Analysis
from specialize.finetuning.drafts import RELATIONS, UPOS_TAGS

pytestmark = pytest.mark.fuzzing


class AnyModels:
    """Stands for models that predict some columns, each value whatever a generator draws."""

    def __init__(self, data, columns, labels, read):
        self.columns, self.entities = dict.fromkeys(columns, Path("a")), Path("b") if labels else None
        self.data, self.read = data, read

    def analyse(self, sentences, entities_only=False):
        return [self.analysis(words) for words in sentences]

    def analysis(self, words):
        def some(values):
            return self.data.draw(st.lists(values, min_size=len(words), max_size=len(words)))

        values = {
            UPOS: st.sampled_from(["NOUN", "X", "noun", "N|A", "_", ""]),
            XPOS: st.sampled_from(["N", "N N", "_", "", "\ufffd"]),
            HEAD: st.integers(0, len(words)).map(str),
            DEPREL: st.sampled_from(["root", "nmod:poss", "nmod:Poss_x", "SBJ", "dep", "_", "", "root:x"]),
        }
        columns = {column: some(values[column]) for column in self.columns}
        labels = tuple(some(st.sampled_from(["O", "B-PER", "I-PER", "B-A|B=C"]))) if self.entities else None
        return Analysis(columns, labels, some(FORM) if self.read else None)

    def warnings(self):
        return []


def errors_of(text):
    validator = Validator(level=2, output=None)
    state = validator.validate_file_handle(io.StringIO(text, newline="\n"))
    validator.validate_end(state)
    return "" if state.passed() else str(state)


ODD = "aZ0é漢ئकக가 \t\r\u00a0\u200b\u200d\u2028\ufeff\ufffd\u0301\u0338\u0323\u1161\u11a8\u09be=#_-.,'!?|:/。।។\u3000\u0085"
TEXT = st.text(alphabet=st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=40)
FORM = st.text(
    alphabet=ODD.replace("\r", "").replace("\t", "").replace("\u2028", "").replace("\u0085", ""), min_size=1, max_size=6
).filter(str.strip)
COLUMNS = st.sampled_from([(), (UPOS,), (XPOS,), (HEAD, DEPREL), (UPOS, HEAD, DEPREL), (UPOS, XPOS, HEAD, DEPREL)])
SOME = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def predicted(monkeypatch, data, lines, **options):
    columns, labels, read = data.draw(COLUMNS), data.draw(st.booleans()), data.draw(st.booleans())
    models = AnyModels(data, columns, labels, read)
    output = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(prediction, "Models", lambda folders: models)
        prediction.predict(Path("model"), lines, output, conllu=True, **options)
    return output.getvalue()


@SOME
@given(st.data(), st.lists(TEXT, max_size=4), st.sampled_from(["lines", "text"]), st.booleans())
def test_of_any_text(monkeypatch, data, lines, text_format, split_words):
    written = predicted(monkeypatch, data, lines, text_format=text_format, split_words=split_words)
    assert errors_of(written) == ""
    words = [row.split("\t")[1] for row in written.split("\n") if row[:1].isdigit()]
    text = "".join(word for line in lines for word in line.replace("\ufffd", "\u25a1").split())
    if split_words and text_format == "lines":
        plain = [unicodedata.normalize("NFD", prediction.printable(one)) for one in ("".join(words), text)]
        assert [one.replace("\u200b", "") for one in plain][:1] or not text.strip()


def test_a_very_long_word_and_a_very_long_line(monkeypatch):
    @settings(SOME, max_examples=2)
    @given(st.data())
    def check(data):
        assert errors_of(predicted(monkeypatch, data, ["a" * 20000, "b c " * 500])) == ""

    check()
