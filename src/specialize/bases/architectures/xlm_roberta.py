"""XLM-R's architecture: RoBERTa's, under another name."""

from __future__ import annotations

from specialize.bases.architectures.architecture import Classes
from specialize.bases.architectures.roberta import Roberta


class XlmRoberta(Roberta):
    """See the module."""

    name = "XLM-R"
    model_type = "xlm-roberta"

    def classes(self) -> Classes:
        """XLM-R's."""
        from transformers.models.xlm_roberta.configuration_xlm_roberta import XLMRobertaConfig
        from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaForMaskedLM, XLMRobertaModel

        return Classes(XLMRobertaConfig, XLMRobertaModel, XLMRobertaForMaskedLM)


ARCHITECTURE = XlmRoberta()
