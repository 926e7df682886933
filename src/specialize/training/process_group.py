"""What a process tells those that train the same model with it: gradients, losses, and what the next step is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn

from specialize.errors import SpecializeError

LONGEST_WAIT = timedelta(days=2)  # of a process for the others; the first may be writing. One that dies ends all
SMALL = 1 << 16  # numbers of a gradient that is sent together with others


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one model, each on its part of every batch, as one of them sees them.

    Of a process alone, every method returns what it was given.

    Attributes:
        rank: of this process, from 0; the first one writes.
        size: how many there are.
        hosts: torch's group in which CPUs talk to each other.
    """

    rank: int = 0
    size: int = 1
    hosts: Any = None

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def go_apart(self, threads: int, seed: int) -> None:
        """Give each process its part of the job's threads, and random numbers of its own, for dropout."""
        if self.size > 1:
            torch.set_num_threads(max(1, threads // self.size))
            torch.manual_seed(seed + self.rank)

    def wait(self) -> None:
        """Go on when all are here."""
        if self.size > 1:
            distributed.barrier(self.hosts)

    def highest(self, numbers: Sequence[int]) -> list[int]:
        """Of each number the highest that a process has. Only CPUs talk: no GPU waits or is waited for."""
        if self.size == 1:
            return list(numbers)
        shared = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX, self.hosts)
        return [int(number) for number in shared]

    def total(self, value: Tensor) -> Tensor:
        """The sum of all processes' values, on their device; they themselves stay as they are."""
        if self.size == 1:
            return value
        summed = value.detach().clone()
        distributed.all_reduce(summed)
        return summed

    def sum_gradients(self, model: nn.Module, complete: bool, wishes: Sequence[int]) -> tuple[bool, list[int]]:
        """Replace gradients by their sums over all processes, if each has computed its part.

        Args:
            model: this process's, with its gradients.
            complete: whether they are; if they are not in some process, they stay in all as they are.
            wishes: numbers to agree on in the same message.

        Returns:
            Whether they are complete in all, and of each wish the highest.
        """
        if self.size == 1:
            return complete, list(wishes)
        parameters = list(model.parameters())
        has_gradient = [one.grad is not None for one in parameters]  # a process may have no example at all
        missing, *agreed = self.highest([not complete, *wishes, *has_gradient])
        if not missing:
            in_some = [one for one, wanted in zip(parameters, agreed[len(wishes) :], strict=True) if wanted]
            self._add([one.grad if one.grad is not None else _zero_gradient(one) for one in in_some])
        return not missing, agreed[: len(wishes)]

    def _add(self, gradients: list[Tensor]) -> None:
        """Sum each over all processes, the small ones in one message."""
        small = [one for one in gradients if one.numel() <= SMALL]
        joined = torch.cat([torch.zeros(0, device=gradients[0].device), *(one.flatten() for one in small)])
        large = [one for one in gradients if one.numel() > SMALL]
        for sending in [distributed.all_reduce(one, async_op=True) for one in (*large, joined)]:
            sending.wait()
        for one, summed in zip(small, torch.split(joined, [one.numel() for one in small]), strict=True):
            one.copy_(summed.view_as(one))

    def gathered(self, state: dict[str, Any]) -> list[dict[str, Any]]:
        """In the first process the states of all, by rank; elsewhere only its own."""
        if self.size == 1:
            return [state]
        states: list[Any] = [None] * self.size
        distributed.gather_object(state, states if self.first else None, group=self.hosts)
        return states if self.first else [state]

    def check_equal(self, model: nn.Module, when: str) -> None:
        """Compare checksums of the weights. All processes make the same updates, so their weights never part.

        Args:
            model: this process's.
            when: for the error.

        Raises:
            SpecializeError: if they are not the same in all processes.
        """
        if self.size == 1:
            return
        sums = [one.detach().flatten().view(torch.uint8).sum() for one in model.parameters()]
        checksum = int(torch.stack(sums).sum())
        highest, negative_lowest = self.highest([checksum, -checksum])
        if highest != -negative_lowest:
            raise SpecializeError(
                f"the weights of the {self.size} processes are not the same {when}: a GPU or its driver fails; start "
                "again, which goes on from the last checkpoint, or set pretraining.gpus: 1"
            )


def _zero_gradient(parameter: nn.Parameter) -> Tensor:
    parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


ALONE = ProcessGroup()
_this = ALONE


def process_group() -> ProcessGroup:
    """The processes that this one trains with."""
    return _this


def join(store: Path, rank: int, size: int, gpu: int | None) -> None:
    """Meet the others, who do the same.

    Args:
        store: a file that is not there yet, on this machine; no network port is needed to meet.
        rank, size: see `ProcessGroup`.
        gpu: of this process alone; None: it computes on the CPU.
    """
    global _this
    device = None
    if gpu is not None:
        device = torch.device("cuda", gpu)
        torch.cuda.set_device(device)
    distributed.init_process_group(
        "nccl" if device else "gloo",
        init_method=f"file://{store}",
        rank=rank,
        world_size=size,
        timeout=LONGEST_WAIT,
        device_id=device,
    )
    _this = ProcessGroup(rank, size, distributed.new_group(backend="gloo", timeout=LONGEST_WAIT))


def leave() -> None:
    """Part from the others, when all are done."""
    global _this
    _this.wait()
    distributed.destroy_process_group()
    _this = ALONE
