"""Regimes: what a finetuning job learns and how it mixes tasks; and methods, which tables compare."""

from __future__ import annotations

from dataclasses import dataclass

TASKS = ("pos", "ud", "ner")


@dataclass(frozen=True, order=True)
class Regime:
    """How a finetuning job learns (paper §3).

    Attributes:
        name: the `{regime}` of every path.
        mixing: how batches of several data sets are mixed: `int` (each data set's own batches) or `ups` (smaller data
            sets are repeated); empty for single-task learning. A pre-finetuned regime has that of its start.
        joint: whether parser and tagger learn from the same batches (ALT); of a pre-finetuned regime, its start's.
        task: the one task that it learns; None if it learns several.
        start: name of the multi-task regime whose model it finetunes further (PFT); None if it starts from an encoder.
    """

    name: str
    mixing: str = ""
    joint: bool = False
    task: str | None = None
    start: str | None = None

    @property
    def multi_task(self) -> bool:
        """Whether it learns several tasks at once."""
        return self.task is None

    @property
    def prefinetuned(self) -> bool:
        """Whether it finetunes a multi-task model further, for one task."""
        return self.start is not None

    @property
    def title(self) -> str:
        """As the paper writes it, such as `UPS + ALT` or `UPS + ALT + PFT`; empty for single-task learning."""
        parts = [self.mixing.upper()] if self.mixing else []
        if self.joint:
            parts.append("ALT")
        if self.prefinetuned:
            parts.append("PFT")
        return " + ".join(parts)


SINGLE_TASK = tuple(Regime(task, task=task) for task in TASKS)
MULTI_TASK = (
    Regime("mtl-int", mixing="int"),
    Regime("mtl-ups", mixing="ups"),
    Regime("mtl-int-alt", mixing="int", joint=True),
    Regime("mtl-ups-alt", mixing="ups", joint=True),
)
PREFINETUNED = tuple(
    Regime(f"pft-{start.name}-{task}", start.mixing, start.joint, task, start.name)
    for start in MULTI_TASK
    for task in TASKS
)

# Every regime by name; a new one is an entry in one of the groups above.
REGIMES = {regime.name: regime for regime in (*SINGLE_TASK, *MULTI_TASK, *PREFINETUNED)}
MULTI_TASK_REGIMES = tuple(regime.name for regime in MULTI_TASK)


@dataclass(frozen=True, order=True)
class Method:
    """What tables compare: a representation, and the multi-task learning that it went through, if any.

    Attributes:
        representation: its name.
        regime: name of the multi-task regime; empty for single-task learning.
        prefinetuned: whether the multi-task model was then finetuned for each task alone.
    """

    representation: str
    regime: str = ""
    prefinetuned: bool = False

    @classmethod
    def of(cls, representation: str, regime: str) -> Method:
        """The method that a regime of a representation belongs to."""
        known = REGIMES[regime]
        if known.multi_task:
            return cls(representation, known.name)
        if known.start is not None:
            return cls(representation, known.start, prefinetuned=True)
        return cls(representation)

    @property
    def single_task(self) -> bool:
        """Whether it learns each task alone, from the pretrained encoder."""
        return not self.regime

    @property
    def regime_title(self) -> str:
        """The multi-task learning as the paper writes it, such as `UPS + ALT + PFT`; empty if there is none."""
        if self.single_task:
            return ""
        title = REGIMES[self.regime].title
        return f"{title} + PFT" if self.prefinetuned else title

    @property
    def title(self) -> str:
        """As tables name it: `tva`, `tva + UPS + ALT`, `tva + UPS + ALT + PFT`."""
        return self.representation if self.single_task else f"{self.representation} + {self.regime_title}"
