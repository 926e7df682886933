"""Damaged input of every kind: each reader takes it, or refuses it with an error of ours that names file and line."""

import bz2
import gzip
import lzma
import re
import warnings
from contextlib import suppress

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.conftest import paper_cleaning
from tests.corpora.test_extraction import PAGES, write_dump
from tests.datasets.test_named_entities import write_archive

from specialize.corpora import Cleaner, Page, read_articles, read_dump
from specialize.datasets import (
    mend_labels,
    read_entities,
    read_own_entities,
    repair_entities,
    unpack_wikiann,
    write_entities,
)
from specialize.errors import InputError, SpecializeError
from specialize.experiment import Experiment
from specialize.finetuning.tasks import task_named

zstd = zstandard.ZstdCompressor()
TREEBANK = """\
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tV\tMood=Imp\t0\troot\t_\t_
2\tnos\tnos\tPRON\tP\t_\t1\tobj\t_\t_
2.1\t∅\t_\t_\t_\t_\t_\t_\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\tE\t_\t5\tcase\t_\t_
4\tel\tel\tDET\tD\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\tN\t_\t1\tobl\t_\tSpaceAfter=No

1\tئۇيغۇر\t_\tX\tX\t_\t0\troot\t_\t_

"""
ENTITIES = "xx:Ana\tB-PER\nxx:Mari\tI-PER\nxx:went\tO\n\nxx:Oslo\tB-LOC\n\nxx::\tO\nxx:ئۇيغۇر\tI-ORG\n"
CONFIG = """\
mirror: null
allow_cpu: false
experiment:
  languages: [xx, xx-Latn, yy]
  representations: [mbert, tva]
  regimes: [pos, ud, ner]
  seeds: [1, 2]
  exceptions:
    - {languages: [xx], regimes: [ud], seeds: []}
base_model: mbert
base_models:
  mbert: {hub: some/model, revision: 3f076fdb1ab68d5b2880cb87a0886f315b8146f8}
representations:
  mbert: {method: base}
  tva: {method: adapt, pieces: 99, multiplier: 5, batch_sizes: {xx: {ud: 64}}}
languages:
  xx:
    name: Example
    type: 2
    corpus: {wikipedia: xx, date: "20201220", sample: 0.1, sentence_end: "۔ "}
    treebank: {name: UD_Example-X, release: r2.5, prefix: xx_x, tags: upos}
    ner: {wikiann: xx, broken_labels: refuse}
    transliteration: {scheme: transliterate, language: ru}
  yy: {name: Other, corpus: {wikipedia: yy, date: "20201220"}}
corpora: {seed: 1, validation_share: 0.1, test_share: 0.1}
vocabularies: {size: 5000, min_frequency: 5, limit_alphabet: 1000}
pretraining: {seed: 1, threads: 4, epochs: 20, steps_per_epoch: null, validation_sentences: null, batch_size: 32,
  sequence_length: 128, copies: 5, masked_probability: 0.15, max_predictions: 20, short_sequence_probability: 0.1,
  learning_rate: 0.00002, warmup_steps: 1000, weight_decay: 0.01, gradient_norm: 1.0, bias_correction: true,
  examples: articles, masking: static, tiering: rows, precision: float32, deterministic: false}
finetuning:
  {threads: 4, epochs: 200, patience: 20, frozen_epochs: 1, schedule: constant, learning_rate: 0.001, batch_size: 32,
  encoder_multiplier: 0.05, weight_decay: 0.01, gradient_norm: 5.0, bias_correction: true, layer_dropout: 0.1,
  layer_dropout_when_evaluating: false, leading_space: true, pos: {dropout: 0.4}, ner: {dropout: 0.1, loss: mean},
  ud: {dropout: 0.3}, seeds: {1: [1337, 133, 13370], 2: [337, 33, 3370]}, batch_sizes: {xx: {ner: 64}}}
"""
# The layouts of one's own entities: CoNLL-2003's columns, Universal NER's, and WikiAnn's with ends marked.
ENTITY_LAYOUTS = (
    ENTITIES,
    "-DOCSTART- -X- -X- O\n\nAna NNP B-NP B-PER\nMari NNP I-NP I-PER\nwent VBD B-VP O\n\nOslo NNP B-NP B-LOC\n",
    "# sent_id = 1\n# text = Ana del mar\n1\tAna\tB-PER\tB-PER#O\ts\n2\tdel\tO\tO\ts\n\n1\tmar\tB-LOC\tO\ts\n",
    "Ana S-PER\nB-Per O\n\nNew B-LOC\nYork E-LOC\n# O\n\nВ В-РЕR\n",
)
PARTS_OF_ENTITIES = (
    "\t|\t\t| |  |\n|\n\n|\r\n|\r|\ufeff|\u200b|\u00a0|\u2028|\x85|\x00|#|# |# a = |-DOCSTART-|O|o|О|0|_|-|\u2010|B-|"
    "B_|В-|I-|E-|S-|L-|U-|M-|W-|B|Per|PER|РЕR|ЛИЦО|xx:|qac:|1|1-2|2.1|1\t|NNP|B-NP|Ｏ|Ｂ－ＰＥＲ"
).split("|")
PARTS_OF_LINES = "\t \n \n\n # _ 0 1 2 1-2 2-1 1.1 99999999 O B-PER I-X \r \ufeff \x00 \u2028 ² ٣".split(" ")
PARTS_OF_XML = (
    "< > & &amp; &x; </page> <page> <text> </text> <id> </id> <ns>0</ns> <redirect/> ]]> <![CDATA[ <!-- {{ }} [[ ]] {|"
    " |} == ''' <ref> <math> <!DOCTYPE [<!ENTITY \x00 \ufeff"
).split(" ")
PARTS_OF_YAML = (
    "\n|\n  |: |- |[|]|{|}|,|&a |*a |<<: *a|!!set |!!binary x|!!python/object:os.system |'|\"|#|null|true|.nan|.inf|"
    "1e400|2020-99-99|0x_|\t|\x00|\ufeff|? |>|languages|seeds|xx|date: latest|---\n|...\n|-1|0|5e-3|99999|[]|{}|1.5"
).split("|")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzzing")


def damaged(whole, parts):
    """A text with some of its words or marks left out, doubled, exchanged, or filled with what might mean something."""
    words = re.findall(r"\w+|\s|[^\w\s]", whole)
    filling = st.one_of(st.sampled_from(parts), st.sampled_from(words), st.text(max_size=3))
    kinds = st.sampled_from(["cut", "double", "write", "fill"])
    edits = st.tuples(st.integers(0, len(words) - 1), st.integers(1, 4), kinds, filling)
    return edited(words, st.lists(edits, min_size=1, max_size=3))


@st.composite
def edited(draw, whole, edits):
    """The words of a text in one piece, edited, and perhaps with one byte changed."""
    words = list(whole)
    for start, length, kind, new in draw(edits):
        taken = words[start : start + length]
        words[start : start + length] = {"cut": [], "double": taken * 2, "write": [new], "fill": [new, *taken]}[kind]
    content = bytearray("".join(words).encode("utf-8", "surrogatepass"))
    if content and draw(st.integers(0, 30)) == 0:
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)


@st.composite
def damaged_bytes(draw, whole):
    """A compressed file that is cut off, or has some bytes changed."""
    content = bytearray(whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole)
    for place, byte in draw(st.lists(st.tuples(st.integers(0, len(whole)), st.integers(0, 255)), max_size=3)):
        content[place : place + 1] = bytes([byte])
    return bytes(content)


def fuzzed(times):
    """So many times the examples of Hypothesis's profile, which are 100 in CI and 10 elsewhere."""
    examples = times * settings.default.max_examples
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def assert_names_file_and_line(error, path):
    message = str(error)
    assert "\n" not in message
    assert re.search(rf"{re.escape(str(path))}, line \d+", message), message


def taken_or_refused(read, path, content):
    """What a reader makes of a file; None if it refuses it, which it must do with the file and the line."""
    path.write_bytes(content)
    try:
        return read(path)
    except SpecializeError as error:
        assert_names_file_and_line(error, path)
        return None


def with_other_labels(task, sentences, data):
    """Sentences as a model might have labeled them; its trees may have several roots, but no cycle."""
    for sentence in sentences:
        size = len(sentence.words)
        if task.name == "ud":
            order = data.draw(st.permutations(range(1, size + 1)))
            above = dict(zip(order, [0, *order], strict=False))
            heads = [data.draw(st.sampled_from([0, above[word]])) for word in range(1, size + 1)]
            yield task.labeled(sentence, [(head, data.draw(LABELS_OF_TASKS)) for head in heads])
        else:
            yield task.labeled(sentence, [data.draw(LABELS_OF_TASKS) for _ in range(size)])


# What a treebank may hold besides: what other formats have in their columns, and what ends lines elsewhere.
PARTS_OF_TREEBANKS = [
    *PARTS_OF_LINES,
    "1:obj|2",
    "2:a:b",
    "9:obj",
    "a|",
    "# late\n",
    "\x85",
    "\x0c",
    "\u2029",
    "\u00a0",
]
LABELS_OF_TASKS = st.integers(0, 2)


@pytest.mark.parametrize("name", ["pos", "ud"])
@fuzzed(times=15)
@given(content=damaged(TREEBANK, PARTS_OF_TREEBANKS), data=st.data())
def test_treebanks(folder, name, content, data):
    """What is read can be written, is read again as it was, and whatever a model predicts of it can be scored."""
    task = task_named(name, "upos", ["VERB", "obj:x", "root"])
    sentences = taken_or_refused(task.read, folder / "train.conllu", content)
    if not sentences:
        return
    gold, predictions = folder / "gold.conllu", folder / "predictions.conllu"
    assert all(sentence.surface() for sentence in sentences)
    task.write(gold, sentences)
    assert task.read(gold) == sentences
    assert len(gold.read_text(encoding="utf-8").splitlines()) == gold.read_bytes().count(b"\n")
    predicted = list(with_other_labels(task, sentences, data))
    task.write(predictions, predicted)
    scores = task.file_scores(gold, predictions)
    assert scores == pytest.approx(task.scores(sentences, predicted))
    assert set(task.file_scores(gold, gold).values()) == {1.0}


@fuzzed(times=20)
@given(content=damaged(ENTITIES, PARTS_OF_LINES))
@example(content="\ufeff\ufeffAna\tB-PER\n\n".encode())
def test_named_entities(folder, content):
    read = taken_or_refused(read_entities, folder / "train.tsv", content)
    if read:
        write_entities(folder / "copy.tsv", read)
        assert read_entities(folder / "copy.tsv") == read


def entities_as_the_job_reads_them(path):
    """Own named entities, through everything that the job does before it writes them."""
    labeled = mend_labels({"train": path}, read_own_entities({"train": path}), "repair")["train"]
    return repair_entities(path, labeled, "repair")


@fuzzed(times=30)
@given(content=st.sampled_from(ENTITY_LAYOUTS).flatmap(lambda layout: damaged(layout, PARTS_OF_ENTITIES)))
@example(content="qac:\ufeffAna\tB-PER\n\nqac:x\tO\n".encode())
def test_own_named_entities_can_be_written_read_and_scored(folder, content):
    from seqeval.metrics import f1_score

    read = taken_or_refused(entities_as_the_job_reads_them, folder / "train.conll", content)
    if read:
        write_entities(folder / "train.tsv", read)
        assert read_entities(folder / "train.tsv") == read
        labels = [list(sentence.labels) for sentence in read]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert f1_score(labels, labels, average="micro") == f1_score(labels, labels, average="macro") == 1


@pytest.fixture(scope="module")
def whole_dump(folder):
    path = folder / "whole.xml.bz2"
    write_dump(path, PAGES)
    return path.read_bytes()


@pytest.fixture(scope="module")
def damaged_dump(whole_dump):
    return damaged(bz2.decompress(whole_dump).decode(), PARTS_OF_XML)


CLEANER = Cleaner(paper_cleaning(), {})


def clean_articles(path):
    for page in read_dump(path):
        CLEANER.clean(page)


@fuzzed(times=20)
@given(data=st.data())
def test_dumps(folder, damaged_dump, data):
    content = data.draw(damaged_dump)
    taken_or_refused(clean_articles, folder / "damaged.xml.bz2", bz2.compress(content))


@fuzzed(times=10)
@given(content=damaged(PAGES[0][2], PARTS_OF_XML))
def test_wikitext(content):
    """Whatever a page holds, it is cleaned or left out by name; it never ends the work on a dump."""
    cleaned = CLEANER.clean(Page("1", "Alpha", content.decode(errors="replace")))
    assert cleaned.problem == "" or cleaned.problem.startswith("article 1 (Alpha): WikiExtractor fails")


@fuzzed(times=6)
@given(data=st.data())
def test_compressed_dumps(folder, whole_dump, data):
    taken_or_refused(clean_articles, folder / "damaged.xml.bz2", data.draw(damaged_bytes(whole_dump)))


@fuzzed(times=13)
@given(content=damaged(CONFIG, PARTS_OF_YAML))
def test_configurations(folder, content):
    experiment = taken_or_refused(lambda path: Experiment.read([path]), folder / "own.yaml", content)
    assert experiment is None or experiment.vocabularies


OWN_TEXTS = {
    "text": "Bir. Ikki ئۈچ.\nTört? &amp; &#9; a&nbsp;b\n\n“Besh”, alte.\n",
    "sentences": "Bir.\nIkki ئۈچ.\r\nTört?\n",
    "json-lines": '{"id": 1, "text": "Bir.\\nIkki \\u06c8\\ud83d\\ude00."}\n{"text": ["Tört?", "Besh"], "n": null}\n',
    "leipzig": "1\tBir.\n2\tIkki ئۈچ.\n3\tTört?\n",
    "wikiextractor": '<doc id="1" url="x" title="A">\nA\n\nBir. &lt;b&gt;.\n</doc>\n<doc id="2" title="">\n\n</doc>\n',
}
PARTS_OF_TEXTS = [
    *PARTS_OF_LINES,
    *(
        '{ } [ ] , : " \\ \\u \\ud800 \\u0000 null 1e999 NaN true <doc > <doc </doc> <doc> <s> id= title=" <mediawiki>'
    ).split(),
    *("& ; &#0; &#xD800; &#10; &nbsp; &x; &# 1\t --> id,text\n <?xml <!-- <html> \x85 \x0c \x1c \u200b").split(" "),
]


def clean_own_text(path, declared):
    for article in read_articles(path, declared):
        CLEANER.clean(article) if isinstance(article, Page) else "".join(CLEANER.clean(article).sentences).encode()


@pytest.mark.parametrize("form", OWN_TEXTS)
@fuzzed(times=3)
@given(data=st.data())
def test_own_text(folder, form, data):
    """Whether its format is told from it or declared, it is read or refused, and what is read can be written."""
    content = data.draw(damaged(OWN_TEXTS[form], PARTS_OF_TEXTS))
    path = folder / "text"
    path.write_bytes(content)
    for declared in ("", form):
        try:
            clean_own_text(path, declared)
        except InputError as error:
            if not re.search(r": is (an? |cut off|packed)", str(error)):  # of a file as a whole, such as a PDF
                assert_names_file_and_line(error, path)


PACKED = [pack(OWN_TEXTS["text"].encode() * 3) for pack in (gzip.compress, bz2.compress, lzma.compress, zstd.compress)]


@fuzzed(times=3)
@given(data=st.data())
def test_packed_own_text(folder, data):
    path = folder / "packed"
    path.write_bytes(data.draw(damaged_bytes(data.draw(st.sampled_from(PACKED)))))
    try:
        clean_own_text(path, "")
    except InputError as error:
        assert str(path) in str(error)


@fuzzed(times=6)
@given(data=st.data())
def test_archives_name_the_file(folder, data):
    path = folder / "xx.tar.gz"
    write_archive(path, dict.fromkeys(("train", "dev", "test"), ENTITIES))
    path.write_bytes(data.draw(damaged_bytes(path.read_bytes())))
    with suppress(InputError):
        try:
            unpack_wikiann(path, "xx")
        except InputError as error:
            assert str(path) in str(error)
            raise
