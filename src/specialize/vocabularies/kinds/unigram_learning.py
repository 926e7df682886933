"""Learn a Unigram vocabulary: frequent pieces first, then, over and over, those go that the text needs least."""

from __future__ import annotations

import math
from collections import Counter

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from specialize.vocabularies.kinds.kind import repeated
from specialize.vocabularies.kinds.unigram_paths import Scores

SEEDS = 3  # times as many pieces as are wanted at first
KEPT = 0.65  # of the pieces, each time that some go
ROUNDS = 2  # of counting and scoring each time
LONGEST = 16  # letters of a piece, as SentencePiece has it
DISTINCT = 100_000  # parts that are learned from, the most frequent ones
DIGITS = 6  # of a score, so that each is read as it was written


def learn_scores(parts: Counter[str], size: int, min_frequency: int) -> dict[str, float]:
    """Pieces with their scores.

    The library's own trainer adds up numbers in an order that differs from run to run, and so gives other scores each
    time. Here every part is cut in the best way only, so that counts are whole numbers; the first pieces are those of
    byte-pair encoding.

    Args:
        parts: of words, as the model is given them, with their counts.
        size: how many pieces; all letters are among them, even if there are more.
        min_frequency: first pieces are made of two if they occur so often.
    """
    if not parts:
        return {}
    letters = sorted({letter for part in parts for letter in part})
    frequent = sorted(parts, key=lambda part: (-parts[part], part))[:DISTINCT]
    parts = Counter({part: parts[part] for part in frequent})
    scores = _first_pieces(parts, letters, SEEDS * size, min_frequency)
    while True:
        for _ in range(ROUNDS):
            scores = _scored(_counted(scores, parts), letters)
        if len(scores) <= max(size, len(letters)):
            return scores
        scores = _without_the_least(scores, letters, max(size, int(KEPT * len(scores))), _counted(scores, parts))


def _first_pieces(parts: Counter[str], letters: list[str], size: int, min_frequency: int) -> dict[str, float]:
    seeds = Tokenizer(models.BPE())
    seeds.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=max(size, len(letters)),
        min_frequency=min_frequency,
        initial_alphabet=letters,
        max_token_length=LONGEST,
        show_progress=False,
    )
    seeds.train_from_iterator(repeated(parts, {}), trainer, length=len(parts))
    names = {number: piece for piece, number in seeds.get_vocab().items()}
    distinct = sorted(parts)
    counts = Counter(dict.fromkeys(names.values(), 1))  # pieces that later ones are made of may still be worth it
    for part, encoding in zip(distinct, seeds.encode_batch_fast(distinct, add_special_tokens=False), strict=True):
        for number in encoding.ids:
            counts[names[number]] += parts[part]
    return _scored(counts, letters)


def _counted(scores: dict[str, float], parts: Counter[str]) -> Counter[str]:
    """How often each piece is used when all parts are cut in the best way."""
    pieces = sorted(scores)
    tokenizer = Tokenizer(models.Unigram([("", 0.0), *((piece, scores[piece]) for piece in pieces)], unk_id=0))
    distinct = sorted(parts)
    counts = [0] * (len(pieces) + 1)
    for part, encoding in zip(distinct, tokenizer.encode_batch_fast(distinct, add_special_tokens=False), strict=True):
        for number in encoding.ids:
            counts[number] += parts[part]
    return Counter({piece: count for piece, count in zip(pieces, counts[1:], strict=True) if count})


def _scored(counts: Counter[str], letters: list[str]) -> dict[str, float]:
    """Logarithms of shares; a letter that is never by itself counts as half of one that is once."""
    weights: dict[str, float] = dict.fromkeys(letters, 0.5) | dict(counts)
    total = math.log(sum(weights[piece] for piece in sorted(weights)))
    return {piece: round(math.log(weights[piece]) - total, DIGITS) for piece in sorted(weights)}


def _without_the_least(
    scores: dict[str, float], letters: list[str], size: int, counts: Counter[str]
) -> dict[str, float]:
    """The pieces without which the text's score would fall the most, and all letters."""
    paths, kept = Scores(scores), set(letters)
    losses = {
        piece: counts[piece] * (scores[piece] - paths.best(piece, without=piece).score)
        for piece in scores
        if piece not in kept
    }
    ranked = sorted(losses, key=lambda piece: (-losses[piece], piece))
    kept.update(ranked[: max(size - len(kept), 0)])
    return {piece: score for piece, score in scores.items() if piece in kept}
