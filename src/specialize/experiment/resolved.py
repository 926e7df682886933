"""The settings of one job: a section of the configuration with what the representation or the language overrides."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.bases.supported import pieces_of
from specialize.corpora.settings import Cleaning
from specialize.datasets.settings import described_transliteration
from specialize.experiment.grid import Cell, Language, Representation
from specialize.experiment.regimes import REGIMES
from specialize.experiment.settings import MadeAs
from specialize.experiment.yaml_files import merge
from specialize.finetuning.settings import HEADS, FinetuningSettings, TaskEncoderSettings
from specialize.pretraining.settings import AdaptSettings, LoraSettings, PretrainingSettings
from specialize.settings import without_neutral
from specialize.vocabularies.settings import PieceChoice, PieceTraining

if TYPE_CHECKING:
    from specialize.experiment import Experiment

WIKIPEDIA_LICENSE = "CC BY-SA (3.0 until June 2023, 4.0 since)"


def representation(config: dict[str, Any], name: str) -> Representation:
    """An entry of the registry; a trimmed one has the base model of its own model, if that has any."""
    entry, default = config["representations"][name], config.get("base_model", "")
    base_model = entry.get("base_model", default)
    if entry["method"] == "trim":
        of = config["representations"].get(entry.get("of"), {})
        base_model = of.get("base_model", default) if of.get("method") in ("base", "adapt") else ""
    return Representation(
        name=name,
        method=entry["method"],
        base_model=base_model,
        pieces=None if entry.get("pieces") == "all" else entry.get("pieces", 0),
        multiplier=float(entry.get("multiplier", 1)),
        growth=entry.get("growth", "augment"),
        of=entry.get("of", ""),
    )


def model_entry(experiment: Experiment, representation: str) -> dict[str, Any]:
    """The entry of a representation; of a trimmed one, that of its model, under the keys that it gives itself."""
    own: dict[str, Any] = experiment.config["representations"][representation]
    if own["method"] != "trim":
        return own
    of: dict[str, Any] = deepcopy(experiment.config["representations"][own["of"]])
    if "batch_size" in own:  # which its model's by language would win over
        of.pop("batch_sizes", None)
    merge(of, {key: value for key, value in own.items() if key not in ("method", "of")})
    return of


def cleaning(experiment: Experiment, language: str) -> Cleaning:
    """How a language's text is cleaned and split; a twin's as its original's."""
    corpus = experiment.languages[language].entry["corpus"]
    own = {key: value for key, value in corpus.items() if key in Cleaning.model_fields}
    return Cleaning(**experiment.config["corpora"], **own)


def pretraining(experiment: Experiment, representation: str) -> PretrainingSettings:
    """The section `pretraining` with the representation's `training` and `adapt`."""
    entry = experiment.representations[representation]
    own = dict(experiment.config["representations"][representation].get("training", {}))
    own["adapt"] = _what_learns(experiment.config["representations"][representation].get("adapt", {}))
    augmented = entry.method == "adapt" and entry.pieces != 0
    tiered = augmented and entry.multiplier != 1
    slots_wanted = augmented and own.get("initialisation") == "slot"
    section = {**experiment.config["pretraining"], **own}
    if isinstance(section.get("with"), list):  # in what order they are named is no reason to train again
        section["with"] = sorted(section["with"])
    return PretrainingSettings(**section, augmented=augmented, tiered=tiered, slots_wanted=slots_wanted)


def _what_learns(entry: dict[str, Any]) -> AdaptSettings:
    """A representation's `adapt`; in what order it names parts that stay is no reason to train again."""
    lora = LoraSettings(**entry["lora"]) if entry.get("lora") is not None else None
    return AdaptSettings(**{**entry, "lora": lora, "freeze": sorted(entry.get("freeze", []))})


def other_texts(experiment: Experiment, language: str, representation: str) -> list[str]:
    """The languages whose texts a representation is pretrained on besides a language's own."""
    if experiment.representations[representation].method not in ("adapt", "scratch"):
        return []
    return pretraining(experiment, representation).other_languages(language)


def base_pretraining(experiment: Experiment, base_model: str) -> PretrainingSettings:
    """The section `pretraining` with the base model's `training`."""
    own = experiment.config["base_models"][base_model]["pretrain"]["training"]
    section = {**experiment.config["pretraining"], **own}
    return PretrainingSettings(**section, augmented=False, tiered=False, adapted=False)


def piece_choice(experiment: Experiment) -> PieceChoice:
    """How new pieces are learned and chosen."""
    section = experiment.config["vocabularies"]
    return PieceChoice(**{key: section[key] for key in PieceChoice.model_fields})


def made_as(experiment: Experiment, base_model: str) -> dict[str, Any]:
    """What a base model that is pretrained here is made as: its sizes, and what is not by default of `MadeAs`."""
    entry = experiment.config["base_models"][base_model]["pretrain"]
    more = {key: entry[key] for key in MadeAs.model_fields if key in entry}
    return {**entry["architecture"], **without_neutral(MadeAs, more)}


def pieces_here(entry: dict[str, Any]) -> int:
    """How many pieces a base model has that the run pretrains, by its `pretrain`."""
    if "vocabulary_size" in entry:
        return int(entry["vocabulary_size"])
    return _pieces_of(Path(entry["tokenizer"], "tokenizer.json"))


@cache
def _pieces_of(path: Path) -> int:
    return pieces_of(path)


def base_vocabulary_training(experiment: Experiment, base_model: str) -> PieceTraining | None:
    """How the vocabulary of a base model is learned; its size is the base model's own. None if it has one."""
    if "tokenizer" in experiment.config["base_models"][base_model]["pretrain"]:
        return None
    size = experiment.config["base_models"][base_model]["pretrain"]["vocabulary_size"]
    section = experiment.config["vocabularies"]
    return PieceTraining(**{**{key: section[key] for key in PieceTraining.model_fields}, "size": size})


def finetuning(experiment: Experiment, cell: Cell) -> FinetuningSettings:
    """The section `finetuning` with the representation's own, its batch size, and what the cell's regime demands."""
    entry, language = model_entry(experiment, cell.representation), experiment.languages[cell.language]
    section, own = dict(experiment.config["finetuning"]), dict(entry.get("finetuning", {}))
    heads = {task: head(**{**section.pop(task), **own.pop(task, {})}) for task, head in HEADS.items()}
    datasets, tasks = language.datasets(cell.regime), language.tasks_of(cell.regime)
    batch_size = _batch_size(section, entry, language.original or language.tag, "mtl" if len(tasks) > 1 else tasks[0])
    seeds = section.pop("seeds")[str(cell.seed)]
    encoders = None
    if entry["method"] == "fasttext":
        own_encoders = entry["task_encoders"]
        encoders = {first: TaskEncoderSettings(**own_encoders[first]).as_dict() for first, *_ in datasets}
    for key in ("batch_size", "batch_sizes"):
        section.pop(key, None)
    return FinetuningSettings(
        **{**section, **own},
        batch_size=batch_size,
        seeds=seeds,
        tags=language.tags if "pos" in tasks else None,
        datasets=datasets,
        upsample={"": False, "int": False, "ups": True}[REGIMES[cell.regime].mixing],  # no other mixing is known
        heads={task: heads[task].as_dict() for task in tasks},
        task_encoders=encoders,
        method=entry["method"],
    )


def _batch_size(section: dict[str, Any], entry: dict[str, Any], language: str, batches: str) -> int:
    """The representation's for the language, or for all; else the section's for the language, or for all."""
    for holder in (entry, section):
        size = holder.get("batch_sizes", {}).get(language, {}).get(batches, holder.get("batch_size"))
        if size is not None:
            return int(size)
    raise AssertionError("the schema demands finetuning.batch_size")


def model_description(experiment: Experiment, language: str, representation: str) -> dict[str, Any]:
    """What a model's card says of its origins; see `pretraining.model_card.ModelDescription`."""
    known = experiment.languages[language]
    entry = experiment.representations[experiment.representations[representation].of or representation]
    from_base = entry.method in ("base", "adapt")
    base = experiment.config["base_models"].get(entry.base_model, {}) if from_base else {}
    others = experiment.other_texts(language, entry.name)
    return {
        "language": language,
        "name": known.name,
        "representation": representation,
        "method": entry.method,
        "base_model": base.get("hub", entry.base_model) if from_base else None,
        "on_hub": "hub" in base,
        "license": base.get("license"),
        **_described_text(known),
        **({"transliteration": transliteration(experiment, language)} if known.original else {}),
        **({"others": [_described_language(experiment.languages[tag]) for tag in others]} if others else {}),
    }


def _described_text(language: Language) -> dict[str, Any]:
    """Where the text of a language is from, and under which licence."""
    corpus = language.entry.get("corpus", {"text": ""})  # a trimmed base may have none
    text = "own text" if "text" in corpus else "a wiki's own export"
    if not language.has_own_text:
        text = f"Wikipedia (`{corpus['wikipedia']}`), dump of {corpus['date']}"
    if language.original:
        text += ", transliterated to Latin letters"
    text_license = corpus.get("license", None if language.has_own_text else WIKIPEDIA_LICENSE)
    return {"text": text, "text_license": text_license}


def _described_language(language: Language) -> dict[str, Any]:
    return {"language": language.tag, "name": language.name, **_described_text(language)}


def transliteration(experiment: Experiment, language: str) -> dict[str, Any] | None:
    """How text becomes what the models of a transliterated twin read; None for any other language."""
    known = experiment.languages[language]
    if known.original is None:
        return None
    return described_transliteration(known.entry["transliteration"], experiment.normal_form)
