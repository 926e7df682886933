"""Whatever text and whatever model: what `predict` writes passes `udvalidate --level 2`."""

import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from udtools.data import Data
from udtools.validator import Validator

from specialize.datasets import DEPREL, HEAD, UPOS, UPOS_TAGS, XPOS
from specialize.errors import InputError
from specialize.finetuning import prediction
from specialize.finetuning.analysis import Analysis
from specialize.finetuning.drafts import RELATIONS

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

    def problem_of(self, words):
        return ""

    def warnings(self):
        return []


VALIDATOR = Validator(level=2, output=None)


def errors_of(text):
    state = VALIDATOR.validate_file_handle(io.StringIO(text, newline="\n"))
    VALIDATOR.validate_end(state)
    return [] if state.passed() else list(map(str, state.error_tracker))


ODD = "aZ0é漢ئकக가 \t\r\u00a0\u200b\u200d\u2028\ufeff\ufffd\u0301\u0338\u0323\u1161\u11a8\u09be=#_-.,'!?|:/。।។"
ODD += "\u3000\u0085"
TEXT = st.text(alphabet=st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=40)
FORM = st.text(
    alphabet=ODD.replace("\r", "").replace("\t", "").replace("\u2028", "").replace("\u0085", ""), min_size=1, max_size=6
).filter(str.strip)
COLUMNS = st.sampled_from([(), (UPOS,), (XPOS,), (HEAD, DEPREL), (UPOS, HEAD, DEPREL), (UPOS, XPOS, HEAD, DEPREL)])
# Shrinking an example of a whole file takes minutes.
NOT_SHRUNK = [phase for phase in Phase if phase != Phase.shrink]
SOME = settings(phases=NOT_SHRUNK, max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


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
    assert errors_of(written) == []
    words = [row.split("\t")[1] for row in written.split("\n") if row[:1].isdigit()]
    seen = [prediction.printable(line).replace("\ufffd", "\u25a1") for line in lines]
    assert letters("".join(words)) == letters("".join(seen)), "no word is lost"


def letters(text):
    return sorted(unicodedata.normalize("NFD", "".join(text.replace("\u200b", "").split())))


def test_a_very_long_word_and_a_very_long_line(monkeypatch):
    @settings(SOME, max_examples=2)
    @given(st.data())
    def check(data):
        assert errors_of(predicted(monkeypatch, data, ["a" * 20000, "b c " * 300])) == []

    check()


# -- CoNLL-U -----------------------------------------------------------------------------------------------

COMMENTS = st.one_of(
    st.sampled_from(
        """# newdoc
# newdoc id = a
# newpar
# newpar p
#newdoc x y
# sent_id = 1
# sent_id = 2
#  sent_id=a/b
# sent_id = a/b/c
# sent_id = a b
# sent_id_old = 7
#sent_id
# text = a b
# text = ab
#text=a  b
# text =
# text_en = a
# parallel_id = a/1
# parallel_id = a/1/alt1
# parallel_id = a/1/alt2part1
# parallel_id
# json_a = {"b": 1}
# json_a = {
# json___doc__ = 3
# doc_json_a = 1
# global.Entity = eid
# not_predicted = HEAD DEPREL
# not_predicted = UPOS
#
# a\ufffd\u0338""".split("\n")
    ),
    TEXT.map(lambda text: "# " + " ".join(text.split())),
)
MARKS = "SpaceAfter=No SpaceAfter=Yes NoSpaceAfter=Yes MySpaceAfter=No Gloss=a Gloss=b = =a NER=B-X Empty=Yes"
CELLS = {
    2: st.sampled_from(["_", "a", "a b", " a", ""]),
    3: st.sampled_from(["NOUN", "X", "_", "noun", "N N", ""]),
    4: st.sampled_from(["_", "N", "N N", "\ufffd"]),
    5: st.sampled_from(["_", "Case=Nom", "Number=Sing|Case=Nom", "A=C,B", "A=B|A=C", "x", "Typo=Yes", "A=b"]),
    7: st.sampled_from(["_", "root", "nsubj", "nsubj:Pass", "SBJ", "dep", ""]),
    9: st.lists(
        st.sampled_from([*MARKS.split(), "", " a ", "Translit=\u0338", "a=\u0338b"]),
        max_size=3,
    ).map("|".join),
}


@st.composite
def sentences(draw):
    length = draw(st.integers(1, 4))
    heads = draw(
        st.one_of(st.lists(st.integers(0, length).map(str), min_size=length, max_size=length), st.just("0123"))
    )
    rows, covered = [], 0

    def add(identifier, head):
        cells = {column: draw(cell) for column, cell in CELLS.items()}
        dependencies = draw(
            st.sampled_from(["_", "_", "0:root", "1:dep", "1:dep|2:nsubj", "2:a|1:b", "1.1:dep", "9:x", "1"])
        )
        form = draw(FORM) if draw(st.booleans()) else draw(st.sampled_from("ab"))
        cells.update({0: identifier, 1: form, 6: head, 8: dependencies})
        rows.append("\t".join(cells[column] for column in range(10)))

    for number in range(length + 1):
        if number:
            if number > covered and number < length and draw(st.booleans()) and draw(st.booleans()):
                add(
                    draw(st.sampled_from([f"{number}-{number + 1}", f"0{number}-{number + 1}"])),
                    draw(st.sampled_from("_0")),
                )
                covered = number + 1
            add(str(number), heads[number - 1])
        if draw(st.integers(0, 4)) == 0:
            add(f"{number}.1", draw(st.sampled_from("_0")))
    return "\n".join([*draw(st.lists(COMMENTS, max_size=4)), *rows]) + "\n\n"


@settings(SOME, max_examples=30)
@given(st.data(), st.lists(sentences(), max_size=4))
def test_of_any_conllu_that_is_read(monkeypatch, data, drawn):
    try:
        written = predicted(monkeypatch, data, drawn, text_format="conllu")
    except InputError as error:
        assert error.line, "what is refused is refused with its line"
        return
    assert errors_of(written) == []


def test_tags_and_relations_are_those_of_the_pinned_udtools():
    known = Data()
    assert known.upos == UPOS_TAGS
    assert known.get_deprel_for_language("ud") - {"ref"} == RELATIONS
