"""Settings of the tables: which corrections and statistics they print."""

from __future__ import annotations

from typing import Literal

from specialize.settings import Settings, setting

VERSION = 11  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again


class TablesSettings(Settings):
    """The section `tables`."""

    correction: Literal["tasks-of-language", "all-tasks"] = setting(
        "what Bonferroni multiplies p by: the number of tasks that the language has labeled data for, whether "
        "the grid runs them or not, or always 3",
        source="fact 37",
    )
    not_converged: Literal["leave-out", "zero"] = setting(
        "what averages do with a model that did not converge", source="fact 38"
    )
    beside_paper: Literal["same-base", "any-base"] = setting(
        "whose scores table and figure `replication` set beside the paper's: those of its base model, "
        "bert-base-multilingual-cased, and of no base model; or those of any base model that stands in for it",
    )
    statistics: list[
        Literal["wilcoxon", "bootstrap", "effect-size", "holm", "hierarchical-bootstrap", "aso", "mixed-model"]
    ] = setting(
        "besides the t-test: columns of the table `comparisons`, verdicts that `answers` sets beside its own, and of "
        "`mixed-model` a table and a figure `effects` (docs/statistics.md)",
        schema={"uniqueItems": True},
    )
