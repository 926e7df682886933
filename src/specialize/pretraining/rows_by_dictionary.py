"""New rows as weighted means of those of translations: RAMEN (Tran, 2020), of a bilingual word list.

Ke Tran: From English to foreign languages: transferring pre-trained language models (arXiv 2002.07306), section 2.1. A
row is the mean of the base's rows by the translation probabilities of its piece, which are relative counts of links
between pieces of parallel text (github.com/alexa/ramen, code/alignment/get_prob_para.py). Here the text is the word
list: each piece of a word is linked with each piece of its translations. A word counts once more often than the
text has it; its translations have equal shares of that, and the pieces of each translation of that one's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import torch
from tokenizers import Tokenizer

from specialize.errors import InputError
from specialize.pretraining.new_rows import Mixture, NewPieces
from specialize.sources import read_word_list
from specialize.vocabularies import count_words, kind_of, spellings

Links = dict[int, dict[int, float]]  # of new pieces, by id: how often each piece of the base is linked with it


def by_dictionary(
    pieces: NewPieces, grown: Tokenizer, text: Path, word_list: Path
) -> tuple[list[Mixture], dict[str, int]]:
    """What new rows are means of: those of pieces that no listed word has of what the base cuts them into.

    If that is nothing that it knows, of all rows.

    Args:
        pieces: the new ones.
        grown: the tokenizer that has them.
        text: of the language.
        word_list: see `read_word_list`.

    Returns:
        The means, and how many of each; how many listed words there are, how many of them are in the text, and how many
        have no translation that the base knows.

    Raises:
        InputError: if no new piece has a translation.
    """
    listed = read_word_list(word_list)
    counts = spellings(count_words([text]).words, grown.normalizer, parted=False)
    in_text = {word: counts[_spelled(word, grown)] for word in listed}
    known = _cut_translations(pieces.base, listed)
    links = link(pieces, grown, {word: cuts for word, cuts in known.items() if cuts}, in_text)
    if not links:
        raise InputError(
            word_list,
            "has no word that the new vocabulary cuts into a new piece and whose translation the base knows",
            remedy="the language's words stand in the first column, translations that the base reads in the second",
        )
    others = [number for number in sorted(pieces.ids.values()) if number not in links]
    parts, kept = pieces.parts(beyond_slots=False), list(pieces.kept().values())
    without_parts = [number for number in others if not parts[number]]
    mixtures = [_mixture([number], links[number]) for number in sorted(links)]
    mixtures += [_mixture([number], Counter(parts[number])) for number in others if parts[number]]
    mixtures += [_mixture(without_parts, dict.fromkeys(kept, 1))] if without_parts else []
    return mixtures, {
        "translations": len(links),
        "parts": len(others) - len(without_parts),
        "all_rows": len(without_parts),
        "listed_words": len(listed),
        "listed_words_in_text": sum(count > 0 for count in in_text.values()),
        "listed_words_of_unknown_translations": sum(not cuts for cuts in known.values()),
    }


def link(pieces: NewPieces, grown: Tokenizer, known: Mapping[str, list[list[int]]], counts: Mapping[str, int]) -> Links:
    """How often each new piece is linked with pieces of the base; those that are not linked are left out.

    Args:
        pieces: the new ones.
        grown: the tokenizer that has them.
        known: for each word the pieces of each of its translations, by id.
        counts: of the words in the text.
    """
    links: Links = defaultdict(lambda: defaultdict(float))
    words = list(known)
    for word, cut in zip(words, kind_of(grown).segment(grown, words), strict=True):
        share = (1 + counts[word]) / len(known[word])
        for number in sorted({pieces.ids[piece] for piece in cut if piece in pieces.ids}):
            for translation in known[word]:
                for part in translation:
                    links[number][part] += share / len(translation)
    return links


def _mixture(ids: list[int], linked: Mapping[int, float]) -> Mixture:
    of = sorted(linked)
    weights = torch.tensor([[linked[part] for part in of]], dtype=torch.float64)
    return Mixture(ids, of, (weights / weights.sum()).float().expand(len(ids), -1))


def _cut_translations(base: Tokenizer, listed: Mapping[str, list[str]]) -> dict[str, list[list[int]]]:
    """For each word the base's pieces of each translation that it knows any of."""
    kind, vocabulary = kind_of(base), base.get_vocab()
    needless = {vocabulary.get(kind.unknown(base)), *kind.bare_marks(base)}
    distinct = sorted({translation for translations in listed.values() for translation in translations})
    cut = {
        translation: [number for number in map(vocabulary.__getitem__, its_pieces) if number not in needless]
        for translation, its_pieces in zip(distinct, kind.segment(base, distinct), strict=True)
    }
    return {word: [cut[one] for one in translations if cut[one]] for word, translations in listed.items()}


def _spelled(word: str, tokenizer: Tokenizer) -> str:
    """A word as the tokenizer's normal form has it; empty for one that is of invisible marks alone."""
    return next(iter(spellings(Counter([word]), tokenizer.normalizer, parted=False)))
