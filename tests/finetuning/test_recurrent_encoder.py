"""Static vectors under BiLSTMs: which vector a word has, what the layers compute, a job from start to end."""

import io
from collections import Counter

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finetuning.conftest import ENDINGS, Operations, finetuned, write_static_vectors

from specialize.datasets import read_treebank
from specialize.files import read_json
from specialize.finetuning.layout import EncodedSentences, Layout
from specialize.finetuning.model import load_model
from specialize.finetuning.prediction import predict
from specialize.finetuning.recurrent import BiLstm, HighwayBiLstm, StaticEncoder, StaticWords, TaskEncoder
from specialize.pretraining.static_vectors import StaticVectors

SIZES = {"layers": 2, "hidden_size": 6, "input_dropout": 0.0, "dropout": 0.0}
BILSTM, HIGHWAY = SIZES | {"highway": False}, SIZES | {"highway": True}
SEEN = ["mat", "abide", ".", "gon", "unseen"]  # the last one has no vector of its own


@pytest.fixture(scope="module")
def vectors_folder(data, tmp_path_factory):
    return write_static_vectors(tmp_path_factory.mktemp("vectors"), data)


@pytest.fixture(scope="module")
def vectors(vectors_folder):
    return StaticVectors(vectors_folder)


# -- words -------------------------------------------------------------------------------------------------


def looked_up(words, sentences):
    """The vectors that a batch has for each sentence's words."""
    batch = words.collate(EncodedSentences.of([words.encode(sentence) for sentence in sentences]), longest=100)
    table = torch.cat([torch.from_numpy(words.first_vectors()), batch.new])
    assert batch.layout.mask.sum(1).tolist() == [len(sentence) for sentence in sentences]
    return [table[row[: len(sentence)]].cpu() for row, sentence in zip(batch.numbers, sentences, strict=True)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*SEEN, "kul", "matgon", "x"]), min_size=1, max_size=6), min_size=1, max_size=4)
)
def test_every_word_has_its_own_vector_or_its_subwords(vectors, sentences):
    words = StaticWords(vectors, SEEN, "subwords")
    for sentence, found in zip(sentences, looked_up(words, sentences), strict=True):
        assert numpy.array_equal(found.numpy(), numpy.stack([vectors.of(word) for word in sentence]))


@pytest.mark.parametrize("unknown_words", ["subwords", "shared"])
def test_all_spellings_of_a_word_have_one_vector(vectors, unknown_words):
    """Invisible marks and normal forms; a word of nothing else is unknown."""
    words = StaticWords(vectors, [*SEEN, "ma\u200dt", "e\u0301"], unknown_words)
    assert "ma\u200dt" not in words.words
    pairs = [("mat", "\u200bm\u00ada\u200ct"), ("é", "e\u0301"), ("\u00e9mat", "e\u0301\ufeffmat"), ("", "\u200d")]
    first, second = looked_up(words, [list(spellings) for spellings in zip(*pairs, strict=True)])
    assert torch.equal(first, second)
    assert numpy.array_equal(first[0].numpy(), vectors.of("mat"))


def test_unknown_words_share_one_vector_on_demand(vectors):
    words = StaticWords(vectors, SEEN, "shared")
    assert words.words == ["", "mat", "abide", ".", "gon"]
    (found,) = looked_up(words, [["unseen", "kul", "nobody", "mat"]])
    assert torch.equal(found[0], found[2])
    assert numpy.allclose(found[0].numpy(), vectors.words.vectors.mean(0))
    assert numpy.array_equal(found[1].numpy(), vectors.of("kul")), "training did not see it, but the text did"
    assert numpy.array_equal(found[3].numpy(), vectors.of("mat"))


def test_only_vectors_of_training_words_learn(vectors):
    words = StaticWords(vectors, SEEN, "subwords")
    encoder = StaticEncoder(words.first_vectors())
    encoder(words.collate(EncodedSentences.of([words.encode(["mat", "kul"])]), encoder.longest)).sum().backward()
    gradients = encoder.pretrained.weight.grad.abs().sum(1)
    assert [number for number, size in enumerate(gradients.tolist()) if size] == [words.words.index("mat")]
    assert encoder.pretrained.num_embeddings == len(SEEN)


# -- layers ------------------------------------------------------------------------------------------------


@torch.no_grad()
def highway_slowly(layers, vectors):
    """One sentence, one direction, one word after another; gates by name."""
    states = [vector.double() for vector in vectors]
    size = layers.hidden_size
    for inputs, recurrent, bias in zip(layers.inputs, layers.states, layers.biases, strict=True):
        both = []
        for direction in (0, 1):
            from_input, from_state, constant = (each[direction].double() for each in (inputs, recurrent, bias))

            def gate(number, word, state, one=from_input, two=from_state, three=constant):
                part = slice(number * size, (number + 1) * size)
                value = word @ one[:, part] + three[0, part]
                return value if number == 5 else value + state @ two[:, part]

            state = memory = torch.zeros(size, dtype=torch.float64)
            outputs = []
            for word in states[::-1] if direction else states:
                entering, forgetting, leaving, passing = (gate(n, word, state).sigmoid() for n in range(4))
                memory = entering * gate(4, word, state).tanh() + forgetting * memory
                state = passing * leaving * memory.tanh() + (1 - passing) * gate(5, word, state)
                outputs.append(state)
            both.append(outputs[::-1] if direction else outputs)
        states = [torch.cat(pair) for pair in zip(*both, strict=True)]
    return torch.stack(states).float()


def batch_of(lengths, width=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(lengths), max(lengths), width, generator=generator), Layout.of(lengths)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(0, 1000))
def test_highway_layers_are_the_formula_whatever_the_padding(lengths, seed):
    torch.manual_seed(seed)
    layers = HighwayBiLstm(4, hidden_size=3, layers=3, dropout=0.3).eval()
    vectors, layout = batch_of(lengths, seed=seed)
    with torch.no_grad():
        found = layers(vectors, layout)
    assert found.shape == (len(lengths), max(lengths), 6)
    assert not found[~layout.mask].any()
    for row, sentence, length in zip(found, vectors, lengths, strict=True):
        torch.testing.assert_close(row[:length], highway_slowly(layers, sentence[:length]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [BiLstm, HighwayBiLstm])
def test_neighbours_in_a_batch_change_no_state(kind):
    torch.manual_seed(1)
    layers = kind(4, hidden_size=3, layers=2, dropout=0.3).eval()
    vectors, layout = batch_of([5, 2, 7])
    with torch.no_grad():
        together = layers(vectors, layout)
        alone = layers(vectors[1:2, :2], Layout.of([2]))
    torch.testing.assert_close(together[1:2, :2], alone)
    assert not together[~layout.mask].any()


@pytest.mark.parametrize("kind", [BiLstm, HighwayBiLstm])
def test_every_word_reaches_every_other_one(kind):
    torch.manual_seed(1)
    layers = kind(4, hidden_size=3, layers=2, dropout=0.0)
    vectors, layout = batch_of([4])
    vectors.requires_grad_()
    for place in range(4):
        (gradient,) = torch.autograd.grad(layers(vectors, layout)[0, place].sum(), vectors)
        assert gradient[0].abs().sum(1).min() > 0


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("lengths", [[1], [3, 1, 4]])
def test_highway_layers_have_the_gradient_of_finite_differences(dropout, lengths):
    torch.manual_seed(2)
    layers = HighwayBiLstm(2, hidden_size=2, layers=2, dropout=dropout).double()
    vectors, mask = batch_of(lengths, width=2)
    vectors = vectors.double().requires_grad_()
    names, weights = zip(*layers.named_parameters(), strict=True)

    def states(vectors, *weights):
        torch.manual_seed(3)  # the same states drop out each time
        return torch.func.functional_call(layers, dict(zip(names, weights, strict=True)), (vectors, mask))

    assert torch.autograd.gradcheck(states, (vectors, *weights), fast_mode=True)
    with torch.no_grad():
        without = states(vectors, *weights)
    assert torch.equal(states(vectors, *weights), without), "they are the same where no gradient is asked for"


def test_a_highway_layer_takes_few_operations_a_word():
    """On a GPU each starts a kernel, which takes longer than what it computes."""
    layers = HighwayBiLstm(4, hidden_size=3, layers=1, dropout=0.3)
    numbers = []
    for length in (10, 110):
        vectors, mask = batch_of([length] * 2)
        with Operations() as counted:
            layers(vectors, mask).sum().backward()
        numbers.append(counted.number - counted.views)
    assert (numbers[1] - numbers[0]) // 100 == 10 + 7


def test_states_drop_out_alike_at_every_word_of_a_sentence():
    """With all of the state dropped nothing goes from word to word but the memory, whatever the seed."""
    torch.manual_seed(1)
    layers = HighwayBiLstm(4, hidden_size=50, layers=1, dropout=0.5).train()
    vectors, layout = batch_of([6] * 3)
    drawn = [layers(vectors, layout) for _ in range(2)]
    first, last = drawn[0][:, 0, :50], drawn[1][:, 0, :50]
    torch.testing.assert_close(first, last)  # no state before the first word
    assert not torch.allclose(drawn[0][:, 1:], drawn[1][:, 1:])
    layers.dropout = 0.0
    assert torch.equal(layers(vectors, layout), layers.eval()(vectors, layout))


@pytest.mark.parametrize("sizes", [BILSTM, HIGHWAY])
def test_words_drop_out_before_the_layers_and_in_training_only(sizes):
    torch.manual_seed(1)
    layers = TaskEncoder(4, **sizes | {"input_dropout": 0.5}).train()
    vectors, layout = batch_of([5])
    assert not torch.allclose(layers(vectors, layout)[:, 0], layers(vectors, layout)[:, 0])
    layers.eval()
    assert torch.equal(layers(vectors, layout), layers.layers(vectors, layout))


def test_as_drawn_the_gate_that_forgets_remembers():
    layers = HighwayBiLstm(4, hidden_size=3, layers=2, dropout=0.0)
    for bias in layers.biases:
        assert bias[:, 0].tolist() == [[*[0.0] * 3, *[1.0] * 3, *[0.0] * 12]] * 2
    for matrix in [*layers.states, *layers.inputs[1:]]:
        for block in matrix.split(3, dim=2):
            torch.testing.assert_close(block.mT @ block, torch.eye(3).expand(2, 3, 3), rtol=1e-4, atol=1e-5)


# -- a job -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def static_jobs(vectors_folder, data, tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("static")
    return {
        task: finetuned(
            folder / task,
            vectors_folder,
            data,
            task,
            keep_model=True,
            epochs=12,
            frozen_epochs=0,
            encoder_multiplier=1.0,
            task_encoders={task: HIGHWAY if task == "ud" else BILSTM},
        )
        for task in ENDINGS
    }


@pytest.mark.parametrize("task", ENDINGS)
def test_a_job_learns_and_repeats_itself(static_jobs, vectors_folder, data, tmp_path, task):
    history = read_json(static_jobs[task] / "history.json")["epochs"]
    metric = {"pos": "accuracy", "ud": "las", "ner": "f1"}[task]
    scores = [epoch[metric] for epoch in history]
    assert max(scores) > scores[0] + 0.1
    again = finetuned(
        tmp_path / "again",
        vectors_folder,
        data,
        task,
        epochs=12,
        frozen_epochs=0,
        encoder_multiplier=1.0,
        task_encoders={task: HIGHWAY if task == "ud" else BILSTM},
    )
    for name in ("metrics.json", f"predictions.{ENDINGS[task]}"):
        assert (again / name).read_bytes() == (static_jobs[task] / name).read_bytes()


@pytest.mark.parametrize("task", ["pos", "ud"])
def test_the_kept_model_gives_the_predictions_again(static_jobs, data, task):
    model = load_model(static_jobs[task])
    again = model.predict(task, read_treebank(data / "test.conllu"))
    assert again == read_treebank(static_jobs[task] / "predictions.conllu")


def test_new_text_with_words_that_nobody_saw(static_jobs):
    output = io.StringIO()
    predict(static_jobs["pos"], ["mat ebuse nevermore.", "ქარი"], output)
    rows = [line.split("\t") for line in output.getvalue().splitlines() if line[:1].isdigit()]
    assert [row[1] for row in rows] == ["mat", "ebuse", "nevermore", ".", "ქარი"]
    assert Counter(row[3] for row in rows)["_"] == 0


@pytest.mark.parametrize(("unknown_words", "vector_updates"), [("subwords", "dense"), ("shared", "sparse")])
def test_words_are_treated_by_default_and_as_run(vectors_folder, data, tmp_path, unknown_words, vector_updates):
    job = finetuned(
        tmp_path / "job",
        vectors_folder,
        data,
        "pos",
        keep_model=True,
        epochs=1,
        unknown_words=unknown_words,
        vector_updates=vector_updates,
        task_encoders={"pos": BILSTM | {"dropout": 0.5}},
    )
    assert load_model(job).pieces.unknown_words == unknown_words
