"""Checks of where new pieces' rows start from, before any job starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specialize.errors import ConfigError, InputError
from specialize.sources import read_word_list

if TYPE_CHECKING:
    from specialize.experiment import Experiment

WITHOUT_SLOTS = ("unigram", "byte-level")  # kinds of vocabularies that are learned here


def check_new_rows(experiment: Experiment) -> None:
    """Refuse free slots where there are none, and dictionaries without a file that can be read."""
    for tag, name in experiment.adaptations:
        settings = experiment.pretraining(name)
        if settings.slots_wanted:
            _check_slots(experiment, name)
        own = experiment.config["representations"][name].get("training", {})
        if "initialisation" in own and not settings.augmented:
            place = experiment.place(["representations", name, "training", "initialisation"])
            raise ConfigError(f"{place}: {name} has no new pieces; give it pieces, or leave initialisation out")
        if settings.augmented and settings.initialisation == "dictionary":
            _check_dictionary(experiment, tag, name)


def _check_slots(experiment: Experiment, name: str) -> None:
    """Of a base model that is pretrained here; the job that loads it looks at any other."""
    base_model = experiment.representations[name].base_model
    place = experiment.place(["representations", name, "training", "initialisation"])
    if experiment.representations[name].growth == "replace":
        raise ConfigError(
            f"{place}: with growth: replace new pieces stand in no free slots, from whose rows slot has them start; "
            "write initialisation: mean"
        )
    made = experiment.config["base_models"][base_model].get("pretrain")
    if made is None or "tokenizer" in made:
        return
    kind = made.get("vocabulary", "wordpiece")
    if kind in WITHOUT_SLOTS or (kind == "wordpiece" and not made.get("unused_slots")):
        more = "give it unused_slots, or " if kind == "wordpiece" else ""
        raise ConfigError(
            f"{place}: base model {base_model} has no free slots, from whose rows slot has new pieces start; "
            f"{more}write initialisation: mean"
        )


def _check_dictionary(experiment: Experiment, tag: str, name: str) -> None:
    language = experiment.languages[tag]
    registered = language.original or tag
    if not language.entry.get("dictionary"):
        keys = [("representations", name, "training", "initialisation"), ("pretraining", "initialisation")]
        own = experiment.config["representations"][name].get("training", {})
        place = experiment.place(keys[0] if "initialisation" in own else keys[1])
        raise ConfigError(
            f"{place}: {name} needs a bilingual word list, and {registered} has none; give languages.{registered}."
            f"dictionary the path of one, or leave the pair out with experiment.exceptions"
        )
    try:
        read_word_list(Path(language.entry["dictionary"]))
    except InputError as error:
        raise ConfigError(f"{experiment.place(['languages', registered, 'dictionary'])}: {error}") from error
