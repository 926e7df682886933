"""What learns while a base model is pretrained further: all of it, low-rank updates, or some parts; and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from specialize.bases.architectures import architecture_of
from specialize.errors import SpecializeError
from specialize.pretraining.rows_that_learn import NEW_ROWS, NewRows
from specialize.pretraining.settings import AdaptSettings, LoraSettings, PretrainingSettings

if TYPE_CHECKING:
    from peft import LoraModel


UPDATE = ".lora_"  # in the names of the updates' matrices


class Learning:
    """What learns in the training of one model, as a representation's `adapt` says.

    With LoRA the base's weights stay, its head's too unless that was drawn at random; in each of the matrices that are
    its targets an update of low rank learns. Rows of new pieces learn in any case, in the output layer too.

    Args:
        model: changed in place, until `settled`.
        adapt: what learns.
        new_pieces: their ids; there may be none.
        head_drawn: whether the base has no head of its own, so that it has to be learned.

    Attributes:
        parameters: how many numbers learn.

    Raises:
        SpecializeError: if nothing but the head would learn, or the model takes no such updates.
    """

    def __init__(
        self, model: PreTrainedModel, adapt: AdaptSettings, new_pieces: Tensor, head_drawn: bool = False
    ) -> None:
        if {"embeddings", "encoder"} <= set(adapt.freeze) and not len(new_pieces):
            raise SpecializeError(
                "adapt.freeze leaves embeddings and encoder as they are, and the vocabulary has no new pieces, so that "
                "nothing but the head would learn, which finetuning drops: leave one of them out of adapt.freeze, or "
                "this language out by experiment.exceptions"
            )
        self.model, self.adapt = model, adapt
        self._architecture = architecture_of(model.config)
        self._lora = self._with_lora(adapt.lora) if adapt.lora else None
        for name, parameter in model.named_parameters():
            part, _ = self._architecture.part(name, model)
            if part in adapt.freeze:
                parameter.requires_grad_(False)
            elif part == "head" and head_drawn:
                parameter.requires_grad_()
        self._rows = None
        if len(new_pieces) and not self._architecture.embeddings(model).requires_grad:
            self._rows = NewRows(model, new_pieces)
        self.parameters = sum(one.numel() for one in model.parameters() if one.requires_grad)

    def _with_lora(self, lora: LoraSettings) -> LoraModel:
        from peft import LoraConfig, LoraModel  # takes seconds

        names = self._architecture.lora_targets(self.model, lora.targets)
        narrowest = min(min(self.model.get_submodule(name).weight.shape) for name in names)  # type: ignore[arg-type]
        if lora.rank > narrowest:
            raise SpecializeError(
                f"adapt.lora.rank {lora.rank} is more than {narrowest}, the width of a matrix that gets an update; "
                "lower it"
            )
        config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=names)  # type: ignore[arg-type]
        made = LoraModel(self.model, config, "default")
        assert sorted(made.targeted_module_names) == sorted(names)
        return made

    def groups(self, settings: PretrainingSettings, multiplier: float) -> list[dict[str, Any]]:
        """Parameter groups: of one rate and weight decay each.

        The rate of a layer is `layer_decay` times that of the one above it; the head has the full rate, as the topmost
        layer has, and the embeddings, tied or not, that of a layer below the lowest. Low-rank updates have their own
        multiple of that of their layer. New pieces' rows that are
        parameters of their own have `multiplier` times that of their matrix.

        Args:
            settings: of the training.
            multiplier: of the new pieces' rate (the paper's a).
        """
        undecayed = self._architecture.undecayed(self.model)
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                rate = settings.learning_rate * self._share(name, multiplier)
                decay = 0.0 if name in undecayed else settings.weight_decay
                groups.setdefault((rate, decay), []).append(parameter)
        return [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]

    def _share(self, name: str, multiplier: float) -> float:
        """Of the learning rate, for a parameter."""
        if name == f"{NEW_ROWS}.embeddings":
            return float(multiplier * self.adapt.layer_decay ** int(self.model.config.num_hidden_layers))
        if name.startswith(f"{NEW_ROWS}."):  # entries in the bias are no embeddings, and learn as the rest does
            return 1.0 if name.endswith(".bias") else multiplier
        share = float(self.adapt.layer_decay ** self._architecture.part(name, self.model)[1])
        return share * self.adapt.lora.multiplier if self.adapt.lora and UPDATE in name else share

    def settled(self) -> None:
        """Give the model its own tensors back, with all that was learned in them."""
        if self._rows:
            self._rows.written(self.model)
        if self._lora:
            self._lora.merge_and_unload()
        self.model.requires_grad_(True)
