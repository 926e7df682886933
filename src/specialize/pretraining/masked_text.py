"""Text as masked examples: cut, masked and put into batches."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from specialize.corpora import read_corpus
from specialize.errors import SpecializeError
from specialize.pretraining.settings import PretrainingSettings
from specialize.pretraining.several_languages import LanguageText
from specialize.pretraining.whole_words import beginnings, drawn_words
from specialize.training.ragged import within
from specialize.vocabularies import special_ids

MASKED_SHARE, RANDOM_SHARE = 0.8, 0.1  # the rest stays as it is (fact 14)
BATCHES_OF_LIKE_LENGTH = 50  # are cut from so many at random, so that little of a batch is padding
OTHER_ARTICLE_SHARE = 0.5  # of the second segments of sentence pairs (fact 15)
NO_SLICE = (0, 0)

Slices = tuple[tuple[int, int], tuple[int, int]]  # of the pieces: first segment, second or none


@dataclass(frozen=True)
class MaskedBatch:
    """A batch of masked text.

    Attributes:
        ids: (examples, length) wordpiece ids, padded.
        attention: (examples, length) True where there is a piece.
        segments: (examples, length) 1 in the second segment of a sentence pair.
        places: (predictions,) index of each masked place in the flattened ids.
        targets: (predictions,) the original pieces there.
        padded: whether there is a place without a piece.
    """

    ids: Tensor
    attention: Tensor
    segments: Tensor
    places: Tensor
    targets: Tensor
    padded: bool


class MaskedText:
    """Text cut into examples, with masks that are drawn once, or anew in every epoch.

    Args:
        pieces: (n,) wordpiece ids of the whole text.
        slices: for each example where its segments begin and end in the pieces, without special tokens.
        tokenizer: knows the special tokens and the number of pieces.
        settings: batch size, mask probability and the like.
        masking: `static` or `dynamic`.
        begins: (n,) whether each piece begins a word, if whole words are masked.
    """

    def __init__(
        self,
        pieces: NDArray[numpy.int32],
        slices: list[Slices],
        tokenizer: Tokenizer,
        settings: PretrainingSettings,
        masking: str = "static",
        begins: NDArray[numpy.bool] | None = None,
    ) -> None:
        self.pieces, self.begins = pieces, begins
        self.starts, self.ends = numpy.asarray(slices, dtype=numpy.int64).transpose(2, 0, 1)
        self.special, self.vocabulary_size = special_ids(tokenizer), tokenizer.get_vocab_size()
        self.settings, self.masking = settings, masking
        self.places, self.replacements = self._masks([settings.seed, 0])

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.starts)

    def steps(self) -> int:
        """Batches in an epoch."""
        passes = -(-len(self) // self.settings.batch_size)
        return min(passes, self.settings.steps_per_epoch or passes)

    def epoch(self, number: int) -> Iterator[NDArray[Any]]:
        """Batches of the numbers of examples of similar length, shuffled by the seed and the epoch's number."""
        if self.masking == "dynamic":
            self.places, self.replacements = self._masks([self.settings.seed, 0, number])
        generator, size = numpy.random.default_rng([self.settings.seed, number]), self.settings.batch_size
        order, lengths = generator.permutation(len(self)), (self.ends - self.starts).sum(axis=1)
        batches = []
        for first in range(0, len(order), BATCHES_OF_LIKE_LENGTH * size):
            some = order[first : first + BATCHES_OF_LIKE_LENGTH * size]
            some = some[numpy.argsort(lengths[some], kind="stable")]
            batches += [some[start : start + size] for start in range(0, len(some), size)]
        for place in generator.permutation(len(batches))[: self.steps()]:
            yield batches[place]

    def in_order(self, first_batch: int = 0, every: int = 1) -> Generator[MaskedBatch, None, None]:
        """Batches of all examples as they stand, or every so many of them from one of them on."""
        size = self.settings.batch_size
        for first in range(first_batch * size, len(self), every * size):
            yield self.tensors(numpy.arange(first, min(first + self.settings.batch_size, len(self))))

    def tensors(self, examples: NDArray[Any]) -> MaskedBatch:
        """Some examples as one batch, padded to the longest of them, in the host's memory."""
        starts = self.starts[examples]
        sizes = self.ends[examples] - starts
        first, second = sizes.T
        lengths, separators = first + second, 1 + (second > 0)
        width = int((lengths + separators).max()) + 1
        rows = numpy.arange(len(examples))
        ids = numpy.full((len(examples), width), self.special["pad"], dtype=numpy.int64)
        before = rows * width  # places in the flattened ids
        begins = numpy.stack([before + 1, before + first + 2], axis=1)
        flat_sizes = sizes.ravel()
        place = within(flat_sizes)
        pieces = self.pieces[numpy.repeat(starts.ravel(), flat_sizes) + place]
        ids.reshape(-1)[numpy.repeat(begins.ravel(), flat_sizes) + place] = pieces
        ids[:, 0] = self.special["start"]
        ids[rows, first + 1] = self.special["end"]
        ids[rows, lengths + separators] = self.special["end"]
        columns = numpy.arange(width)
        attention = columns <= (lengths + separators)[:, None]
        segments = (attention & (columns > first[:, None] + 1)).astype(numpy.int64)

        places = self.places[examples]
        row, column = numpy.nonzero(places >= 0)
        flat = row * width + self._columns(places[row, column], first[row])
        targets = ids.reshape(-1)[flat].copy()
        ids.reshape(-1)[flat] = self.replacements[examples][row, column]
        return MaskedBatch(
            ids=torch.from_numpy(ids),
            attention=torch.from_numpy(attention),
            segments=torch.from_numpy(segments),
            places=torch.from_numpy(flat),
            targets=torch.from_numpy(targets),
            padded=not attention.all(),
        )

    def micro_batches(self, batch: NDArray[Any], number: int) -> list[tuple[float, NDArray[Any]]]:
        """Split a batch into micro-batches, weighted by their shares of its predictions; see `training.loop.Loader`."""
        predictions = (self.places[batch] >= 0).sum(axis=1)
        parts = numpy.array_split(numpy.arange(len(batch)), min(number, len(batch)))
        return [(float(predictions[part].sum() / predictions.sum()), batch[part]) for part in parts]

    @staticmethod
    def _columns(places: NDArray[Any], first: NDArray[Any]) -> NDArray[Any]:
        """The columns of pieces in a batch, where special tokens stand before both segments."""
        return places + 1 + (places >= first)

    def _sources(self, examples: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
        """Where places of examples are in the pieces."""
        first = self.ends[examples, 0] - self.starts[examples, 0]
        inside = places < first
        found: NDArray[Any] = numpy.where(
            inside, self.starts[examples, 0] + places, self.starts[examples, 1] + places - first
        )
        return found.clip(max=len(self.pieces) - 1)

    def _drawn(
        self, block: NDArray[Any], ranks: NDArray[Any], number: NDArray[Any], most: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Places of some examples in the order of their ranks, and which are masked; those of whole words if asked."""
        if self.begins is None:
            drawn = numpy.argsort(ranks, axis=1)[:, :most]
            return drawn, numpy.arange(drawn.shape[1]) < number[:, None]
        columns = numpy.arange(ranks.shape[1])
        begins = self.begins[self._sources(block[:, None], columns[None, :])]
        begins |= (columns == 0) | (columns == (self.ends - self.starts)[block, 0][:, None])  # a segment's first
        return drawn_words(ranks, begins, number)

    def _masks(self, seed: list[int]) -> tuple[NDArray[numpy.int16], NDArray[numpy.int32]]:
        """Which places of each example are predicted (else -1), and what stands there: both (examples, predictions)."""
        generator, most = numpy.random.default_rng(seed), self.settings.max_predictions
        places = numpy.full((len(self), most), -1, dtype=numpy.int16)
        replacements = numpy.zeros((len(self), most), dtype=numpy.int32)
        lengths = (self.ends - self.starts).sum(axis=1)
        wanted = numpy.clip(numpy.rint(lengths * self.settings.masked_probability), 1, most).astype(numpy.int64)
        for first in tqdm(range(0, len(self), 10_000), desc="masks", unit=" × 10,000", mininterval=5):
            block = numpy.arange(first, min(first + 10_000, len(self)))
            length, number = lengths[block], wanted[block]
            ranks = generator.random((len(length), int(length.max())))
            ranks[numpy.arange(ranks.shape[1]) >= length[:, None]] = 2
            drawn, chosen = self._drawn(block, ranks, number, most)
            originals = self.pieces[self._sources(numpy.broadcast_to(block[:, None], drawn.shape), drawn)]
            fate = generator.random(drawn.shape)
            other = generator.integers(0, self.vocabulary_size, drawn.shape)
            replaced = numpy.where(fate < MASKED_SHARE + RANDOM_SHARE, other, originals)
            replaced = numpy.where(fate < MASKED_SHARE, self.special["mask"], replaced)
            places[block, : drawn.shape[1]] = numpy.where(chosen, drawn, -1)
            replacements[block, : drawn.shape[1]] = replaced
        return places, replacements


def training_text(
    paths: Iterable[Path], tokenizer: Tokenizer, settings: PretrainingSettings, others: Sequence[LanguageText] = ()
) -> MaskedText:
    """The training text in several copies with different cuts and masks (facts 14, 15, 20).

    Args:
        paths: the corpus files of a text that is learned from whole.
        tokenizer, settings: of the model.
        others: of other languages; no example has text of two of them.

    Raises:
        SpecializeError: if it has no wordpieces.
    """
    generator = numpy.random.default_rng([settings.seed, 1])
    whole = ((sentences, 1) for path in paths for sentences in read_corpus(path))
    lines: list[list[int]] = []
    slices: list[Slices] = []
    for articles in (whole, *(other.articles() for other in others)):
        begin = sum(map(len, lines))
        its_lines, its_slices = _examples(list(articles), tokenizer, settings, generator, begin)
        lines += its_lines
        slices += its_slices
    if not slices:
        raise SpecializeError("the training text has no wordpieces at all; look at results/corpora")
    pieces, begins = _joined(lines), None
    if settings.masked_unit == "words":
        begins = beginnings(pieces, numpy.array([start for start, _ in _ranges(lines)]), tokenizer)
    return MaskedText(pieces, slices, tokenizer, settings, settings.masking, begins)


def _examples(
    articles: list[tuple[list[str], int]],
    tokenizer: Tokenizer,
    settings: PretrainingSettings,
    generator: numpy.random.Generator,
    begin: int,
) -> tuple[list[list[int]], list[Slices]]:
    """The pieces of each line of one text, and its examples.

    Args:
        articles: with how often each is learned from, in so many copies each time.
        tokenizer, settings: of the model.
        generator: of cuts.
        begin: where the pieces of this text begin in those of all.
    """
    copies, longest = settings.copies, settings.sequence_length - 2
    times = [number for _, number in articles]
    if settings.examples == "articles":
        encoded = _encoded([[" ".join(article)] for article, _ in articles], tokenizer)
    else:
        encoded = _encoded([article for article, _ in articles], tokenizer)
    if settings.examples == "lines":
        encoded = [[ids[:longest] for ids in article] for article in encoded]
    lines = [ids for article in encoded for ids in article]
    ranges = iter(_ranges(lines, begin))
    bounds = [([next(ranges) for _ in article], number) for article, number in zip(encoded, times, strict=True)]
    bounds = [(sentences, number) for sentences, number in bounds if sentences]
    if settings.examples == "sentence-pairs":
        slices = []
        for turn in range(max((number for _, number in bounds), default=0)):
            again = [sentences for sentences, number in bounds if number > turn]
            slices += [pair for _ in range(copies) for pair in _sentence_pairs(again, settings, generator)]
        return lines, slices
    slices = []
    for sentences, number in bounds:
        for start, end in sentences:
            for _ in range(copies * number):
                if settings.examples == "lines":
                    slices.append(((start, end), NO_SLICE))
                    continue
                cut = start
                while cut < end:
                    length = _length(longest, settings, generator)
                    slices.append(((cut, min(cut + length, end)), NO_SLICE))
                    cut += length
    return lines, slices


def validation_text(paths: Iterable[Path], tokenizer: Tokenizer, settings: PretrainingSettings) -> MaskedText:
    """One line an example, with masks that never change (fact 19).

    Raises:
        SpecializeError: if it has no wordpieces.
    """
    lines = [sentence for path in paths for sentences in read_corpus(path) for sentence in sentences]
    if settings.validation_sentences is not None and settings.validation_sentences < len(lines):
        chosen = numpy.random.default_rng([settings.seed, 2]).permutation(len(lines))[: settings.validation_sentences]
        lines = [lines[index] for index in sorted(chosen)]
    encoded = [ids[: settings.sequence_length - 2] for ids in encode_lines(lines, tokenizer) if ids]
    encoded.sort(key=len)  # so that little of a batch is padding
    if not encoded:
        raise SpecializeError("the validation text has no wordpieces at all; look at results/corpora")
    return MaskedText(_joined(encoded), [(one, NO_SLICE) for one in _ranges(encoded)], tokenizer, settings)


def encode_lines(lines: list[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Wordpiece ids of each line, without special tokens."""
    encoded = []
    for first in tqdm(range(0, len(lines), 10_000), desc="wordpieces", unit=" × 10,000 lines", mininterval=5):
        batch = tokenizer.encode_batch_fast(lines[first : first + 10_000], add_special_tokens=False)
        encoded += [encoding.ids for encoding in batch]
    return encoded


def _encoded(articles: list[list[str]], tokenizer: Tokenizer) -> list[list[list[int]]]:
    """The pieces of each line of each article, without lines that have none."""
    lines = iter(encode_lines([line for article in articles for line in article], tokenizer))
    return [[ids for _ in article if (ids := next(lines))] for article in articles]


def _ranges(lines: list[list[int]], begin: int = 0) -> list[tuple[int, int]]:
    """Where each line begins and ends in all lines joined, if the first begins there."""
    ends = (begin + numpy.cumsum([len(ids) for ids in lines], dtype=numpy.int64)).tolist()
    return list(zip([begin, *ends[:-1]], ends, strict=True)) if ends else []


def _joined(lines: list[list[int]]) -> NDArray[numpy.int32]:
    return numpy.concatenate([numpy.asarray(ids, dtype=numpy.int32) for ids in lines])


def _length(longest: int, settings: PretrainingSettings, generator: numpy.random.Generator) -> int:
    """Pieces of an example: mostly as many as fit, sometimes fewer, so that short texts are no surprise (fact 14)."""
    if generator.random() < settings.short_sequence_probability:
        return int(generator.integers(2, longest + 1))
    return longest


def _sentence_pairs(
    bounds: list[list[tuple[int, int]]], settings: PretrainingSettings, generator: numpy.random.Generator
) -> Iterator[Slices]:
    """One copy of the text as pairs of segments, as BERT's next-sentence task has them (fact 15).

    Sentences of an article are gathered until they fill an example and are parted at a random one. Half the time what
    comes after is put back and the second segment is taken from another article.

    Args:
        bounds: where the pieces of each sentence of each article begin and end.
        settings, generator: of lengths and cuts.
    """
    longest = settings.sequence_length - 3
    for number, sentences in enumerate(bounds):
        first = 0
        while first < len(sentences):
            target = _length(longest, settings, generator)
            last = first
            while last + 1 < len(sentences) and sentences[last][1] - sentences[first][0] < target:
                last += 1
            split = first + int(generator.integers(1, last - first + 1)) if last > first else last + 1
            segment = (sentences[first][0], sentences[split - 1][1])
            if split <= last and generator.random() >= OTHER_ARTICLE_SHARE:
                second, first = (sentences[split][0], sentences[last][1]), last + 1
            else:
                second, first = _elsewhere(bounds, number, target - (segment[1] - segment[0]), generator), split
            yield _truncated(segment, second, longest, generator)


def _elsewhere(
    bounds: list[list[tuple[int, int]]], number: int, wanted: int, generator: numpy.random.Generator
) -> tuple[int, int]:
    """Contiguous sentences of another article, of about so many pieces; there may be but one article."""
    other = int(generator.integers(0, max(len(bounds) - 1, 1)))
    sentences = bounds[(other + (other >= number)) % len(bounds)]
    first = last = int(generator.integers(0, len(sentences)))
    while last + 1 < len(sentences) and sentences[last][1] - sentences[first][0] < wanted:
        last += 1
    return sentences[first][0], sentences[last][1]


def _truncated(
    first: tuple[int, int], second: tuple[int, int], longest: int, generator: numpy.random.Generator
) -> Slices:
    """Both segments without pieces at either end, one at a time from the longer one, until they fit."""
    segments = [list(first), list(second)]
    while (excess := sum(end - start for start, end in segments) - longest) > 0:
        longer = max(segments, key=lambda segment: segment[1] - segment[0])
        shorter = min(segments, key=lambda segment: segment[1] - segment[0])
        ahead = (longer[1] - longer[0]) - (shorter[1] - shorter[0]) if longer is not shorter else 0
        taken = min(excess, max(ahead, 1))
        front = int(generator.binomial(taken, 0.5))
        longer[0] += front
        longer[1] -= taken - front
    (one, end), (two, last) = segments
    return (one, end), (two, last)
