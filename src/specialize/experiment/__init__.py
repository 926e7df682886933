"""The checked configuration: which cells exist, what each needs, and with which settings."""

from specialize.experiment.experiment import Experiment
from specialize.experiment.grid import Cell, Language, Representation
from specialize.experiment.regimes import MULTI_TASK_REGIMES, REGIMES, TASKS, Method, Regime

__all__ = [
    "MULTI_TASK_REGIMES",
    "REGIMES",
    "TASKS",
    "Cell",
    "Experiment",
    "Language",
    "Method",
    "Regime",
    "Representation",
]
