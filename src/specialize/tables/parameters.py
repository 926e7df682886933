"""What each table and figure shows of the configuration; Snakemake makes them again when it changes."""

from __future__ import annotations

from typing import Any

from specialize.experiment import Experiment
from specialize.experiment.beyond_paper import own_hyperparameters, own_methods
from specialize.experiment.settings import Configuration
from specialize.settings import without_neutral

# Raised when what statistics on request print changes, so that tables of runs that request some are made again.
STATISTICS_VERSION = 2
MACHINE = ("mirror", "allow_cpu", "accept_rerun", "jobs_per_gpu")  # no part of a result


def table_parameters(experiment: Experiment, table: str) -> dict[str, Any]:
    """The parts of the configuration that a table depends on, without settings that change nothing."""
    if table == "diagnosis":  # everything that its estimate depends on
        known = {key: value for key, value in experiment.config.items() if key not in (*MACHINE, "curve")}
        return without_neutral(Configuration, known)
    if table == "hyperparameters":
        return without_neutral(Configuration, hyperparameters(experiment))
    kinds = {name: experiment.config["representations"][name] for name in experiment.grid_representations}
    keys = ("method", "base_model", "pieces", "multiplier")
    named = {
        name: {key: entry[key] for key in keys if key in entry}
        | own_methods(experiment, name)
        | own_hyperparameters(experiment, name)
        for name, entry in kinds.items()
    }
    curve = {"curve": experiment.config["curve"]} if table == "curve" else {}
    scored = {} if table == "corpora" else {"tables": experiment.config["tables"], "representations": named}
    if scored and experiment.config["tables"]["statistics"]:
        scored["statistics_version"] = STATISTICS_VERSION
    known_of_a_language = ("name", "type", "script", "family")
    return {
        "experiment": experiment.config["experiment"],
        **scored,
        **curve,
        "languages": {
            language.tag: {key: language.entry[key] for key in known_of_a_language if key in language.entry}
            for language in experiment.grid_languages
        },
    }


def hyperparameters(experiment: Experiment) -> dict[str, Any]:
    """The sections of the configuration that train, as far as the grid uses them."""
    tags = {language.original or language.tag for language in experiment.grid_languages}

    def of_the_grid(section: dict[str, Any]) -> dict[str, Any]:
        if "batch_sizes" not in section:
            return section
        sizes = section["batch_sizes"]
        return {**section, "batch_sizes": {tag: sizes[tag] for tag in sorted(tags & sizes.keys())}}

    representations, known = experiment.config["representations"], experiment.representations
    trained = [name for grid in experiment.grid_representations for name in (known[grid].of, grid) if name]
    return {
        "base_models": {name: experiment.config["base_models"][name] for name in experiment.base_models_used},
        "representations": {name: of_the_grid(representations[name]) for name in dict.fromkeys(trained)},
        **{section: experiment.config[section] for section in ("corpora", "vocabularies", "pretraining")},
        "finetuning": of_the_grid(experiment.config["finetuning"]),
    }
