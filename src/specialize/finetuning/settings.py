"""Settings of finetuning: of the training, of each task's head, of the BiLSTM over static vectors."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from specialize.settings import DETERMINISTIC, PRECISION, Number, Precision, Reader, Settings, setting

VERSION = 5  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again


class TaggerSettings(Settings):
    """The section `finetuning.pos`."""

    dropout: Number = setting("of the word vectors", source="fact 29", ge=0, lt=1)


class EntityTaggerSettings(Settings):
    """The section `finetuning.ner`."""

    dropout: Number = setting("of the word vectors", source="fact 30", ge=0, lt=1)
    loss: Literal["mean", "sum"] = setting(
        "what the loss of a batch is over its sentences; a sum drowns the losses of other tasks", source="fact 30"
    )


class ParserSettings(Settings):
    """The section `finetuning.ud`."""

    input_dropout: Number = setting("of the word vectors", source="fact 31", ge=0, lt=1)
    dropout: Number = setting("variational, of the states and of each MLP's output", source="fact 31", ge=0, lt=1)
    arc_dimension: int = setting("of the MLPs that score arcs", source="fact 31", ge=1)
    label_dimension: int = setting("of the MLPs that score relations", source="fact 31", ge=1)
    single_root: bool = setting("whether a tree has exactly one word below its root, as UD demands", source="fact 31")


HEADS: dict[str, type[Settings]] = {"pos": TaggerSettings, "ner": EntityTaggerSettings, "ud": ParserSettings}


class TaskEncoderSettings(Settings):
    """A representation's `task_encoders`: the BiLSTM between static vectors and a task's head (fact 21)."""

    layers: int = setting("of the BiLSTM", source="fact 21", ge=1)
    hidden_size: int = setting("of one direction", source="fact 21", ge=1)
    input_dropout: Number = setting("of the vectors, before the first layer", ge=0, lt=1)
    dropout: Number = setting(
        "between the layers; with `highway`, of the state that goes from word to word", source="fact 21", ge=0, lt=1
    )
    highway: bool = setting("gates that let a layer's input by, as in the paper's parser", source="fact 21")


class FinetuningOptions(Settings):
    """The keys of the section `finetuning` that a representation's `finetuning` may override."""

    threads: int = setting("CPU threads; a result depends on their number in its last bits", ge=1)
    epochs: int = setting("passes over the training data, at most", source="fact 26", ge=1)
    patience: int = setting(
        "epochs without a better development score, after which training ends", source="fact 26", ge=1
    )
    frozen_epochs: int = setting("first epochs in which only the heads learn", source="fact 24", ge=0)
    schedule: Literal["inverse-square-root", "constant"] = setting(
        "of the learning rates: as they are in the frozen epochs, then they rise for two epochs and fall with the "
        "square root of the step; or as they are throughout",
        source="fact 25",
    )
    learning_rate: Number = setting("of the heads", source="fact 24", gt=0)
    encoder_multiplier: Number = setting("the encoder learns at so many times that rate", source="fact 24", gt=0)
    weight_decay: Number = setting("of all weights but layer norms and biases", source="fact 24", ge=0)
    gradient_norm: Number = setting("gradients are clipped to it, all parameters together", source="fact 24", gt=0)
    bias_correction: bool = setting("whether AdamW corrects the bias of its moments", source="fact 24")
    layer_dropout: Number = setting(
        "probability that a layer is left out of the mix", source="fact 22", read_by="pretrained encoders", ge=0, lt=1
    )
    layer_dropout_when_evaluating: bool = setting(
        "whether layers drop out of the mix outside training too, so that scores vary",
        source="fact 22",
        read_by="pretrained encoders",
    )
    leading_space: bool = setting(
        "whether byte-level pieces see the space before a word; without it `bert` is handicapped",
        source="fact 23",
        read_by="encoders of byte-level pieces",
    )
    unknown_words: Literal["subwords", "shared"] = setting(
        "what stands for a word without a static vector of its own: the mean of its subwords' vectors, or one vector "
        "that all such words have",
        source="fact 21",
        read_by="static vectors",
    )
    vector_updates: Literal["dense", "sparse"] = setting(
        "whether Adam's momentum moves the vectors of words that are not in a batch, or these stay where they are",
        source="fact 21",
        read_by="static vectors",
    )
    order: Literal["shuffled", "round-robin"] = setting(
        "how the batches of several data sets follow each other",
        source="fact 33",
        read_by="regimes of several data sets",
    )
    precision: Precision = setting(
        f"of the encoder's matrix products; {PRECISION}", source="fact 24", read_by="pretrained encoders"
    )
    deterministic: bool = setting(DETERMINISTIC, neutral=False)
    development_punctuation: bool = setting(
        "whether the development LAS counts punctuation, as the test LAS does", source="fact 32", read_by="parsers"
    )
    alt_punctuation: Literal["upos", "xpos"] = setting(
        "the tags that tell punctuation to a parser that learns together with a tagger (ALT), where the development "
        "LAS does not count it; of a treebank's own tags only the usual ones (`.`, `,`, `:`, `PUNCT` …) are known",
        source="fact 32",
        read_by="parsers under ALT whose development LAS leaves punctuation out",
    )


class FinetuningSettings(FinetuningOptions):
    """The resolved settings of one finetuning job (paper, Table 5; facts 22 to 31)."""

    readers: ClassVar[dict[str, Reader]] = {
        "pretrained encoders": lambda job: job.method != "fasttext",
        "static vectors": lambda job: job.method == "fasttext",
        "encoders of byte-level pieces": lambda job: job.method == "scratch",
        "regimes of several data sets": lambda job: len(job.datasets) > 1,
        "parsers": lambda job: "ud" in job.heads,
        "parsers under ALT whose development LAS leaves punctuation out": lambda job: (
            ["ud", "pos"] in job.datasets and not job.development_punctuation
        ),
    }

    batch_size: int = setting("sentences in a batch", ge=1)
    seeds: list[int] = setting("of numpy, torch, python")
    tags: Literal["upos", "xpos"] | None = setting("the column that POS tagging predicts; None for other tasks")
    datasets: list[list[str]] = setting("the tasks, those in one list learn together from the same sentences")
    upsample: bool = setting("whether smaller data sets are repeated to the largest one's number of batches")
    heads: dict[str, dict[str, Any]] = setting("each task's own settings, as of `HEADS`")
    task_encoders: dict[str, dict[str, Any]] | None = setting(
        "sizes of the BiLSTM between static vectors and heads, by the first task of each data set; None on a "
        "pretrained transformer"
    )
    method: str = setting("of the representation", derived=True)

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        for task, own in self.heads.items():
            HEADS[task](**own)
        return self

    def job_parameters(self) -> dict[str, Any]:
        """As of any settings, those of heads and BiLSTMs included."""
        known = super().job_parameters()
        known["heads"] = {task: HEADS[task](**own).job_parameters() for task, own in self.heads.items()}
        if self.task_encoders is not None:
            encoders = self.task_encoders.items()
            known["task_encoders"] = {task: TaskEncoderSettings(**own).job_parameters() for task, own in encoders}
        return known
