"""Two processes that train one model do what one alone does. They compute on CPUs here, and talk by gloo."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.pretraining.conftest import NEW_PIECES, write_base, write_corpus, write_vocabulary
from tests.training import together, waiting
from tokenizers import Tokenizer
from transformers import BertForMaskedLM

from specialize.errors import SpecializeError
from specialize.files import read_json, write_json
from specialize.pretraining.pretrain import pretrain
from specialize.training import processes
from specialize.training.checkpoint import StoppedError
from specialize.training.processes import run_in_processes, run_on_gpus

pytestmark = pytest.mark.slow  # to start processes, each of which loads torch, takes seconds

SEEDS = range(101, 106)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two processes and one alone are given."""
    folder = tmp_path_factory.mktemp("together")
    for name in ("base", "corpus"):
        (folder / name).mkdir()
    write_base(folder / "base")
    write_corpus(folder / "corpus")
    write_vocabulary(folder / "vocabulary", NEW_PIECES)
    shutil.copytree(folder / "base", folder / "plain")
    config = read_json(folder / "plain/config.json")
    write_json(folder / "plain/config.json", config | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    return folder


@pytest.fixture(scope="module")
def found(folder):
    """What two processes have found, and the error that one ended with, by which the other ended."""
    torch.set_num_threads(1)
    alone = together.adapted(folder, "begun-alone", "plain", stop_at=13)
    began = time.monotonic()
    with (
        (folder / "log").open("w") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
        pytest.raises(SpecializeError) as error,
    ):
        print("before")
        run_in_processes(2, together.everything, {"folder": folder})
    assert time.monotonic() - began < 300
    return torch.load(folder / "found.pt") | {"error": str(error.value), "alone": alone}


def differences(two, one):
    """By how much losses and weights differ at most."""
    return {name: float((two[name] - one[name]).abs().max()) for name in one}


@pytest.mark.parametrize(("name", "options"), [("equal", {}), ("one example", {"batch_size": 1})])
def test_losses_and_weights_are_those_of_one_process(folder, found, name, options):
    one, _ = together.steps(folder, **options)
    assert len(one["losses"]) == together.STEPS - 1
    assert max(differences(found[name][0], one).values()) < 1e-5


def test_a_plain_mean_would_not_be(folder, found):
    one, _ = together.steps(folder)
    apart = differences(found["plain mean"][0], one)
    assert apart["losses"] > 1e-3
    assert apart["bert.embeddings.word_embeddings.weight"] > 1e-3


def test_what_does_not_fit_one_process_is_divided_in_all(folder, found):
    one, _ = together.steps(folder)
    two, parts = found["too large"]
    assert parts == 2
    assert max(differences(two, one).values()) < 1e-5


def test_with_dropout_curves_agree_within_the_spread_of_seeds(folder, found):
    curves = []
    for seed in SEEDS:
        model = BertForMaskedLM.from_pretrained(folder / "base")
        tokenizer = Tokenizer.from_file(str(folder / "vocabulary/tokenizer.json"))
        texts = [folder / "corpus/train.txt"], [folder / "corpus/valid.txt"]
        torch.manual_seed(seed)  # of what drops out, and nothing else
        new = torch.tensor(sorted(read_json(folder / "vocabulary/statistics.json")["pieces"].values()))
        curves.append(losses_of(pretrain(model, tokenizer, *texts, together.SETTINGS, (new, 5.0)).history))
    two = losses_of(read_json(folder / "undisturbed/history.json")["epochs"])
    assert len(two) == 2 * (1 + together.SETTINGS.epochs) - 1
    curves = torch.tensor(curves)
    # Five seeds tell their spread roughly: of the first training loss it is 0.0035, of 24 seeds 0.0059.
    assert ((torch.tensor(two) - curves.mean(0)).abs() <= 4 * curves.std(0) + 1e-6).all()


def losses_of(history):
    return [record[name] for record in history for name in ("training_loss", "validation_loss") if name in record]


def test_a_training_that_a_signal_to_one_process_has_ended_goes_on_to_the_same_bytes(folder, found):
    assert found["before"] == 13
    assert found["before"] + found["after"] == found["undisturbed"]
    assert result(folder / "resumed") == result(folder / "undisturbed")
    assert not (folder / "resumed-state").exists()
    history = read_json(folder / "undisturbed/history.json")
    assert history["processes"] == history["hyperparameters"]["gpus"] == 2


def result(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_one_process_goes_on_from_the_checkpoint_of_two_and_two_from_that_of_one(folder, found, capsys):
    assert together.adapted(folder, "ended-alone") == found["after"]
    assert "the checkpoint was saved with gpus: 2, and this is 1: other random numbers" in capsys.readouterr().out
    assert found["alone"] + found["after one alone"] == found["undisturbed"]
    assert "the checkpoint was saved with gpus: 1, and this is 2: other random" in (folder / "log").read_text()
    together.adapted(folder, "alone", "plain")
    one, two = (load_file(folder / name / "model.safetensors") for name in ("alone", "begun-alone"))
    assert max(differences(two, one).values()) < 1e-5


def test_an_error_of_one_process_ends_all_and_only_the_first_prints(folder, found):
    assert found["error"] == "text, line 3: is bad"
    log = (folder / "log").read_text()
    assert log.startswith("before\n")
    assert "epoch 1 training_loss" in log
    assert "process 0 prints" in log
    assert "process 1 prints" not in log


# -- how processes end -------------------------------------------------------------------------------------


def test_a_signal_is_passed_on(tmp_path):
    with pytest.raises(StoppedError, match="stopped by SIGTERM; the next start goes on from"):
        run_in_processes(2, waiting.until_stopped, {"folder": tmp_path})


def test_a_process_that_is_killed_ends_all(tmp_path):
    with pytest.raises(SpecializeError, match=r"process 2 of the 2 .* ended by SIGKILL \(it last printed: so far so"):
        run_in_processes(2, waiting.killed, {"folder": tmp_path})


STARTER = """
import sys
from pathlib import Path
from specialize.training.processes import run_in_processes
from tests.training import waiting

run_in_processes(2, waiting.asleep, {"folder": Path(sys.argv[1])})
"""


def test_no_process_outlives_the_one_that_has_started_them(tmp_path):
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    starter = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})
    files = [tmp_path / f"{rank}.id" for rank in range(2)]
    waited_for(lambda: all(file.is_file() and file.read_text() for file in files))
    starter.kill()
    starter.wait()
    waited_for(lambda: not any(is_running(int(file.read_text())) for file in files))


def waited_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")  # one that has ended may not have been waited for yet
    return not stat.is_file() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_too_few_gpus_are_an_error_or_one_process_does_it(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    called = []
    with pytest.raises(SpecializeError, match=r"pretraining\.gpus is 2, but this job sees no GPUs; lower gpus"):
        run_on_gpus(2, 1, False, called.append, object=1)
    run_on_gpus(2, 1, True, lambda **arguments: called.append(arguments), folder="here")
    assert called == [{"folder": "here"}]
    assert "gpus is 2, but this job sees no GPUs: one process trains, on the CPU\n" in capsys.readouterr().out


def test_processes_are_given_the_gpus_that_were_claimed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(processes, "claim_gpus", lambda number, jobs_per_gpu: [1, 3])
    given = []
    monkeypatch.setattr(processes, "run_in_processes", lambda *arguments: given.append(arguments))
    run_on_gpus(2, 1, False, waiting.killed, folder="here")
    assert given == [(2, waiting.killed, {"folder": "here"}, [1, 3])]
