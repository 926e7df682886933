"""Hyperparameters of finetuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Raised on purpose when a change to this stage's code changes its results, so that its jobs run again.
VERSION = 4


@dataclass(frozen=True)
class FinetuningSettings:
    """Resolved hyperparameters of one job (paper, Table 5; facts 22 to 31).

    Attributes:
        unknown_words: what stands for a word without a static vector of its own; see `recurrent.StaticWords`.
        precision: of the encoder's matrix products: `float32`, or `bfloat16`; weights and optimiser stay in float32.
        development_punctuation: whether the development LAS counts punctuation, as the test LAS does (fact 32).
        alt_punctuation: the column that tells punctuation to a parser that learns together with a tagger (ALT), `upos`
            or `xpos`, where the development LAS does not count it (fact 32).
        seeds: of numpy, torch, python.
        tags: the column that POS tagging predicts; None for other tasks.
        datasets: the tasks, those in one list that are learned together from the same sentences.
        upsample, order: of the data sets' batches; see `batches.MixedBatches`.
        heads: each task's own settings.
        task_encoders: sizes of the BiLSTM between static vectors and heads, by the first task of each data set; None on
            a pretrained transformer.
    """

    threads: int
    epochs: int
    patience: int
    frozen_epochs: int
    schedule: str
    learning_rate: float
    encoder_multiplier: float
    weight_decay: float
    gradient_norm: float
    bias_correction: bool
    layer_dropout: float
    layer_dropout_when_evaluating: bool
    leading_space: bool
    unknown_words: str
    precision: str
    development_punctuation: bool
    alt_punctuation: str
    batch_size: int
    seeds: list[int]
    tags: str | None
    datasets: list[list[str]]
    upsample: bool
    order: str
    heads: dict[str, dict[str, Any]]
    task_encoders: dict[str, dict[str, Any]] | None
