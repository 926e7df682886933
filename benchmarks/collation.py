"""How long a batch takes to be made: milliseconds of one thread, median over many batches, nothing moved to a device.

    .venv/bin/python benchmarks/collation.py
    PYTHONPATH=OLDER/src .venv/bin/python benchmarks/collation.py

Sentences of 5 to 35 words of one to four pieces with two targets a word, as a parser has them; examples of 128 pieces.
"""

import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy
import torch

from specialize.finetuning.batches import TrainingSentences
from specialize.finetuning.encoder import WordPieces
from specialize.pretraining.masked_text import NO_SLICE, MaskedText
from specialize.pretraining.settings import PretrainingSettings
from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer, save_tokenizer

ROUNDS = 5


def main():
    torch.set_num_threads(1)
    names = [*SPECIAL_TOKENS, *map(chr, range(ord("a"), ord("z") + 1))]
    tokenizer = bert_tokenizer({name: number for number, name in enumerate(names)})
    with tempfile.TemporaryDirectory() as folder:
        save_tokenizer(tokenizer, Path(folder))
        pieces = WordPieces(Path(folder))
    draw = random.Random(1)
    sentences = [[[6] * draw.choice([1, 1, 1, 2, 2, 3, 4]) for _ in range(draw.randint(5, 35))] for _ in range(2000)]
    targets = {"ud": [[[0] * len(sentence), [1] * len(sentence)] for sentence in sentences]}
    labeled = TrainingSentences(pieces, sentences, targets, 64, 512, 1, lambda _, words: words)
    print(f"finetuning, 64 sentences: {milliseconds(labeled.tensors, list(labeled.epoch(1))):.2f} ms")

    lengths = numpy.where(numpy.arange(20_000) % 10, 126, 60)
    ends = numpy.cumsum(lengths).tolist()
    slices = [((end - length, end), NO_SLICE) for end, length in zip(ends, lengths.tolist(), strict=True)]
    written = numpy.random.default_rng(1).integers(6, len(names), ends[-1]).astype(numpy.int32)
    text = MaskedText(written, slices, tokenizer, settings())
    make = getattr(text, "tensors", None) or text.batch  # as older versions called it
    for size in (32, 256):
        batches = [numpy.random.default_rng(number).permutation(len(text))[:size] for number in range(30)]
        print(f"pretraining, {size} examples: {milliseconds(make, batches):.2f} ms")


def milliseconds(function, batches):
    times = []
    for _ in range(ROUNDS):
        for batch in batches:
            began = time.perf_counter()
            function(batch)
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def settings():
    """Those that masks depend on; the others have no effect."""
    known = {"seed": 1, "max_predictions": 19, "masked_probability": 0.15}
    return PretrainingSettings.model_construct(**known)


if __name__ == "__main__":
    main()
