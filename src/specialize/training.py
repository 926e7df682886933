"""The one training loop: seeds, devices, the optimiser, checkpoints, early stopping, the best epoch."""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

import numpy
import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from specialize.errors import SpecializeError
from specialize.experiment import STAGE_VERSIONS
from specialize.files import atomic_path

Batch = TypeVar("Batch")

# A step count at which Adam's bias corrections 1 - β^t are exactly one in double precision.
UNCORRECTED_STEP = 1e6
SECONDS_BETWEEN_CHECKPOINTS = 600.0
SECONDS_BETWEEN_CLAIMS = 1.0  # of a GPU
STEPS_BETWEEN_LOOKS = 100  # at the loss: each look makes a GPU wait
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def seed_everything(numpy_seed: int, torch_seed: int, python_seed: int, threads: int) -> None:
    """Seed every generator, fix the number of threads, and ask for deterministic algorithms."""
    random.seed(python_seed)
    numpy.random.seed(numpy_seed)
    torch.manual_seed(torch_seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # takes time; all is written first


def device() -> torch.device:
    """The current GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


_claims: list[FileLock] = []  # held until the process ends


def use_free_gpu(jobs_per_gpu: int, allow_cpu: bool) -> None:
    """Make a GPU the current one that fewer than so many other jobs have; wait until there is one.

    It is this process's until it ends. Without a GPU, or with one claimed already, nothing happens. A user's jobs on a
    machine agree by locks in the folder for temporary files; on a cluster only GPUs that the job was given count.

    Raises:
        SpecializeError: if the job was given a GPU that torch cannot use, unless `allow_cpu`.
    """
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if not torch.cuda.is_available() and given not in ("", "-1") and not allow_cpu:
        raise SpecializeError(
            f"this job was given GPU {given}, but torch {torch.__version__} cannot use it: the driver is too old, or "
            "this torch is built for CPUs; install a build that fits (pytorch.org says which), or set allow_cpu: true"
        )
    if torch.cuda.is_available() and not _claims:
        names = [str(torch.cuda.get_device_properties(number).uuid) for number in range(torch.cuda.device_count())]
        folder = Path(tempfile.gettempdir()) / f"specialize-gpus-{getpass.getuser()}"
        torch.cuda.set_device(names.index(claim(names, jobs_per_gpu, folder)))


def claim(names: list[str], jobs_at_once: int, folder: Path) -> str:
    """Claim one of some things until this process ends; wait until one is free.

    Args:
        names: of the things, such as GPUs.
        jobs_at_once: so many processes can have the same; those that fewest have go first.
        folder: of the locks.

    Returns:
        The name of what was claimed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = False
    while True:
        for place, name in ((place, name) for place in range(jobs_at_once) for name in names):
            lock = FileLock(folder / f"{name}-{place}")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            _claims.append(lock)
            return name
        if not told:
            print(f"waits for one of {', '.join(names)}: other jobs have them all", flush=True)
            told = True
        time.sleep(SECONDS_BETWEEN_CLAIMS)


@dataclass(frozen=True)
class Tier:
    """Rows of a matrix that move at a multiple of the learning rate, weight decay included (paper §2.1, fact 17).

    Attributes:
        matrix: in a parameter group of the optimiser.
        rows: their indices.
        multiplier: of the learning rate (the paper's a).
        decayed_twice: every row of the matrix decays at both rates, as the paper's mended code had it.
    """

    matrix: Tensor
    rows: Tensor
    multiplier: float
    decayed_twice: bool = False


class AdamW(torch.optim.AdamW):
    """AdamW (β 0.9 and 0.999) with two options of the paper's code.

    Args:
        groups: parameter groups with `params`, `lr`, `weight_decay`.
        epsilon: added to the denominator (facts 16 and 24).
        bias_correction: divide the moments by 1 - β^t as Adam does; BERT's own code does not (fact 16).
        tier: rows with a rate of their own. AdamW's update is linear in the rate, so scaling a step is exact.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        epsilon: float,
        bias_correction: bool,
        tier: Tier | None = None,
    ) -> None:
        super().__init__(groups, eps=epsilon, fused=True)
        self.tier = tier
        if not bias_correction:
            for group in self.param_groups:
                for parameter in group["params"]:
                    step = torch.tensor(UNCORRECTED_STEP, device=parameter.device)
                    moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
                    self.state[parameter] = {"step": step, **moments}

    def step(self, closure: Any = None) -> Any:
        """One update."""
        tier = self.tier
        if tier is None:
            return super().step(closure)
        before = tier.matrix.detach()[tier.rows]
        result = super().step(closure)
        with torch.no_grad():
            tier.matrix[tier.rows] = before + tier.multiplier * (tier.matrix[tier.rows] - before)
            if tier.decayed_twice:
                self._decay_at_the_other_rate(tier)
        return result

    def _decay_at_the_other_rate(self, tier: Tier) -> None:
        (group,) = (group for group in self.param_groups if any(one is tier.matrix for one in group["params"]))
        decay = tier.matrix.new_full((len(tier.matrix), 1), tier.multiplier * group["lr"] * group["weight_decay"])
        decay[tier.rows] = group["lr"] * group["weight_decay"]
        tier.matrix.mul_(1 - decay)


def decayed_groups(
    model: nn.Module, learning_rate: float, weight_decay: float, undecayed: Collection[str]
) -> list[dict[str, Any]]:
    """Two parameter groups: what decays, then what does not.

    Args:
        model: whose parameters learn.
        learning_rate, weight_decay: of the groups.
        undecayed: names of the parameters that do not decay.
    """
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    plain = [parameter for name, parameter in named if name in undecayed]
    decayed = [parameter for name, parameter in named if name not in undecayed]
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


class Loader(Protocol[Batch]):
    """Batches of each epoch."""

    def epoch(self, number: int) -> Iterable[Batch]:
        """The batches of an epoch (from 1), in an order that depends on the seed and the number only."""

    def steps(self) -> int:
        """How many batches an epoch has."""

    def parts(self, batch: Batch, number: int) -> list[tuple[float, Batch]]:
        """A batch in so many parts, or in as many as it has examples, each with its share of the batch's loss."""


class StoppedError(SpecializeError):
    """A signal ended the training; the next start goes on from its checkpoint."""


def checkpoint_in(
    folder: Path | None, settings: dict[str, Any], inputs: Iterable[Path]
) -> Checkpoint | nullcontext[None]:
    """A checkpoint in a folder, or none; either way a context."""
    return nullcontext() if folder is None else Checkpoint(folder, settings, inputs)


class Checkpoint:
    """Where a training job keeps its state, so that one that was cut off goes on where it was, to the same bytes.

    While its block lasts, the folder belongs to this job alone, and a signal to end has the state saved first. The
    folder goes when the block ends well.

    Args:
        folder: of this job's checkpoint.
        settings: hyperparameters that the result depends on.
        inputs: files that it depends on; the state of a job with others is not taken for this one's.

    Raises:
        SpecializeError: on entering, if another job has the folder.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], inputs: Iterable[Path]) -> None:
        files = [path.stat() for path in inputs]  # times, since hashing large weights takes longer than it may save
        known = json.dumps(
            [STAGE_VERSIONS, settings, [[file.st_size, file.st_mtime_ns] for file in files]], sort_keys=True
        )
        self.folder = folder
        self.path = folder / f"{hashlib.sha256(known.encode()).hexdigest()[:16]}.pt"
        self.stopped_by: signal.Signals | None = None
        self.between_steps = False  # of training, where the state is whole at the end of each step only
        self._saved = time.monotonic()
        self._lock = FileLock(folder / "lock")
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Checkpoint:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise SpecializeError(
                f"{self.folder}: another job is at this training, perhaps left over from a run that was killed; "
                "stop it or wait for it"
            ) from error
        for path in self.folder.iterdir():
            if path.name not in (self.path.name, "lock"):
                path.unlink()  # of other settings or inputs, or half written
        self._handlers = {number: signal.signal(number, self._stop) for number in STOPPING}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if error is None:
            shutil.rmtree(self.folder)
        self._lock.release()

    def _stop(self, number: int, _frame: Any) -> None:
        self.stopped_by = signal.Signals(number)
        if not self.between_steps:
            self.end()

    def end(self) -> None:
        """End the job, if a signal asked for it.

        Raises:
            StoppedError: if so.
        """
        if self.stopped_by is not None:
            raise StoppedError(f"stopped by {self.stopped_by.name}; the next start goes on from {self.folder}")

    def due(self) -> bool:
        """Whether the state should be saved now."""
        return self.stopped_by is not None or time.monotonic() - self._saved >= SECONDS_BETWEEN_CHECKPOINTS

    def save(self, state: dict[str, Any]) -> None:
        """Write the state, in place of the one before."""
        with atomic_path(self.path) as temporary:
            torch.save(state, temporary)
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state that was saved, if any; one that a power cut has damaged is none."""
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # the library raises many kinds
            print(f"{self.path}: cannot be read ({error!r}); starting anew")
            return None
        return state


class EpochScalars:
    """Figures of each epoch in TensorBoard's format; a context in which they can be watched.

    Args:
        folder: where they go, in place of what an earlier start left there; None: nowhere.
    """

    def __init__(self, folder: Path | None) -> None:
        self.writer: Any = None
        if folder is not None:
            from tensorboardX import SummaryWriter  # its import takes time

            shutil.rmtree(folder, ignore_errors=True)
            self.writer = SummaryWriter(str(folder))

    def __enter__(self) -> EpochScalars:
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer:
            self.writer.close()

    def add(self, record: dict[str, float]) -> None:
        """Write an epoch's record, except its number."""
        for name, value in record.items() if self.writer else ():
            if name != "epoch":
                self.writer.add_scalar(name, value, record["epoch"])
        if self.writer:
            self.writer.flush()


def _random_state() -> dict[str, Any]:
    kind, keys, position, has_gauss, gauss = numpy.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [kind, [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_random_state(state: dict[str, Any]) -> None:
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    numpy.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


@dataclass
class Fit:
    """What came out of training.

    Attributes:
        best_epoch: the epoch whose weights the model has now; 0 if they are those it started with.
        history: one record per epoch.
        converged: whether loss, weights and score stayed finite, and the loss below its bound.
        reason: why not.
        parts: a batch was computed in so many in the end, since a whole one did not fit the GPU's memory.
        seconds: that the batches took, evaluation not counted.
    """

    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    converged: bool = True
    reason: str | None = None
    parts: int = 1
    seconds: float = field(default=0.0, compare=False)


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
    highest_loss: float = math.inf,
    patience: int | None = None,
    before_epoch: Callable[[int], None] = lambda number: None,
    after_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Train, and leave the model with the weights of its best epoch.

    Args:
        model: set to training mode for each epoch, to evaluation mode for each evaluation.
        optimizer, schedule: stepped once per batch.
        loader: the batches.
        loss_of: the mean loss of one batch, or of a part of one.
        evaluate: validation figures; higher is better for ``score``.
        score: which of them chooses the epoch.
        epochs: at most so many.
        gradient_norm: the gradient of all parameters together is clipped to this norm.
        highest_loss: training has exploded, and stops, if the mean loss of some batches in a row is above this.
        patience: stop after so many epochs without a better score; None never stops early.
        before_epoch: called with each epoch's number (from 1), again if training goes on within it.
        after_epoch: called with each epoch's record, and with all earlier ones if training goes on.
        checkpoint: where the state is kept, and taken up from.

    Raises:
        StoppedError: if a signal asked to end; the state has been saved.
        torch.OutOfMemoryError: if not even one example of a batch fits the GPU's memory.
    """
    outcome = Fit()
    best_score, best_weights = -float("inf"), _copy_of_weights(model)
    first, done, total = 1, 0, torch.zeros((), device=next(model.parameters()).device)
    unseen = torch.zeros_like(total)  # the loss since the last look at it
    saved = checkpoint.load() if checkpoint else None
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        best_score, best_weights, outcome = saved["best_score"], saved["best_weights"], Fit(**saved["outcome"])
        first, done = saved["epoch"], saved["done"]
        total, unseen = (saved[name].to(total.device) for name in ("total", "unseen"))
        print(f"goes on from its checkpoint: epoch {first}, {done} of {loader.steps()} batches done", flush=True)
        for record in outcome.history:
            after_epoch(record)

    def state(number: int, done: int, random_state: dict[str, Any]) -> dict[str, Any]:
        return {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "best_score": float(best_score),
            "best_weights": best_weights,
            "outcome": asdict(outcome),
            "epoch": number,
            "done": done,
            "total": total,
            "unseen": unseen,
            "random": random_state,
        }

    for number in range(first, epochs + 1):
        before_epoch(number)
        model.train()
        steps = done
        batches = iter(loader.epoch(number))
        for _ in islice(batches, done):
            pass
        if saved:
            _set_random_state(saved["random"])
            saved = None
        progress = tqdm(batches, f"epoch {number}", loader.steps(), initial=steps, unit="batch", mininterval=5)
        if checkpoint:
            checkpoint.between_steps = True
        began = time.monotonic()
        for batch in progress:
            loss, outcome.parts = _backward(batch, loader, loss_of, optimizer, outcome.parts)
            nn.utils.clip_grad_norm_(model.parameters(), gradient_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss
            unseen += loss
            steps += 1
            if steps % STEPS_BETWEEN_LOOKS == 0 or steps == loader.steps():
                recent = float(unseen) / ((steps - 1) % STEPS_BETWEEN_LOOKS + 1)
                progress.set_postfix(loss=f"{recent:.3f}", refresh=False)
                if not math.isfinite(recent) or recent > highest_loss:
                    outcome.converged, outcome.reason = False, f"the loss became {recent:.4g} in epoch {number}"
                    break
                unseen.zero_()
            if checkpoint and checkpoint.due():
                outcome.seconds, began = outcome.seconds + time.monotonic() - began, time.monotonic()
                checkpoint.save(state(number, steps, _random_state()))
                checkpoint.end()
        outcome.seconds += time.monotonic() - began
        if checkpoint:
            checkpoint.between_steps = False
        if not outcome.converged:
            break
        training_loss = float(total / max(steps, 1))
        if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
            outcome.converged, outcome.reason = False, f"the weights were no longer finite after epoch {number}"
            break
        model.eval()
        before_evaluation = _random_state()
        try:
            if checkpoint:
                checkpoint.end()
            figures = {name: float(value) for name, value in evaluate().items()}
        except StoppedError:
            assert checkpoint
            checkpoint.save(state(number, steps, before_evaluation))
            raise
        record = {"epoch": number, "training_loss": round(training_loss, 6), **figures}
        if not numpy.isfinite(record[score]):
            outcome.converged, outcome.reason = False, f"the {score} became {record[score]} in epoch {number}"
            break
        outcome.history.append(record)
        after_epoch(record)
        print(" ".join(f"{name} {value:.6g}" for name, value in record.items()), flush=True)
        if record[score] > best_score:
            best_score, outcome.best_epoch = record[score], number
            best_weights = _copy_of_weights(model)
        elif patience is not None and number - outcome.best_epoch >= patience:
            break
        done, total = 0, torch.zeros_like(total)
    model.load_state_dict(best_weights)
    model.eval()
    return outcome


def _backward(
    batch: Batch, loader: Loader[Batch], loss_of: Callable[[Batch], Tensor], optimizer: AdamW, parts: int
) -> tuple[Tensor, int]:
    """Loss and gradients of a batch, which is computed in twice as many parts whenever they do not fit the GPU.

    The gradient is the whole batch's in any number of parts; only masks of dropout are drawn otherwise.
    """
    while True:
        divided = loader.parts(batch, parts) if parts > 1 else [(1.0, batch)]
        try:
            return _accumulate(divided, loss_of), parts
        except torch.OutOfMemoryError:
            if len(divided) < parts:
                raise
        # Here and not in the handler, since the exception keeps the failed part's tensors as long as it lives.
        optimizer.zero_grad()
        torch.cuda.empty_cache()
        parts *= 2
        print(f"does not fit the GPU's memory: each batch is computed in {parts} parts from now on", flush=True)


def _accumulate(divided: list[tuple[float, Batch]], loss_of: Callable[[Batch], Tensor]) -> Tensor:
    losses = []
    for share, part in divided:
        loss = share * loss_of(part)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
    return torch.stack(losses).sum()


def _copy_of_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
