"""Checks across sections, before any job starts: every name resolves, and every file exists."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.bases.architectures import architecture_of, architecture_to_make, known_architectures
from specialize.bases.supported import check_architecture, check_tokenizer_file
from specialize.errors import ConfigError, InputError, SpecializeError
from specialize.experiment.grid import Language, data_of
from specialize.experiment.new_row_checks import check_new_rows
from specialize.experiment.other_text_checks import check_other_texts
from specialize.experiment.regimes import REGIMES
from specialize.experiment.representation_checks import check_known, check_representations
from specialize.experiment.resolved import pieces_here
from specialize.experiment.treebanks import check_own_treebank
from specialize.experiment.yaml_files import COMMIT, Keys
from specialize.pretraining.settings import MONOLINGUAL_ARCHITECTURE
from specialize.sources import ENTITY_ENDINGS, entity_files, own_text

if TYPE_CHECKING:
    from specialize.experiment import Experiment

FILES_LOOKED_INTO = 100  # at the start, of a text; its own job looks into all


def check_mirror(experiment: Experiment) -> None:
    """The mirror is an absolute path that is there, or a URL."""
    mirror = experiment.config.get("mirror")
    if mirror and not re.match(r"(/|https?://)", mirror):
        raise ConfigError(
            f"{experiment.place(['mirror'])}: {mirror!r} is neither an absolute path nor a URL; "
            "on the command line quote it whole: --config 'mirror=\"/a path/mirror\"'"
        )
    if mirror and mirror.startswith("/") and not Path(mirror).is_dir():
        raise ConfigError(f"{experiment.place(['mirror'])}: there is no folder {mirror}")


def check_references(experiment: Experiment) -> None:
    """Every name that a section uses is in its registry, and what the grid needs is there."""
    _check_grid_names(experiment)
    _check_other_languages(experiment)
    _check_seeds(experiment)
    _check_base_models(experiment)
    check_representations(experiment)
    check_other_texts(experiment)
    _check_positions(experiment)
    check_new_rows(experiment)
    shares = experiment.config["corpora"]["validation_share"] + experiment.config["corpora"]["test_share"]
    if shares >= 1:
        place = experiment.place_of_last(["corpora", "test_share"], ["corpora", "validation_share"])
        raise ConfigError(f"{place}: the shares leave no text to train on")
    for language in dict.fromkeys([*experiment.grid_languages, *experiment.needed_languages]):
        _check_language(experiment, language)
    if not experiment.encoders:
        raise ConfigError(
            f"{experiment.place(['experiment'])}: leaves nothing to run; look at its regimes, for which there may be "
            "no labeled data, its seeds and its exceptions"
        )
    for tag, name in (*experiment.adaptations, *experiment.static_vectors):
        if not experiment.languages[tag].has_corpus:
            kinds = experiment.representations
            bringing = [one for one in experiment.grid_representations if name in (one, kinds[one].of)]
            grid = [("experiment", key) for key in ("languages", "representations")]
            raise ConfigError(
                f"{experiment.place_of_last(('languages', tag), *grid)}: {name} needs a corpus, "
                f"and {tag} has none; give one, or leave {' and '.join(bringing)} out of {tag} with "
                "experiment.exceptions"
            )
    for name in experiment.base_models_used:
        if "mirror" in experiment.config["base_models"][name] and not experiment.config.get("mirror"):
            raise ConfigError(
                f"{experiment.place(['base_models', name])}: lies in a mirror only, and there is none; "
                "give --config mirror=/absolute/path"
            )


def _check_grid_names(experiment: Experiment) -> None:
    grid = experiment.config["experiment"]
    lists: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [(("experiment",), grid)]
    lists += [(("experiment", "exceptions", i), entry) for i, entry in enumerate(grid.get("exceptions", []))]
    seeds = [int(seed) for seed in experiment.config["finetuning"]["seeds"]]
    for place, entry in lists:
        for key, known, what in (
            ("languages", experiment.languages, "language"),
            ("regimes", REGIMES, "task or regime"),
            ("representations", experiment.representations, "representation"),
            ("seeds", seeds, "seed (finetuning.seeds)"),
        ):
            check_known(experiment, (*place, key), entry.get(key, []), known, what)


def _check_other_languages(experiment: Experiment) -> None:
    keys = ("vocabularies", "other_languages")
    tags = experiment.config["vocabularies"]["other_languages"]
    check_known(experiment, keys, tags, experiment.languages, "language")
    for tag in tags:
        if not experiment.languages[tag].has_treebank:
            problem = f"{tag} has no treebank, whose words it would be measured on"
            raise ConfigError(f"{experiment.place(keys)}: {problem}; name another language")


def _check_seeds(experiment: Experiment) -> None:
    """Refuse two numbers of one run, which tables would take for two; nothing draws from Python's seed, the third."""
    known: dict[tuple[int, ...], str] = {}
    for number, seeds in experiment.config["finetuning"]["seeds"].items():
        drawn_from = tuple(map(int, seeds[:2]))
        if drawn_from in known:
            one, other = (experiment.place(["finetuning", "seeds", key]) for key in (known[drawn_from], number))
            raise ConfigError(
                f"{one} and {other}: have the same seeds for numpy and torch, so that both would be one run, and the "
                "tables would take its copies for runs that agree; give one of them others"
            )
        known[drawn_from] = number


def _check_base_models(experiment: Experiment) -> None:
    for name, entry in experiment.config["base_models"].items():
        origins = entry.keys() & {"hub", "folder", "mirror", "pretrain"}
        if len(origins) != 1 or ("hub" in entry) != ("revision" in entry):
            raise ConfigError(
                f"{experiment.place(['base_models', name])}: give one of hub (with revision), folder, mirror, pretrain"
            )
        if "hub" in entry and name in experiment.base_models_used and not COMMIT.fullmatch(entry["revision"]):
            raise ConfigError(
                f"{experiment.place(['base_models', name, 'revision'])}: {entry['revision']} stands for another model "
                "whenever its authors change it; have `.venv/bin/python -m specialize pin FILE` write the commit "
                "into that file, once"
            )
        if "folder" in entry and name in experiment.base_models_used and not Path(entry["folder"]).is_dir():
            folder = Path(entry["folder"]).absolute()
            raise ConfigError(f"{experiment.place(['base_models', name, 'folder'])}: there is no folder {folder}")
        _check_supported(experiment, name, entry)
        if "pretrain" in entry:
            _check_made_here(experiment, name, entry["pretrain"])
        languages = entry.get("pretrain", {}).get("languages", [])
        place = ("base_models", name, "pretrain", "languages")
        with_text = [tag for tag, known in experiment.languages.items() if known.has_corpus and known.original is None]
        check_known(experiment, place, languages, with_text, "language with a corpus")


def _check_supported(experiment: Experiment, name: str, entry: dict[str, Any]) -> None:
    """Refuse a base model on this machine that no job could use, before any of them starts."""
    folder = Path(entry.get("folder", ""))
    mirror = experiment.config.get("mirror") or ""
    if "folder" not in entry:
        if "pretrain" in entry or not mirror.startswith("/"):
            return
        folder = Path(mirror, "models", name)
    if name not in experiment.base_models_used or not (folder / "config.json").is_file():
        return
    try:
        check_architecture(folder, experiment.is_adapted(name))
        check_tokenizer_file(folder)
    except InputError as error:
        raise ConfigError(f"{experiment.place(['base_models', name])}: {error}") from error


def _check_made_here(experiment: Experiment, name: str, entry: dict[str, Any]) -> None:
    """A vocabulary is learned, of a size, or taken from a folder; only one kind gets free slots."""
    place = experiment.place(["base_models", name, "pretrain"])
    if ("tokenizer" in entry) == ("vocabulary_size" in entry):
        raise ConfigError(f"{place}: give one of vocabulary_size, tokenizer")
    learned_slots = "tokenizer" not in entry and entry.get("vocabulary", "wordpiece") == "wordpiece"
    if entry.get("unused_slots") and not learned_slots:
        raise ConfigError(f"{place}: only a learned wordpiece vocabulary gets free slots; leave out unused_slots")
    if "tokenizer" in entry and name in experiment.base_models_used:
        path = Path(entry["tokenizer"], "tokenizer.json").absolute()
        place = experiment.place(["base_models", name, "pretrain", "tokenizer"])
        if not path.is_file():
            raise ConfigError(f"{place}: there is no {path}")
        try:
            pieces_here(entry)
        except InputError as error:
            raise ConfigError(f"{place}: {error}") from error


def _check_positions(experiment: Experiment) -> None:
    """Refuse longer sequences than a base model has positions for, before a job loses what it had made."""
    for name in dict.fromkeys(name for _, name in experiment.adaptations):
        entry, own = experiment.representations[name], experiment.config["representations"][name]
        places: list[Keys] = [("representations", name, "training", "sequence_length")]
        if "sequence_length" not in own.get("training", {}):
            places = [("pretraining", "sequence_length")]
        length = experiment.pretraining(name).sequence_length
        if entry.method == "scratch":
            positions = known_architectures()[MONOLINGUAL_ARCHITECTURE].positions(own["architecture"])
            whose = f"representation {name}, whose first two are the padding's"
            places.append(("representations", name, "architecture", "max_position_embeddings"))
        else:
            sizes = experiment.base_model_sizes(entry.base_model)
            if not isinstance(sizes.get("max_position_embeddings"), int):
                continue
            made_here = experiment.pretrained_here(entry.base_model)
            try:
                architecture = architecture_to_make(sizes)[0] if made_here else architecture_of(sizes)
            except InputError:  # for its own job to report
                continue
            positions = architecture.positions(sizes)
            whose = f"base model {entry.base_model}"
            places += [("representations", name, "base_model"), ("base_model",), ("base_models", entry.base_model)]
        if length > positions:
            lower = ".".join(map(str, places[0]))
            raise ConfigError(
                f"{experiment.place_of_last(*places)}: sequence_length {length} is more than the {positions} positions "
                f"of {whose}; lower {lower}"
            )


def _check_language(experiment: Experiment, language: Language) -> None:
    place = ["languages", language.original or language.tag]
    corpus, treebank = language.entry.get("corpus", {}), language.entry.get("treebank", {})
    if not language.tasks and not corpus and language in experiment.grid_languages:
        raise ConfigError(f"{experiment.place(place)}: has no corpus, no treebank and no named entities")
    if corpus and not (language.has_own_text or {"wikipedia", "date"} <= corpus.keys()):
        raise ConfigError(f"{experiment.place([*place, 'corpus'])}: give wikipedia with date, or text, or dump")
    if {"text", "dump"} <= corpus.keys():
        raise ConfigError(f"{experiment.place([*place, 'corpus', 'dump'])}: give text or dump, not both")
    if not language.has_own_text and corpus.get("date") == "latest":
        raise ConfigError(
            f"{experiment.place([*place, 'corpus', 'date'])}: latest stands for another date every month; have "
            "`.venv/bin/python -m specialize resolve-dates FILE` write the date into your file, once"
        )
    if corpus.get("words") == "icu" and importlib.util.find_spec("icu4py") is None:
        raise ConfigError(
            f"{experiment.place([*place, 'corpus', 'words'])}: icu needs the package icu4py, which is not installed: "
            "in the checkout run .venv/bin/pip install --editable '.[words]'"
        )
    _check_origins(experiment, language, place)
    _check_folds(experiment, language, place)
    _check_own_files(experiment, language, place)
    if "folder" in treebank:
        check_own_treebank(experiment, language, place)


def _check_origins(experiment: Experiment, language: Language, place: list[str]) -> None:
    """Labeled data have one origin; files of one's own win over one of the paper's configuration, or another below."""
    treebank, entities = language.entry.get("treebank", {}), language.entry.get("ner", {})
    if "treebank" in language.entry and "folder" not in treebank:
        where = [*place, "treebank"]
        if "masakhapos" in treebank and "name" in treebank:
            raise ConfigError(_two_origins(experiment, where, ["name", "masakhapos"]))
        if "masakhapos" in treebank and treebank.get("tags", "upos") != "upos":
            raise ConfigError(f"{experiment.place([*where, 'tags'])}: MasakhaPOS has UPOS tags only; leave tags out")
        if "masakhapos" not in treebank and not {"name", "release", "prefix"} <= treebank.keys():
            raise ConfigError(f"{experiment.place(where)}: give name, release and prefix, or masakhapos, or folder")
    if "ner" not in language.entry or "folder" in entities:
        return
    given = [key for key in ("wikiann", "masakhaner", "universal") if key in entities]
    if not given:
        raise ConfigError(f"{experiment.place([*place, 'ner'])}: give wikiann, masakhaner, universal, or folder")
    if len(given) > 1:
        raise ConfigError(_two_origins(experiment, [*place, "ner"], given))
    if "sha256" in entities and isinstance(entities["sha256"], str) != ("wikiann" in entities):
        needed = "one digest, of its archive" if "wikiann" in entities else "a digest for each part: {train: ..., ...}"
        raise ConfigError(f"{experiment.place([*place, 'ner', 'sha256'])}: {given[0]} needs {needed}")


def _two_origins(experiment: Experiment, place: Sequence[str], keys: Sequence[str]) -> str:
    """That one place gives two origins."""
    return f"{experiment.place_of_last(*([*place, key] for key in keys))}: give one of {', '.join(keys)}"


def _check_folds(experiment: Experiment, language: Language, place: list[str]) -> None:
    """Data sets that a model learns together are divided alike."""
    cells = [cell for cell in experiment.cells if cell.language == language.tag]
    for regime in sorted({(cell.prefinetuned or cell).regime for cell in cells}):
        numbers = {data_of(task): language.folds(task) for task in language.tasks_of(regime)}
        if len(set(numbers.values())) > 1:
            told = " and ".join(f"{data} has {number or 'no'} folds" for data, number in numbers.items())
            raise ConfigError(
                f"{experiment.place_of_last(*([*place, data, 'folds'] for data in numbers))}: {told}, and {regime} "
                "learns from both; give them equally many, or leave its regimes mtl-… and pft-… out "
                "(experiment.regimes, or experiment.exceptions for this language only)"
            )


def _check_own_files(experiment: Experiment, language: Language, place: list[str]) -> None:
    corpus = language.entry.get("corpus", {})
    if language.has_own_text:
        try:
            own_text(corpus, most=FILES_LOOKED_INTO)
        except SpecializeError as error:
            key = "text" if "text" in corpus else "dump"
            raise ConfigError(f"{experiment.place([*place, 'corpus', key])}: {error}") from error
    if folder := language.entry.get("ner", {}).get("folder"):
        _check_own_entities(experiment.place([*place, "ner", "folder"]), Path(folder), bool(language.folds("ner")))


def _check_own_entities(place: str, folder: Path, folds: bool) -> None:
    found = entity_files(folder)
    for part, paths in found.items():
        if not paths and not (folds and any(found.values())):
            raise ConfigError(
                f"{place}: there is no file {Path(folder, part).absolute()}.tsv, nor one that ends in "
                f"{', '.join(ENTITY_ENDINGS[1:])} or is named {{prefix}}-ud-{part}.iob2"
            )
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            raise ConfigError(f"{place}: {folder.absolute()} has {names} for {part}; leave one of them there")
