"""A job that is killed at any moment goes on from its checkpoint, to the very bytes of one that was not."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from tests.conftest import ROOT
from tests.finetuning.conftest import ENDINGS
from tests.training.test_fitting import Dial, ThreeBatches

from specialize import training
from specialize.errors import SpecializeError
from specialize.training.checkpoint import Checkpoint, StoppedError
from specialize.training.loop import fit
from specialize.training.optimizer import AdamW

# Forks training jobs that write their results into folders.
PROGRAM = """
import contextlib, json, os, random, signal, sys, time
from dataclasses import replace
from pathlib import Path
import torch
from specialize import training
from tests.TESTS.conftest import *

folder, how = Path(sys.argv[1]), signal.Signals[sys.argv[2]]
training.SECONDS_BETWEEN_CHECKPOINTS = float(sys.argv[3])
torch.set_num_threads(1)
PREPARE

def start(name, checkpoints, prepare=lambda: None):
    pid = os.fork()
    if pid:
        return pid
    with (folder / "log").open("a") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        try:
            prepare()
            run(folder / name, checkpoints)
        except training.StoppedError:
            os._exit(3)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(4)
    os._exit(0)
"""
# Starts a job again and again, and kills it after some time, until it has ended by itself.
AT_RANDOM = """
began = time.monotonic()
assert os.waitstatus_to_exitcode(os.waitpid(start("whole", None), 0)[1]) == 0
duration = time.monotonic() - began
BEGUN = "*.pt" if how == signal.SIGKILL else "lock"
kills, slowest, chance = 0, 0.0, random.Random(1)
while kills < 60:
    pid = start("killed", folder / "checkpoints")
    patience = time.monotonic() + 30
    while kills == 0 and time.monotonic() < patience and not list((folder / "checkpoints").glob(BEGUN)):
        time.sleep(0.002)  # so that the first kill leaves something to go on from
    time.sleep(chance.uniform(0.02, 0.9 * duration))
    began = time.monotonic()
    os.kill(pid, how)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == 0:
        break
    assert code in ((-9,) if how == signal.SIGKILL else (3, -15)), code  # -15: before it trains or after
    slowest = max(slowest, time.monotonic() - began)
    kills += 1
else:
    pid = start("killed", folder / "checkpoints")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(json.dumps({"kills": kills, "slowest": slowest, "left": (folder / "checkpoints").exists()}))
"""
PREPARE = {
    "pretraining": """
from specialize.pretraining.pretrain import adapt
for name in ("base", "corpus"):
    (folder / name).mkdir()
base, corpus = write_base(folder / "base"), folder / "corpus"
write_corpus(corpus)
vocabulary = write_vocabulary(folder / "vocabulary", NEW_PIECES)
settings = small_settings(copies=12, epochs=3, bias_correction=True)
def run(destination, checkpoints):
    adapt(base, vocabulary, corpus, 5.0, settings, DESCRIPTION, destination, checkpoints)
""",
    "REGIME": """
from specialize.finetuning.finetune import finetune
for name in ("encoder", "data", "whole", "killed"):
    (folder / name).mkdir()
data = write_data(folder / "data")
static = "REGIME" == "pos"  # under a BiLSTM, the others on a transformer
encoder = write_static_vectors(folder / "encoder", data) if static else write_encoder(folder / "encoder")
if "REGIME".startswith("pft-"):
    encoder = finetuned(folder / "multi", encoder, data, "mtl-ups-alt", keep_model=True, epochs=1) / "model"
cell = {"language": "qaa", "representation": "lapt", "regime": "REGIME", "seed": 1}
sizes = {"layers": 2, "hidden_size": 6, "input_dropout": 0.3, "dropout": 0.5, "highway": True}
settings = small_settings("REGIME", epochs=8, patience=4, layer_dropout_when_evaluating=True)
settings = replace(settings, task_encoders={"pos": sizes} if static else None)
def run(destination, checkpoints):
    finetune(encoder, {"conllu": data, "tsv": data}, cell, settings, destination, False, checkpoints)
""",
}
ENDINGS_OF = {regime: [ending] for regime, ending in ENDINGS.items()}
ENDINGS_OF |= {"mtl-ups-alt": ["conllu", "tsv"], "pft-mtl-ups-alt-ner": ["tsv"]}
PREPARE |= {regime: PREPARE["REGIME"].replace("REGIME", regime) for regime in ENDINGS_OF}
del PREPARE["REGIME"]
RESULTS = {"pretraining": ["model.safetensors", "history.json", "README.md"]}
RESULTS |= {
    regime: ["metrics.json", "history.json", *(f"predictions.{ending}" for ending in endings)]
    for regime, endings in ENDINGS_OF.items()
}


@pytest.mark.parametrize(("how", "seconds"), [("SIGKILL", 0.0), ("SIGKILL", 0.05), ("SIGTERM", 600.0)])
@pytest.mark.parametrize("job", PREPARE)
def test_a_killed_job_ends_with_the_same_bytes(tmp_path, job, how, seconds):
    outcome, log = run_program(tmp_path, job, AT_RANDOM, how, seconds)
    assert outcome["kills"] > 0
    assert outcome["slowest"] < 30
    assert not outcome["left"]
    assert "goes on from its checkpoint" in log


def run_program(folder, job, program, how, seconds):
    """What a program prints at last, and its jobs' log, after it was seen that both jobs gave the same bytes."""
    stage = "finetuning" if job in ENDINGS_OF else job
    program = (PROGRAM + program).replace("TESTS", stage).replace("PREPARE", PREPARE[job])
    command = [sys.executable, "-c", program, str(folder), how, str(seconds)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    log = (folder / "log").read_text() if (folder / "log").is_file() else ""
    assert finished.returncode == 0, finished.stderr + log
    for name in RESULTS[job]:
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    return json.loads(finished.stdout.splitlines()[-1]), log


# A job that sends itself the signal at one moment, then one that is left alone.
AT_ONE_MOMENT = """
save, rmtree, replace = torch.save, training.shutil.rmtree, os.replace
saves = 0

def stop():
    os.kill(os.getpid(), how)

def prepare():
    MOMENT

before = sorted(path.name for path in folder.iterdir())
assert os.waitstatus_to_exitcode(os.waitpid(start("whole", None), 0)[1]) == 0
code = os.waitstatus_to_exitcode(os.waitpid(start("killed", folder / "checkpoints", prepare), 0)[1])
assert code == -9 if how == signal.SIGKILL else code in (3, -15), code
left = len(list((folder / "checkpoints").glob("*.pt")))
assert os.waitstatus_to_exitcode(os.waitpid(start("killed", folder / "checkpoints"), 0)[1]) == 0
known = {*before, "whole", "killed", "log"}
print(json.dumps({"checkpoints": left, "left": sorted({path.name for path in folder.iterdir()} - known)}))
"""
MOMENTS = {
    "in the middle of writing a checkpoint": """
    def half(state, path):
        global saves
        saves += 1
        if saves == 3:
            save(state, path)
            os.truncate(path, path.stat().st_size // 2)
            stop()
        save(state, path)
    torch.save = half
""",
    "before a checkpoint takes the place of the last": """
    def late(source, destination):
        global saves
        saves += str(destination).endswith(".pt")
        if saves == 3:
            stop()
        replace(source, destination)
    os.replace = late
""",
    "between the last write and the clean-up": """
    def never(path, **_):
        if path == folder / "checkpoints":
            stop()
        rmtree(path, **_)
    training.shutil.rmtree = never
""",
    "in the middle of the clean-up": """
    def half(path, **_):
        if path == folder / "checkpoints":
            for checkpoint in path.glob("*.pt"):
                checkpoint.unlink()
            stop()
        rmtree(path, **_)
    training.shutil.rmtree = half
""",
}


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("job", ["pretraining", "ud"])
def test_a_job_killed_at_the_worst_moment_ends_with_the_same_bytes(tmp_path, job, moment, how):
    outcome, _ = run_program(tmp_path, job, AT_ONE_MOMENT.replace("    MOMENT", MOMENTS[moment]), how, 0)
    assert outcome["left"] == []
    assert outcome["checkpoints"] <= 1


# -- one checkpoint ----------------------------------------------------------------------------------------


def train(checkpoint, epochs=3, at_step=lambda number, batch: None):
    """Train a dial with noise, so that random numbers matter."""
    dial = Dial()
    torch.manual_seed(1)
    optimizer = AdamW([{"params": [dial.value], "lr": 0.1, "weight_decay": 0.0}], 1e-8, bias_correction=True)

    def loss_of(batch):
        at_step(*batch)
        return -(dial.value * torch.rand(1)).sum()

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    outcome = fit(
        dial,
        optimizer,
        schedule,
        ThreeBatches(),
        loss_of,
        lambda: {"score": -abs(dial.value.item() - 0.3)},
        score="score",
        epochs=epochs,
        gradient_norm=1.0,
        checkpoint=checkpoint,
    )
    return dial.value.item(), outcome


@pytest.mark.parametrize("place", [(number, batch) for number in (1, 2, 3) for batch in range(3)])
def test_a_signal_in_any_step_has_the_state_saved_after_it(tmp_path, place):
    whole = train(None)

    def stop(number, batch):
        if (number, batch) == place:
            os.kill(os.getpid(), signal.SIGTERM)

    with (
        pytest.raises(StoppedError, match="stopped by SIGTERM; the next start goes on"),
        Checkpoint(tmp_path / "c", {}, []) as checkpoint,
    ):
        train(checkpoint, at_step=stop)
    seen = []
    with Checkpoint(tmp_path / "c", {}, []) as checkpoint:
        assert train(checkpoint, at_step=lambda *step: seen.append(step)) == whole
    assert len(seen) == 9 - 3 * (place[0] - 1) - place[1] - 1
    assert not (tmp_path / "c").exists()


def test_handlers_are_put_back(tmp_path):
    before = [signal.getsignal(number) for number in training.STOPPING]
    with Checkpoint(tmp_path / "c", {}, []):
        assert [signal.getsignal(number) for number in training.STOPPING] != before
    assert [signal.getsignal(number) for number in training.STOPPING] == before


def test_a_second_job_is_told_of_the_first(tmp_path):
    with (
        Checkpoint(tmp_path / "c", {}, []),
        pytest.raises(SpecializeError, match="another job is at this training"),
        Checkpoint(tmp_path / "c", {}, []),
    ):
        pass


def test_the_state_of_another_job_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    text = tmp_path / "text"
    text.write_text("one")
    for settings, content in (({"epochs": 3}, "one"), ({"epochs": 4}, "one"), ({"epochs": 4}, "other")):
        text.write_text(content)
        with pytest.raises(RuntimeError), Checkpoint(tmp_path / "c", settings, [text]) as checkpoint:
            assert checkpoint.load() is None
            train(checkpoint)
            raise RuntimeError
        assert len(list((tmp_path / "c").glob("*.pt"))) == 1


def test_a_damaged_state_is_left_aside(tmp_path, capsys):
    with Checkpoint(tmp_path / "c", {}, []) as checkpoint:
        checkpoint.path.write_bytes(b"PK damaged")
        assert train(checkpoint) == train(None)
    assert "cannot be read" in capsys.readouterr().out
