"""Checks of the entries of `representations`, before any job starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from specialize.errors import ConfigError
from specialize.experiment.grid import Language
from specialize.experiment.learning_checks import check_what_learns
from specialize.experiment.suggestions import nearest, nearest_language
from specialize.experiment.yaml_files import Keys

if TYPE_CHECKING:
    from specialize.experiment import Experiment

# Keys of a representation that its method needs and no other has.
OWN_KEYS = {"scratch": {"vocabulary", "architecture"}, "fasttext": {"vectors", "task_encoders"}, "trim": {"of"}}
# Keys that some methods use and others would pass over: these methods, and the value that asks for nothing.
USED_BY: dict[str, tuple[tuple[str, ...], Any]] = {
    "base_model": (("base", "adapt"), ""),
    "pieces": (("adapt",), 0),
    "multiplier": (("adapt",), 1),
    "training": (("adapt", "scratch"), {}),
}
OF_ITS_MODEL = ("base_model", "pieces", "growth", "multiplier", "training")  # keys that a trimmed one cannot have


def check_known(experiment: Experiment, keys: Keys, values: Iterable[Any], known: Iterable[Any], what: str) -> None:
    """Refuse values that are none of those that are known.

    Args:
        experiment: the configuration.
        keys: where the values stand.
        values: that must be known.
        known: what there is.
        what: what it is, for people.
    """
    known = list(known)
    for value in values:
        if value not in known:
            if what == "language":
                meant = nearest_language(str(value), experiment.languages)
            else:
                meant = nearest(str(value), known)
            raise ConfigError(f"{experiment.place(keys)}: unknown {what} {value!r}{meant}")


def check_representations(experiment: Experiment) -> None:
    """Refuse keys that an entry's method lacks or has no use for, and names that are not known."""
    for name, representation in experiment.representations.items():
        for method, own in OWN_KEYS.items():
            given = own & experiment.config["representations"][name].keys()
            if given != (own if representation.method == method else set()):
                belong = (
                    "belong to method {}, and both to each" if len(own) > 1 else "belongs to method {}, and to each"
                )
                raise ConfigError(
                    f"{experiment.place(['representations', name])}: {' and '.join(sorted(own))} "
                    f"{belong.format(method)} of its representations"
                )
        _check_trimmed(experiment, name)
        _check_growth(experiment, name)
        _check_used(experiment, name)
        if representation.method in ("base", "adapt"):
            names_its_own = "base_model" in experiment.config["representations"][name]
            place = ("representations", name, "base_model") if names_its_own else ("base_model",)
            known = experiment.config["base_models"]
            check_known(experiment, place, [representation.base_model], known, "base model")
        check_what_learns(experiment, name)
    sections: list[tuple[tuple[str, ...], dict[str, Any]]] = [(("finetuning",), experiment.config["finetuning"])]
    sections += [(("representations", name), own) for name, own in experiment.config["representations"].items()]
    for keys, section in sections:
        sizes = section.get("batch_sizes", {})
        check_known(experiment, (*keys, "batch_sizes"), sizes, experiment.config["languages"], "language")


def _check_trimmed(experiment: Experiment, name: str) -> None:
    """A trimmed representation is of one that has wordpieces, and is as that one is but for finetuning."""
    entry, own = experiment.representations[name], experiment.config["representations"][name]
    if entry.method != "trim":
        return
    keys = ("representations", name, "of")
    check_known(experiment, keys, [entry.of], experiment.representations, "representation")
    method = experiment.representations[entry.of].method
    if method in ("trim", "fasttext"):
        why = "is trimmed itself" if method == "trim" else "has no wordpieces"
        raise ConfigError(f"{experiment.place(keys)}: {entry.of} {why}; name one of method base, adapt or scratch")
    for key in OF_ITS_MODEL:
        if key in own:
            problem = f"{name} is the model of {entry.of}, which has its own {key}"
            raise ConfigError(f"{experiment.place(['representations', name, key])}: {problem}; leave {key} out")
    for tag in dict.fromkeys(cell.language for cell in experiment.cells if cell.representation == name):
        _check_words_to_keep(experiment, experiment.languages[tag], keys)


def _check_words_to_keep(experiment: Experiment, language: Language, keys: Keys) -> None:
    """A language has words that say which pieces a trimmed model keeps: in its text, or in a training part."""
    if language.has_corpus or not any(language.folds(task) for task in language.tasks):
        return
    raise ConfigError(
        f"{experiment.place(keys)}: a trimmed model keeps the pieces of words that it is told of, and {language.tag} "
        "has no text, only labeled data that are cross-validated, every sentence of which is tested once; give the "
        "language a corpus, or leave the pair out with experiment.exceptions"
    )


def _check_growth(experiment: Experiment, name: str) -> None:
    """Pieces give way to so many new ones, as only method adapt has them."""
    if "growth" not in experiment.config["representations"][name]:
        return
    entry, place = experiment.representations[name], experiment.place(["representations", name, "growth"])
    if entry.method != "adapt" or entry.pieces == 0:
        raise ConfigError(f"{place}: belongs to method adapt with pieces, and {name} adds none; leave growth out")
    if entry.growth == "replace" and entry.pieces is None:
        problem = "replace has as many pieces give way as pieces says, and all is no number"
        raise ConfigError(f"{place}: {problem}; give pieces: 99, or growth: augment")


def _check_used(experiment: Experiment, name: str) -> None:
    """Refuse what the representation's method would pass over."""
    own, method = experiment.config["representations"][name], experiment.representations[name].method
    for key, (methods, neutral) in USED_BY.items():
        if own.get(key, neutral) != neutral and method not in methods:
            problem = f"belongs to method {' or '.join(methods)}, and this one is {method}; leave it out"
            raise ConfigError(f"{experiment.place(['representations', name, key])}: {problem}")
    if "tiering" in own.get("training", {}) and not experiment.pretraining(name).tiered:
        place = experiment.place(["representations", name, "training", "tiering"])
        raise ConfigError(f"{place}: is of new pieces that learn faster, and {name} has none; leave it out")
    if own.get("multiplier", 1) != 1 and experiment.representations[name].pieces == 0:
        place = experiment.place(["representations", name, "multiplier"])
        raise ConfigError(f"{place}: is of new pieces' rate, and {name} has none; give pieces, or leave it out")
