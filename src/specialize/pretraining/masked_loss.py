"""The loss of masked pieces."""

from __future__ import annotations

from contextlib import closing

import torch
from torch import Tensor, is_grad_enabled, nn
from transformers.modeling_utils import PreTrainedModel

from specialize.bases.architectures import architecture_of
from specialize.pretraining.masked_text import MaskedBatch, MaskedText
from specialize.pretraining.rows_that_learn import NEW_ROWS
from specialize.training.feeding import fed, on_device
from specialize.training.precision import matrix_products
from specialize.training.process_group import process_group


def masked_loss(model: PreTrainedModel, batch: MaskedBatch, precision: str = "float32") -> Tensor:
    """Mean cross-entropy at the masked places, in float32; the output layer is computed nowhere else.

    Args:
        model: its output layer may be tied to its embeddings, or not.
        batch: the text.
        precision: of matrix products, as `use_precision` returned it.
    """
    architecture = architecture_of(model.config)
    embedded = getattr(model, NEW_ROWS, _embedded)
    with matrix_products(precision, model.base_model):
        hidden = model.base_model(
            inputs_embeds=embedded(architecture.embeddings(model), batch.ids),
            **architecture.attention_inputs(batch.attention, batch.padded, model.config),
            **architecture.segment_inputs(batch.segments, model.config),
        ).last_hidden_state
    with matrix_products(precision, architecture.output_layer(model), aligned=True):
        logits = architecture.head(model)(hidden.flatten(0, 1).index_select(0, batch.places))
    return nn.functional.cross_entropy(logits.float(), batch.targets)


def _embedded(matrix: Tensor, ids: Tensor) -> Tensor:
    """The rows of a matrix; those of a tied one add their gradient to the output layer's instead of a dense one.

    A dense gradient of each lookup, nearly all zeros, and their sum took a third of a step on a CPU. The output layer's
    gradient is complete by the time the lookup's arrives, since that passes through the whole encoder. A matrix that
    is not tied has no other gradient, and one that stays has none at all.
    """
    vectors = nn.functional.embedding(ids, matrix.detach())
    if is_grad_enabled() and matrix.requires_grad:

        def add(gradient: Tensor) -> None:
            if matrix.grad is None:
                matrix.grad = torch.zeros_like(matrix)
            matrix.grad.index_add_(0, ids.flatten(), gradient.flatten(0, 1))

        vectors.requires_grad_().register_hook(add)  # type: ignore[no-untyped-call]
    return vectors


def validation_loss(model: PreTrainedModel, text: MaskedText, precision: str = "float32") -> float:
    """Mean masked loss over a text, of whose batches each process takes its part."""
    where, group = next(model.parameters()).device, process_group()
    losses, numbers = [], []
    with torch.no_grad(), closing(fed(text.in_order(group.rank, group.size), where)) as batches:
        for batch in batches:
            for loss, number in _losses(model, batch, where, precision):
                losses.append(loss)
                numbers.append(number)
    total = 0.0
    for loss, number in zip(torch.stack(losses).tolist() if losses else [], numbers, strict=True):
        total += loss * number
    sums = group.total(torch.tensor([total, sum(numbers)], dtype=torch.float64, device=where))
    return float(sums[0] / sums[1])


def _losses(
    model: PreTrainedModel, batch: MaskedBatch, where: torch.device, precision: str
) -> list[tuple[Tensor, int]]:
    """The mean loss of a batch and how many predictions it has; of its halves if it does not fit a GPU's memory."""
    try:
        return [(masked_loss(model, on_device(batch, where), precision), len(batch.targets))]
    except torch.OutOfMemoryError:
        if len(batch.ids) == 1:
            raise
    torch.cuda.empty_cache()  # not in the handler, where the exception keeps what was allocated
    return [one for half in _halves(batch) if len(half.targets) for one in _losses(model, half, where, precision)]


def _halves(batch: MaskedBatch) -> list[MaskedBatch]:
    """Its first examples and its last ones, in the host's memory as it is."""
    examples, width = batch.ids.shape
    middle = examples // 2
    halves = []
    for first, end in ((0, middle), (middle, examples)):
        inside = (batch.places >= first * width) & (batch.places < end * width)
        halves.append(
            MaskedBatch(
                batch.ids[first:end],
                batch.attention[first:end],
                batch.segments[first:end],
                batch.places[inside] - first * width,
                batch.targets[inside],
                batch.padded,
            )
        )
    return halves
