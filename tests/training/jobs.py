"""Small training jobs in their own processes, forked from a server that has imported everything they need."""

import contextlib
import multiprocessing
import os

# What jobs import when they need it; in the server, it is imported once for all of them.
import gensim.models.fasttext  # noqa: F401
import seqeval.metrics  # noqa: F401
import torch
import transformers.models.bert.modeling_bert  # noqa: F401
import udtools.udeval  # noqa: F401
from tests.finetuning import conftest as finetuning
from tests.pretraining import conftest as pretraining

import specialize.finetuning.recurrent  # noqa: F401
from specialize.finetuning.finetune import finetune
from specialize.pretraining.pretrain import adapt
from specialize.training import checkpoint

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload([__name__])
STOPPED = 3  # exit status after a signal that the job noticed

REGIMES = {  # with the endings of their predictions
    "pos": ["conllu"],
    "ud": ["conllu"],
    "ner": ["tsv"],
    "mtl-ups-alt": ["conllu", "tsv"],
    "pft-mtl-ups-alt-ner": ["tsv"],
}
RESULTS = {"pretraining": ["model.safetensors", "history.json", "README.md"]} | {
    regime: ["metrics.json", "history.json", *(f"predictions.{ending}" for ending in endings)]
    for regime, endings in REGIMES.items()
}


def write_inputs(folder):
    """The inputs of all jobs."""
    for name in ("base", "corpus", "encoder", "data", "vectors"):
        (folder / name).mkdir()
    pretraining.write_base(folder / "base")
    pretraining.write_corpus(folder / "corpus")
    pretraining.write_vocabulary(folder / "vocabulary", pretraining.NEW_PIECES)
    data = finetuning.write_data(folder / "data")
    encoder = finetuning.write_encoder(folder / "encoder")
    finetuning.write_static_vectors(folder / "vectors", data)
    finetuning.finetuned(folder / "multi", encoder, data, "mtl-ups-alt", keep_model=True, epochs=1)
    return folder


def run(job, inputs, destination, checkpoints):
    """Run a job in this process."""
    if job == "pretraining":
        settings = pretraining.small_settings(copies=2, epochs=2, bias_correction=True)
        folders = (inputs / name for name in ("base", "vocabulary", "corpus"))
        adapt(*folders, 5.0, settings, pretraining.DESCRIPTION, destination, checkpoints)
        return
    settings = finetuning.small_settings(job, epochs=4, patience=2, layer_dropout_when_evaluating=True)
    start = inputs / "encoder"
    if job == "pos":  # the others are on a transformer
        sizes = {"layers": 2, "hidden_size": 6, "input_dropout": 0.3, "dropout": 0.5, "highway": True}
        start, settings = inputs / "vectors", settings.model_copy(update={"task_encoders": {"pos": sizes}})
    elif job.startswith("pft-"):
        start = inputs / "multi/model"
    destination.mkdir(exist_ok=True)
    data = {"conllu": inputs / "data", "tsv": inputs / "data"}
    cell = {"language": "qaa", "representation": "lapt", "regime": job, "seed": 1}
    finetune(start, data, cell, settings, destination, False, checkpoints)


def warm_up():
    """Start the server, so that no job has to wait for it."""
    process = FORKED.Process(target=torch.set_num_threads, args=[1])
    process.start()
    process.join()
    assert process.exitcode == 0


def begin(job, inputs, folder, *, checkpoints=True, seconds_between_checkpoints=0.0, trap=None):
    """Start a job that writes results, checkpoints and log into a folder.

    Args:
        job: a key of `RESULTS`.
        inputs: what `write_inputs` has filled.
        folder: of this job.
        checkpoints: whether it saves its state.
        seconds_between_checkpoints: 0 saves it after every step.
        trap: called in the new process, with the folder of the checkpoints, before the job runs.
    """
    arguments = (job, inputs, folder, checkpoints, seconds_between_checkpoints, trap)
    process = FORKED.Process(target=_run_logged, args=arguments)
    process.start()
    return process


def _run_logged(job, inputs, folder, checkpoints, seconds_between_checkpoints, trap):
    checkpoint.SECONDS_BETWEEN_CHECKPOINTS = seconds_between_checkpoints
    torch.set_num_threads(1)
    with (folder / "log").open("a") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        try:
            if trap:
                trap(folder / "checkpoints")
            run(job, inputs, folder / "results", folder / "checkpoints" if checkpoints else None)
        except checkpoint.StoppedError:
            os._exit(STOPPED)


def result_bytes(job, folder):
    """The result files that must not depend on interruptions."""
    return {name: (folder / "results" / name).read_bytes() for name in RESULTS[job]}
