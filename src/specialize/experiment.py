"""The validated configuration: which cells exist, what each needs, and with which hyperparameters.

Nothing else decides what is in the grid: the workflow, its targets and the tables all ask an `Experiment`.
"""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from specialize.errors import ConfigError, InputError
from specialize.experiment_regimes import MULTI_TASK_REGIMES as MULTI_TASK_REGIMES
from specialize.experiment_regimes import PREFINETUNED_REGIMES as PREFINETUNED_REGIMES
from specialize.experiment_regimes import REGIMES as REGIMES
from specialize.experiment_regimes import TASKS as TASKS
from specialize.experiment_regimes import Method
from specialize.files import read_json, read_text

# Raised on purpose when a change to a stage's code changes its results, so that its jobs run again.
STAGE_VERSIONS = {
    "datasets": 2,
    "corpora": 2,
    "vocabularies": 2,
    "pretraining": 2,
    "finetuning": 4,
    "tables": 7,
}

# Keys of a representation that its method needs and no other has.
OWN_KEYS = {"scratch": {"vocabulary", "architecture"}, "fasttext": {"vectors", "task_encoders"}}
ROBERTA_POSITIONS = 514  # two more than it reads
WIKIPEDIA_LICENSE = "CC BY-SA (3.0 until June 2023, 4.0 since)"

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"


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
    def tasks(self) -> tuple[str, ...]:
        """The tasks with labeled data, in the order of `TASKS`."""
        return tuple(task for task in TASKS if ("ner" if task == "ner" else "treebank") in self.entry)

    @property
    def tags(self) -> str:
        """The column that POS tagging predicts: xpos (paper §2.2.1) or upos."""
        tags: str = self.entry.get("treebank", {}).get("tags", "xpos")
        return tags

    def has_regime(self, regime: str) -> bool:
        """Whether the labeled data allow a regime.

        Multi-task learning needs two tasks. Without named entities all data sets are the treebank, so that
        interleaving and upsampling coincide (paper §3.2): `mtl-ups…` is the one that exists.
        """
        known = REGIMES[regime]
        if known.task is not None and known.task not in self.tasks:
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


@dataclass(frozen=True)
class Representation:
    """One way to represent words: the paper's framework of n pieces and a learning-rate multiplier a (§2.1).

    Attributes:
        name: the `{representation}` of every path.
        method: base (the base model as it is), adapt (pretrained further), fasttext, scratch.
        base_model: name of the base model, for base and adapt.
        pieces: number of wordpieces added to the base vocabulary; None: the whole new vocabulary.
        multiplier: the new pieces' embeddings learn at this many times the learning rate.
    """

    name: str
    method: str
    base_model: str
    pieces: int | None
    multiplier: float


@dataclass(frozen=True, order=True)
class Cell:
    """One finetuning job: the directory below results/finetuning, and nothing more."""

    language: str
    representation: str
    regime: str
    seed: int

    @property
    def folder(self) -> str:
        """Its folder, relative to the run."""
        return f"results/finetuning/{self.language}/{self.representation}/{self.regime}/seed{self.seed}"

    @property
    def method(self) -> Method:
        """What tables compare: the representation, with the multi-task regime if there is one."""
        return Method.of(self.representation, self.regime)

    @property
    def prefinetuned(self) -> Cell | None:
        """The cell of the multi-task model that this one starts from, if it does."""
        start = REGIMES[self.regime].start
        return None if start is None else Cell(self.language, self.representation, start, self.seed)

    @property
    def metrics(self) -> str:
        """Its metrics file, relative to the run."""
        return f"{self.folder}/metrics.json"


class Experiment:
    """A configuration that was checked as a whole.

    Args:
        config: the merged configuration.
        files: the files it was merged from, the last one winning; only used to say where a mistake stands.

    Raises:
        ConfigError: with the key, its file and line, and the nearest valid word.
    """

    def __init__(self, config: dict[str, Any], files: Sequence[Path] = ()) -> None:
        self.files = tuple(files)
        self._nodes = {path: _compose(path) for path in self.files}
        self.config = _string_keys(config)
        self._check_tags(config.get("languages"))
        self._check_numbers(self.config, ())
        for key in ("allow_cpu", "keep_models", "tensorboard"):  # a command line's true is text
            self.config[key] = {"true": True, "false": False}.get(
                str(self.config.get(key)), self.config.get(key, False)
            )
        self._check_schema("config", self.config, ())
        for tag, entry in self.config["languages"].items():
            self._check_schema("languages", entry, ("languages", tag))
        self._check_mirror()
        self._check_references()

    @classmethod
    def read(cls, files: Sequence[Path]) -> Experiment:
        """Read configuration files as the workflow does: mappings merge, lists replace, the last file wins.

        Raises:
            ConfigError: with file and line.
        """
        config: dict[str, Any] = {}
        for path in files:
            _merge(config, _load(path))
        return cls(config, files)

    # -- what there is -------------------------------------------------------------------------------------

    @cached_property
    def languages(self) -> dict[str, Language]:
        """All languages of the registry with their twins (`ug-Latn` where `ug` has a transliteration), by tag."""
        languages = {}
        for tag, entry in sorted(self.config["languages"].items()):
            languages[tag] = Language(tag, entry)
            if "transliteration" in entry:
                languages[f"{tag}-Latn"] = Language(f"{tag}-Latn", entry, original=tag)
        return languages

    @cached_property
    def representations(self) -> dict[str, Representation]:
        """All representations of the registry, by name."""
        default = self.config.get("base_model", "")
        return {
            name: Representation(
                name=name,
                method=entry["method"],
                base_model=entry.get("base_model", default),
                pieces=None if entry.get("pieces") == "all" else entry.get("pieces", 0),
                multiplier=float(entry.get("multiplier", 1)),
            )
            for name, entry in self.config["representations"].items()
        }

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the grid that the data allow, in the order of the configuration."""
        grid = self.config["experiment"]
        return tuple(
            Cell(language, representation, regime, seed)
            for language in grid["languages"]
            for representation in grid["representations"]
            for regime in grid["regimes"]
            if self.languages[language].has_regime(regime)
            for seed in self._seeds(language, representation, regime)
        )

    @cached_property
    def single_task_cells(self) -> tuple[Cell, ...]:
        """Those of `cells` that learn one task from the pretrained encoder."""
        return tuple(cell for cell in self.cells if cell.regime in TASKS)

    @cached_property
    def grid_languages(self) -> tuple[Language, ...]:
        """The languages of this experiment, in its order."""
        return tuple(self.languages[tag] for tag in self.config["experiment"]["languages"])

    @property
    def grid_representations(self) -> list[str]:
        """The representations of this experiment, in its order."""
        names: list[str] = self.config["experiment"]["representations"]
        return names

    @cached_property
    def vocabularies(self) -> tuple[tuple[str, str], ...]:
        """Those of `encoders` with wordpieces."""
        return tuple(pair for pair in self.encoders if self.representations[pair[1]].method != "fasttext")

    @cached_property
    def static_vectors(self) -> tuple[tuple[str, str], ...]:
        """Those of `encoders` with word vectors in place of wordpieces."""
        return tuple(pair for pair in self.encoders if self.representations[pair[1]].method == "fasttext")

    @cached_property
    def encoders(self) -> tuple[tuple[str, str], ...]:
        """Each (language, representation) that a cell uses, in the order of the grid.

        A language without labeled data has no cells; it gets them all, so that text is enough to begin with.
        """
        pairs = dict.fromkeys((cell.language, cell.representation) for cell in self.cells)
        for language in self.grid_languages:
            if not language.tasks:
                pairs |= dict.fromkeys((language.tag, name) for name in self.grid_representations)
        return tuple(pairs)

    @cached_property
    def adaptations(self) -> tuple[tuple[str, str], ...]:
        """Those of `vocabularies` whose model is pretrained on the language."""
        return tuple(pair for pair in self.vocabularies if self.representations[pair[1]].method != "base")

    @cached_property
    def sweep(self) -> tuple[str, ...]:
        """The representations with new wordpieces, if they are enough kinds of them to draw how n and a matter."""
        names = tuple(name for name in self.grid_representations if self.representations[name].pieces != 0)
        kinds = {(self.representations[name].pieces, self.representations[name].multiplier) for name in names}
        return names if len(kinds) > 2 and self.single_task_cells else ()

    @cached_property
    def base_models_used(self) -> tuple[str, ...]:
        """The base models of this experiment, by name."""
        names = {name for _, name in self.vocabularies if self.representations[name].method != "scratch"}
        return tuple(sorted({self.representations[name].base_model for name in names}))

    @cached_property
    def needed_languages(self) -> tuple[Language, ...]:
        """The languages whose own data a run needs: of the grid, originals of its twins, and of base models."""
        tags = [language.original or language.tag for language in self.grid_languages]
        for name in filter(self.pretrained_here, self.base_models_used):
            tags += self.config["base_models"][name]["pretrain"]["languages"]
        return tuple(self.languages[tag] for tag in dict.fromkeys(tags))

    def encoder_folder(self, language: str, representation: str) -> str:
        """The model folder that finetuning of this representation starts from, relative to the run."""
        entry = self.representations[representation]
        if entry.method == "base":
            return self.base_folder(entry.base_model)
        return f"results/pretraining/{language}/{representation}"

    def pretrained_here(self, base_model: str) -> bool:
        """Whether a base model is pretrained by the run, not fetched or copied."""
        return "pretrain" in self.config["base_models"][base_model]

    def base_model_sizes(self, name: str) -> dict[str, Any]:
        """The architecture of a base model, as far as it is known before the run has it."""
        entry = self.config["base_models"][name]
        if "pretrain" in entry:
            return dict(entry["pretrain"]["architecture"])
        path = Path(entry.get("folder", self.base_folder(name))) / "config.json"
        try:
            read = read_json(path) if path.is_file() else {}
        except InputError:  # for its own job to report
            read = {}
        return read if isinstance(read, dict) else {}

    @staticmethod
    def base_folder(base_model: str) -> str:
        """The folder of a base model, relative to the run."""
        return f"results/pretraining/base/{base_model}"

    def cleaning(self, language: str) -> dict[str, Any]:
        """How a language's text is cleaned and split; see `corpora.Cleaning`."""
        corpus = self.languages[language].entry["corpus"]
        return {**self.config["corpora"], **{key: corpus[key] for key in ("sample", "sentence_end") if key in corpus}}

    def table_settings(self, table: str) -> dict[str, Any]:
        """The parts of the configuration that a table prints."""
        if table == "hyperparameters":
            representations = {name: self.config["representations"][name] for name in self.grid_representations}
            tags = {language.original or language.tag for language in self.grid_languages}
            finetuning = dict(self.config["finetuning"])
            sizes = finetuning.get("batch_sizes", {})
            finetuning["batch_sizes"] = {tag: sizes[tag] for tag in sorted(tags & sizes.keys())}
            for name, entry in representations.items():
                own = {tag: sizes for tag, sizes in entry.get("batch_sizes", {}).items() if tag in tags}
                representations[name] = {**entry, "batch_sizes": own} if "batch_sizes" in entry else entry
            base_models = {name: self.config["base_models"][name] for name in self.base_models_used}
            sections = {section: self.config[section] for section in ("corpora", "vocabularies", "pretraining")}
            return {
                "base models": base_models,
                "representations": representations,
                **sections,
                "finetuning": finetuning,
            }
        known = ("name", "type", "script", "family")
        if table == "diagnosis":  # everything that its estimate depends on
            machine = ("mirror", "allow_cpu", "jobs_per_gpu")
            return {key: value for key, value in self.config.items() if key not in machine}
        kinds = {name: self.config["representations"][name] for name in self.grid_representations}
        named = {
            name: {key: entry[key] for key in ("method", "pieces", "multiplier") if key in entry}
            for name, entry in kinds.items()
        }
        return {
            "experiment": self.config["experiment"],
            **({} if table == "corpora" else {"tables": self.config["tables"], "representations": named}),
            "languages": {
                language.tag: {key: language.entry[key] for key in known if key in language.entry}
                for language in self.grid_languages
            },
        }

    def vocabulary_training(self, representation: str) -> dict[str, Any]:
        """How a representation's own vocabulary, or the one that new pieces are chosen from, is learned."""
        entry = self.representations[representation]
        if entry.method == "scratch":
            return dict(self.config["representations"][representation]["vocabulary"])
        return dict(self.config["vocabularies"]) if entry.pieces != 0 else {}

    def base_vocabulary_training(self) -> dict[str, Any]:
        """How the vocabulary of a base model is learned; its size is the base model's own."""
        return {key: value for key, value in self.config["vocabularies"].items() if key != "size"}

    def pretraining(self, representation: str) -> dict[str, Any]:
        """Hyperparameters of pretraining a representation."""
        own: dict[str, Any] = self.config["representations"][representation].get("training", {})
        return {**self.config["pretraining"], **own}

    def base_pretraining(self, base_model: str) -> dict[str, Any]:
        """Hyperparameters of pretraining a base model here."""
        own: dict[str, Any] = self.config["base_models"][base_model]["pretrain"]["training"]
        return {**self.config["pretraining"], **own}

    def model_description(self, language: str, representation: str) -> dict[str, Any]:
        """What a model's card says of its origins; see `pretraining.model_card.ModelDescription`."""
        entry, known = self.representations[representation], self.languages[language]
        corpus = known.entry["corpus"]
        base = self.config["base_models"].get(entry.base_model, {}) if entry.method == "adapt" else {}
        text = "own text"
        if "text" not in corpus:
            text = f"Wikipedia (`{corpus['wikipedia']}`), dump of {corpus['date']}"
        if known.original:
            text += ", transliterated to Latin letters"
        return {
            "language": language,
            "name": known.name,
            "representation": representation,
            "method": entry.method,
            "base_model": base.get("hub", entry.base_model) if entry.method == "adapt" else None,
            "on_hub": "hub" in base,
            "license": base.get("license"),
            "text": text,
            "text_license": corpus.get("license", None if "text" in corpus else WIKIPEDIA_LICENSE),
        }

    def finetuning(self, language: str, representation: str, regime: str, seed: int) -> dict[str, Any]:
        """Resolved hyperparameters of one finetuning job."""
        shared, entry = dict(self.config["finetuning"]), self.config["representations"][representation]
        own = dict(entry.get("finetuning", {}))
        heads = {task: {**shared.pop(task), **own.pop(task, {})} for task in TASKS}
        tables = [entry.get("batch_sizes", {}), shared.pop("batch_sizes", {})]
        defaults = [entry.get("batch_size"), shared.pop("batch_size")]
        known = self.languages[language]
        datasets = known.datasets(regime)
        tasks = [task for together in datasets for task in together]
        batches = "mtl" if len(tasks) > 1 else tasks[0]
        sizes = [
            size
            for table, default in zip(tables, defaults, strict=True)
            for size in (table.get(known.original or language, {}).get(batches), default)
            if size is not None
        ]
        seeds = shared.pop("seeds")[str(seed)]
        encoders = (
            {tasks[0]: entry["task_encoders"][tasks[0]] for tasks in datasets}
            if entry["method"] == "fasttext"
            else None
        )
        return {
            **shared,
            **own,
            "batch_size": sizes[0],
            "seeds": seeds,
            "tags": known.tags if "pos" in tasks else None,
            "datasets": datasets,
            "upsample": "-ups" in regime,
            "heads": {task: heads[task] for task in tasks},
            "task_encoders": encoders,
        }

    def vectors(self, representation: str) -> dict[str, Any]:
        """Hyperparameters of static vectors; see `pretraining.static_vectors.VectorSettings`."""
        settings: dict[str, Any] = self.config["representations"][representation]["vectors"]
        return settings

    # -- checks --------------------------------------------------------------------------------------------

    def place(self, keys: Sequence[str | int]) -> str:
        """Where a key stands: `finetuning.epochs (demo.yaml, line 12)`, or that it is on the command line.

        Of a key that stands nowhere it is the line of the nearest one that would hold it.
        """
        name = ".".join(str(key) for key in keys)
        for length in range(len(keys), 0, -1):
            for path in reversed(self.files):
                line, value = _find(self._nodes[path], keys[:length])
                if line and (length < len(keys) or isinstance(value, dict | list)):
                    return f"{name} ({path}, line {line})"
                if line:  # the last file that has it, unless the command line has another value
                    given = _value_at(self.config, keys)
                    return f"{name} ({path}, line {line})" if value == given else f"{name} (on the command line)"
        return f"{name} (on the command line)" if self.files and keys else name

    def _check_schema(self, schema: str, value: Any, prefix: tuple[str, ...]) -> None:
        errors = sorted(_validator(schema).iter_errors(value), key=lambda error: list(map(str, error.path)))
        if errors:
            raise ConfigError(self._explain(errors[0], prefix))

    def _explain(self, error: ValidationError, prefix: tuple[str, ...]) -> str:
        keys = [*prefix, *error.path]
        if error.validator == "additionalProperties":
            assert isinstance(error.schema, dict) and isinstance(error.instance, dict)
            known = list(error.schema.get("properties", {}))
            unknown = sorted(set(error.instance) - set(known))[0]
            return f"unknown key {self.place([*keys, unknown])}{_nearest(unknown, known)}"
        if "propertyNames" in error.schema_path:
            keys.append(str(error.instance))
        place = self.place(keys) or f"the configuration ({', line 1; '.join(map(str, self.files))}, line 1)"
        return f"{place}: {error.message}{_hint(error)}"

    def _check_tags(self, languages: Any) -> None:
        for tag, entry in languages.items() if isinstance(languages, dict) else ():
            if not isinstance(tag, str):
                raise ConfigError(
                    f"languages.{tag}: is not a tag; quote it, for YAML reads a bare no or on as a truth value"
                )
            original = languages.get(tag.removesuffix("-Latn"))
            if original is not entry and isinstance(original, dict) and "transliteration" in original:
                raise ConfigError(
                    f"{self.place(['languages', tag])}: is the twin that transliteration makes; remove one"
                )

    def _check_numbers(self, value: Any, keys: tuple[str | int, ...]) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{self.place(keys)}: {value} is not a number to calculate with")
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in pairs:
            self._check_numbers(item, (*keys, key))

    def _check_mirror(self) -> None:
        mirror = self.config.get("mirror")
        if mirror and not re.match(r"(/|https?://)", mirror):
            raise ConfigError(
                f"{self.place(['mirror'])}: {mirror!r} is neither an absolute path nor a URL; "
                "on the command line quote it whole: --config 'mirror=\"/a path/mirror\"'"
            )
        if mirror and mirror.startswith("/") and not Path(mirror).is_dir():
            raise ConfigError(f"{self.place(['mirror'])}: there is no folder {mirror}")

    def _check_references(self) -> None:
        grid = self.config["experiment"]
        lists: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [(("experiment",), grid)]
        lists += [(("experiment", "exceptions", i), entry) for i, entry in enumerate(grid.get("exceptions", []))]
        seeds = [int(seed) for seed in self.config["finetuning"]["seeds"]]
        for place, entry in lists:
            self._check_known((*place, "languages"), entry.get("languages", []), self.languages, "language")
            self._check_known((*place, "regimes"), entry.get("regimes", []), REGIMES, "task or regime")
            self._check_known(
                (*place, "representations"), entry.get("representations", []), self.representations, "representation"
            )
            self._check_known((*place, "seeds"), entry["seeds"], seeds, "seed (finetuning.seeds)")
        for name, entry in self.config["base_models"].items():
            if len(entry.keys() & {"hub", "folder", "mirror", "pretrain"}) != 1 or ("hub" in entry) != (
                "revision" in entry
            ):
                raise ConfigError(
                    f"{self.place(['base_models', name])}: give one of hub (with revision), folder, mirror, pretrain"
                )
            if "folder" in entry and name in self.base_models_used and not Path(entry["folder"]).is_dir():
                folder = Path(entry["folder"]).absolute()
                raise ConfigError(f"{self.place(['base_models', name, 'folder'])}: there is no folder {folder}")
            languages = entry.get("pretrain", {}).get("languages", [])
            place = ("base_models", name, "pretrain", "languages")
            with_text = [tag for tag, known in self.languages.items() if known.has_corpus and known.original is None]
            self._check_known(place, languages, with_text, "language with a corpus")
        for representation in self.representations.values():
            for method, own in OWN_KEYS.items():
                given = own & self.config["representations"][representation.name].keys()
                if given != (own if representation.method == method else set()):
                    raise ConfigError(
                        f"{self.place(['representations', representation.name])}: {' and '.join(sorted(own))} belong "
                        f"to method {method}, and both to each of its representations"
                    )
            if representation.method in ("base", "adapt"):
                place = ("representations", representation.name)
                known = self.config["base_models"]
                self._check_known((*place, "base_model"), [representation.base_model], known, "base model")
        places = [("finetuning",), *(("representations", name) for name in self.representations)]
        for place in places:
            sizes = _value_at(self.config, place).get("batch_sizes", {})
            self._check_known((*place, "batch_sizes"), sizes, self.config["languages"], "language")
        self._check_positions()
        shares = self.config["corpora"]["validation_share"] + self.config["corpora"]["test_share"]
        if shares >= 1:
            raise ConfigError(f"{self.place(['corpora', 'test_share'])}: the shares leave no text to train on")
        for language in dict.fromkeys([*self.grid_languages, *self.needed_languages]):
            self._check_language(language)
        self._check_grid()
        for tag, name in (*self.adaptations, *self.static_vectors):
            if not self.languages[tag].has_corpus:
                raise ConfigError(
                    f"{self.place(['languages', tag])}: {name} needs a corpus; "
                    "give one, or leave the pair out with experiment.exceptions"
                )
        for name in self.base_models_used:
            if "mirror" in self.config["base_models"][name] and not self.config.get("mirror"):
                raise ConfigError(
                    f"{self.place(['base_models', name])}: lies in a mirror only, and there is none; "
                    "give --config mirror=/absolute/path"
                )

    def _check_positions(self) -> None:
        """Refuse longer sequences than a base model has positions for, before a job loses what it had made."""
        for name in dict.fromkeys(name for _, name in self.adaptations):
            entry, own = self.representations[name], self.config["representations"][name]
            keys = ["representations", name, "training"] if "sequence_length" in own.get("training", {}) else []
            length = self.pretraining(name)["sequence_length"]
            if entry.method == "scratch":
                positions = own["architecture"].get("max_position_embeddings", ROBERTA_POSITIONS) - 2
                whose = f"representation {name}, whose first two are the padding's"
            else:
                positions = self.base_model_sizes(entry.base_model).get("max_position_embeddings")
                whose = f"base model {entry.base_model}"
            if isinstance(positions, int) and length > positions:
                raise ConfigError(
                    f"{self.place([*(keys or ['pretraining']), 'sequence_length'])}: {length} is more than the "
                    f"{positions} positions of {whose}"
                )

    def _check_grid(self) -> None:
        if not self.encoders:
            raise ConfigError(
                f"{self.place(['experiment'])}: leaves nothing to run; look at its regimes, for which there may be no "
                "labeled data, its seeds and its exceptions"
            )

    def _check_known(self, keys: Sequence[str | int], values: Iterable[Any], known: Iterable[Any], what: str) -> None:
        known = list(known)
        for value in values:
            if value not in known:
                raise ConfigError(f"{self.place(keys)}: unknown {what} {value!r}{_nearest(str(value), known)}")

    def _check_language(self, language: Language) -> None:
        place = ["languages", language.original or language.tag]
        corpus, treebank = language.entry.get("corpus", {}), language.entry.get("treebank", {})
        if not language.tasks and not corpus and language in self.grid_languages:
            raise ConfigError(f"{self.place(place)}: has no corpus, no treebank and no named entities")
        if corpus and not ("text" in corpus or {"wikipedia", "date"} <= corpus.keys()):
            raise ConfigError(f"{self.place([*place, 'corpus'])}: give wikipedia with date, or text")
        if "text" not in corpus and corpus.get("date") == "latest":
            raise ConfigError(
                f"{self.place([*place, 'corpus', 'date'])}: latest stands for another date every month; have "
                "`python -m specialize resolve-dates FILE` write the date into your file, once"
            )
        if treebank and not ("folder" in treebank or {"name", "release", "prefix"} <= treebank.keys()):
            raise ConfigError(f"{self.place([*place, 'treebank'])}: give name, release and prefix, or folder")
        if "ner" in language.entry and not language.entry["ner"].keys() & {"wikiann", "folder"}:
            raise ConfigError(f"{self.place([*place, 'ner'])}: give wikiann, or folder")
        wanted = [(["corpus", "text"], corpus.get("text"), [""])]
        for section, ending in (("treebank", "conllu"), ("ner", "tsv")):
            parts = [f"{part}.{ending}" for part in ("train", "dev", "test")]
            wanted.append(([section, "folder"], language.entry.get(section, {}).get("folder"), parts))
        for keys, path, names in wanted:
            for name in names if path else []:
                if not (Path(path) / name).is_file():
                    raise ConfigError(f"{self.place([*place, *keys])}: there is no file {Path(path, name).absolute()}")
        if "folder" in treebank and "pos" in self.config["experiment"]["regimes"]:
            path = _without_tags(Path(treebank["folder"]), language.tags)
            other = "upos" if language.tags == "xpos" else "xpos"
            if path:
                raise ConfigError(
                    f"{self.place([*place, 'treebank', 'folder'])}: {path} has no {language.tags} tags to learn or to "
                    f"measure on; set tags: {other}, or leave the regime pos out"
                )

    def _seeds(self, language: str, representation: str, regime: str) -> list[int]:
        grid = self.config["experiment"]
        cell = {"languages": language, "representations": representation, "regimes": regime}
        seeds: list[int] = grid["seeds"]
        for exception in grid.get("exceptions", []):
            if all(value in exception.get(key, [value]) for key, value in cell.items()):
                seeds = exception["seeds"]
        return [int(seed) for seed in seeds]


def _without_tags(treebank: Path, tags: str) -> Path | None:
    """The first part of a treebank whose first words have no tags; broken lines are for its own job to report."""
    column = {"upos": 3, "xpos": 4}[tags]
    for part in ("train", "dev", "test"):
        path = treebank / f"{part}.conllu"
        with path.open(encoding="utf-8", errors="replace") as stream:
            rows = [line.split("\t") for line in islice(stream, 1000)]
        words = [row for row in rows if len(row) == 10 and row[0].isdigit()]
        if words and all(row[column] == "_" for row in words):
            return path
    return None


def _string_keys(value: Any) -> Any:
    """The same with every mapping's keys as strings: YAML reads `1:` as a number, a command line as text."""
    if isinstance(value, dict):
        return {str(key): _string_keys(item) for key, item in value.items()}
    return [_string_keys(item) for item in value] if isinstance(value, list) else value


def _nearest(word: str, known: Iterable[Any]) -> str:
    names = [str(name) for name in known]
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(names)}" if len(names) <= 40 else ""


def _value_at(config: Any, keys: Sequence[str | int]) -> Any:
    for key in keys:
        config = config[key]
    return config


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(yaml.safe_load((SCHEMAS / f"{schema}.schema.yaml").read_text(encoding="utf-8")))


def _hint(error: ValidationError) -> str:
    """What to write instead, for values that YAML reads otherwise than they look."""
    value, kind = error.instance, str(error.validator_value)
    if error.validator == "type" and "string" in kind and isinstance(value, int | float | bool | datetime.date):
        return "; put it in quotes"
    if error.validator == "type" and "number" in kind and isinstance(value, str) and re.fullmatch(NUMBER, value):
        return "; YAML reads a number with an exponent only if it has a point and a sign, such as 5.0e-3"
    if "propertyNames" in error.schema_path and list(error.path) != ["finetuning", "seeds"]:
        return "; it names a folder: letters, digits and hyphens, and base is taken"
    return ""


# -- YAML files --------------------------------------------------------------------------------------------

NUMBER = r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?"


def _load(path: Path) -> dict[str, Any]:
    """A file's mapping, its keys as strings."""
    node = _compose(path)
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{path}, line {node.start_mark.line + 1}: is not a mapping of keys to values")
    loaded: dict[str, Any] = _string_keys(_construct(path, node))
    return loaded


def dates_to_resolve(path: Path) -> list[tuple[str, str, int, int]]:
    """Where a file has `latest` for the date of a dump: the language's tag, its Wikipedia's code, and the characters
    from and to which the word stands.

    Raises:
        ConfigError: if the file is not a configuration, or an entry says `latest` of no Wikipedia.
    """
    found = []
    _load(path)
    languages = _node_of(_compose(path), "languages")
    for tag, entry in languages.value if isinstance(languages, yaml.MappingNode) else ():
        corpus = _node_of(entry, "corpus")
        date = _node_of(corpus, "date")
        if isinstance(date, yaml.ScalarNode) and date.value == "latest":
            code = _node_of(corpus, "wikipedia")
            if not isinstance(code, yaml.ScalarNode):
                line = date.start_mark.line + 1
                raise ConfigError(f"{path}, line {line}: name the Wikipedia beside this date, such as wikipedia: ltg")
            found.append((tag.value, code.value, date.start_mark.index, date.end_mark.index))
    return found


def _node_of(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _merge(config: dict[str, Any], overlay: dict[str, Any]) -> None:
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _merge(config[key], value)
        else:
            config[key] = value


def _compose(path: Path) -> yaml.Node | None:
    """The nodes of a YAML file, in which no key stands twice.

    Raises:
        ConfigError: with the line of the first thing that is wrong.
    """
    text = ""
    try:
        text = read_text(Path(path))
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_keys(path, node, ())
    except InputError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path}, line {line}: has a character that YAML does not allow ({error.reason})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}, line {line}: is not YAML ({error.problem or error.context})") from error
    except RecursionError as error:
        raise ConfigError(f"{path}, line 1: is nested too deeply") from error
    return node


def _check_keys(path: Path, node: yaml.Node | None, above: tuple[yaml.Node, ...]) -> None:
    if isinstance(node, yaml.ScalarNode):
        _construct(path, node)
    if not isinstance(node, yaml.CollectionNode):
        return
    line = node.start_mark.line + 1
    if any(node is holder for holder in above):
        raise ConfigError(f"{path}, line {line}: an alias here refers to what holds it")
    children = node.value
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{path}, line {line}: a key is not plain text")
            read = _construct(path, key)
            if isinstance(read, bool) or not isinstance(read, str | int):
                raise ConfigError(f"{path}, line {line}: YAML reads the key {key.value!r} as {read}; put it in quotes")
            if key.value in lines:
                raise ConfigError(
                    f"{path}, line {line}: key {key.value} stands in line {lines[key.value]} already; remove one"
                )
            lines[key.value] = line
        children = [part for pair in node.value for part in pair]
    for child in children:
        _check_keys(path, child, (*above, node))


def _construct(path: Path, node: yaml.Node) -> Any:
    """The value of a node; a date that the calendar lacks and the like are no value."""
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except (ValueError, yaml.constructor.ConstructorError) as error:
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        raise ConfigError(f"{path}, line {node.start_mark.line + 1}: cannot be read ({problem})") from error


def _find(node: yaml.Node | None, keys: Sequence[str | int]) -> tuple[int | None, Any]:
    """Line (from 1) and value of a key in a file's nodes; no line if it is not there."""
    line = None
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
            continue
        found = [pair for pair in getattr(node, "value", []) if isinstance(pair, tuple) and pair[0].value == str(key)]
        if not found:
            return None, None
        line, node = found[-1][0].start_mark.line + 1, found[-1][1]
    return (line, _string_keys(yaml.constructor.SafeConstructor().construct_document(node))) if node else (None, None)
