"""What a grid is made of: languages with their twins, representations, and cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from specialize.experiment.regimes import REGIMES, TASKS, Method
from specialize.sources import PARTS

DATA = {"treebank": ("pos", "ud"), "ner": ("ner",)}  # keys of an entry, with the tasks that are learned from each
ENDINGS = {"treebank": "conllu", "ner": "tsv"}  # of their files


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

    def folds(self, task: str) -> int:
        """In how many folds a task's labeled data are cross-validated; 0 if they keep the parts that were published."""
        return int(self.entry.get(data_of(task), {}).get("folds", 0))

    def splits(self, regime: str) -> tuple[str, ...]:
        """How the labeled data of a regime are divided, once or several times: `fold1`, `fold2`, …, or, as they were
        published, an empty name. Data sets that are learned together have equally many folds."""
        number = max((self.folds(task) for task in self.tasks_of(regime)), default=0)
        return tuple(f"fold{fold}" for fold in range(1, number + 1)) or ("",)

    def labeled_files(self, tasks: Iterable[str] = TASKS, parts: Iterable[str] = PARTS, split: str = "") -> list[str]:
        """Its labeled data, relative to the run: treebanks, then named entities.

        Args:
            tasks: that need them; those that the language has no data for are passed over.
            parts: of train, dev and test.
            split: one of `splits`, or `Cell.data`. Without one, cross-validated data are one file, `all`, in place of
                the parts.
        """
        wanted, found = {data_of(task) for task in tasks if task in self.tasks}, []
        for data, (task, *_) in DATA.items():
            if data in wanted:
                named = parts if split or not self.folds(task) else ["all"]
                found += [f"{self.labeled_folder(task, split)}/{part}.{ENDINGS[data]}" for part in named]
        return found

    def labeled_folder(self, task: str, split: str = "") -> str:
        """The folder of a task's labeled data, relative to the run."""
        return "/".join(filter(None, ["results/datasets", self.tag, split, "ner" if task == "ner" else ""]))

    @property
    def held_out_treebank(self) -> str:
        """Of its treebank what no text has: the test part, or all of it where it is cross-validated."""
        (path,) = self.labeled_files(["pos"], ["test"])
        return path

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
        method: base (the base model as it is), adapt (pretrained further), fasttext, scratch, trim.
        base_model: name of the base model, for base and adapt, and for trim of them, which else has none.
        pieces: number of wordpieces added to the base vocabulary; None: the whole new vocabulary.
        multiplier: the new pieces' embeddings learn at this many times the learning rate.
        growth: whether new pieces come to the base's, or some of those give way to them.
        of: for trim the name of the representation whose model it is.
    """

    name: str
    method: str
    base_model: str
    pieces: int | None
    multiplier: float
    growth: Literal["augment", "replace"] = "augment"
    of: str = ""


@dataclass(frozen=True, order=True)
class Cell:
    """One finetuning job: the directory below results/finetuning, and nothing more.

    Attributes:
        language, representation, regime, seed: of its path.
        split: how the labeled data are divided, one of `Language.splits`; below it, as in `share8` or `fold3/share8`, a
            share of the training sentences.
    """

    language: str
    representation: str
    regime: str
    seed: int
    split: str = ""

    @property
    def folder(self) -> str:
        """Its folder, relative to the run."""
        seed = f"seed{self.seed}"
        names = [self.language, self.representation, self.regime, self.split, seed]
        return "/".join(["results/finetuning", *filter(None, names)])

    @property
    def fold(self) -> int:
        """Which fold is its test part; 0 without cross-validation."""
        found = re.match(r"fold(\d+)", self.split)
        return int(found[1]) if found else 0

    @property
    def share(self) -> int:
        """One in how many training sentences it learns from; 1 for all of them."""
        found = re.search(r"share(\d+)$", self.split)
        return int(found[1]) if found else 1

    def with_share(self, share: int) -> Cell:
        """The same cell, but that it learns from one in so many of the training sentences."""
        return replace(self, split="/".join(filter(None, [self.split, f"share{share}"])))

    @property
    def data(self) -> str:
        """The folder of its labeled data below its language's. Each seed has shares of its own."""
        return f"{self.split}/seed{self.seed}" if self.share > 1 else self.split

    @property
    def method(self) -> Method:
        """What tables compare: the representation, with the multi-task regime if there is one."""
        return Method.of(self.representation, self.regime)

    @property
    def prefinetuned(self) -> Cell | None:
        """The cell of the multi-task model that this one starts from, if it does."""
        start = REGIMES[self.regime].start
        return None if start is None else replace(self, regime=start)

    @property
    def metrics(self) -> str:
        """Its metrics file, relative to the run."""
        return f"{self.folder}/metrics.json"


def data_of(task: str) -> str:
    """The key of a language's entry whose data a task is learned from."""
    return next(data for data, tasks in DATA.items() if task in tasks)
