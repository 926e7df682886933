"""What is to be known of a model's architecture. Nothing outside this package knows any of it.

Modules of this package import neither torch nor a model's class before one is needed: each import takes seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers.configuration_utils import PreTrainedConfig
    from transformers.modeling_utils import PreTrainedModel


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
        embeddings_name: how the name of the pieces' embeddings ends in a file of weights.
        sizes: of which tensor of the encoder which axis a key of config.json is.
        layers: how the names of the layers' tensors begin, before the layer's number.
        parts: how names of tensors begin that the encoder's forward pass uses, unlike a pooler's.
        spare_bias: what the library calls the output layer's bias besides; empty if it has one name.
        inner_share: of the matrices within a layer that widen and narrow it, how many times BERT's two there are.
        encoder_options: of the encoder's class, so that it makes nothing that is not used.
    """

    name: str
    model_type: str
    default_positions = 512
    embeddings_name = "embeddings.word_embeddings.weight"
    sizes: Mapping[str, tuple[str, int]] = {
        "vocab_size": (embeddings_name, 0),
        "hidden_size": (embeddings_name, 1),
        "max_position_embeddings": ("embeddings.position_embeddings.weight", 0),
        "type_vocab_size": ("embeddings.token_type_embeddings.weight", 0),
        "intermediate_size": ("encoder.layer.0.intermediate.dense.weight", 0),
    }
    layers = "encoder.layer."
    parts: tuple[str, ...] = ("embeddings.", "encoder.")
    spare_bias = ""
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

        model, _ = load_sound(self.classes().encoder, folder, **self.encoder_options)
        return model

    def masked_lm(self, folder: Path) -> tuple[PreTrainedModel, bool]:
        """The masked language model of a folder, and whether its head had to be drawn, by torch's random numbers.

        A model that was made for sentence vectors, such as LaBSE, has no head.

        Raises:
            InputError: if its other weights are not all there, or not sound; see `bases.loading`.
        """
        from specialize.bases.loading import load_sound

        model, drawn = load_sound(self.classes().masked_lm, folder)
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
        embeddings, output = self.embeddings(model), cast("Tensor", model.get_output_embeddings().weight)
        return [embeddings] if output is embeddings else [embeddings, output]

    def output_bias(self, model: PreTrainedModel) -> Tensor | None:
        """The output layer's bias: (pieces,); None if it has none."""
        return cast("Tensor | None", model.get_output_embeddings().bias)

    def join_biases(self, model: PreTrainedModel) -> None:
        """Have the output layer's bias be one parameter under both of its names, as the library has it if tied.

        Without the tie it makes two, of which one is not used, and grows only the other.
        """
        if self.spare_bias:
            holder, _, name = self.spare_bias.rpartition(".")
            setattr(model.get_submodule(holder), name, self.output_bias(model))

    def part_biases(self, model: PreTrainedModel) -> None:
        """Undo `join_biases` where the library would then write a file without the bias that it reads."""
        if self.spare_bias and len(self.matrices(model)) > 1:
            from torch import nn

            holder, _, name = self.spare_bias.rpartition(".")
            bias = cast("Tensor", self.output_bias(model))
            setattr(model.get_submodule(holder), name, nn.Parameter(bias.detach().clone()))

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
