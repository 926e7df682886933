"""Several tasks on one encoder: whose batches come when, what a task's loss reaches, and what is trained further."""

import io
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tests.finetuning.conftest import ENDINGS, LANGUAGE, finetuned, small_settings, write_static_vectors
from udtools.udeval import evaluate, load_conllu_file

from specialize.datasets import read_entities, read_treebank
from specialize.errors import InputError
from specialize.files import read_json, write_json
from specialize.finetuning import finetune as jobs_module
from specialize.finetuning import heads
from specialize.finetuning.batches import MixedBatches, TrainingSentences
from specialize.finetuning.data_sets import DataSet
from specialize.finetuning.encoder import WordEncoder, WordPieces
from specialize.finetuning.model import TaskModel, load_model
from specialize.finetuning.prediction import predict

MULTI_TASK = ["mtl-int", "mtl-ups", "mtl-int-alt", "mtl-ups-alt"]
PRIMARY = {"pos": "accuracy", "ud": "las", "ner": "f1"}
# As in the paper's grid: a treebank, and entities of fewer or more sentences.
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=3)


# -- batches -----------------------------------------------------------------------------------------------


def sentences(size, batch_size, seed=1):
    return TrainingSentences(
        None,
        [[[1]] * (1 + number % 7) for number in range(size)],
        {},
        batch_size,
        100,
        seed,
        lambda count, words: count,
    )


def mixed(sizes, upsample, order="shuffled", batch_size=4, seed=1):
    return MixedBatches([sentences(size, batch_size, seed) for size in sizes], upsample, order, seed)


def of_dataset(batches, index):
    """The sentences of a data set's batches, batch by batch."""
    return [tuple(int(number) for number in chosen) for which, chosen in batches if which == index]


@pytest.mark.parametrize(
    ("upsample", "batches"), [(False, [284, 284, 313]), (True, [313, 313, 313])], ids=["INT", "UPS"]
)
def test_batches_an_epoch_of_the_papers_uyghur_at_other_sizes(upsample, batches):
    """Bulgarian's sizes: a treebank of 8,907 sentences, twice, and 20,000 with entities (fact 28)."""
    loader = mixed([284 * 32 - 5, 284 * 32 - 5, 10000], upsample, batch_size=32)
    assert loader.batches == batches
    assert loader.steps() == sum(batches)
    assert Counter(index for index, _ in loader.epoch(1)) == dict(enumerate(batches))


@settings(max_examples=60, deadline=None)
@given(SIZES, st.booleans(), st.sampled_from(["shuffled", "round-robin"]), st.integers(1, 4), st.integers(1, 9))
def test_an_epoch_has_each_sentence_of_the_largest_data_set_once(sizes, upsample, order, epoch, batch_size):
    loader = mixed(sizes, upsample, order, batch_size)
    batches = list(loader.epoch(epoch))
    assert len(batches) == loader.steps()
    for index, size in enumerate(sizes):
        own = of_dataset(batches, index)
        times = Counter(number for chosen in own for number in chosen)
        cycles = len(own) / -(-size // batch_size)
        if cycles == 1:
            assert times == dict.fromkeys(range(size), 1)
        else:
            assert upsample
            assert set(times) == set(range(size))
            assert {times[number] for number in range(size)} <= {int(cycles), int(cycles) + 1}


def test_what_is_upsampled_comes_in_another_order_each_time():
    loader = mixed([60, 12], upsample=True)
    cycles = []
    for epoch in (1, 2):
        own = of_dataset(loader.epoch(epoch), 1)
        assert len(own) == 15
        cycles += [tuple(own[start : start + 3]) for start in range(0, 15, 3)]
    assert all(sorted(sum(cycle, ())) == list(range(12)) for cycle in cycles)
    assert len({tuple(sorted(cycle)) for cycle in cycles}) > 5, "other sentences share a batch"
    assert len(set(cycles)) == 10


def test_data_sets_are_shuffled_by_the_seed_and_the_epoch_or_take_turns():
    def turns(seed, epoch, order="shuffled"):
        return [index for index, _ in mixed([40, 20, 12], False, order, seed=seed).epoch(epoch)]

    drawn = {(seed, epoch): tuple(turns(seed, epoch)) for seed in (1, 2) for epoch in (1, 2)}
    assert len(set(drawn.values())) == 4
    assert drawn == {key: tuple(turns(*key)) for key in drawn}
    assert turns(1, 1, "round-robin") == [0, 1, 2] * 3 + [0, 1] * 2 + [0] * 5


def test_one_data_set_alone_is_the_single_task_loader():
    alone = sentences(23, 4)
    for upsample in (False, True):
        loader = MixedBatches([alone], upsample, "shuffled", seed=1)
        for epoch in (1, 2):
            expected = [tuple(chosen) for chosen in alone.epoch(epoch)]
            assert [tuple(chosen) for _, chosen in loader.epoch(epoch)] == expected


def test_sentences_of_an_epoch_count_as_often_as_they_come():
    assert mixed([40, 20], upsample=False).sentences() == 60
    assert mixed([40, 20], upsample=True).sentences() == 80


# -- gradients ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["mtl-ups", "mtl-ups-alt"])
def model_and_datasets(request, encoder_folder, data):
    chosen = small_settings(request.param)
    folders = {"conllu": data, "tsv": data}
    datasets = [DataSet.read(names, folders, chosen) for names in chosen.datasets]
    torch.manual_seed(1)
    encoder, pieces = WordEncoder(encoder_folder, 0.0, False), WordPieces(encoder_folder)
    return TaskModel(encoder, pieces, [one.tasks for one in datasets], chosen.heads), datasets, chosen


def test_a_batch_reaches_its_own_heads_and_the_encoder_only(model_and_datasets):
    model, datasets, chosen = model_and_datasets
    for matrix in (model.heads["ud"].arc, model.heads["ud"].label):
        torch.nn.init.normal_(matrix)  # zero as a job begins, and lets nothing by
    for dataset in datasets:
        model.zero_grad()
        training = jobs_module._training_sentences(model, dataset, chosen)
        loss = model.loss(*training.tensors(next(training.epoch(1))))
        loss.backward()
        names = {task.name for task in dataset.tasks}
        reached = {name for name, head in model.heads.items() if any(one.grad is not None for one in head.parameters())}
        assert reached == names
        assert all(one.grad.abs().sum() > 0 for one in model.encoder.pretrained.parameters())
        assert model.encoder.added.weights.grad.abs().sum() > 0


def test_the_loss_of_tasks_on_the_same_sentences_is_their_sum(encoder_folder, data):
    chosen = small_settings("mtl-ups-alt")
    dataset = DataSet.read(["ud", "pos"], {"conllu": data}, chosen)
    model = TaskModel(
        WordEncoder(encoder_folder, 0.0, False), WordPieces(encoder_folder), [dataset.tasks], chosen.heads
    ).eval()
    training = jobs_module._training_sentences(model, dataset, chosen)
    words, targets = training.tensors(next(training.epoch(1)))
    together = model.loss(words, targets)
    alone = [model.loss(words, {task: own}) for task, own in targets.items()]
    assert len(alone) == 2
    torch.testing.assert_close(together, sum(alone))


# -- jobs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def multi_task_jobs(tmp_path_factory, encoder_folder, data):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("multi")
    return {
        regime: finetuned(folder / regime, encoder_folder, data, regime, keep_model=True, epochs=6)
        for regime in MULTI_TASK
    }


@pytest.mark.parametrize("regime", MULTI_TASK)
def test_a_job_learns_all_tasks_and_scores_each_by_the_fields_own_scorers(multi_task_jobs, data, regime):
    folder = multi_task_jobs[regime]
    metrics, history = (read_json(folder / f"{name}.json") for name in ("metrics", "history"))
    assert list(metrics["scores"]["test"]) == [task for tasks in LANGUAGE.datasets(regime) for task in tasks]
    assert metrics["scores"]["test"]["pos"]["accuracy"] > 0.6
    found = evaluate(load_conllu_file(str(data / "test.conllu")), load_conllu_file(str(folder / "predictions.conllu")))
    scores = metrics["scores"]["test"]
    assert scores["ud"]["las"] == pytest.approx(found["LAS"].f1, abs=1e-6)
    assert scores["pos"]["accuracy"] == pytest.approx(found["UPOS"].f1, abs=1e-6)
    predicted = read_entities(folder / "predictions.tsv")
    tasks = load_model(folder).tasks
    assert scores["ner"] == pytest.approx(tasks["ner"].scores(read_entities(data / "test.tsv"), predicted), abs=1e-6)
    sums = {record["epoch"]: sum(record[metric] for metric in PRIMARY.values()) for record in history["epochs"]}
    for record in history["epochs"]:
        assert record["sum"] == pytest.approx(sums[record["epoch"]], abs=1e-5)
    assert metrics["best_epoch"] == max(sums, key=lambda epoch: (round(sums[epoch], 6), -epoch))


@pytest.mark.parametrize("regime", ["mtl-int", "mtl-ups-alt"])
def test_a_job_repeats_itself_byte_by_byte_and_its_model_predicts_again(
    multi_task_jobs, encoder_folder, data, tmp_path, regime
):
    again = finetuned(tmp_path / "again", encoder_folder, data, regime, epochs=6)
    for name in ("metrics.json", "history.json", "predictions.conllu", "predictions.tsv"):
        assert (again / name).read_bytes() == (multi_task_jobs[regime] / name).read_bytes()
    model = load_model(multi_task_jobs[regime])
    sentences = read_treebank(data / "test.conllu")
    for task in ("pos", "ud"):
        sentences = model.predict(task, sentences)
    assert sentences == read_treebank(multi_task_jobs[regime] / "predictions.conllu")
    entities = model.predict("ner", read_entities(data / "test.tsv"))
    assert entities == read_entities(multi_task_jobs[regime] / "predictions.tsv")


@pytest.mark.parametrize("regime", ["mtl-int", "mtl-ups-alt"])
def test_a_job_may_predict_trees_of_several_roots(encoder_folder, data, tmp_path, monkeypatch, regime):
    """As `single_root: false` lets it; tags and trees are then read from the same file of predictions."""
    monkeypatch.setattr(heads, "maximum_tree", lambda scores, single_root: [0] * len(scores))
    folder = finetuned(tmp_path / "job", encoder_folder, data, regime, epochs=1)
    predicted = read_treebank(folder / "predictions.conllu", "forests")
    assert all(word.head == 0 for sentence in predicted for word in sentence.words)
    scores = read_json(folder / "metrics.json")["scores"]["test"]
    assert scores["ud"]["uas"] == pytest.approx(
        len(predicted) / sum(len(sentence.words) for sentence in predicted), abs=1e-6
    )
    assert list(scores) == [task for tasks in LANGUAGE.datasets(regime) for task in tasks]


def test_punctuation_is_told_by_other_tags_only_to_a_parser_that_learns_with_a_tagger(data):
    wanted = small_settings("mtl-ups-alt", development_punctuation=False, alt_punctuation="xpos")
    folders = {"conllu": data, "tsv": data}
    columns = {}
    for names in (["ud"], ["ud", "pos"]):
        parser = DataSet.read(names, folders, wanted).tasks[0]
        columns[len(names)] = (parser.punctuation, parser.development_punctuation)
    assert columns == {1: ("upos", False), 2: ("xpos", False)}


def test_universal_and_other_tags_never_share_an_output_space(multi_task_jobs):
    """One head a task, with that task's labels; tags are of the treebank's one column."""
    tasks = load_model(multi_task_jobs["mtl-ups"]).tasks
    assert tasks["pos"].labels == ["ADJ", "NOUN", "PUNCT", "VERB"]
    assert tasks["ud"].labels == ["amod:plain", "nsubj", "obj", "punct", "root"]


def test_upsampling_changes_nothing_where_data_sets_are_of_one_size_and_learning_jointly_does(multi_task_jobs):
    heads = {regime: load_file(folder / "model/heads.safetensors") for regime, folder in multi_task_jobs.items()}
    weights = {regime: tensors["heads.pos.projection.weight"] for regime, tensors in heads.items()}
    assert torch.equal(weights["mtl-int"], weights["mtl-ups"])
    assert torch.equal(weights["mtl-int-alt"], weights["mtl-ups-alt"])
    assert not torch.equal(weights["mtl-ups"], weights["mtl-ups-alt"])


# -- pre-finetuning ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ENDINGS)
def test_training_further_begins_with_exactly_the_saved_tensors(multi_task_jobs, data, tmp_path, task):
    """At a rate of nothing, what is saved is what was there: encoder, mix of layers, that task's head, and no other."""
    start = multi_task_jobs["mtl-ups-alt"] / "model"
    changes = {"epochs": 1, "learning_rate": 0.0}
    folder = finetuned(tmp_path / "job", start, data, f"pft-mtl-ups-alt-{task}", keep_model=True, **changes)
    for name in ("model.safetensors", "heads.safetensors"):
        before, after = load_file(start / name), load_file(folder / "model" / name)
        others = {key for key in before if key.startswith("heads.") and not key.startswith(f"heads.{task}.")}
        assert after.keys() == before.keys() - others
        assert bool(others) == (name == "heads.safetensors")
        assert all(torch.equal(value, before[key]) for key, value in after.items())
    metrics, multi_task = (read_json(path / "metrics.json") for path in (folder, multi_task_jobs["mtl-ups-alt"]))
    assert metrics["scores"]["test"] == {task: multi_task["scores"]["test"][task]}


@pytest.mark.parametrize("task", ENDINGS)
def test_training_further_is_like_any_job(multi_task_jobs, data, tmp_path, task):
    start = multi_task_jobs["mtl-ups-alt"] / "model"
    folder = finetuned(tmp_path / "job", start, data, f"pft-mtl-ups-alt-{task}", keep_model=True)
    assert {path.name for path in folder.iterdir()} == {
        "metrics.json", "history.json", "timing.json", f"predictions.{ENDINGS[task]}", "model",
    }  # fmt: skip
    again = finetuned(tmp_path / "again", start, data, f"pft-mtl-ups-alt-{task}")
    assert (again / "metrics.json").read_bytes() == (folder / "metrics.json").read_bytes()
    first, later = (
        read_json(path / "history.json")["epochs"][0]["training_loss"]
        for path in (multi_task_jobs["mtl-ups-alt"], folder)
    )
    assert later < first
    model = load_model(folder)
    assert list(model.tasks) == list(model.heads) == [task]
    kind = model.tasks[task]
    again = model.predict(task, kind.read(data / f"test.{ENDINGS[task]}"))
    assert again == kind.read(folder / f"predictions.{ENDINGS[task]}")


def test_nothing_is_trained_on_a_multi_task_model_that_did_not_converge(multi_task_jobs, data, tmp_path):
    import shutil

    start = shutil.copytree(multi_task_jobs["mtl-int"], tmp_path / "start")
    history = read_json(start / "history.json")
    write_json(start / "history.json", history | {"converged": False, "reason": "the loss became nan in epoch 1"})
    metrics = read_json(finetuned(tmp_path / "job", start / "model", data, "pft-mtl-int-pos") / "metrics.json")
    assert (metrics["converged"], metrics["best_epoch"]) == (False, 0)
    assert metrics["reason"] == "the multi-task model did not converge: the loss became nan in epoch 1"


def test_a_model_of_other_labels_is_not_trained_further(multi_task_jobs, data, tmp_path):
    with pytest.raises(InputError, match="was not trained on the labels of"):
        finetuned(tmp_path / "job", multi_task_jobs["mtl-ups"] / "model", data, "pft-mtl-ups-pos", tags="xpos")


# -- static vectors ----------------------------------------------------------------------------------------

BILSTM = {"layers": 2, "hidden_size": 6, "input_dropout": 0.0, "dropout": 0.0, "highway": False}


@pytest.mark.parametrize("regime", ["mtl-ups", "mtl-ups-alt"])
def test_tasks_share_static_vectors_and_each_data_set_has_its_bilstm(data, tmp_path, regime):
    vectors = write_static_vectors(tmp_path, data)
    encoders = {tasks[0]: BILSTM | {"highway": tasks[0] == "ud"} for tasks in LANGUAGE.datasets(regime)}
    changes = {"epochs": 3, "frozen_epochs": 0, "encoder_multiplier": 1.0}
    folder = finetuned(tmp_path / "job", vectors, data, regime, keep_model=True, task_encoders=encoders, **changes)
    further = finetuned(
        tmp_path / "pft", folder / "model", data, f"pft-{regime}-pos", keep_model=True, epochs=1, learning_rate=0.0,
        frozen_epochs=0, task_encoders={"pos": BILSTM},
    )  # fmt: skip
    one, other = (read_json(path / "metrics.json")["scores"]["test"]["pos"] for path in (folder, further))
    assert one == other
    model = load_model(further)
    sentences = read_treebank(data / "test.conllu")
    assert model.predict("pos", sentences) == read_treebank(further / "predictions.conllu")


# -- new text ----------------------------------------------------------------------------------------------


def test_new_text_gets_all_that_a_model_of_several_tasks_knows(multi_task_jobs, jobs):
    output = io.StringIO()
    predict(multi_task_jobs["mtl-ups-alt"], ["irid mat abide gon ."], output)
    rows = [line.split("\t") for line in output.getvalue().splitlines() if line[:1].isdigit()]
    assert all(row[3] != "_" and row[6] != "_" and row[7] != "_" for row in rows)
    output = io.StringIO()
    predict(multi_task_jobs["mtl-ups-alt"], ["irid mat abide gon ."], output, entities=True)
    assert [line.split("\t")[0] for line in output.getvalue().split("\n") if line] == "irid mat abide gon .".split()
    with pytest.raises(InputError, match="knows no named entities"):
        predict(jobs["pos"], ["mat"], io.StringIO(), entities=True)
