"""What is to be known of a model's architecture. Nothing outside this package knows any of it.

Modules of this package import neither torch nor a model's class before one is needed: each import takes seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from specialize.bases.weights import WeightNames
from specialize.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers.configuration_utils import PreTrainedConfig
    from transformers.modeling_utils import PreTrainedModel

NO_LORA = "has no matrices that are known to take low-rank updates"
INSTEAD_OF_LORA = "leave out adapt.lora, or choose another base model"


class Classes(NamedTuple):
    """The classes of the library that an architecture has.

    Attributes:
        config: of its sizes.
        encoder: without a head.
        masked_lm: with the head that predicts masked pieces.
    """

    config: type[PreTrainedConfig]
    encoder: type[PreTrainedModel]
    masked_lm: type[PreTrainedModel]


class Architecture(ABC):
    """An architecture, such as BERT's. A module of this package that defines `ARCHITECTURE` adds one.

    Attributes:
        name: as people call it.
        model_type: what config.json calls it.
        default_positions: the `max_position_embeddings` of a configuration that does not say.
        names: of the tensors in its files of weights.
        attention: how names of a layer's attention begin, within the layer; empty: not known, so that it gets no LoRA.
        inner_share: of the matrices within a layer that widen and narrow it, how many times BERT's two there are.
        encoder_options: of the encoder's class, so that it makes nothing that is not used.
    """

    name: str
    model_type: str
    default_positions = 512
    names = WeightNames()
    attention = ""
    inner_share = 1.0
    encoder_options: Mapping[str, Any] = {"add_pooling_layer": False}

    @abstractmethod
    def classes(self) -> Classes:
        """Its classes; they are imported here, and those of no other architecture."""

    @abstractmethod
    def new_config(self, special: Mapping[str, int], segments: int) -> dict[str, Any]:
        """What the configuration of a new model has besides sizes and the number of pieces.

        Args:
            special: the special tokens' ids by role; see `vocabularies.special_ids`.
            segments: how many segments an example may have.
        """

    @abstractmethod
    def head(self, model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
        """A masked language model's head: from vectors (places, width) to logits (places, pieces)."""

    def positions(self, config: Mapping[str, Any]) -> int:
        """The most pieces that a model can read at once, the special ones included.

        Args:
            config: its configuration, or the sizes of one that is to be made.
        """
        positions: int = config.get("max_position_embeddings", self.default_positions)
        return positions

    def no_masked_training(self, config: Mapping[str, Any]) -> str:
        """Why a model cannot be pretrained further on a language, but only be used as it is; empty if it can.

        Args:
            config: its configuration.
        """
        return ""

    def encoder(self, folder: Path) -> PreTrainedModel:
        """The model of a folder without a head.

        Raises:
            InputError: if its weights are not all there, or not sound; see `bases.loading`.
        """
        from specialize.bases.loading import load_sound

        model, _ = load_sound(self.classes().encoder, folder, self.names, **self.encoder_options)
        return model

    def masked_lm(self, folder: Path) -> tuple[PreTrainedModel, bool]:
        """The masked language model of a folder, and whether its head had to be drawn, by torch's random numbers.

        A model that was made for sentence vectors, such as LaBSE, has no head.

        Raises:
            InputError: if its other weights are not all there, or not sound; see `bases.loading`.
        """
        from specialize.bases.loading import load_sound

        model, drawn = load_sound(self.classes().masked_lm, folder, self.names)
        self.join_biases(model)
        return model, bool(drawn)

    def new_masked_lm(
        self, sizes: Mapping[str, Any], pieces: int, special: Mapping[str, int], segments: int = 2
    ) -> PreTrainedModel:
        """A masked language model with random weights.

        Args:
            sizes: as the library's configuration names them.
            pieces: how many the vocabulary has.
            special, segments: see `new_config`.
        """
        classes = self.classes()
        values: dict[str, Any] = {"vocab_size": pieces, **self.new_config(special, segments), **sizes}
        return classes.masked_lm(classes.config(**values))

    def segment_inputs(self, segments: Tensor, config: PreTrainedConfig) -> dict[str, Tensor]:
        """What the encoder is told of segments; nothing, if it has one kind of them only.

        Args:
            segments: (examples, length) 1 in the second one.
            config: of the encoder.
        """
        return {"token_type_ids": segments} if getattr(config, "type_vocab_size", 0) > 1 else {}

    def attention_inputs(self, attention: Tensor, padded: bool, config: PreTrainedConfig) -> dict[str, Any]:
        """What the encoder is told of padding.

        Without any, it is told nothing, so that torch may take its fastest attention. Else it is told in the form that
        the attention itself takes: the library makes that of a plain one too, but first asks the device whether there
        is any padding, which makes a GPU wait.

        Args:
            attention: (examples, length) True where there is a piece.
            padded: whether it is False anywhere.
            config: of the encoder.
        """
        if not padded:
            return {"attention_mask": None}
        return {"attention_mask": attention[:, None, None].expand(-1, 1, attention.shape[1], -1)}

    def embeddings(self, model: PreTrainedModel) -> Tensor:
        """The pieces' embeddings: (pieces, width)."""
        return cast("Tensor", model.get_input_embeddings().weight)

    def matrices(self, model: PreTrainedModel) -> list[Tensor]:
        """All matrices of a masked language model that have a row for each piece, each once.

        The embeddings come first; the output layer's follows where it is not tied to them.
        """
        embeddings, output = self.embeddings(model), cast("Tensor", self.output_layer(model).weight)
        return [embeddings] if output is embeddings else [embeddings, output]

    def output_layer(self, model: PreTrainedModel) -> nn.Module:
        """What makes logits of the head's vectors."""
        return cast("nn.Module", model.get_output_embeddings())  # type: ignore[no-untyped-call]

    def output_bias(self, model: PreTrainedModel) -> Tensor | None:
        """The output layer's bias: (pieces,); None if it has none."""
        return cast("Tensor | None", self.output_layer(model).bias)

    def join_biases(self, model: PreTrainedModel) -> None:
        """Have the output layer's bias be one parameter under both of its names, as the library has it if tied.

        Without the tie it makes two, of which one is not used, and grows only the other.
        """
        if self.names.spare_bias:
            holder, _, name = self.names.spare_bias.rpartition(".")
            setattr(model.get_submodule(holder), name, self.output_bias(model))

    def part_biases(self, model: PreTrainedModel) -> None:
        """Undo `join_biases` where the library would then write a file without the bias that it reads."""
        if self.names.spare_bias and len(self.matrices(model)) > 1:
            from torch import nn

            holder, _, name = self.names.spare_bias.rpartition(".")
            bias = cast("Tensor", self.output_bias(model))
            setattr(model.get_submodule(holder), name, nn.Parameter(bias.detach().clone()))

    def part(self, name: str, model: PreTrainedModel) -> tuple[str, int]:
        """Where a parameter of a masked language model is.

        Args:
            name: of the parameter; it may be one that was put into a module, such as LoRA's.
            model: the model.

        Returns:
            `embeddings`, `encoder` or `head`; and how many layers are above it: those of the model for embeddings, 0
            for what is of no layer.
        """
        prefix, layers = model.base_model_prefix + ".", int(model.config.num_hidden_layers)
        own = name.removeprefix(prefix)
        if model.get_parameter(name) is self.embeddings(model):  # perhaps by the name of a tied output layer
            return "embeddings", layers
        if own == name:
            return "head", 0
        if own.partition(".")[0] == self.names.embeddings.partition(".")[0]:
            return "embeddings", layers
        if own.startswith(self.names.layers):
            return "encoder", layers - 1 - int(own.removeprefix(self.names.layers).partition(".")[0])
        return "encoder", 0

    def lora_targets(self, model: PreTrainedModel, targets: str) -> list[str]:
        """The matrices of a masked language model's layers that get low-rank updates, by the names of their modules.

        Args:
            model: the model.
            targets: `attention`, or `all-linear` for all of each layer.

        Raises:
            InputError: if what its attention is called is not known.
        """
        from torch import nn

        if not self.attention:
            raise InputError("config.json", f"{self.name} {NO_LORA}", remedy=INSTEAD_OF_LORA)
        layer = f"{model.base_model_prefix}.{self.names.layers}"
        found = []
        for name, module in model.named_modules():
            inner = name.removeprefix(layer).partition(".")[2]
            if name.startswith(layer) and isinstance(module, nn.Linear):
                found += [name] if targets == "all-linear" or inner.startswith(self.attention) else []
        return found

    def undecayed(self, model: nn.Module) -> set[str]:
        """Names of the parameters that do not decay: biases and layer norms (facts 16 and 24).

        Args:
            model: a model of this architecture, or its encoder; the names are within it.
        """
        from torch import nn

        norms = {
            id(parameter)
            for module in model.modules()
            if isinstance(module, nn.LayerNorm)
            for parameter in module.parameters()
        }
        return {
            name
            for name, parameter in model.named_parameters()
            if id(parameter) in norms or name.rpartition(".")[2] == "bias"
        }
