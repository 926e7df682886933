"""The vocabulary of a base model that is pretrained here: learned, or one of one's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

from specialize.errors import SpecializeError
from specialize.vocabularies import (
    Form,
    PieceTraining,
    bert_tokenizer,
    cased_normalizer,
    kind_named,
    load_base,
    new_base_vocabulary,
    with_normal_form,
)
from specialize.vocabularies.kinds.wordpiece import KIND as WORDPIECE


def base_tokenizer(
    words: Counter[str],
    training: PieceTraining | None,
    unused_slots: int,
    kind: str,
    own: Path | None,
    normal_form: Form,
) -> Tokenizer:
    """The tokenizer of a new base model.

    Args:
        words: of its text, with their counts.
        training: how a vocabulary is learned; None only where there is one of one's own.
        unused_slots: free slots in it besides, as mBERT has them.
        kind: of the vocabulary; see `vocabularies.kinds.kind_named`.
        own: a folder with a tokenizer.json, in place of learning one.
        normal_form: see `vocabularies.with_normal_form`.

    Raises:
        InputError: if one's own cannot be used.
        SpecializeError: if the kind has no free slots, but is to have some.
    """
    if own is not None:
        tokenizer = load_base(own)
        tokenizer.normalizer = with_normal_form(tokenizer.normalizer, normal_form)
        return tokenizer
    assert training is not None
    known = kind_named(kind)
    if known is WORDPIECE:
        normalizer = with_normal_form(cased_normalizer(), normal_form)
        names = new_base_vocabulary(words, training, unused_slots, normalizer)
        return bert_tokenizer({piece: number for number, piece in enumerate(names)}, normalizer)
    if unused_slots:
        raise SpecializeError(f"a {known.name} vocabulary gets no free slots here; let unused_slots be 0")
    return known.learn(words, training, with_normal_form(None, normal_form))
