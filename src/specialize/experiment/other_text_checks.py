"""Checks of `pretraining.with`: the other languages whose texts a model of one language learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specialize.errors import ConfigError
from specialize.experiment.suggestions import nearest_language

if TYPE_CHECKING:
    from specialize.experiment import Experiment

NOTHING_LEFT = 1e-9  # of a share, by which sums of decimals differ


def check_other_texts(experiment: Experiment) -> None:
    """Every language that is learned from besides a model's own is known and has text, and leaves some to its own.

    Raises:
        ConfigError: with the place of the key.
    """
    representations = experiment.config["representations"]
    sections: dict[tuple[str, ...], dict[str, Any]] = {("pretraining",): experiment.config["pretraining"]}
    for name, entry in representations.items():
        sections["representations", name, "training"] = entry.get("training", {})
    for keys, section in sections.items():
        for tag in section.get("with", []):
            if tag not in experiment.languages:
                meant = nearest_language(str(tag), experiment.languages)
                raise ConfigError(f"{experiment.place([*keys, 'with'])}: unknown language {tag!r}{meant}")
    for name, entry in experiment.config["base_models"].items():
        if "with" in entry.get("pretrain", {}).get("training", {}):
            place = experiment.place(["base_models", name, "pretrain", "training", "with"])
            raise ConfigError(
                f"{place}: a base model has no language of its own to learn others with; name them in "
                f"base_models.{name}.pretrain.languages"
            )
    for name, entry in representations.items():
        _check_read(experiment, name, entry)
    for language, name in experiment.adaptations:
        own = "with" in representations[name].get("training", {})
        place = experiment.place(["representations", name, "training", "with"] if own else ["pretraining", "with"])
        others = experiment.other_texts(language, name)
        for tag in others:
            if not experiment.languages[tag].has_corpus:
                raise ConfigError(f"{place}: {tag} has no corpus to learn from; give it one, or leave it out")
        shares = experiment.pretraining(name).with_languages
        if isinstance(shares, dict) and sum(float(shares[tag]) for tag in others) > 1 - NOTHING_LEFT:
            raise ConfigError(
                f"{place}: the shares of {', '.join(others)} leave none to text of {language} itself; lower them "
                "until their sum is below 1"
            )


def _check_read(experiment: Experiment, name: str, entry: dict[str, Any]) -> None:
    """An exponent in a representation's `training` is read by a list."""
    own, place = entry.get("training", {}), ["representations", name, "training"]
    read = {**experiment.config["pretraining"], **own}
    if "sampling_exponent" in own and not (isinstance(read.get("with"), list) and read["with"]):
        problem = "is of a list of languages, as in with: [tt, tr]"
        raise ConfigError(f"{experiment.place([*place, 'sampling_exponent'])}: {problem}; write one, or leave it out")
