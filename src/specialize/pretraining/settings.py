"""Settings of pretraining: of masked language models, and of static word vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from specialize.settings import DETERMINISTIC, PRECISION, Number, Precision, Reader, Settings, setting

VERSION = 5  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again
# What is pretrained from scratch: base models, and monolingual models (fact 20).
BASE_ARCHITECTURE, MONOLINGUAL_ARCHITECTURE = "bert", "roberta"

OtherTexts = Annotated[
    dict[str, Any] | list[str],
    BeforeValidator(lambda value: value or {}),
    WithJsonSchema(
        {
            "type": ["object", "array"],
            "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "items": {"type": "string"},
            "uniqueItems": True,
        }
    ),
]


class PretrainingOptions(Settings):
    """The section `pretraining`, of which a representation's `training` may override any key."""

    seed: int = setting("of masks, order, dropout and new weights", ge=0)
    threads: int = setting("CPU threads; a result depends on their number in its last bits", ge=1)
    gpus: int = setting(
        "of one job, with a process for each; a result depends on their number in its last bits, and in what drops out",
        neutral=1,
        default=1,
        ge=1,
    )
    epochs: int = setting(
        "passes over all copies of the text; the one of lowest validation loss is kept", source="fact 18", ge=1
    )
    steps_per_epoch: int | None = setting(
        "an epoch ends after so many batches; null: one pass over all copies of the text", neutral=None, ge=1
    )
    validation_sentences: int | None = setting(
        "so many lines of the validation text are scored; null: all", neutral=None, ge=1
    )
    batch_size: int = setting("examples in a batch", source="fact 18", ge=1)
    sequence_length: int = setting("wordpieces of an example, special tokens included", source="fact 14", ge=8)
    copies: int = setting("of the text, each with masks of its own", source="fact 14", ge=1)
    examples: Literal["articles", "sentence-pairs", "lines"] = setting(
        "what an example is: contiguous text of one article; two segments, the second from another article half the "
        "time (as the paper's code had it: fact 15); or one line (fact 20)",
        source="fact 15",
    )
    masking: Literal["static", "dynamic"] = setting(
        "whether the masks of an example are drawn once or anew in every epoch", source="fact 14"
    )
    masked_probability: Number = setting(
        "share of an example's pieces that are to be predicted", source="fact 14", gt=0, lt=1
    )
    max_predictions: int = setting("so many of an example's pieces at most are to be predicted", source="fact 14", ge=1)
    masked_unit: Literal["pieces", "words"] = setting(
        "what is drawn to be predicted: single pieces, which is the default, or all pieces of a word at once, as "
        "BERT's whole word masking has it; validation text keeps masks of single pieces, so that losses compare",
        neutral="pieces",
        default="pieces",
    )
    short_sequence_probability: Number = setting(
        "share of examples that are shorter than they could be",
        source="fact 14",
        read_by="articles and sentence pairs",
        ge=0,
        le=1,
    )
    learning_rate: Number = setting("the highest, at the end of the warm-up", source="fact 16", gt=0)
    warmup_steps: Annotated[int, Field(ge=0)] | Literal["epoch"] = setting(
        "in which the learning rate rises; `epoch`: as many as an epoch has (fact 20)", source="fact 16"
    )
    weight_decay: Number = setting("of all weights but layer norms and biases", source="fact 16", ge=0)
    gradient_norm: Number = setting("gradients are clipped to it, all parameters together", source="fact 16", gt=0)
    bias_correction: bool = setting("whether AdamW corrects the bias of its moments", source="fact 16")
    tiering: Literal["rows", "released", "two-groups"] = setting(
        "how new pieces learn faster: their rows move at their own rate, weight decay included; as the paper's "
        "released code ran, at the common rate; or as its corrected code, where every row decays at both rates",
        source="fact 17",
        read_by="models whose new pieces learn faster",
    )
    initialisation: Literal["slot", "mean", "random", "script", "focus", "dictionary"] = setting(
        "what new pieces' rows start from, in the output layer too. slot: from that of their free slot, and beyond the "
        "slots from the mean of those of the pieces that the base had cut them into; mean: all from that mean; random: "
        "from that of their slot, and beyond drawn with the architecture's initializer_range; script: drawn from the "
        "distribution of the rows of their script; focus: from the mean of those of similar pieces, by static vectors "
        "of the text; dictionary: from the mean of those of translations, by the language's `dictionary`",
        source="fact 13",
        read_by="models with new pieces",
        neutral="slot",
    )
    with_languages: OtherTexts = setting(
        "other languages whose text the model learns from besides its own. A mapping of tags to shares of the running "
        "words: the rest is the language's own, all of which is learned from. A list of tags: each language's share "
        "follows from how much text it has, by sampling_exponent. A language's own tag counts for nothing. By default "
        "none",
        read_by="models of one language",
        neutral={},
        alias="with",
        default={},
    )
    sampling_exponent: Number = setting(
        "shares go with the number of running words raised to it: 1 takes as much of each language as it has, 0 "
        "equally much of each; by default XLM-R's 0.3 (Conneau et al., 2020)",
        read_by="models of one language that learn from a list of others",
        default=0.3,
        ge=0,
        le=1,
    )
    precision: Precision = setting(f"of matrix products; {PRECISION}", source="fact 16")
    deterministic: bool = setting(DETERMINISTIC, neutral=False)


Part = Literal["embeddings", "encoder"]  # of a model, besides its head


class LoraSettings(Settings):
    """A representation's `adapt.lora`: the base's weights stay, and updates of a low rank learn (Hu et al., 2022)."""

    rank: int = setting("of the updates, by default 8: each matrix gets two narrow ones of this width", default=8, ge=1)
    alpha: Number = setting("an update counts alpha / rank times; by default 16", default=16, gt=0)
    dropout: Number = setting("of what goes into an update; by default 0", default=0.0, ge=0, lt=1)
    multiplier: Number = setting(
        "updates learn at so many times the rate; by default 10, since they want more than whole weights do",
        default=10,
        gt=0,
    )
    targets: Literal["attention", "all-linear"] = setting(
        "the matrices that get one: those of each layer's attention, by default, or all of each layer",
        default="attention",
    )


class AdaptSettings(Settings):
    """A representation's `adapt`: what learns while a base model is pretrained further; all of it, by default."""

    lora: LoraSettings | None = setting("low-rank updates in place of the base's weights", neutral=None, default=None)
    freeze: Annotated[
        list[Part],
        WithJsonSchema(
            {"type": "array", "items": {"type": "string", "enum": ["embeddings", "encoder"]}, "uniqueItems": True}
        ),
    ] = setting(
        "parts that stay: the embeddings, but for the rows of new pieces; the encoder's layers", neutral=[], default=[]
    )
    layer_decay: Number = setting(
        "each layer learns at so many times the rate of the one above it, and the embeddings at so many times the "
        "lowest one's; the head and the topmost layer have the full rate; by default 1",
        source="Howard and Ruder (2018)",
        neutral=1,
        default=1,
        gt=0,
        le=1,
    )


class PretrainingSettings(PretrainingOptions):
    """The resolved settings of one pretraining job."""

    readers: ClassVar[dict[str, Reader]] = {
        "articles and sentence pairs": lambda job: job.examples != "lines",
        "models whose new pieces learn faster": lambda job: job.tiered,
        "models with new pieces": lambda job: job.augmented,
        "models of one language": lambda job: job.adapted,
        "models of one language that learn from a list of others": lambda job: (
            job.adapted and isinstance(job.with_languages, list)
        ),
    }

    adapt: AdaptSettings = setting("what learns", neutral=AdaptSettings(), default=AdaptSettings())
    augmented: bool = setting("whether it has new pieces", derived=True)
    tiered: bool = setting("whether new pieces have a learning rate of their own", derived=True)
    slots_wanted: bool = setting(
        "whether the representation itself says that new pieces start from slots", derived=True, default=False
    )
    adapted: bool = setting("whether it is of one language, not a base model", derived=True, default=True)

    def other_languages(self, language: str) -> list[str]:
        """The languages whose texts a model of this one learns from besides its own, in the order of their tags."""
        return sorted(set(self.with_languages) - {language}) if self.adapted else []

    def shares(self, language: str, words: Mapping[str, float]) -> dict[str, float]:
        """The share that each language has of the running words that a model of one language learns from.

        With a list of n languages, these are as `sampling_exponent` has them: n_i ** a / Σ n_j ** a (Conneau and
        Lample, 2019, §3.1).

        Args:
            language: whose model it is; it comes first.
            words: running words of each language's training text.
        """
        others = self.other_languages(language)
        if isinstance(self.with_languages, list):
            weights = {tag: float(words[tag]) ** self.sampling_exponent for tag in [language, *others]}
            return {tag: weight / sum(weights.values()) for tag, weight in weights.items()}
        given = {tag: float(self.with_languages[tag]) for tag in others}
        return {language: 1 - sum(given.values())} | given


class VectorSettings(Settings):
    """A representation's `vectors`: fastText's skip-gram model (Bojanowski et al., 2017), by its defaults (fact 21)."""

    seed: int = setting("of first weights, windows and samples", ge=0, le=4294967295)
    threads: int = setting("more than one is faster, and never gives the same vectors twice", ge=1)
    dimension: int = setting("of a vector", source="fact 21", ge=1)
    epochs: int = setting("passes over the text", source="fact 21", ge=1)
    window: int = setting("words predicted on each side, at most; how many is drawn for each word", ge=1)
    min_count: int = setting("rarer words have no vector of their own, only that of their subwords", ge=1)
    negative: int = setting("words drawn against each predicted one", ge=1)
    negative_exponent: Number = setting("of the frequencies that those are drawn by")
    sample: Number = setting("words more frequent than this are passed over at random", ge=0)
    learning_rate: Number = setting("at the start; it falls to 0 along the text", gt=0)
    shortest: int = setting("characters of the shortest subword, the marks of a word's ends included", ge=1)
    longest: int = setting("characters of the longest subword, likewise", ge=1)
    buckets: int = setting("of the subwords' hashes", ge=1)
