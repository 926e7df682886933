"""A checkpoint: what it saves, when a signal ends the job, whose state it takes."""

import os
import signal

import pytest
import torch
from tests.training.test_fitting import Dial, ThreeBatches

from specialize.errors import SpecializeError
from specialize.training import checkpoint as checkpoint_module
from specialize.training.checkpoint import Checkpoint, StoppedError
from specialize.training.loop import fit
from specialize.training.optimizer import AdamW


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
        Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint,
    ):
        train(checkpoint, at_step=stop)
    seen = []
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        assert train(checkpoint, at_step=lambda *step: seen.append(step)) == whole
    assert len(seen) == 9 - 3 * (place[0] - 1) - place[1] - 1
    assert not (tmp_path / "c").exists()


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


def test_the_state_of_another_job_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    text = tmp_path / "text"
    text.write_text("one")
    for version, settings, content in (
        (1, {"epochs": 3}, "one"),
        (1, {"epochs": 4}, "one"),
        (1, {"epochs": 4}, "other"),
        (2, {"epochs": 4}, "other"),
    ):
        text.write_text(content)
        with pytest.raises(RuntimeError), Checkpoint(tmp_path / "c", version, settings, [text]) as checkpoint:
            assert checkpoint.load() is None
            train(checkpoint)
            raise RuntimeError
        assert len(list((tmp_path / "c").glob("*.pt"))) == 1


def test_a_damaged_state_is_left_aside(tmp_path, capsys):
    with Checkpoint(tmp_path / "c", 1, {}, []) as checkpoint:
        checkpoint.path.write_bytes(b"PK damaged")
        assert train(checkpoint) == train(None)
    assert "cannot be read" in capsys.readouterr().out
