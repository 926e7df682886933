"""The architecture of DeBERTa-v2 and -v3: what a piece sees of another depends on how far apart they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from specialize.bases.architectures.architecture import Architecture, Classes
from specialize.bases.weights import WeightNames

if TYPE_CHECKING:
    from torch import Tensor
    from transformers.configuration_utils import PreTrainedConfig
    from transformers.modeling_utils import PreTrainedModel

NO_HEAD = (
    "has no trained head that predicts masked pieces: DeBERTa-v3 was trained to tell which pieces had been replaced"
)


class DebertaV2(Architecture):
    """See the module."""

    name = "DeBERTa-v2/v3"
    model_type = "deberta-v2"
    attention = "attention."
    names = WeightNames(spare=("embeddings.word_embeddings._weight",))  # of mDeBERTa-v3, from its training
    encoder_options: Mapping[str, Any] = {}

    def classes(self) -> Classes:
        """DeBERTa-v2's, which are v3's too."""
        from transformers.models.deberta_v2.configuration_deberta_v2 import DebertaV2Config
        from transformers.models.deberta_v2.modeling_deberta_v2 import DebertaV2ForMaskedLM, DebertaV2Model

        return Classes(DebertaV2Config, DebertaV2Model, DebertaV2ForMaskedLM)

    def no_masked_training(self, config: Mapping[str, Any]) -> str:
        """Of v3, which has relative positions without v2's convolution, unless it says that it has a head."""
        has_head = "DebertaV2ForMaskedLM" in (config.get("architectures") or ())
        is_v3 = bool(config.get("relative_attention")) and not config.get("conv_kernel_size")
        return NO_HEAD if is_v3 and not has_head else ""

    def new_config(self, special: Mapping[str, int], segments: int) -> dict[str, Any]:
        """The padding's id, and the segments if there are two."""
        return {"pad_token_id": special["pad"], "type_vocab_size": segments if segments > 1 else 0}

    def head(self, model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
        """DeBERTa calls it `cls`, as BERT does."""
        return cast("Callable[[Tensor], Tensor]", model.cls)

    def attention_inputs(self, attention: Tensor, padded: bool, config: PreTrainedConfig) -> dict[str, Any]:
        """The plain mask, as numbers: its attention and its convolution make each their own of it."""
        import torch

        return {"attention_mask": attention.to(torch.int64) if padded else None}


ARCHITECTURE = DebertaV2()
