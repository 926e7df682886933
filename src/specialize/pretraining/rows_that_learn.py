"""New pieces' rows that learn while the other rows of their matrices stay."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from specialize.bases.architectures import architecture_of

NEW_ROWS = "new_rows"  # the attribute of a model that has them, and how the names of its parameters begin


class NewRows(nn.Module):
    """Parameters that stand in for rows of a masked language model's matrices, until they are `written`.

    Nothing as large as a matrix then has a gradient, or moments of the optimizer. `peft` has tokens that learn, but
    computes a changed copy of the whole matrix in each step, and knows no entries of the output layer's bias.

    Args:
        model: gets this as its attribute; its embeddings need no gradient. Where its output layer learns itself, as a
            head that was frozen in no part does, only the embeddings' rows are here.
        ids: of the new pieces.

    Attributes:
        embeddings: (new pieces, width), in the output layer too if that is tied.
        output: (new pieces, width) of an output layer of its own that stays; else None.
        bias: (new pieces,) of the output layer's bias if that stays; else None.
    """

    ids: Tensor
    numbers: Tensor

    def __init__(self, model: PreTrainedModel, ids: Tensor) -> None:
        super().__init__()
        architecture = architecture_of(model.config)
        matrices, bias = architecture.matrices(model), architecture.output_bias(model)
        numbers = torch.full((len(matrices[0]),), -1)
        numbers[ids] = torch.arange(len(ids))
        self.register_buffer("ids", ids, persistent=False)
        self.register_buffer("numbers", numbers, persistent=False)
        self.embeddings = _rows(matrices[0], ids)
        self.output = _rows(matrices[1], ids) if len(matrices) > 1 and not matrices[1].requires_grad else None
        self.bias = _rows(bias, ids) if bias is not None and not bias.requires_grad else None
        self._hook: Any = None
        if not matrices[-1].requires_grad:
            layer = cast("nn.Module", model.get_output_embeddings())  # type: ignore[no-untyped-call]
            self._hook = layer.register_forward_hook(self._with_own_logits)
        setattr(model, NEW_ROWS, self)

    def forward(self, matrix: Tensor, ids: Tensor) -> Tensor:
        """The vectors of pieces: of new ones these, of others the matrix's."""
        numbers = self.numbers[ids]
        own = nn.functional.embedding(numbers.clamp(min=0), self.embeddings)
        return torch.where((numbers >= 0)[..., None], own, nn.functional.embedding(ids, matrix))

    def _with_own_logits(self, layer: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> Tensor:
        bias: Tensor | None = self.bias
        if bias is None and layer.bias is not None:
            bias = cast("Tensor", layer.bias).index_select(0, self.ids)
        own = nn.functional.linear(inputs[0], self.embeddings if self.output is None else self.output, bias)
        return logits.index_copy(-1, self.ids, own)

    def written(self, model: PreTrainedModel) -> None:
        """Write them into the model's matrices and bias, and take them off the model."""
        architecture = architecture_of(model.config)
        matrices, bias = architecture.matrices(model), architecture.output_bias(model)
        with torch.no_grad():
            matrices[0][self.ids] = self.embeddings
            if self.output is not None:
                matrices[1][self.ids] = self.output
            if self.bias is not None and bias is not None:
                bias[self.ids] = self.bias
        if self._hook:
            self._hook.remove()
        delattr(model, NEW_ROWS)


def _rows(table: Tensor, ids: Tensor) -> nn.Parameter:
    return nn.Parameter(table.detach().index_select(0, ids).clone())
