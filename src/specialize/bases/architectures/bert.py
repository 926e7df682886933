"""BERT's architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from specialize.bases.architectures.architecture import Architecture, Classes

if TYPE_CHECKING:
    from torch import Tensor
    from transformers.modeling_utils import PreTrainedModel


class Bert(Architecture):
    """See the module."""

    name = "BERT"
    model_type = "bert"
    attention = "attention."

    def classes(self) -> Classes:
        """BERT's."""
        from transformers.models.bert.configuration_bert import BertConfig
        from transformers.models.bert.modeling_bert import BertForMaskedLM, BertModel

        return Classes(BertConfig, BertModel, BertForMaskedLM)

    def new_config(self, special: Mapping[str, int], segments: int) -> dict[str, Any]:
        """The padding's id; there are two segments, whatever the examples."""
        return {"pad_token_id": special["pad"]}

    def head(self, model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
        """BERT calls it `cls`."""
        return cast("Callable[[Tensor], Tensor]", model.cls)


ARCHITECTURE = Bert()
