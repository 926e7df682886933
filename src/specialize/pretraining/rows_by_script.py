"""New rows that are drawn from the distribution of the rows of their script (Downey et al., 2023).

C.M. Downey, Terra Blevins, Nora Goldfine and Shane Steinert-Threlkeld: Embedding structure matters: comparing methods
to adapt multilingual vocabularies to new languages (MRL 2023), their "Script + Position". As in their code
(github.com/cmdowney88/EmbeddingStructure, src/reinitialize_embeddings.py) the script of a piece is that of most of its
characters, and pieces that begin a word are told from those that continue one. Pieces that base and new vocabulary
share keep their rows, their "Identity".
"""

from __future__ import annotations

from collections import defaultdict

from specialize.pretraining.new_rows import Drawn, NewPieces
from specialize.unicode import main_script
from specialize.vocabularies import kind_of

FEWEST = 2  # rows that have a standard deviation

Group = tuple[str, bool]  # script, and whether words begin so


def by_script(pieces: NewPieces) -> tuple[list[Drawn], dict[str, int]]:
    """What new rows are drawn from, and how many of them from rows of their script, or else from all rows.

    That is where the base has fewer than `FEWEST` pieces of that script at the beginning of words, or within.
    """
    kept, kind = pieces.kept(), kind_of(pieces.base)

    def group_of(piece: str) -> Group:
        text, begins = kind.reading(pieces.base, piece)
        return main_script(text), begins

    known: dict[Group, list[int]] = defaultdict(list)
    for piece, number in kept.items():
        known[group_of(piece)].append(number)
    new: dict[Group, list[int]] = defaultdict(list)
    others: list[int] = []
    for piece, number in sorted(pieces.ids.items(), key=lambda item: item[1]):
        group = group_of(piece)
        (new[group] if len(known.get(group, [])) >= FEWEST else others).append(number)
    drawn = [Drawn(new[group], known[group]) for group in sorted(new)]
    drawn += all_rows(pieces, others)
    return drawn, {"script": len(pieces.ids) - len(others), "all_rows": len(others)}


def all_rows(pieces: NewPieces, ids: list[int]) -> list[Drawn]:
    """Some new rows, drawn from all of the base's; nothing if there are none."""
    return [Drawn(ids, list(pieces.kept().values()))] if ids else []
