"""RoBERTa's architecture: BERT's without a next-sentence task, whose positions begin after the padding's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from specialize.bases.architectures.architecture import Architecture, Classes
from specialize.bases.weights import WeightNames

if TYPE_CHECKING:
    from torch import Tensor
    from transformers.modeling_utils import PreTrainedModel


class Roberta(Architecture):
    """See the module."""

    name = "RoBERTa"
    model_type = "roberta"
    attention = "attention."
    names = WeightNames(spare_bias="lm_head.bias")

    def classes(self) -> Classes:
        """RoBERTa's."""
        from transformers.models.roberta.configuration_roberta import RobertaConfig
        from transformers.models.roberta.modeling_roberta import RobertaForMaskedLM, RobertaModel

        return Classes(RobertaConfig, RobertaModel, RobertaForMaskedLM)

    def new_config(self, special: Mapping[str, int], segments: int) -> dict[str, Any]:
        """The ids of padding, start and end, and the segments."""
        return {
            "pad_token_id": special["pad"],
            "bos_token_id": special["start"],
            "eos_token_id": special["end"],
            "type_vocab_size": segments,
        }

    def positions(self, config: Mapping[str, Any]) -> int:
        """Without those up to the padding's, whose number is its id: 1 if the configuration does not say."""
        padding = config.get("pad_token_id")
        return super().positions(config) - 1 - (1 if padding is None else int(padding))

    def head(self, model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
        """RoBERTa calls it `lm_head`."""
        return cast("Callable[[Tensor], Tensor]", model.lm_head)


ARCHITECTURE = Roberta()
