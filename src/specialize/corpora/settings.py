"""How text is cleaned and split."""

from __future__ import annotations

from dataclasses import dataclass

SENTENCE_END = ". "


@dataclass(frozen=True)
class Cleaning:
    """How text is cleaned and split.

    Attributes:
        seed: of the split and of the downsampling.
        validation_share, test_share: shares of articles (paper: 80/10/10).
        sample: share of articles that is kept (paper, Table 1).
        sentence_end: what parts two sentences within a line, with its space.
        sentence_final: what is parted from a sentence's last word: `punctuation`, or as the paper's code did, its last
            run of `any` character (fact 2).
        sampling: what is sampled: `articles`, or as run, `files` of a megabyte of extracted text (fact 5).
        decontamination: a labeled sentence is known by its `words`, in both writings, or as run, by all of its `rows`
            together (fact 6).
    """

    seed: int
    validation_share: float
    test_share: float
    sample: float = 1.0
    sentence_end: str = SENTENCE_END
    sentence_final: str = "punctuation"
    sampling: str = "articles"
    decontamination: str = "words"
