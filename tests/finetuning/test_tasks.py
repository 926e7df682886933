"""The three tasks: their labels, their scores, and the files they write."""

import sys

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from tests.finetuning.conftest import HEADS
from udtools.udeval import evaluate, load_conllu_file

from specialize.datasets import EntitySentence, read_treebank, write_treebank
from specialize.finetuning.layout import Layout
from specialize.finetuning.tasks import EntityRecognition, Parsing, Tagging, task_named

TREEBANK = """\
# text = mat abide gon
1\tmat\tm\tNOUN\tn\t_\t2\tnsubj:pass\t2:nsubj:pass\t_
2-3\tabidegon\t_\t_\t_\t_\t_\t_\t_\t_
2\tabide\ta\tVERB\tv\t_\t0\troot\t0:root\t_
3\tgon\tg\tNOUN\tn\t_\t2\tobj\t2:obj\t_
3.1\tkul\tk\tNOUN\tn\t_\t_\t_\t2:obj\tSpaceAfter=No

# text = olid .
1\tolid\to\tADJ\ta\t_\t0\troot\t0:root\t_
2\t.\t.\tPUNCT\t.\t_\t1\tpunct\t1:punct\t_

"""
RELATIONS = ["nsubj", "obj", "punct", "root"]


@pytest.fixture
def gold(tmp_path):
    path = tmp_path / "gold.conllu"
    path.write_text(TREEBANK, encoding="utf-8")
    return path


def parsed(sentences, heads_and_relations):
    task = Parsing(RELATIONS)
    return [
        task.labeled(sentence, [(head, RELATIONS.index(relation)) for head, relation in arcs])
        for sentence, arcs in zip(sentences, heads_and_relations, strict=True)
    ]


# -- which task --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "metric", "ending"),
    [
        ("pos", Tagging, "accuracy", "conllu"),
        ("ud", Parsing, "las", "conllu"),
        ("ner", EntityRecognition, "f1", "tsv"),
    ],
)
def test_each_regime_is_its_task(name, kind, metric, ending):
    task = task_named(name, labels=["B", "A"])
    assert isinstance(task, kind)
    assert (task.name, task.metrics[0], task.ending, task.labels) == (name, metric, ending, ["B", "A"])


# -- tags --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "column", "labels", "expected"),
    [("upos", 3, ["NOUN", "VERB"], ["NOUN", "VERB", "NOUN"]), ("xpos", 4, ["n", "v"], ["n", "v", "n"])],
)
def test_tags_come_from_and_go_to_their_own_column(gold, tags, column, labels, expected):
    task = Tagging(tags, labels)
    sentence = task.read(gold)[0]
    assert task.words(sentence) == ["mat", "abide", "gon"]
    assert task.label_names(sentence) == expected
    assert task.targets(sentence) == [[0, 1, 0]]
    changed = task.labeled(sentence, [1, 1, 0])
    assert task.label_names(changed) == [labels[1], labels[1], labels[0]]
    before, after = ([line.split("\t") for line in lines] for lines in (sentence.lines, changed.lines))
    differing = {
        (row, place)
        for row, (old, new) in enumerate(zip(before, after, strict=True))
        for place, (one, other) in enumerate(zip(old, new, strict=True))
        if one != other
    }
    assert differing == {(1, column)}


def test_accuracy_counts_every_word_punctuation_and_unseen_tags_included(gold):
    task = Tagging("upos", ["NOUN", "VERB"])  # neither ADJ nor PUNCT was seen in training
    sentences = task.read(gold)
    predicted = [task.labeled(sentences[0], [0, 1, 1]), task.labeled(sentences[1], [0, 0])]
    assert task.scores(sentences, predicted) == {"accuracy": pytest.approx(2 / 5)}
    assert task.scores(sentences, sentences) == {"accuracy": 1.0}


# -- trees -------------------------------------------------------------------------------------------------


def test_a_parse_replaces_heads_and_relations_and_empties_what_nobody_predicted(gold):
    task = Parsing(RELATIONS)
    sentence = task.read(gold)[0]
    assert task.label_names(sentence) == ["nsubj:pass", "root", "obj"]
    changed = task.labeled(sentence, [(3, 1), (3, 0), (0, 3)])
    rows = [line.split("\t") for line in changed.lines]
    assert [row[6:9] for row in rows if row[0].isdigit()] == [
        ["3", "obj", "_"],
        ["3", "nsubj", "_"],
        ["0", "root", "_"],
    ]
    assert [(word.head, word.deprel) for word in changed.words] == [(3, "obj"), (3, "nsubj"), (0, "root")]
    assert changed.lines[0] == sentence.lines[0]
    assert changed.lines[2] == sentence.lines[2], "the row of the multiword token stays"


def test_targets_of_a_parse_are_heads_and_relations(gold):
    task = Parsing(["nsubj:pass", "obj", "root"])
    assert task.targets(task.read(gold)[0]) == [[2, 0, 2], [0, 2, 1]]


def test_attachment_counts_every_word_and_sets_subtypes_aside(gold):
    task = Parsing(RELATIONS)
    sentences = task.read(gold)
    predicted = parsed(
        sentences,
        [
            [(2, "nsubj"), (0, "root"), (1, "obj")],  # right but for the subtype, right, wrong head
            [(0, "root"), (1, "obj")],  # right, wrong relation
        ],
    )
    assert task.scores(sentences, predicted) == {"las": pytest.approx(3 / 5), "uas": pytest.approx(4 / 5)}
    assert task.scores(sentences, sentences) == {"las": 1.0, "uas": 1.0}


def test_punctuation_is_left_out_of_development_scores_on_demand(gold):
    sentences = Parsing().read(gold)
    wrong_at_marks = [  # every mark hangs wrongly, every word rightly
        [(0 if word.upos == "PUNCT" else word.head, word.deprel.partition(":")[0]) for word in sentence.words]
        for sentence in sentences
    ]
    predicted = parsed(sentences, wrong_at_marks)
    assert Parsing(RELATIONS, development_punctuation=False).scores(sentences, predicted) == {"las": 1.0, "uas": 1.0}
    assert Parsing(RELATIONS).scores(sentences, predicted)["uas"] < 1


@pytest.mark.parametrize(
    ("upos", "xpos", "left_out"),
    [
        ("PUNCT", ".", {"upos", "xpos"}),
        ("PUNCT", "Y", {"upos"}),  # Uyghur's own tag of punctuation, which nothing but its treebank knows
        ("X", ",", {"xpos"}),
        ("NOUN", "n", set()),
    ],
)
def test_the_column_decides_what_is_punctuation(tmp_path, upos, xpos, left_out):
    path = tmp_path / "gold.conllu"
    path.write_text(TREEBANK.replace("\tPUNCT\t.\t", f"\t{upos}\t{xpos}\t"), encoding="utf-8")
    sentences = Parsing().read(path)[1:]
    predicted = parsed(sentences, [[(0, "root"), (0, "root")]])  # the last word hangs wrongly
    for column in ("upos", "xpos"):
        task = Parsing(RELATIONS, development_punctuation=False, punctuation=column)
        assert task.scores(sentences, predicted)["uas"] == (1.0 if column in left_out else 0.5)


TREES_OF_THREE = [(0, 1, 1), (0, 1, 2), (0, 3, 1), (2, 0, 2), (2, 0, 1), (3, 0, 2), (3, 3, 0), (2, 3, 0), (3, 1, 0)]


@settings(max_examples=30, deadline=None)
@given(
    tree=st.sampled_from(TREES_OF_THREE),
    relations=st.lists(st.sampled_from(RELATIONS), min_size=5, max_size=5),
    root=st.integers(1, 2),
)
def test_our_attachment_scores_are_the_official_ones(tmp_path_factory, tree, relations, root):
    folder = tmp_path_factory.mktemp("scored")
    (folder / "gold.conllu").write_text(TREEBANK, encoding="utf-8")
    task = Parsing(RELATIONS)
    sentences = read_treebank(folder / "gold.conllu")
    heads = [*tree, *((0, 1) if root == 1 else (2, 0))]
    arcs = list(zip(heads, relations, strict=True))
    predicted = parsed(sentences, [arcs[:3], arcs[3:]])
    write_treebank(folder / "predicted.conllu", predicted)
    ours = task.scores(sentences, predicted)
    assert ours == pytest.approx(task.file_scores(folder / "gold.conllu", folder / "predicted.conllu"))
    official = evaluate(*(load_conllu_file(str(folder / f"{name}.conllu")) for name in ("gold", "predicted")))
    assert ours == pytest.approx({"las": official["LAS"].f1, "uas": official["UAS"].f1})


# -- entities ----------------------------------------------------------------------------------------------


def entity_sentences(*label_rows):
    return [EntitySentence(tuple("w" * len(row.split())), tuple(row.split())) for row in label_rows]


def test_entities_are_scored_as_spans_micro_and_macro():
    task = EntityRecognition()
    gold = entity_sentences("B-PER I-PER O B-LOC", "B-LOC B-LOC O")
    predicted = entity_sentences("B-PER O O B-LOC", "B-LOC B-LOC O")  # one of PER is cut short
    assert task.scores(gold, predicted) == {"f1": pytest.approx(3 / 4), "f1_macro": pytest.approx((1 + 0) / 2)}


def test_no_entities_found_is_a_score_of_zero():
    task = EntityRecognition()
    gold, predicted = entity_sentences("B-PER I-PER O"), entity_sentences("O O O")
    assert task.scores(gold, predicted) == {"f1": 0.0, "f1_macro": 0.0}


def test_entity_types_unseen_in_training_count_as_missed():
    task = EntityRecognition(["B-PER", "I-PER", "O"])
    gold = entity_sentences("B-PER O B-ORG I-ORG")
    predicted = [task.labeled(gold[0], [0, 2, 0, 1])]
    assert task.scores(gold, predicted) == {"f1": pytest.approx(0.5), "f1_macro": pytest.approx(1 / 3)}


iob2 = st.lists(st.sampled_from(["O", "B-PER", "B-LOC", "PER", "LOC"]), min_size=1, max_size=8)


def repaired(names):
    """Continuations of what stands before, so that the labels are valid IOB2."""
    labels = []
    for name in names:
        continues = labels and labels[-1] in (f"B-{name}", f"I-{name}")
        labels.append(name if name[0] in "OB" else f"I-{name}" if continues else f"B-{name}")
    return tuple(labels)


def spans(labels):
    found, start = set(), None
    for place, label in enumerate([*labels, "O"]):
        if start is not None and not label.startswith("I-"):
            found.add((start, place, labels[start][2:]))
            start = None
        if label.startswith("B-"):
            start = place
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(iob2, iob2), min_size=1, max_size=4))
def test_the_entity_score_is_the_f1_of_spans_and_seqeval_s(pairs):
    rows = [(repaired(one), repaired((other * 8)[: len(one)])) for one, other in pairs]
    assume(any(spans(labels) for row in rows for labels in row))
    gold, predicted = ([EntitySentence(("w",) * len(row[side]), row[side]) for row in rows] for side in (0, 1))
    found = EntityRecognition().scores(gold, predicted)
    right = sum(len(spans(one) & spans(other)) for one, other in rows)
    both = sum(len(spans(one)) + len(spans(other)) for one, other in rows)
    assert found["f1"] == pytest.approx(2 * right / both)
    labels = [[list(row[side]) for row in rows] for side in (0, 1)]
    assert found["f1"] == pytest.approx(f1_score(*labels, zero_division=0))


def test_entities_go_to_a_file_and_come_back(tmp_path):
    task = EntityRecognition()
    sentences = [EntitySentence(("mat", "gon"), ("B-PER", "O")), EntitySentence(("a b", "."), ("B-LOC", "I-LOC"))]
    task.write(tmp_path / "entities.tsv", sentences)
    assert (tmp_path / "entities.tsv").read_text(encoding="utf-8") == "mat\tB-PER\ngon\tO\n\na b\tB-LOC\n.\tI-LOC\n\n"
    assert task.read(tmp_path / "entities.tsv") == sentences
    assert task.file_scores(tmp_path / "entities.tsv", tmp_path / "entities.tsv") == {"f1": 1.0, "f1_macro": 1.0}


# -- heads -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pos", "ud", "ner"])
def test_each_task_s_head_can_learn_and_decode(name):
    labels = ["B-PER", "I-PER", "O"] if name == "ner" else ["A", "B", "C"]
    torch.manual_seed(1)
    head = task_named(name, labels=labels).head(6, HEADS[name])
    layout = Layout.of([3, 1])
    vectors = torch.randn(2, 3, 6)
    targets = [torch.tensor([0, 1, 2, 0])]
    if name == "ud":
        targets = [torch.tensor([2, 0, 2, 0]), *targets]
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    losses = []
    for _ in range(60):
        loss = head.loss(vectors, layout, *targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in head.parameters())
    assert losses[-1] < losses[0] / 4
    with torch.no_grad():
        decoded = head.eval().decode(vectors, layout)
    assert decoded == ([[(2, 0), (0, 1), (2, 2)], [(0, 0)]] if name == "ud" else [[0, 1, 2], [0]])


@pytest.mark.parametrize("levels", [900, 2500])
def test_trees_of_thousands_of_levels_are_scored(tmp_path, levels):
    path = tmp_path / "deep.conllu"
    rows = [f"{word}\ta\t_\tX\tX\t_\t{(word + 1) % (levels + 1)}\tdep\t_\t_\n" for word in range(1, levels + 1)]
    path.write_text("".join(rows) + "\n", encoding="utf-8")
    limit = sys.getrecursionlimit()
    assert Parsing(["dep"]).file_scores(path, path) == {"las": 1.0, "uas": 1.0}
    assert sys.getrecursionlimit() == limit


def test_the_official_scores_need_neither_other_columns_nor_one_root(tmp_path):
    """Dependencies that are no pairs, comments among words, line ends in other columns, several roots predicted."""
    rows = [
        "# a\rb", "1\ta\tl\tX\tX\tf\t0\troot\t2\tm\rm", "# late", "2-3\tbc\t_\t_\t_\t_\t_\t_\t_\t_",
        "2\tb\tl\tX\tX\tf\t1\tdep\t9:dep\t_", "3\tc\tl\tX\tX\tf\t1\tdep:sub\t_\tRef=1",
    ]  # fmt: skip
    gold, predicted = tmp_path / "gold.conllu", tmp_path / "predicted.conllu"
    gold.write_bytes("\n".join(rows).encode())
    task = Parsing(["dep", "root"])
    task.write(predicted, [task.labeled(sentence, [(0, 1), (0, 1), (1, 0)]) for sentence in task.read(gold)])
    assert task.file_scores(gold, predicted) == {"las": pytest.approx(2 / 3), "uas": pytest.approx(2 / 3)}
