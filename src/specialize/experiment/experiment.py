"""The checked configuration: which cells exist, what each needs, and with which settings.

Nothing else decides what is in the grid: the workflow, its targets and the tables all ask an `Experiment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from specialize.corpora.settings import Cleaning
from specialize.errors import InputError
from specialize.experiment import checks, resolved
from specialize.experiment.beyond_paper import is_beyond_paper
from specialize.experiment.configuration import checked
from specialize.experiment.grid import Cell, Language, Representation
from specialize.experiment.regimes import TASKS
from specialize.experiment.yaml_files import ConfigurationFiles, Keys, load, merge
from specialize.files import read_json
from specialize.finetuning.settings import FinetuningSettings
from specialize.pretraining.settings import PretrainingSettings, VectorSettings
from specialize.vocabularies.settings import BytePieceTraining, PieceChoice, PieceTraining

PAPER = Path(__file__).parents[3] / "config" / "config.yaml"


class Experiment:
    """A configuration that was checked as a whole.

    Args:
        config: the merged configuration.
        files: the files it was merged from, the last one winning; they say where a mistake stands, and which of `1`
            and `"1"` was meant.
        command_line: the values of `--config`, which win over all files, for the same purposes.

    Raises:
        ConfigError: with the key, its file and line, and the nearest valid word.
    """

    def __init__(
        self, config: dict[str, Any], files: Sequence[Path] = (), command_line: Mapping[str, Any] | None = None
    ) -> None:
        self.files = ConfigurationFiles(files, command_line)
        self.config = checked(config, self.files)
        checks.check_mirror(self)
        checks.check_references(self)

    @classmethod
    def read(cls, files: str | Path | Sequence[str | Path], overrides: dict[str, Any] | None = None) -> Experiment:
        """Read configuration files as the workflow does: mappings merge, lists replace, the last file wins.

        The paper's configuration (config/config.yaml of the checkout) lies beneath them, as in the workflow.

        Args:
            files: one or several, each a path.
            overrides: what the command line says, which wins over all files.

        Raises:
            ConfigError: with file and line.
        """
        paths = [Path(path) for path in ([files] if isinstance(files, str | Path) else files)]
        if PAPER.is_file() and not any(path.is_file() and path.samefile(PAPER) for path in paths):
            paths.insert(0, PAPER)
        config: dict[str, Any] = {}
        for path in paths:
            merge(config, load(path))
        merge(config, overrides or {})
        return cls(config, paths)

    def place(self, keys: Keys) -> str:
        """Where a key stands, for messages; see `ConfigurationFiles.place`."""
        return self.files.place(keys, self.config)

    def place_of_last(self, *candidates: Keys) -> str:
        """Where the one of several keys stands that was given last, for a mistake that lies in them together."""
        return self.place(self.files.last_given(candidates))

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
        return {name: resolved.representation(self.config, name) for name in self.config["representations"]}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the grid that the data allow, in the order of the configuration."""
        grid = self.config["experiment"]
        return tuple(
            Cell(language, representation, regime, seed, split)
            for language in grid["languages"]
            for representation in grid["representations"]
            for regime in grid["regimes"]
            if self.languages[language].has_regime(regime)
            for split in self.languages[language].splits(regime)
            for seed in _seeds(grid, language, representation, regime)
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
        """Those of `vocabularies` whose model is pretrained on the language, and those that others are trimmed of."""
        pairs = dict.fromkeys((tag, self.representations[name].of or name) for tag, name in self.vocabularies)
        return tuple(pair for pair in pairs if self.representations[pair[1]].method != "base")

    @cached_property
    def own_models(self) -> tuple[tuple[str, str], ...]:
        """`adaptations`, and those of `vocabularies` whose model is trimmed."""
        return (*self.adaptations, *(pair for pair in self.vocabularies if self.representations[pair[1]].of))

    @cached_property
    def sweep(self) -> tuple[str, ...]:
        """The paper's kinds of representations with new wordpieces, if they are enough to draw how n and a matter."""
        names = tuple(
            name
            for name in self.grid_representations
            if self.representations[name].pieces != 0 and not is_beyond_paper(self, name)
        )
        kinds = {(self.representations[name].pieces, self.representations[name].multiplier) for name in names}
        return names if len(kinds) > 2 and self.single_task_cells else ()

    @cached_property
    def base_models_used(self) -> tuple[str, ...]:
        """The base models of this experiment, by name."""
        names = {name for _, name in self.vocabularies if self.representations[name].method != "scratch"}
        return tuple(sorted({self.representations[name].base_model for name in names} - {""}))

    @cached_property
    def needed_languages(self) -> tuple[Language, ...]:
        """The languages whose own data a run needs: of the grid, originals of its twins, of base models,
        those that new pieces leave as they are, and those whose text models of another one learn from."""
        tags = [language.original or language.tag for language in self.grid_languages]
        for language, representation in self.vocabularies:
            tags += self.other_languages(language, representation)
        for pair in self.adaptations:
            tags += [self.languages[tag].original or tag for tag in self.other_texts(*pair)]
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

    def is_adapted(self, base_model: str) -> bool:
        """Whether a representation of this experiment pretrains a base model further on a language."""
        names = {name for _, name in self.adaptations if self.representations[name].method == "adapt"}
        return any(self.representations[name].base_model == base_model for name in names)

    def base_model_sizes(self, name: str) -> dict[str, Any]:
        """The architecture of a base model, as far as it is known before the run has it."""
        entry = self.config["base_models"][name]
        if "pretrain" in entry:
            return resolved.made_as(self, name)
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

    # -- resolved settings -------------------------------------------------------------------------------------

    def cleaning(self, language: str) -> Cleaning:
        """How a language's text is cleaned and split."""
        return resolved.cleaning(self, language)

    def piece_choice(self, representation: str) -> PieceChoice | None:
        """How new pieces are learned and chosen; None if none are."""
        entry = self.representations[representation]
        return None if entry.pieces == 0 else resolved.piece_choice(self)

    def other_languages(self, language: str, representation: str) -> list[str]:
        """The languages whose words new pieces, or trimming, leave as they are, but for the language itself."""
        own, tags = self.languages[language].original or language, self.config["vocabularies"]["other_languages"]
        asked = self.piece_choice(representation) or self.representations[representation].method == "trim"
        return [tag for tag in tags if (self.languages[tag].original or tag) != own] if asked else []

    def other_texts(self, language: str, representation: str) -> list[str]:
        """The languages whose texts a language's representation is pretrained on besides its own."""
        return resolved.other_texts(self, language, representation)

    @property
    def normal_form(self) -> str:
        """In which Unicode form words are cut."""
        return str(self.config["vocabularies"]["normal_form"])

    def byte_vocabulary_training(self, representation: str) -> BytePieceTraining:
        """How the vocabulary of a monolingual model is learned."""
        return BytePieceTraining(**self.config["representations"][representation]["vocabulary"])

    def pretraining(self, representation: str) -> PretrainingSettings:
        """The settings of pretraining a representation."""
        return resolved.pretraining(self, representation)

    def base_pretraining(self, base_model: str) -> PretrainingSettings:
        """The settings of pretraining a base model here."""
        return resolved.base_pretraining(self, base_model)

    def base_vocabulary_training(self, base_model: str) -> PieceTraining | None:
        """How the vocabulary of a base model that is pretrained here is learned; None if it has one of one's own."""
        return resolved.base_vocabulary_training(self, base_model)

    def finetuning(
        self, language: str, representation: str, regime: str, seed: int, split: str = ""
    ) -> FinetuningSettings:
        """The settings of one finetuning job, the same for every split of the data."""
        return resolved.finetuning(self, Cell(language, representation, regime, int(seed)))

    def transliteration(self, language: str) -> dict[str, Any] | None:
        """How text becomes what the models of a transliterated twin read; None for any other language."""
        return resolved.transliteration(self, language)

    def vectors(self, representation: str) -> VectorSettings:
        """The settings of static vectors."""
        return VectorSettings(**self.config["representations"][representation]["vectors"])


def _seeds(grid: Mapping[str, Any], language: str, representation: str, regime: str) -> list[int]:
    """The grid's, but for its exceptions."""
    cell = {"languages": language, "representations": representation, "regimes": regime}
    seeds: list[int] = grid["seeds"]
    for exception in grid.get("exceptions", []):
        if all(value in exception.get(key, [value]) for key, value in cell.items()):
            seeds = exception["seeds"]
    return [int(seed) for seed in seeds]
