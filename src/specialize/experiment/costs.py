"""What each training job of a grid computes and writes, from what is known of its model and its data so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from specialize.bases.architectures import Architecture, architecture_if_known, architecture_to_make
from specialize.experiment.curve import Curve, curve_of
from specialize.experiment.data_sizes import DataSizes, read_if_whole
from specialize.experiment.experiment import Experiment
from specialize.experiment.grid import Cell
from specialize.experiment.regimes import REGIMES
from specialize.experiment.resolved import model_entry, pieces_here
from specialize.experiment.speeds import Shape, SpeedOf
from specialize.pretraining.settings import PretrainingSettings

# Of a base model whose config.json is not here yet: BERT-base with mBERT's vocabulary.
EXPECTED_BASE = {"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072, "vocab_size": 119_547}

LETTERS_PER_SECOND = 1e6  # cut into wordpieces, with their masks

# Of vocabularies that are not here yet.
PIECES_PER_LETTER = 0.4
PADDING = 1.1  # a batch is as long as its longest sentence; they are of like length
PIECES_PER_WORD = 2.0  # paper, Table 1: 1.17 to 2.9

# Of trainings under patience that were recorded (docs/replication.md), the best epoch was the 21st to 61st of taggers.
BEST_EPOCH = 40
FROZEN_SHARE = 1 / 3  # of the cost of an epoch: only the forward pass goes through a frozen encoder
BYTES_PER_PARAMETER = 4


@dataclass(frozen=True)
class Work:
    """What an epoch of a job computes on one data set.

    Attributes:
        shape: of the model.
        training: operations, forward and backward.
        evaluation: operations, forward.
        updates: parameters moved.
    """

    shape: Shape
    training: float
    evaluation: float
    updates: float


@dataclass(frozen=True)
class Job:
    """One training job.

    Attributes:
        folder: of its results, relative to the run.
        pretrains: else it finetunes.
        threads: that it takes.
        works: an epoch's, by data set.
        epochs: about how many it will have.
        most_epochs: how many it can have, if patience never ends it.
        frozen: epochs in which only the head learns.
        bytes: that its results take.
        letters: of the text that it cuts into wordpieces before it trains.
        gpus: that it asks for.
    """

    folder: str
    pretrains: bool
    threads: int
    works: tuple[Work, ...]
    epochs: float
    most_epochs: int
    frozen: int
    bytes: int
    letters: float = 0
    gpus: int = 1

    def seconds(self, speed_of: SpeedOf, epochs: float | None = None) -> float:
        """How long it takes, by default for as many epochs as it will probably have."""
        epochs = self.epochs if epochs is None else epochs
        frozen = min(self.frozen, epochs)
        total = max(speed_of(work.shape).start for work in self.works) + self.letters / LETTERS_PER_SECOND
        for work in self.works:
            speed = speed_of(work.shape)
            total += (epochs - frozen + FROZEN_SHARE * frozen) * work.training / speed.training
            total += (epochs - frozen) * work.updates / speed.updates
            total += (epochs + 1) * work.evaluation / speed.evaluation
        return total


class Costs:
    """What the jobs of an experiment compute and write.

    Args:
        experiment: the configuration.
        run: the run's folder; what it has by now is counted, the rest is expected.
    """

    def __init__(self, experiment: Experiment, run: Path = Path()) -> None:
        self.experiment, self.run = experiment, run
        self.sizes = DataSizes(experiment, run)
        # Regimes whose models lie there until the jobs that start from them have ended.
        self._starts = {start for cell in experiment.cells if (start := REGIMES[cell.regime].start)}
        self._finished: dict[str, list[float]] = {}  # epochs of the regime's jobs
        self._kinds: dict[tuple[str, str, str, int], Job] = {}

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """All that train with wordpieces or on labels. Static vectors are trained in minutes and not counted."""
        bases = filter(self.experiment.pretrained_here, self.experiment.base_models_used)
        return (
            *(self._base(name) for name in bases),
            *(self._adaptation(*pair) for pair in self.experiment.adaptations),
            *(replace(self._of_any_seed(cell), folder=cell.folder) for cell in self.experiment.cells),
        )

    @cached_property
    def curve_jobs(self) -> tuple[Job, ...]:
        """Those of the target `curve`, besides the grid's."""
        return tuple(replace(self._of_any_seed(cell), folder=cell.folder) for cell in self.curve.cells)

    @cached_property
    def curve(self) -> Curve:
        """Of which cells the target `curve` consists."""
        return curve_of(self.experiment, self.sizes)

    def shapes(self) -> list[Shape]:
        """What a machine's speed must be measured of, to tell how long the jobs take."""
        return sorted({work.shape for job in self.jobs for work in job.works})

    # -- pretraining -------------------------------------------------------------------------------------------

    def _base(self, name: str) -> Job:
        entry = self.experiment.config["base_models"][name]["pretrain"]
        settings = self.experiment.base_pretraining(name)
        shape = transformer("masked", self.base_sizes(name), settings.threads, settings.precision)
        once = dict.fromkeys(entry["languages"], 1.0)
        rates = dict.fromkeys(once, PIECES_PER_LETTER)
        works = tuple(self._masked(shape, settings, tag, rates, {tag: 1.0}) for tag in once)
        return self._pretraining(self.experiment.base_folder(name), settings, works, once)

    def _adaptation(self, tag: str, name: str) -> Job:
        settings, representation = self.experiment.pretraining(name), self.experiment.representations[name]
        if representation.method == "scratch":
            entry = self.experiment.config["representations"][name]
            sizes = entry["architecture"] | {"vocab_size": entry["vocabulary"]["size"]}
        else:
            sizes = self.base_sizes(representation.base_model)
        shape = transformer("masked", sizes, settings.threads, settings.precision)
        passes = self._passes(tag, name)
        rates = {one: self._coverage(one, name, "corpus", "wordpieces_per_letter", PIECES_PER_LETTER) for one in passes}
        works = (self._masked(shape, settings, tag, rates, passes),)
        return self._pretraining(self.experiment.encoder_folder(tag, name), settings, works, passes)

    def _passes(self, tag: str, name: str) -> dict[str, float]:
        """How often each language's text is in a pass over the text of a model of one language, whose own is once."""
        others = self.experiment.other_texts(tag, name)
        words = {one: max(self.sizes.text(one, "train")["tokens"], 1) for one in [tag, *others]}
        shares = self.experiment.pretraining(name).shares(tag, words)
        return {one: (share / words[one]) / (shares[tag] / words[tag]) for one, share in shares.items()}

    def _pretraining(
        self, folder: str, settings: PretrainingSettings, works: tuple[Work, ...], passes: Mapping[str, float]
    ) -> Job:
        size = works[0].shape.parameters() * BYTES_PER_PARAMETER
        letters = sum(self.sizes.text(tag, "train")["letters"] * min(times, 1) for tag, times in passes.items())
        return Job(
            folder, True, settings.threads, works, settings.epochs, settings.epochs, 0, size, letters, settings.gpus
        )

    def _masked(
        self,
        shape: Shape,
        settings: PretrainingSettings,
        tag: str,
        rates: Mapping[str, float],
        passes: Mapping[str, float],
    ) -> Work:
        """An epoch on texts of some languages, each so many times, and the evaluation of one of them after it.

        `rates` are pieces per letter of each; that of another language is known if it has a vocabulary of the kind.
        """
        valid, texts = self.sizes.text(tag, "valid"), {one: self.sizes.text(one, "train") for one in passes}
        train = {
            key: sum(texts[one][key] * times for one, times in passes.items()) for key in ("sentences", "articles")
        }
        pieces = sum(texts[one]["letters"] * rates[one] * times for one, times in passes.items())
        longest = settings.sequence_length - 2
        if settings.examples == "lines":
            examples = float(train["sentences"])
        else:  # an article's last example is half full, and some are shorter on purpose
            examples = pieces / (longest * (1 - settings.short_sequence_probability / 2)) + train["articles"] / 2
        if settings.examples == "sentence-pairs":  # of half of the examples the second segment is taken once more
            examples, pieces = examples * 4 / 3, pieces * 4 / 3
        length = min(pieces / max(examples, 1), longest) + 2
        examples *= settings.copies
        if settings.steps_per_epoch:
            examples = min(examples, settings.steps_per_epoch * settings.batch_size)
        predictions = max(1.0, min(length * settings.masked_probability, settings.max_predictions))
        lines = min(valid["sentences"], settings.validation_sentences or valid["sentences"])
        line = min(valid["letters"] * rates[tag] / max(valid["sentences"], 1), longest) + 2
        return Work(
            shape,
            3 * shape.operations(examples, length, examples * predictions),
            shape.operations(lines, line, lines * max(1.0, line * settings.masked_probability)),
            max(1.0, examples / settings.batch_size) * shape.parameters(),
        )

    # -- finetuning --------------------------------------------------------------------------------------------

    def _of_any_seed(self, cell: Cell) -> Job:
        kind = (cell.language, cell.representation, cell.regime, cell.share)
        if kind not in self._kinds:
            self._kinds[kind] = self._finetuning(cell)
        return self._kinds[kind]

    def _finetuning(self, cell: Cell) -> Job:
        settings = self.experiment.finetuning(cell.language, cell.representation, cell.regime, cell.seed)
        language = self.experiment.languages[cell.language]
        parts = {
            tasks[0]: {part: self.sizes.labeled(language, tasks[0], part) for part in ("train", "dev")}
            for tasks in settings.datasets
        }
        for counts in parts.values():
            counts["train"] = counts["train"].share(cell.share)
        steps = {first: -(-counts["train"].sentences // settings.batch_size) for first, counts in parts.items()}
        most = max(steps.values())
        works = []
        for first, counts in parts.items():
            shape = self._task_model(cell, first, settings.threads, settings.precision)
            rate = 1.0
            if shape.encoder == "transformer":
                data = "ner" if first == "ner" else "treebank"
                rate = self._coverage(cell.language, cell.representation, data, "wordpieces_per_token", PIECES_PER_WORD)
            repeated = most / max(steps[first], 1) if settings.upsample else 1.0
            train, dev = (
                PADDING * shape.operations(part.sentences, rate * part.words / max(part.sentences, 1) + 2)
                for part in (counts["train"], counts["dev"])
            )
            predicted = next(len(tasks) for tasks in settings.datasets if tasks[0] == first)
            updates = repeated * steps[first] * shape.parameters()
            works.append(Work(shape, 3 * repeated * train, predicted * dev, updates))
        size = 0
        if self.experiment.config["keep_models"] or cell.regime in self._starts:
            size = works[0].shape.parameters() * BYTES_PER_PARAMETER
        expected = self._epochs(cell.regime, settings.epochs, settings.patience)
        return Job(
            cell.folder,
            False,
            settings.threads,
            tuple(works),
            expected,
            settings.epochs,
            settings.frozen_epochs if works[0].shape.encoder == "transformer" else 0,
            size + sum(100 * counts["dev"].words for counts in parts.values()),
        )

    def _epochs(self, regime: str, most: int, patience: int) -> float:
        """About how many epochs a training has: as those of its regime that this run has finished, if there are any."""
        if regime not in self._finished:
            found = [read_if_whole(path) for path in self.run.glob(f"results/finetuning/*/*/{regime}/**/timing.json")]
            self._finished[regime] = [float(timing["epochs"]) for timing in found if timing.get("epochs")]
        finished = self._finished[regime]
        return min(most, fmean(finished) if finished else BEST_EPOCH + patience)

    def _task_model(self, cell: Cell, task: str, threads: int, precision: str) -> Shape:
        entry = model_entry(self.experiment, cell.representation)
        if "task_encoders" in entry:
            sizes = entry["task_encoders"][task]
            kind = "highway" if sizes["highway"] else "bilstm"
            inner = entry["vectors"]["dimension"]
            return Shape(task, kind, sizes["layers"], sizes["hidden_size"], inner, 0, threads, "float32")
        if entry["method"] == "scratch":
            own = entry["architecture"] | {"vocab_size": entry["vocabulary"]["size"]}
            return transformer(task, own, threads, precision)
        base = self.experiment.representations[cell.representation].base_model
        return transformer(task, self.base_sizes(base), threads, precision)

    # -- models ------------------------------------------------------------------------------------------------

    def base_sizes(self, name: str) -> dict[str, Any]:
        """The sizes of a base model: as its config.json says, wherever it lies on this machine; else as expected."""
        entry = self.experiment.config["base_models"][name]
        if "pretrain" in entry:
            made, sizes = architecture_to_make(self.experiment.base_model_sizes(name))
            return _as_bert(made, sizes | {"vocab_size": pieces_here(entry["pretrain"])})
        folders = [self.run / self.experiment.base_folder(name), *map(Path, filter(None, [entry.get("folder")]))]
        if "mirror" in entry and self.experiment.config["mirror"]:
            folders.append(Path(self.experiment.config["mirror"], "models", name))
        for folder in folders:
            if (folder / "config.json").is_file():
                found = read_if_whole(folder / "config.json")
                known = {key: found[key] for key in EXPECTED_BASE if isinstance(found.get(key), int)}
                return _as_bert(architecture_if_known(found), EXPECTED_BASE | known)
        return {**EXPECTED_BASE, **entry.get("sizes", {})}

    def _coverage(self, tag: str, representation: str, data: str, measure: str, expected: float) -> float:
        path = self.run / f"results/vocabularies/{tag}/{representation}/statistics.json"
        if not path.is_file():
            return expected
        try:
            return float(read_if_whole(path)["coverage"][data]["augmented"][measure])
        except (KeyError, TypeError, ValueError):  # there are no such data, or another version counted them
            return expected


def _as_bert(architecture: Architecture | None, sizes: dict[str, Any]) -> dict[str, Any]:
    """Sizes by which a BERT would have as many matrices as a model of another architecture."""
    return sizes | {
        "intermediate_size": int((architecture.inner_share if architecture else 1) * sizes["intermediate_size"])
    }


def transformer(task: str, sizes: dict[str, Any], threads: int, precision: str) -> Shape:
    """The shape of a transformer of the sizes that `EXPECTED_BASE` names."""
    layers, width, inner, pieces = (sizes[key] for key in EXPECTED_BASE)
    return Shape(task, "transformer", layers, width, inner, pieces, threads, precision)


def jobs_to_do(costs: Costs, outputs: Collection[str] | None) -> list[Job]:
    """The training jobs that make some of these files; all of the grid if None."""
    if outputs is None:
        return list(costs.jobs)
    folders = {str(Path(path).parent) for path in outputs}
    return [job for job in (*costs.jobs, *costs.curve_jobs) if job.folder in folders]
