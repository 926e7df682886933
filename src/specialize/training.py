"""The one training loop: seeds, devices, the optimiser, early stopping, the best epoch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

Batch = TypeVar("Batch")
SomeBatch = TypeVar("SomeBatch", covariant=True)

# A step count at which Adam's bias corrections 1 - β^t are exactly one in double precision.
UNCORRECTED_STEP = 1e6


def seed_everything(numpy_seed: int, torch_seed: int, python_seed: int, threads: int) -> None:
    """Seed every generator, fix the number of threads, and ask for deterministic algorithms."""
    random.seed(python_seed)
    numpy.random.seed(numpy_seed)
    torch.manual_seed(torch_seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)


def device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class AdamW(torch.optim.AdamW):
    """AdamW (β 0.9 and 0.999) with two options of the paper's code.

    Args:
        groups: parameter groups with `params`, `lr`, `weight_decay`.
        epsilon: added to the denominator (facts 16 and 24).
        bias_correction: divide the moments by 1 - β^t as Adam does; BERT's own code does not (fact 16).
        tiered: a matrix, some of its rows, and a multiplier: these rows move at so many times the learning rate,
            weight decay included (fact 17). AdamW's update is linear in the rate, so scaling a step is exact.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        epsilon: float,
        bias_correction: bool,
        tiered: tuple[Tensor, Tensor, float] | None = None,
    ) -> None:
        super().__init__(groups, eps=epsilon, fused=True)
        self.tiered = tiered
        if not bias_correction:
            for group in self.param_groups:
                for parameter in group["params"]:
                    step = torch.tensor(UNCORRECTED_STEP, device=parameter.device)
                    moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
                    self.state[parameter] = {"step": step, **moments}

    def step(self, closure: Any = None) -> Any:
        """One update."""
        if self.tiered is None:
            return super().step(closure)
        matrix, rows, multiplier = self.tiered
        before = matrix.detach()[rows]
        result = super().step(closure)
        with torch.no_grad():
            matrix[rows] = before + multiplier * (matrix[rows] - before)
        return result


def decayed_groups(model: nn.Module, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Two parameter groups: LayerNorm and biases do not decay (facts 16 and 24)."""
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    plain = [parameter for name, parameter in named if name.endswith("bias") or "LayerNorm" in name]
    decayed = [parameter for name, parameter in named if not (name.endswith("bias") or "LayerNorm" in name)]
    return [
        {"params": decayed, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": plain, "lr": learning_rate, "weight_decay": 0.0},
    ]


def linear_schedule(optimizer: AdamW, warmup_steps: int, total_steps: int) -> LambdaLR:
    """Linear warm-up, then linear decay to 0 over all steps (fact 16)."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / max(warmup_steps, 1)
        return max(0.0, (total_steps - step) / max(total_steps - warmup_steps, 1))

    return LambdaLR(optimizer, factor)


def inverse_square_root_schedule(optimizer: AdamW, steps_per_epoch: int) -> LambdaLR:
    """Warm-up over the second epoch and the third, then decay with the square root of the step (fact 25)."""

    def factor(step: int) -> float:
        since = max(step - steps_per_epoch, 1)
        return float(5 * min(since**-0.5, since * (2 * steps_per_epoch) ** -1.5))

    return LambdaLR(optimizer, factor)


class Loader(Protocol[SomeBatch]):
    """Batches of each epoch."""

    def epoch(self, number: int) -> Iterable[SomeBatch]:
        """The batches of an epoch (from 1), in an order that depends on the seed and the number only."""

    def steps(self) -> int:
        """How many batches an epoch has."""


@dataclass
class Fit:
    """What came out of training.

    Attributes:
        best_epoch: the epoch whose weights the model has now; 0 if they are those it started with.
        history: one record per epoch.
        converged: whether loss, weights and score stayed finite.
        reason: why not.
    """

    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    converged: bool = True
    reason: str | None = None


def fit(
    model: nn.Module,
    optimizer: AdamW,
    schedule: LambdaLR,
    loader: Loader[Batch],
    loss_of: Callable[[Batch], Tensor],
    evaluate: Callable[[], dict[str, float]],
    *,
    score: str,
    epochs: int,
    gradient_norm: float,
    patience: int | None = None,
    before_epoch: Callable[[int], None] = lambda number: None,
) -> Fit:
    """Train, and leave the model with the weights of its best epoch.

    Args:
        model: set to training mode for each epoch, to evaluation mode for each evaluation.
        optimizer, schedule: stepped once per batch.
        loader: the batches.
        loss_of: the loss of one batch.
        evaluate: validation figures; higher is better for ``score``.
        score: which of them chooses the epoch.
        epochs: at most so many.
        gradient_norm: the gradient of all parameters together is clipped to this norm.
        patience: stop after so many epochs without a better score; None never stops early.
        before_epoch: called with each epoch's number (from 1).
    """
    outcome = Fit()
    best_score, best_weights = -float("inf"), _copy_of_weights(model)
    for number in range(1, epochs + 1):
        before_epoch(number)
        model.train()
        total = torch.zeros((), device=next(model.parameters()).device)
        steps = 0
        for batch in tqdm(loader.epoch(number), f"epoch {number}", loader.steps(), unit="batch", mininterval=5):
            loss = loss_of(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), gradient_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss.detach()
            steps += 1
        training_loss = float(total / max(steps, 1))
        if not numpy.isfinite(training_loss):
            outcome.converged, outcome.reason = False, f"the loss became {training_loss} in epoch {number}"
            break
        if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
            outcome.converged, outcome.reason = False, f"the weights were no longer finite after epoch {number}"
            break
        model.eval()
        record = {"epoch": number, "training_loss": round(training_loss, 6), **evaluate()}
        if not numpy.isfinite(record[score]):
            outcome.converged, outcome.reason = False, f"the {score} became {record[score]} in epoch {number}"
            break
        outcome.history.append(record)
        print(" ".join(f"{name} {value:.6g}" for name, value in record.items()), flush=True)
        if record[score] > best_score:
            best_score, outcome.best_epoch = record[score], number
            best_weights = _copy_of_weights(model)
        elif patience is not None and number - outcome.best_epoch >= patience:
            break
    model.load_state_dict(best_weights)
    model.eval()
    return outcome


def _copy_of_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
