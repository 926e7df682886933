"""Hyperparameters of pretraining."""

from __future__ import annotations

from dataclasses import dataclass

# Raised on purpose when a change to this stage's code changes its results, so that its jobs run again.
VERSION = 2


@dataclass(frozen=True)
class PretrainingSettings:
    """Hyperparameters (paper, Table 5; facts 14 to 20) and limits.

    Attributes:
        threads: CPU threads; a result depends on them in its last bits.
        steps_per_epoch: an epoch ends after so many batches; None: one pass over all copies of the text.
        validation_sentences: so many lines of the validation text are scored; None: all.
        examples: what an example is: `articles` (contiguous text of one article), `sentence-pairs` (two segments, the
            second from another article half the time, as the paper's code had it: fact 15) or `lines` (fact 20).
        masking: `static` (the masks of an example are drawn once, fact 14) or `dynamic` (anew in every epoch).
        warmup_steps: of the learning rate; `epoch`: as many as an epoch has (fact 20).
        tiering: how new pieces learn faster (fact 17): `rows` (their embeddings move at their own rate, weight decay
            included, all others at the common one), `released` (as the paper's released code ran: at the common rate)
            or `two-groups` (as its mended code: every row decays at both rates).
        precision: `float32`, or `bfloat16` for the matrix products; weights and optimiser stay in float32.
    """

    seed: int
    threads: int
    epochs: int
    steps_per_epoch: int | None
    validation_sentences: int | None
    batch_size: int
    sequence_length: int
    copies: int
    examples: str
    masking: str
    masked_probability: float
    max_predictions: int
    short_sequence_probability: float
    learning_rate: float
    warmup_steps: int | str
    weight_decay: float
    gradient_norm: float
    bias_correction: bool
    tiering: str
    precision: str
