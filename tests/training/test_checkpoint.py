"""A checkpoint: what it saves, when a signal ends the job, whose state it takes."""

import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from tests.training.test_fitting import Dial, ThreeBatches

from specialize.errors import SpecializeError
from specialize.training import checkpoint as checkpoint_module
from specialize.training.checkpoint import Checkpoint, StoppedError, random_state, restore_random_state
from specialize.training.loop import Training, fit
from specialize.training.optimizer import AdamW


def train(checkpoint, epochs=3, at_step=lambda number, batch: None, evaluating=lambda dial: None, **hooks):
    """Train a dial with noise, so that random numbers matter."""
    dial = Dial()
    torch.manual_seed(1)
    optimizer = AdamW([{"params": [dial.value], "lr": 0.1, "weight_decay": 0.0}], 1e-8, bias_correction=True)

    def loss_of(batch):
        at_step(*batch)
        return -(dial.value * torch.rand(1)).sum()

    def evaluate():
        evaluating(dial)
        return {"score": -abs(dial.value.item() - 0.3)}

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    outcome = fit(
        dial,
        optimizer,
        schedule,
        ThreeBatches(),
        loss_of,
        evaluate,
        score="score",
        epochs=epochs,
        gradient_norm=1.0,
        checkpoint=checkpoint,
        **hooks,
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
        Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint,
    ):
        train(checkpoint, at_step=stop)
    seen = []
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        assert train(checkpoint, at_step=lambda *step: seen.append(step)) == whole
    assert len(seen) == 9 - 3 * (place[0] - 1) - place[1] - 1
    assert not (tmp_path / "c").exists()


def stop_once(*_):
    """Send a signal, the first time."""
    if not stop_once.sent:
        stop_once.sent = True
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("hook", ["before_epoch", "after_epoch", "isfinite", "keep_best"])
def test_a_signal_between_steps_loses_nothing(tmp_path, monkeypatch, hook):
    whole = train(None)
    stop_once.sent, hooks = False, {}
    if hook.endswith("epoch"):
        hooks[hook] = lambda told: stop_once() if seen or hook == "after_epoch" else None
    else:
        owner, name = (torch, "isfinite") if hook == "isfinite" else (Training, "keep_best")
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given: [stop_once(), original(*given)][1])
    seen, rest = [], []
    with pytest.raises(StoppedError), Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        train(checkpoint, at_step=lambda *step: seen.append(step), **hooks)
    assert stop_once.sent
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        assert train(checkpoint, at_step=lambda *step: rest.append(step)) == whole
    assert len(seen + rest) == 9, "no step is made twice"


@pytest.mark.parametrize("place", ["load", "load_state_dict"])
def test_a_signal_while_the_state_is_read_is_no_damage_of_it(tmp_path, monkeypatch, place):
    """Both catch every error: of ours, a state that cannot be read is begun anew; torch calls it one of weights."""
    whole, seen = train(None), []
    with pytest.raises(StoppedError), Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        train(checkpoint, at_step=lambda *step: os.kill(os.getpid(), signal.SIGTERM) if step == (2, 1) else None)
    owner, name = (torch, "load") if place == "load" else (torch.nn.Module, "_load_from_state_dict")
    original, stop_once.sent = getattr(owner, name), False
    with monkeypatch.context() as patch:

        def stopped(*given, **options):
            try:
                stop_once()
            except Exception as error:
                raise RuntimeError("cannot be loaded") from error
            return original(*given, **options)

        patch.setattr(owner, name, stopped)
        with (
            pytest.raises(StoppedError, match="stopped by SIGTERM; the next start goes on"),
            Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint,
        ):
            train(checkpoint)
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        assert train(checkpoint, at_step=lambda *step: seen.append(step)) == whole
    assert len(seen) == 9 - 3 - 1 - 1


def test_a_signal_in_an_evaluation_saves_the_weights_that_were_there_before(tmp_path):
    whole = train(None)

    def evaluating(dial):  # as while a model computes in another precision
        own = dial._parameters["value"]
        dial._parameters["value"] = own.detach().to(torch.bfloat16)
        os.kill(os.getpid(), signal.SIGTERM)
        dial._parameters["value"] = own

    with pytest.raises(StoppedError), Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        train(checkpoint, evaluating=evaluating)
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        assert train(checkpoint) == whole


def test_the_folder_goes_where_an_open_file_cannot_be_removed(tmp_path, monkeypatch):
    """As on NFS, where one that is open goes on to be there under another name."""
    unlink, open_files = os.unlink, Path("/proc/self/fd")

    def renamed(path, *, dir_fd=None):
        folder = Path(f"/proc/self/fd/{dir_fd}").resolve() if dir_fd is not None else Path()
        whole = (folder / os.fspath(path)).resolve()
        if any(one.resolve() == whole for one in open_files.iterdir()):
            whole.rename(whole.with_name(".nfs0001"))
        else:
            unlink(path, dir_fd=dir_fd)

    folder = tmp_path / "c"
    with Checkpoint(folder, 1, {}, []) as checkpoint:
        checkpoint.save({"value": torch.ones(1)})
        assert list(folder.glob("*.pt"))
        monkeypatch.setattr(os, "unlink", renamed)
    assert not folder.exists()


def test_handlers_are_put_back(tmp_path):
    before = [signal.getsignal(number) for number in checkpoint_module.STOPPING]
    with Checkpoint(tmp_path / "c", 1, {}, []):
        assert [signal.getsignal(number) for number in checkpoint_module.STOPPING] != before
    assert [signal.getsignal(number) for number in checkpoint_module.STOPPING] == before


def test_a_second_job_is_told_of_the_first(tmp_path):
    with (
        Checkpoint(tmp_path / "c", 1, {}, []),
        pytest.raises(SpecializeError, match="another job is at this training"),
        Checkpoint(tmp_path / "c", 1, {}, []),
    ):
        pass


def begun(folder, version, settings, inputs):
    """A training that has saved its state, and ended in an error."""
    with pytest.raises(RuntimeError), Checkpoint(folder, version, settings, inputs) as checkpoint:
        found = checkpoint.load()
        checkpoint.save({"one": 1})
        raise RuntimeError
    assert len(list(folder.glob("*.pt"))) == 1
    return found


SETTINGS = {"epochs": 3, "heads": {"ud": {"size": 4, "dropout": 0.5}}, "pieces": [str(number) for number in range(99)]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version 1 of this stage has saved it, and this is version 2"),
        ({"epochs": 4}, "other settings: epochs was 3, is 4"),
        ({"pieces": ["a"]}, 'other settings: pieces was 99 long, is ["a"]'),
        ({"heads": {"ud": {"size": 4}}}, "other settings: heads.ud.dropout was 0.5, is not there"),
        (
            {"heads": {}, "epochs": 1},
            "other settings: epochs was 3, is 1, heads was not there, is {}, heads.ud.dropout",
        ),
        ({"new": True}, "other settings: new was not there, is true"),
        ({"text": "two"}, "other content of {text}"),
        ({"text": "one "}, "other content of {text}"),
        ({"weights": b"\x00" * 5_000_000 + b"\x01"}, "other content of {weights}"),
        ({"weights": b"\x00" * 2_500_000 + b"\x01" + b"\x00" * 2_500_000}, "other content of {weights}"),
        ({"text": "two", "weights": b""}, "other content of {text}, {weights}"),
    ],
)
def test_a_state_is_discarded_with_a_line_that_says_why(tmp_path, capsys, change, reason):
    text, weights = tmp_path / "text", tmp_path / "weights"
    text.write_text("one")
    weights.write_bytes(b"\x00" * 5_000_001)
    assert begun(tmp_path / "c", 1, SETTINGS, [text, weights]) is None
    (old,) = (tmp_path / "c").glob("*.pt")
    assert begun(tmp_path / "c", 1, SETTINGS, [text, weights]) == {"one": 1}
    assert capsys.readouterr().out == ""
    text.write_text(change.get("text", "one"))
    weights.write_bytes(change.get("weights", b"\x00" * 5_000_001))
    settings = SETTINGS | {key: change[key] for key in change.keys() - {"version", "text", "weights"}}
    assert begun(tmp_path / "c", change.get("version", 1), settings, [text, weights]) is None
    printed = capsys.readouterr().out
    reason = reason.replace("{text}", str(text)).replace("{weights}", str(weights))
    assert printed.startswith(f"discards the checkpoint {old}: {reason}")
    assert printed.endswith("; starting anew\n") and printed.count("\n") == 1


def test_files_more_or_less_are_said(tmp_path, capsys):
    for name in "ab":
        (tmp_path / name).write_text(name)
    for inputs, reason in (
        ("a", ""),
        ("ab", f"other content of {tmp_path / 'b'};"),
        ("a", "that are no inputs any more"),
    ):
        assert begun(tmp_path / "c", 1, {}, [tmp_path / name for name in inputs]) is None
        assert reason in capsys.readouterr().out


@pytest.mark.parametrize("description", [None, "", "[]", "{}", '{"version": 1}'])
def test_a_state_of_which_nothing_is_known_is_discarded_with_a_line(tmp_path, capsys, description):
    begun(tmp_path / "c", 1, {}, [])
    path = next((tmp_path / "c").glob("*.json"))
    path.unlink() if description is None else path.write_text(description)
    (tmp_path / "c" / ".x.pt.partial").write_bytes(b"half")
    assert begun(tmp_path / "c", 2, {}, []) is None
    printed = capsys.readouterr().out.splitlines()
    assert "an earlier version of specialize has saved it" in printed[0] and "left half written" in printed[1]
    assert len(printed) == 2


def plain_copy(source, destination):
    shutil.copytree(source, destination, copy_function=shutil.copyfile)


def touched(source, destination):
    shutil.copytree(source, destination)
    for number, path in enumerate(sorted(destination.rglob("*"))):
        os.utime(path, (number, number))


def moved(source, destination):
    shutil.move(source, destination)


@pytest.mark.parametrize("how", [plain_copy, touched, moved])
def test_a_state_is_known_wherever_the_run_was_copied_to(tmp_path, how):
    run = tmp_path / "run"
    (run / "results").mkdir(parents=True)
    (run / "results/text").write_text("one")
    begun(run / "checkpoints", 1, SETTINGS, [run / "results/text"])
    how(run, tmp_path / "copy")
    assert begun(tmp_path / "copy/checkpoints", 1, SETTINGS, [tmp_path / "copy/results/text"]) == {"one": 1}


class GPUs:
    """So many GPUs, each with a state of its random numbers, as torch tells of them."""

    def __init__(self, monkeypatch, number, current=0):
        self.states = [torch.full((4,), gpu, dtype=torch.uint8) for gpu in range(number)]
        self.current = current
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "get_rng_state", lambda: self.states[self.current])
        monkeypatch.setattr(torch.cuda, "set_rng_state", self.put)
        monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: self.states)

    def put(self, state):
        self.states[self.current] = state


@pytest.mark.parametrize("then", [(4, 3), (2, 0), (1, 0)])
@pytest.mark.parametrize("now", [(1, 0), (2, 1), (4, 1), (8, 7)])
def test_random_numbers_go_on_with_more_or_fewer_gpus(monkeypatch, tmp_path, capsys, then, now):
    before = GPUs(monkeypatch, *then)
    with pytest.raises(RuntimeError), Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        checkpoint.save(random_state())
        expected = torch.rand(3)
        raise RuntimeError
    after = GPUs(monkeypatch, *now)
    untouched = [state for gpu, state in enumerate(after.states) if gpu != after.current]
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        restore_random_state(checkpoint.load())
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(after.states[after.current], before.states[before.current])
    assert all(torch.equal(*pair) for pair in zip(after.states[: now[1]], untouched, strict=False))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("then", "now"), [(0, 2), (2, 0)])
def test_random_numbers_go_on_from_a_gpu_to_a_cpu_and_back_with_a_word(monkeypatch, capsys, then, now):
    GPUs(monkeypatch, then)
    state, expected = random_state(), torch.rand(3)
    GPUs(monkeypatch, now)
    restore_random_state(state)
    assert torch.equal(torch.rand(3), expected)
    assert "other random numbers from here on" in capsys.readouterr().out


def test_weights_of_a_gpu_that_is_not_here_are_loaded(monkeypatch, tmp_path):
    """As a state is that was saved on the fourth of several GPUs."""
    with pytest.raises(RuntimeError), Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:3")
        checkpoint.save({"model": {"weight": torch.arange(3.0)}, "generators": random_state()})
        raise RuntimeError
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(checkpoint.path, weights_only=True)
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        state = checkpoint.load()
    assert torch.equal(state["model"]["weight"], torch.arange(3.0))
    restore_random_state(state["generators"])


def test_a_damaged_state_is_left_aside(tmp_path, capsys):
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        checkpoint.path.write_bytes(b"PK damaged")
        assert train(checkpoint) == train(None)
    assert "cannot be read" in capsys.readouterr().out
