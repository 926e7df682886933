"""Masked-language-model pretraining: of a base model from scratch, or further on one language (LAPT, VA, TVA)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertForMaskedLM
from transformers.utils import logging

from specialize.corpora import read_corpus
from specialize.errors import SpecializeError
from specialize.files import atomic_path, read_json, write_json
from specialize.training import (
    AdamW,
    Checkpoint,
    Fit,
    checkpoint_in,
    decayed_groups,
    device,
    fit,
    linear_schedule,
    seed_everything,
)
from specialize.vocabularies import WordPieceTraining, bert_tokenizer, count_words, new_base_vocabulary, save_tokenizer

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # a head that is not loaded is no news here
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

EPSILON = 1e-6  # fact 16
MASKED_SHARE, RANDOM_SHARE = 0.8, 0.1  # the rest stays as it is (fact 14)


@dataclass(frozen=True)
class PretrainingSettings:
    """Hyperparameters (paper, Table 5; facts 14 to 19) and limits.

    Attributes:
        steps_per_epoch: an epoch ends after so many batches; None: one pass over all copies of the text.
        validation_sentences: so many lines of the validation text are scored; None: all.
        threads: CPU threads; a result depends on them in its last bits.
    """

    seed: int
    threads: int
    epochs: int
    steps_per_epoch: int | None
    validation_sentences: int | None
    batch_size: int
    sequence_length: int
    copies: int
    masked_probability: float
    max_predictions: int
    short_sequence_probability: float
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    gradient_norm: float
    bias_correction: bool


@dataclass(frozen=True)
class MaskedBatch:
    """A batch of masked text.

    Attributes:
        ids: (examples, length) wordpiece ids, padded with 0.
        attention: (examples, length) 1 where there is a piece.
        places: (predictions,) index of each masked place in the flattened ids.
        targets: (predictions,) the original pieces there.
    """

    ids: Tensor
    attention: Tensor
    places: Tensor
    targets: Tensor


class MaskedText:
    """Text cut into examples, with masks that are drawn once.

    Args:
        pieces: (n,) wordpiece ids of the whole text.
        starts, ends: (examples,) the slice of each example, without [CLS] and [SEP].
        vocabulary: ids of [CLS], [SEP], [MASK] and the size, from the tokenizer.
        settings: batch size, mask probability and the like.
        seed: of the masks and of the order of the examples.
    """

    def __init__(
        self,
        pieces: NDArray[numpy.int32],
        starts: NDArray[numpy.int64],
        ends: NDArray[numpy.int64],
        tokenizer: Tokenizer,
        settings: PretrainingSettings,
        seed: int,
    ) -> None:
        self.pieces, self.starts, self.ends = pieces, starts, ends
        vocabulary = tokenizer.get_vocab()
        self.cls, self.sep = vocabulary["[CLS]"], vocabulary["[SEP]"]
        self.settings, self.seed = settings, seed
        generator = numpy.random.default_rng([seed, 0])
        self.places, self.replacements = _draw_masks(
            pieces, starts, ends, vocabulary["[MASK]"], len(vocabulary), settings, generator
        )

    def steps(self) -> int:
        """Batches in an epoch."""
        passes = -(-len(self.starts) // self.settings.batch_size)
        return min(passes, self.settings.steps_per_epoch or passes)

    def epoch(self, number: int) -> Iterator[MaskedBatch]:
        """Batches of one epoch, shuffled by the seed and the epoch's number."""
        order = numpy.random.default_rng([self.seed, number]).permutation(len(self.starts))
        for step in range(self.steps()):
            yield self.batch(order[step * self.settings.batch_size : (step + 1) * self.settings.batch_size])

    def in_order(self) -> Iterator[MaskedBatch]:
        """Batches of all examples as they stand."""
        for first in range(0, len(self.starts), self.settings.batch_size):
            yield self.batch(numpy.arange(first, min(first + self.settings.batch_size, len(self.starts))))

    def batch(self, examples: NDArray[Any]) -> MaskedBatch:
        """Some examples as one batch, padded to the longest of them."""
        lengths = self.ends[examples] - self.starts[examples]
        width = int(lengths.max()) + 2
        columns = numpy.arange(width - 2)
        inside = columns < lengths[:, None]
        ids = numpy.zeros((len(examples), width), dtype=numpy.int64)
        sources = numpy.minimum(self.starts[examples, None] + columns, len(self.pieces) - 1)
        ids[:, 1:-1] = numpy.where(inside, self.pieces[sources], 0)
        ids[:, 0] = self.cls
        rows = numpy.arange(len(examples))
        ids[rows, lengths + 1] = self.sep
        attention = (numpy.arange(width) < lengths[:, None] + 2).astype(numpy.int64)

        places = self.places[examples]
        row, column = numpy.nonzero(places >= 0)
        flat = row * width + places[row, column] + 1
        targets = ids.reshape(-1)[flat].copy()
        ids.reshape(-1)[flat] = self.replacements[examples][row, column]
        where = device()
        return MaskedBatch(*(torch.from_numpy(array).to(where) for array in (ids, attention, flat, targets)))


def _draw_masks(
    pieces: NDArray[numpy.int32],
    starts: NDArray[numpy.int64],
    ends: NDArray[numpy.int64],
    mask: int,
    vocabulary_size: int,
    settings: PretrainingSettings,
    generator: numpy.random.Generator,
) -> tuple[NDArray[numpy.int16], NDArray[numpy.int32]]:
    """Which places of each example are predicted, and what stands there instead: both (examples, predictions)."""
    most = settings.max_predictions
    places = numpy.full((len(starts), most), -1, dtype=numpy.int16)
    replacements = numpy.zeros((len(starts), most), dtype=numpy.int32)
    lengths = ends - starts
    wanted = numpy.clip(numpy.rint(lengths * settings.masked_probability), 1, most).astype(numpy.int64)
    for first in tqdm(range(0, len(starts), 10_000), desc="masks", unit=" × 10,000", mininterval=5):
        block = slice(first, first + 10_000)
        length, number = lengths[block], wanted[block]
        ranks = generator.random((len(length), int(length.max())))
        ranks[numpy.arange(ranks.shape[1]) >= length[:, None]] = 2
        drawn = numpy.argsort(ranks, axis=1)[:, :most]
        chosen = numpy.arange(drawn.shape[1]) < number[:, None]
        originals = pieces[numpy.minimum(starts[block, None] + drawn, len(pieces) - 1)]
        fate = generator.random(drawn.shape)
        other = generator.integers(0, vocabulary_size, drawn.shape)
        replaced = numpy.where(
            fate < MASKED_SHARE, mask, numpy.where(fate < MASKED_SHARE + RANDOM_SHARE, other, originals)
        )
        places[block, : drawn.shape[1]] = numpy.where(chosen, drawn, -1)
        replacements[block, : drawn.shape[1]] = replaced
    return places, replacements


def encode_lines(lines: list[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Wordpiece ids of each line, without special tokens."""
    encoded = []
    for first in tqdm(range(0, len(lines), 10_000), desc="wordpieces", unit=" × 10,000 lines", mininterval=5):
        batch = tokenizer.encode_batch_fast(lines[first : first + 10_000], add_special_tokens=False)
        encoded += [encoding.ids for encoding in batch]
    return encoded


def training_text(paths: Iterable[Path], tokenizer: Tokenizer, settings: PretrainingSettings) -> MaskedText:
    """Contiguous text of one article an example, in several copies with different cuts and masks (facts 14, 15)."""
    generator = numpy.random.default_rng([settings.seed, 1])
    articles = [" ".join(sentences) for path in paths for sentences in read_corpus(path)]
    encoded = [ids for ids in encode_lines(articles, tokenizer) if ids]
    if not encoded:
        raise SpecializeError("the training text has no wordpieces at all; look at results/corpora")
    longest = settings.sequence_length - 2
    starts, ends, offset = [], [], 0
    for ids in encoded:
        for _ in range(settings.copies):
            start = 0
            while start < len(ids):
                short = generator.random() < settings.short_sequence_probability
                length = int(generator.integers(2, longest + 1)) if short else longest
                starts.append(offset + start)
                ends.append(offset + min(start + length, len(ids)))
                start += length
        offset += len(ids)
    pieces = numpy.concatenate([numpy.asarray(ids, dtype=numpy.int32) for ids in encoded])
    return MaskedText(pieces, numpy.asarray(starts), numpy.asarray(ends), tokenizer, settings, settings.seed)


def validation_text(paths: Iterable[Path], tokenizer: Tokenizer, settings: PretrainingSettings) -> MaskedText:
    """One line an example, with fixed masks (fact 19)."""
    lines = [sentence for path in paths for sentences in read_corpus(path) for sentence in sentences]
    if settings.validation_sentences is not None and settings.validation_sentences < len(lines):
        chosen = numpy.random.default_rng([settings.seed, 2]).permutation(len(lines))[: settings.validation_sentences]
        lines = [lines[index] for index in sorted(chosen)]
    encoded = [ids[: settings.sequence_length - 2] for ids in encode_lines(lines, tokenizer) if ids]
    if not encoded:
        raise SpecializeError("the validation text has no wordpieces at all; look at results/corpora")
    lengths = numpy.asarray([len(ids) for ids in encoded])
    ends = lengths.cumsum()
    pieces = numpy.concatenate([numpy.asarray(ids, dtype=numpy.int32) for ids in encoded])
    return MaskedText(pieces, ends - lengths, ends, tokenizer, settings, settings.seed)


def masked_loss(model: BertForMaskedLM, batch: MaskedBatch) -> Tensor:
    """Mean cross-entropy at the masked places; the output layer is computed nowhere else."""
    hidden = model.bert(input_ids=batch.ids, attention_mask=batch.attention).last_hidden_state
    logits = model.cls(hidden.flatten(0, 1)[batch.places])
    return nn.functional.cross_entropy(logits, batch.targets)


def validation_loss(model: BertForMaskedLM, text: MaskedText) -> float:
    """Mean masked loss over a text."""
    total, number = 0.0, 0
    with torch.no_grad():
        for batch in text.in_order():
            total += float(masked_loss(model, batch)) * len(batch.targets)
            number += len(batch.targets)
    return total / number


def pretrain(
    model: BertForMaskedLM,
    tokenizer: Tokenizer,
    training_files: list[Path],
    validation_files: list[Path],
    settings: PretrainingSettings,
    tiered: tuple[Tensor, float] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Train a model on text and leave it with the weights of the epoch of lowest validation loss.

    Args:
        model: changed in place.
        tokenizer: its tokenizer.
        training_files, validation_files: corpus files.
        settings: hyperparameters.
        tiered: ids of the new pieces and the multiplier of their rate (paper §2.1).
        checkpoint: where the state is kept, and taken up from.
    """
    if settings.sequence_length > model.config.max_position_embeddings:
        raise SpecializeError(
            f"pretraining.sequence_length {settings.sequence_length} is more than the base model's "
            f"{model.config.max_position_embeddings} positions; lower it"
        )
    model.to(device())  # type: ignore[arg-type]
    text = training_text(training_files, tokenizer, settings)
    validation = validation_text(validation_files, tokenizer, settings)
    embeddings = model.bert.embeddings.word_embeddings.weight
    rows = (embeddings, tiered[0].to(device()), tiered[1]) if tiered else None
    groups = decayed_groups(model, settings.learning_rate, settings.weight_decay)
    optimizer = AdamW(groups, EPSILON, settings.bias_correction, rows)
    steps = settings.epochs * text.steps()
    if steps <= settings.warmup_steps:
        print(
            f"Warning: {steps} steps in all, but pretraining.warmup_steps is {settings.warmup_steps}: "
            f"the learning rate never reaches {settings.learning_rate}; lower warmup_steps"
        )
    schedule = linear_schedule(optimizer, settings.warmup_steps, steps)

    def evaluate() -> dict[str, float]:
        loss = validation_loss(model, validation)
        return {"validation_loss": round(loss, 6), "score": round(-loss, 6)}

    model.train(False)
    unadapted = {"epoch": 0, **evaluate()}
    outcome = fit(
        model,
        optimizer,
        schedule,
        text,
        lambda batch: masked_loss(model, batch),
        evaluate,
        score="score",
        epochs=settings.epochs,
        gradient_norm=settings.gradient_norm,
        checkpoint=checkpoint,
    )
    outcome.history.insert(0, unadapted)
    return outcome


def adapt(
    base_folder: Path,
    vocabulary: Path,
    corpus: Path,
    multiplier: float,
    settings: PretrainingSettings,
    folder: Path,
    checkpoints: Path | None = None,
) -> None:
    """Pretrain a base model further on one language: LAPT without new pieces, VA or TVA with (paper §2.1).

    No embedding is re-initialised: a new piece starts from its slot's row (fact 13). Pieces beyond the slots get rows
    of their own, drawn as BERT's first ones were; all others stay.

    Args:
        base_folder: the base model.
        vocabulary: the representation's vocabulary folder.
        corpus: the language's corpus folder.
        multiplier: the new pieces' embeddings learn at this many times the rate (the paper's a).
        settings: hyperparameters.
        folder: where the model folder appears, with history.json.
        checkpoints: a folder for this job's state, so that it goes on after it was cut off.

    Raises:
        SpecializeError: if the training did not converge, or was stopped by a signal.
    """
    seed_everything(settings.seed, settings.seed, settings.seed, settings.threads)
    tokenizer = Tokenizer.from_file(str(vocabulary / "tokenizer.json"))
    model = BertForMaskedLM.from_pretrained(base_folder, dtype=torch.float32)
    if tokenizer.get_vocab_size() > model.config.vocab_size:
        model.resize_token_embeddings(tokenizer.get_vocab_size(), mean_resizing=False)
    new_ids = torch.tensor(sorted(read_json(vocabulary / "statistics.json")["pieces"].values()), dtype=torch.int64)
    tiered = (new_ids, multiplier) if len(new_ids) and multiplier != 1 else None
    started = time.monotonic()
    hyperparameters = {**asdict(settings), "multiplier": multiplier}
    texts = [corpus / "train.txt", corpus / "valid.txt"]
    inputs = [base_folder / "model.safetensors", vocabulary / "tokenizer.json", vocabulary / "statistics.json", *texts]
    with checkpoint_in(checkpoints, hyperparameters, inputs) as checkpoint:
        outcome = pretrain(model, tokenizer, texts[:1], texts[1:], settings, tiered, checkpoint)
        save_model(model, tokenizer, vocabulary / "tokenizer_config.json", outcome, hyperparameters, folder)
    print(f"{time.monotonic() - started:.0f} s of training")


def pretrain_base(
    corpora: list[Path],
    vocabulary_size: int,
    unused_slots: int,
    training: WordPieceTraining,
    architecture: dict[str, Any],
    settings: PretrainingSettings,
    folder: Path,
    checkpoints: Path | None = None,
) -> None:
    """Pretrain a small BERT from scratch on several languages, with free slots in its vocabulary as mBERT has.

    Args:
        corpora: corpus folders, one a language.
        vocabulary_size: of the learned wordpieces, the specials included.
        unused_slots: free slots besides.
        training: how the vocabulary is learned (its size is overridden).
        architecture: sizes, as `transformers.BertConfig` names them.
        settings: hyperparameters.
        folder: where the model folder appears, with history.json.
        checkpoints: a folder for this job's state, so that it goes on after it was cut off.

    Raises:
        SpecializeError: if the training did not converge, or was stopped by a signal.
    """
    seed_everything(settings.seed, settings.seed, settings.seed, settings.threads)
    files = [corpus / "train.txt" for corpus in corpora]
    sizes = WordPieceTraining(vocabulary_size, training.min_frequency, training.limit_alphabet)
    names = new_base_vocabulary(count_words(files).words, sizes, unused_slots)
    tokenizer = bert_tokenizer({piece: number for number, piece in enumerate(names)})
    model = BertForMaskedLM(BertConfig(vocab_size=len(names), pad_token_id=0, **architecture))
    validation_files = [corpus / "valid.txt" for corpus in corpora]
    known = asdict(settings) | {"vocabulary": names, "architecture": architecture}
    with checkpoint_in(checkpoints, known, [*files, *validation_files]) as checkpoint:
        outcome = pretrain(model, tokenizer, files, validation_files, settings, checkpoint=checkpoint)
        save_model(model, tokenizer, None, outcome, asdict(settings), folder)


def save_model(
    model: BertForMaskedLM,
    tokenizer: Tokenizer,
    tokenizer_settings: Path | None,
    outcome: Fit,
    hyperparameters: dict[str, Any],
    folder: Path,
) -> None:
    """Write a loadable model folder with the history of its training, all at once.

    Raises:
        SpecializeError: if the training did not converge.
    """
    if not outcome.converged:
        raise SpecializeError(f"{folder}: did not converge: {outcome.reason}; lower the learning rate")
    with atomic_path(folder) as temporary:
        model.save_pretrained(temporary)
        save_tokenizer(tokenizer, temporary, tokenizer_settings)
        history = [{key: value for key, value in record.items() if key != "score"} for record in outcome.history]
        write_json(
            temporary / "history.json",
            {"best_epoch": outcome.best_epoch, "hyperparameters": hyperparameters, "epochs": history},
        )
