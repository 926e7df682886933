"""A tagger that reads a weighted sum of its encoder's layers; it needs torch and transformers, and nothing else.

`export-tagger` copies this file into the folders that it makes, for `AutoModelForTokenClassification` to find.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import TokenClassifierOutput


class LayerMixConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Labels, the configuration of the encoder, and what else it is made with."""

    model_type = "layer_mix"

    def __init__(
        self, encoder: dict[str, Any] | None = None, encoder_options: dict[str, Any] | None = None, **others: Any
    ) -> None:
        self.encoder, self.encoder_options = encoder or {}, encoder_options or {}
        super().__init__(**others)


class LayerMixForTokenClassification(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Logits of labels for each piece; those of a word are the mean over its pieces."""

    config_class = LayerMixConfig
    base_model_prefix = "encoder"

    def __init__(self, config: LayerMixConfig) -> None:
        super().__init__(config)
        encoder = AutoConfig.for_model(**config.encoder)
        self.encoder = AutoModel.from_config(encoder, **config.encoder_options)  # type: ignore[no-untyped-call]
        self.layers = nn.Parameter(torch.ones(encoder.num_hidden_layers))
        self.classifier = nn.Linear(encoder.hidden_size, len(config.id2label or {}))
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> TokenClassifierOutput:
        """Classify pieces."""
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        mixed = torch.stack(
            [weight * layer for weight, layer in zip(self.layers, output.hidden_states[1:], strict=True)]
        ).sum(0)
        return TokenClassifierOutput(logits=self.classifier(mixed))
