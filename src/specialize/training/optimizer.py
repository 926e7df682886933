"""The optimizer, its parameter groups, and learning-rate schedules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

# A step count at which Adam's bias corrections 1 - β^t are exactly one in double precision.
UNCORRECTED_STEP = 1e6
MOMENTS = ("exp_avg", "exp_avg_sq")  # as the library names them


@dataclass(frozen=True)
class Tier:
    """Rows of embedding matrices with their own learning rate, weight decay included (paper §2.1, fact 17).

    Attributes:
        matrices: parameters of the optimizer: one, or the embeddings and an output layer that is not tied to them.
        rows: indices of the rows, in each of them.
        multiplier: of the learning rate (the paper's a).
        decayed_twice: apply both tiers' weight decay to every row, as the paper's corrected code did.
    """

    matrices: Sequence[Tensor]
    rows: Tensor
    multiplier: float
    decayed_twice: bool = False


class AdamW(torch.optim.AdamW):
    """AdamW (β 0.9 and 0.999) with two options of the paper's code.

    Args:
        groups: parameter groups with `params`, `lr`, `weight_decay`.
        epsilon: added to the denominator (facts 16 and 24).
        bias_correction: divide the moments by 1 - β^t as Adam does; BERT's own code does not (fact 16).
        tier: rows with their own learning rate. AdamW's update is linear in the rate, so scaling a step is exact.
        sparse: a matrix of which rows without a gradient stay as they are, their moments too, as in `SparseAdam`
            (fact 21); that one takes no dense gradients, and clipping no sparse ones.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        epsilon: float,
        bias_correction: bool,
        tier: Tier | None = None,
        sparse: Tensor | None = None,
    ) -> None:
        super().__init__(groups, eps=epsilon, fused=True)
        self.tier, self.sparse = tier, sparse
        if not bias_correction:
            for group in self.param_groups:
                for parameter in group["params"]:
                    step = torch.tensor(UNCORRECTED_STEP, device=parameter.device)
                    moments = {name: torch.zeros_like(parameter) for name in MOMENTS}
                    self.state[parameter] = {"step": step, **moments}

    def step(self, closure: Any = None) -> Any:
        """One update."""
        if self.sparse is not None and self.sparse.grad is not None:  # it has none while it is frozen
            return self._sparse_step(self.sparse, self.sparse.grad, closure)
        tier = self.tier
        if tier is None:
            return super().step(closure)
        before = [matrix.detach().index_select(0, tier.rows) for matrix in tier.matrices]
        result = super().step(closure)
        with torch.no_grad():
            for matrix, old in zip(tier.matrices, before, strict=True):
                moved = matrix.index_select(0, tier.rows) - old
                matrix.index_copy_(0, tier.rows, old + tier.multiplier * moved)
                if tier.decayed_twice:
                    self._decay_at_other_rate(matrix, tier)
        return result

    def _sparse_step(self, matrix: Tensor, gradient: Tensor, closure: Any) -> Any:
        touched = gradient.any(1, keepdim=True)
        state = self.state[matrix]
        changing = [matrix.detach(), *(state[name] for name in MOMENTS if name in state)]
        before = [tensor.clone() for tensor in changing]
        result = super().step(closure)
        for tensor, old in zip(changing, before, strict=True):
            tensor.copy_(torch.where(touched, tensor, old))  # an index by a mask would make a GPU wait
        return result

    def _decay_at_other_rate(self, matrix: Tensor, tier: Tier) -> None:
        """Decay the tier's rows of a matrix at the common rate too, and all other rows at the tier's."""
        (group,) = (group for group in self.param_groups if any(one is matrix for one in group["params"]))
        decay = matrix.new_full((len(matrix), 1), tier.multiplier * group["lr"] * group["weight_decay"])
        decay.index_fill_(0, tier.rows, group["lr"] * group["weight_decay"])
        matrix.mul_(1 - decay)


def decayed_groups(
    model: nn.Module, learning_rate: float, weight_decay: float, undecayed: Collection[str]
) -> list[dict[str, Any]]:
    """Two parameter groups, with weight decay and without (facts 16 and 24).

    Args:
        model: its parameters that require no gradient are in neither group.
        learning_rate: of both groups.
        weight_decay: of the first group; 0 in the second.
        undecayed: names of the parameters without weight decay, as in `model.named_parameters()`.
    """
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    return [
        {
            "params": [parameter for name, parameter in named if name not in undecayed],
            "lr": learning_rate,
            "weight_decay": weight_decay,
        },
        {
            "params": [parameter for name, parameter in named if name in undecayed],
            "lr": learning_rate,
            "weight_decay": 0.0,
        },
    ]


def linear_schedule(optimizer: AdamW, warmup_steps: int, total_steps: int) -> LambdaLR:
    """Linear warm-up, then linear decay to 0 over the remaining steps (fact 16)."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / max(warmup_steps, 1)
        return max(0.0, (total_steps - step) / max(total_steps - warmup_steps, 1))

    return LambdaLR(optimizer, factor)


def inverse_square_root_schedule(optimizer: AdamW, steps_per_epoch: int, frozen_epochs: int) -> LambdaLR:
    """Base rates while the encoder is frozen, warm-up over the two epochs after it, then decay with the root (fact 25).

    Args:
        optimizer: its groups have the base rates.
        steps_per_epoch: steps of one epoch.
        frozen_epochs: first epochs in which only the heads learn.
    """
    frozen_steps = frozen_epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < frozen_steps:
            return 1.0
        since_frozen = max(step - frozen_steps, 1)
        return float(5 * min(since_frozen**-0.5, since_frozen * (2 * steps_per_epoch) ** -1.5))

    return LambdaLR(optimizer, factor)
