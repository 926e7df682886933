"""The training loop: epochs, evaluation, early stopping, and continuing from a checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from specialize.training.checkpoint import Checkpoint, Stop, random_state, restore_random_state
from specialize.training.feeding import fed, on_device
from specialize.training.optimizer import AdamW
from specialize.training.process_group import process_group

Batch = TypeVar("Batch")
MadeBatch = TypeVar("MadeBatch", covariant=True)
Examples = TypeVar("Examples")

STEPS_BETWEEN_LOSS_CHECKS = 100  # reading the loss makes a GPU wait


class Loader(Protocol[Examples, MadeBatch]):
    """Batches of each epoch: first only which examples are in one, so that one can be passed over or divided.

    No method draws from a generator of random numbers that others use, and another thread may call them.
    """

    def epoch(self, number: int) -> Iterable[Examples]:
        """The batches of an epoch (from 1), in an order that depends on the seed and the number only."""

    def steps(self) -> int:
        """Batches in an epoch."""

    def micro_batches(self, batch: Examples, number: int) -> list[tuple[float, Examples]]:
        """Split a batch into `number` micro-batches, or one per example if it has fewer.

        Each comes with its loss weight: the weighted losses add up to the loss of the whole batch.
        """

    def tensors(self, batch: Examples) -> MadeBatch:
        """What the loss of a batch or micro-batch is computed from, in the host's memory; see `feeding.on_device`."""


@dataclass(frozen=True)
class Prepared(Generic[Examples, Batch]):
    """A batch as the loop gets it.

    Attributes:
        examples: which are in it.
        number: of micro-batches that it was to be split into.
        parts: these, with their loss weights, in the host's memory.
    """

    examples: Examples
    number: int
    parts: list[tuple[float, Batch]]


@dataclass
class Fit:
    """The outcome of training.

    Attributes:
        best_epoch: the epoch whose weights the model has now; 0 if they are those it started with.
        history: one record per epoch.
        converged: whether loss, weights and score stayed finite, and the loss below its bound.
        reason: why it did not converge.
        micro_batches: into how many each batch was split in the end, because a whole one did not fit the GPU's memory.
        seconds: of training, without evaluation.
    """

    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    converged: bool = True
    reason: str | None = None
    micro_batches: int = 1
    seconds: float = field(default=0.0, compare=False)

    def diverge(self, reason: str) -> None:
        """Note that training did not converge."""
        self.converged, self.reason = False, reason


def fit(
    model: nn.Module,
    optimizer: AdamW,
    schedule: LambdaLR,
    loader: Loader[Examples, Batch],
    loss_of: Callable[[Batch], Tensor],
    evaluate: Callable[[], dict[str, float]],
    *,
    score: str,
    epochs: int,
    gradient_norm: float,
    highest_loss: float = math.inf,
    patience: int | None = None,
    before_epoch: Callable[[int], None] = lambda number: None,
    after_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Train, and leave the model with the weights of its best epoch.

    All processes of a `process_group` call this with the same model and batches, and compute a part of each batch.

    Args:
        model: set to training mode for each epoch, to evaluation mode for each evaluation.
        optimizer, schedule: stepped once per batch.
        loader: the batches.
        loss_of: the mean loss of a batch or micro-batch, whose tensors are on the model's device.
        evaluate: validation scores by name.
        score: name of the score that chooses the best epoch; higher is better.
        epochs: the maximum number.
        gradient_norm: the gradient of all parameters together is clipped to this norm.
        highest_loss: training has diverged, and stops, if the mean loss of the last batches is above this.
        patience: stop after this many epochs without a better score; None never stops early.
        before_epoch: called with each epoch's number (from 1); called again if training continues within the epoch.
        after_epoch: called with each epoch's record; if training continues, first with those of earlier epochs.
        checkpoint: where the state is saved, and restored from.

    Raises:
        Stop: if a signal asked to stop; the state has been saved.
        torch.OutOfMemoryError: if not even one example of a batch fits the GPU's memory.
    """
    training = Training(model, optimizer, schedule, loader, loss_of, gradient_norm, highest_loss, checkpoint)
    training.restore()
    training.group.check_equal(model, "before training")
    outcome = training.outcome
    for record in outcome.history:
        after_epoch(record)
    for number in range(training.epoch, epochs + 1):
        before_epoch(number)
        training.train_epoch(number)
        if not outcome.converged:
            break
        record = training.evaluate_epoch(evaluate)
        if not math.isfinite(record[score]):
            outcome.diverge(f"the {score} became {record[score]} in epoch {number}")
            break
        outcome.history.append(record)
        after_epoch(record)
        print(" ".join(f"{name} {value:.6g}" for name, value in record.items()), flush=True)
        if record[score] > training.best_score:
            training.keep_best(record[score])
        elif patience is not None and number - outcome.best_epoch >= patience:
            break
    if checkpoint:
        checkpoint.defers_signals = False
    model.load_state_dict(training.best_weights)
    model.eval()
    return outcome


class Training(Generic[Examples, Batch]):
    """One training in progress: all that a checkpoint saves and restores; arguments as of `fit`.

    Attributes:
        outcome: so far.
        best_score: of the best epoch so far.
        best_weights: of that epoch; before the first evaluation those that the model started with.
        epoch: the current one, from 1.
        steps: batches of the current epoch that are done.
        loss_sum: of these batches.
        unchecked_loss: the sum since the last check of the loss.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: AdamW,
        schedule: LambdaLR,
        loader: Loader[Examples, Batch],
        loss_of: Callable[[Batch], Tensor],
        gradient_norm: float,
        highest_loss: float = math.inf,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.model, self.optimizer, self.schedule = model, optimizer, schedule
        self.loader, self.loss_of, self.checkpoint = loader, loss_of, checkpoint
        self.group = process_group()
        self.gradient_norm, self.highest_loss = gradient_norm, highest_loss
        self.outcome = Fit()
        self.best_score, self.best_weights = -math.inf, _copy_of_weights(model)
        self.epoch, self.steps = 1, 0
        self.device = next(model.parameters()).device
        self.loss_sum = torch.zeros((), device=self.device)
        self.unchecked_loss = torch.zeros_like(self.loss_sum)
        self._restored_random_state: dict[str, Any] | None = None
        self._due = self._signal = 0  # whether the last step ends with a checkpoint, and by which signal to stop

    # -- saving and restoring ----------------------------------------------------------------------------------

    def save(self, generators: dict[str, Any], weights: dict[str, Tensor] | None = None) -> None:
        """Save the state, with those of the random number generators and losses of each process; by default with the
        weights that the model has now."""
        assert self.checkpoint
        losses = {"loss_sum": self.loss_sum.cpu(), "unchecked_loss": self.unchecked_loss.cpu()}
        first, *others = self.group.gathered({"generators": generators, **losses})
        self.checkpoint.save(
            {
                "model": weights or self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "outcome": asdict(self.outcome),
                "best_score": float(self.best_score),
                "best_weights": self.best_weights,
                "epoch": self.epoch,
                "steps": self.steps,
                **first,
                "other_processes": others,
            }
        )

    def restore(self) -> None:
        """Restore the saved state, if there is one."""
        saved = self.checkpoint.load() if self.checkpoint else None
        if not saved:
            return
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.outcome = Fit(**saved["outcome"])
        self.best_score, self.best_weights = saved["best_score"], saved["best_weights"]
        self.epoch, self.steps = saved["epoch"], saved["steps"]
        self._restore_own([saved, *saved.get("other_processes", [])])  # earlier versions know of none
        done = f"{self.steps} of {self.loader.steps()} batches done"
        print(f"goes on from its checkpoint: epoch {self.epoch}, {done}", flush=True)

    def _restore_own(self, states: list[dict[str, Any]]) -> None:
        """Restore what each process has of its own, from the states of those that have saved the checkpoint."""
        rank, size = self.group.rank, self.group.size
        if rank < len(states):
            self._restored_random_state = states[rank]["generators"]
        if len(states) != size:
            counts = f"the checkpoint was saved with gpus: {len(states)}, and this is {size}"
            print(f"{counts}: other random numbers from here on", flush=True)
        for state in states[rank::size]:  # of one, if there are as many as before
            self.loss_sum += state["loss_sum"].to(self.device)
            self.unchecked_loss += state["unchecked_loss"].to(self.device)

    # -- one epoch ---------------------------------------------------------------------------------------------

    def train_epoch(self, number: int) -> None:
        """Train on the batches of an epoch, or on the remaining ones if it was interrupted."""
        if number != self.epoch:
            self.epoch, self.steps, self.loss_sum = number, 0, torch.zeros_like(self.loss_sum)
        self.model.train()
        if self._restored_random_state:
            restore_random_state(self._restored_random_state)
            self._restored_random_state = None
        if self.checkpoint:
            self.checkpoint.defers_signals = True
        started = time.monotonic()
        with closing(fed(self._remaining_batches(), self.device)) as batches:
            progress = tqdm(
                batches, f"epoch {number}", self.loader.steps(), initial=self.steps, unit="batch", mininterval=5
            )
            for batch in progress:
                self.step(batch)
                if self.steps % STEPS_BETWEEN_LOSS_CHECKS == 0 or self.steps == self.loader.steps():
                    loss = self._check_loss()
                    progress.set_postfix(loss=f"{loss:.3f}", refresh=False)
                    if not self.outcome.converged:
                        break
                if self.checkpoint and self._due:
                    now = time.monotonic()
                    self.outcome.seconds, started = self.outcome.seconds + now - started, now
                    self.save(random_state())
                    self.checkpoint.stop(self._signal)
        self.outcome.seconds += time.monotonic() - started
        self.group.check_equal(self.model, f"after epoch {number}")
        finite = torch.stack([torch.isfinite(one).all() for one in self.model.parameters()])
        if self.outcome.converged and not finite.all():
            self.outcome.diverge(f"the weights were no longer finite after epoch {number}")

    def _remaining_batches(self) -> Generator[Prepared[Examples, Batch], None, None]:
        """The epoch's batches that are not done yet; those that are done are not made again."""
        for examples in islice(self.loader.epoch(self.epoch), self.steps, None):
            yield self.prepared(examples)

    def prepared(self, examples: Examples) -> Prepared[Examples, Batch]:
        """This process's part of a batch, split as the GPU's memory has needed it so far.

        Every process knows the whole batch, so that the weights are shares of all its predictions, and the processes'
        gradients add up to that of the batch. Nothing about it has to be sent.
        """
        number, rank, size = self.outcome.micro_batches, self.group.rank, self.group.size
        parts = [(1.0, examples)]
        if number * size > 1:
            parts = self.loader.micro_batches(examples, number * size)[rank::size]  # none, if it has few examples
        return Prepared(examples, number, [(weight, self.loader.tensors(part)) for weight, part in parts])

    def step(self, batch: Prepared[Examples, Batch]) -> None:
        """Update the weights by one batch. Nothing here waits for the device: no number is read, no mask an index."""
        loss = self._backward(batch)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_norm)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        self.loss_sum += loss
        self.unchecked_loss += loss
        self.steps += 1

    def _backward(self, batch: Prepared[Examples, Batch]) -> Tensor:
        """Compute loss and gradients of a batch, with twice as many micro-batches whenever the GPU's memory is full.

        The gradient is that of the whole batch however it is split; only dropout masks are drawn differently.
        """
        outcome = self.outcome
        while True:
            if batch.number != outcome.micro_batches:
                batch = self.prepared(batch.examples)
            loss = None
            try:
                loss = self._accumulate(batch.parts)
            except torch.OutOfMemoryError:
                if len(batch.parts) < outcome.micro_batches:
                    raise  # each is a single example already
            if self._fits_all(loss is not None) and loss is not None:
                return loss
            # Not in the handler, since the exception keeps the failed micro-batch's tensors alive.
            self.optimizer.zero_grad()
            torch.cuda.empty_cache()
            outcome.micro_batches *= 2
            print(
                f"a batch does not fit the GPU's memory: splitting each into {outcome.micro_batches} micro-batches",
                flush=True,
            )

    def _accumulate(self, parts: list[tuple[float, Batch]]) -> Tensor:
        """Add up the gradients of weighted losses; the sum of these losses."""
        losses = []
        for weight, part in parts:
            loss = weight * self.loss_of(on_device(part, self.device))
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        return torch.stack(losses).sum() if losses else torch.zeros_like(self.loss_sum)

    def _fits_all(self, fits: bool) -> bool:
        """Whether each process has computed its part; if so, the gradients are now those of the batch.

        With that, all agree whether this step ends with a checkpoint, and by which signal they stop.
        """
        wishes = [self.checkpoint.due(), self.checkpoint.stopped_by or 0] if self.checkpoint else [0, 0]
        fits, (self._due, self._signal) = self.group.sum_gradients(self.model, fits, wishes)
        return fits

    def _check_loss(self) -> float:
        """The mean loss since the last check; training has diverged if it is not finite or too high."""
        loss = float(self.group.total(self.unchecked_loss)) / ((self.steps - 1) % STEPS_BETWEEN_LOSS_CHECKS + 1)
        if not math.isfinite(loss) or loss > self.highest_loss:
            self.outcome.diverge(f"the loss became {loss:.4g} in epoch {self.epoch}")
        else:
            self.unchecked_loss.zero_()
        return loss

    # -- evaluation --------------------------------------------------------------------------------------------

    def evaluate_epoch(self, evaluate: Callable[[], dict[str, float]]) -> dict[str, float]:
        """The record of the epoch: its number, its mean training loss, and the validation scores.

        If a signal has arrived or arrives, the state before the evaluation is saved, so that the next start evaluates
        again. Several processes go on with the evaluation, and stop after the first step of the next epoch.
        """
        training_loss = float(self.group.total(self.loss_sum) / max(self.steps, 1))
        self.model.eval()
        before, weights = random_state(), self.model.state_dict()  # a signal may come while layers have others
        if not self.checkpoint:
            scores = evaluate()
        else:
            try:
                self.checkpoint.stop(*self.group.highest([self.checkpoint.stopped_by or 0]))
                self.checkpoint.defers_signals = self.group.size > 1  # which stop together, in the next step
                scores = evaluate()
                self.checkpoint.defers_signals = True
            except Stop:
                self.checkpoint.defers_signals = True
                self.save(before, weights)
                raise
        numbers = {name: float(value) for name, value in scores.items()}
        return {"epoch": self.epoch, "training_loss": round(training_loss, 6), **numbers}

    def keep_best(self, score: float) -> None:
        """Make the current epoch the best one."""
        self.best_score, self.best_weights = score, _copy_of_weights(self.model)
        self.outcome.best_epoch = self.epoch


def _copy_of_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
