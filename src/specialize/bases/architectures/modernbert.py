"""ModernBERT's architecture, which mmBERT has: rotary positions, no segments, and layers that see only what is near."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from specialize.bases.architectures.architecture import Architecture, Classes
from specialize.bases.weights import WeightNames

if TYPE_CHECKING:
    from torch import Tensor
    from transformers.configuration_utils import PreTrainedConfig
    from transformers.modeling_utils import PreTrainedModel

EMBEDDINGS = "embeddings.tok_embeddings.weight"


class ModernBert(Architecture):
    """See the module."""

    name = "ModernBERT"
    model_type = "modernbert"
    attention = "attn."
    default_positions = 8192
    names = WeightNames(
        embeddings=EMBEDDINGS,
        sizes={
            "vocab_size": (EMBEDDINGS, 0),
            "hidden_size": (EMBEDDINGS, 1),
            "intermediate_size": ("layers.0.mlp.Wo.weight", 1),
        },
        layers="layers.",
        parts=("embeddings.", "layers.", "final_norm."),
        spare_bias="",
    )
    inner_share = 1.5  # a gate besides
    encoder_options: Mapping[str, Any] = {}

    def classes(self) -> Classes:
        """ModernBERT's."""
        from transformers.models.modernbert.configuration_modernbert import ModernBertConfig
        from transformers.models.modernbert.modeling_modernbert import ModernBertForMaskedLM, ModernBertModel

        return Classes(ModernBertConfig, ModernBertModel, ModernBertForMaskedLM)

    def new_config(self, special: Mapping[str, int], segments: int) -> dict[str, Any]:
        """The special tokens' ids, of which it has two names for start and end."""
        start, end = special["start"], special["end"]
        return {
            "pad_token_id": special["pad"],
            "bos_token_id": start,
            "cls_token_id": start,
            "eos_token_id": end,
            "sep_token_id": end,
        }

    def head(self, model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
        """Its head, which does not include the output layer, and that."""
        head, decoder = (cast("Callable[[Tensor], Tensor]", part) for part in (model.head, model.decoder))
        return lambda vectors: decoder(head(vectors))

    def attention_inputs(self, attention: Tensor, padded: bool, config: PreTrainedConfig) -> dict[str, Any]:
        """A mask for each of the two kinds of layers: those that see all, and those that see so far to both sides."""
        import torch

        everywhere = super().attention_inputs(attention, padded, config)["attention_mask"]
        nearby, length, farthest = everywhere, attention.shape[1], config.sliding_window
        if length > farthest + 1:
            places = torch.arange(length, device=attention.device)
            near = (places[:, None] - places).abs() <= farthest
            nearby = near[None, None].expand(len(attention), 1, -1, -1) if everywhere is None else everywhere & near
        return {"attention_mask": {"full_attention": everywhere, "sliding_attention": nearby}}


ARCHITECTURE = ModernBert()
