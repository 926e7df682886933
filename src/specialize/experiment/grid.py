"""What a grid is made of: languages with their twins, representations, and cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from specialize.experiment.regimes import REGIMES, TASKS, Method


def is_without_trees(treebank: Mapping[str, Any]) -> bool:
    """Whether a treebank's entry is of words and tags alone."""
    return "masakhapos" in treebank and "folder" not in treebank


@dataclass(frozen=True)
class Language:
    """A language of the registry, or the transliterated twin of one.

    Attributes:
        tag: BCP-47 tag, the `{language}` of every path.
        entry: the registry entry (of the original, for a twin).
        original: the original's tag, for a twin; else None.
    """

    tag: str
    entry: dict[str, Any] = field(repr=False, hash=False)
    original: str | None = None

    @property
    def name(self) -> str:
        """The name for tables."""
        name: str = self.entry["name"]
        return f"{name} (transliterated)" if self.original else name

    @property
    def has_corpus(self) -> bool:
        """Whether there is unlabeled text."""
        return "corpus" in self.entry

    @property
    def has_treebank(self) -> bool:
        """Whether there are labeled sentences in CoNLL-U."""
        return "treebank" in self.entry

    @property
    def has_own_text(self) -> bool:
        """Whether its text is of one's own, so that no Wikipedia's dump is fetched."""
        return bool(self.entry.get("corpus", {}).keys() & {"text", "dump"})

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks with labeled data, in the order of `TASKS`."""
        there = {"pos": self.has_treebank, "ud": self.has_trees, "ner": "ner" in self.entry}
        return tuple(task for task in TASKS if there[task])

    @property
    def has_trees(self) -> bool:
        """Whether labeled sentences may have trees; MasakhaPOS has words and tags only."""
        return self.has_treebank and not is_without_trees(self.entry["treebank"])

    @property
    def tags(self) -> Literal["upos", "xpos"]:
        """The column that POS tagging predicts: xpos (paper §2.2.1) or upos, the only one that MasakhaPOS has."""
        treebank = self.entry.get("treebank", {})
        tags: Literal["upos", "xpos"] = "upos" if is_without_trees(treebank) else treebank.get("tags", "xpos")
        return tags

    def has_regime(self, regime: str) -> bool:
        """Whether the labeled data allow a regime.

        Multi-task learning needs two tasks, and what is learned jointly needs trees. Without named entities all data
        sets are the treebank, so that interleaving and upsampling coincide (paper §3.2): `mtl-ups…` is the one that
        exists.
        """
        known = REGIMES[regime]
        if known.task is not None and known.task not in self.tasks:
            return False
        if known.joint and not self.has_trees:
            return False
        if not known.mixing:
            return True
        return len(self.tasks) > 1 and (known.mixing != "int" or "ner" in self.tasks)

    def datasets(self, regime: str) -> list[list[str]]:
        """The tasks of a regime, those in one list that are learned together from the same sentences (paper §3)."""
        known = REGIMES[regime]
        if known.task is not None:
            return [[known.task]]
        if not known.joint:
            return [[task] for task in self.tasks]
        return [["ud", "pos"], *([["ner"]] if "ner" in self.tasks else [])]

    def tasks_of(self, regime: str) -> list[str]:
        """The tasks of a regime, each of which its models have test scores of."""
        return [task for together in self.datasets(regime) for task in together]


@dataclass(frozen=True)
class Representation:
    """One way to represent words: the paper's framework of n pieces and a learning-rate multiplier a (§2.1).

    Attributes:
        name: the `{representation}` of every path.
        method: base (the base model as it is), adapt (pretrained further), fasttext, scratch.
        base_model: name of the base model, for base and adapt.
        pieces: number of wordpieces added to the base vocabulary; None: the whole new vocabulary.
        multiplier: the new pieces' embeddings learn at this many times the learning rate.
    """

    name: str
    method: str
    base_model: str
    pieces: int | None
    multiplier: float


@dataclass(frozen=True, order=True)
class Cell:
    """One finetuning job: the directory below results/finetuning, and nothing more."""

    language: str
    representation: str
    regime: str
    seed: int

    @property
    def folder(self) -> str:
        """Its folder, relative to the run."""
        return f"results/finetuning/{self.language}/{self.representation}/{self.regime}/seed{self.seed}"

    @property
    def method(self) -> Method:
        """What tables compare: the representation, with the multi-task regime if there is one."""
        return Method.of(self.representation, self.regime)

    @property
    def prefinetuned(self) -> Cell | None:
        """The cell of the multi-task model that this one starts from, if it does."""
        start = REGIMES[self.regime].start
        return None if start is None else Cell(self.language, self.representation, start, self.seed)

    @property
    def metrics(self) -> str:
        """Its metrics file, relative to the run."""
        return f"{self.folder}/metrics.json"
