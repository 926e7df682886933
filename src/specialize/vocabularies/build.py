"""Make vocabulary folders: a tokenizer that `AutoTokenizer` loads, and statistics.json on what it covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from specialize.files import atomic_path, write_json
from specialize.vocabularies.base import SETTINGS, load_base
from specialize.vocabularies.coverage import coverage_statistics
from specialize.vocabularies.ids import check_ids
from specialize.vocabularies.kinds import Growth, kind_of
from specialize.vocabularies.kinds.byte_level import KIND as BYTE_LEVEL
from specialize.vocabularies.normal_form import Form, spelling_statistics, with_normal_form
from specialize.vocabularies.reloading import check_reload
from specialize.vocabularies.replacing import replace_pieces
from specialize.vocabularies.settings import BytePieceTraining, PieceChoice
from specialize.vocabularies.words import WordCounts, count_words


def build_vocabulary(
    base_folder: Path,
    corpus: Path | None,
    number: int | None,
    choice: PieceChoice | None,
    labeled: dict[str, WordCounts],
    folder: Path,
    normal_form: Form = "NFC",
    elsewhere: Mapping[str, Counter[str]] | None = None,
    growth: Literal["augment", "replace"] = "augment",
) -> None:
    """Make a representation's vocabulary folder: a tokenizer, and statistics.json on what it covers.

    Args:
        base_folder: the base model.
        corpus: the training split that new pieces are learned from; None only where none are added.
        number: how many pieces to add; 0 keeps the base vocabulary, None adds the whole new one.
        choice: how new pieces are learned and chosen; None only where none are.
        labeled: words of labeled data, by name, to measure coverage on.
        folder: where the vocabulary appears.
        normal_form: see `with_normal_form`; the base is measured with it too.
        elsewhere: words of other languages, by language; see `PieceChoice`.
        growth: whether new pieces come to the base's, or take the place of its least used ones; see `replace_pieces`.

    Raises:
        InputError: if pieces cannot be put into the base model's vocabulary.
    """
    base = load_base(base_folder)
    base.normalizer = with_normal_form(base.normalizer, normal_form)
    kind = kind_of(base)
    data = ({"corpus": count_words([corpus])} if corpus else {}) | labeled
    augmented, pieces, passed_over, intermediate = Growth(base, [], [])
    replaced: list[str] = []
    if number != 0:
        words = data["corpus"].words
        assert choice is not None
        print(f"learns pieces from {words.total():,} words, {len(words):,} different ones")
        if growth == "replace":
            assert number is not None
            grown, replaced = replace_pieces(base, words, number, choice, elsewhere or {})
            print(f"{len(replaced):,} of the base's pieces give way, of the {number:,} that were to")
        else:
            grown = kind.grow(base, words, number, choice, elsewhere or {})
        augmented, pieces, passed_over, intermediate = grown
        if passed_over:
            why = "no word of the text would be cut into them, or too many of another language would be cut otherwise"
            print(f"{len(passed_over):,} pieces are passed over, since {why}")
        if intermediate:
            print(f"{len(intermediate):,} of the new pieces only make longer ones: no word ends up with them")
        if number is not None and len(pieces) < number:
            print(
                f"only {len(pieces)} new wordpieces of the {number} asked for: {kind.too_few.format(size=choice.size)}"
            )
    print(f"{len(pieces):,} pieces are new; measures what they cover")
    ids = augmented.get_vocab()
    added = {piece: ids[piece] for piece in pieces}
    check_ids(base, augmented, added, replaced)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        kind.save(augmented, temporary, base_folder / SETTINGS)
        check_reload(temporary, [word for counts in data.values() for word in counts.words])
        write_json(
            temporary / "statistics.json",
            {
                "pieces": added,
                "passed_over": passed_over,
                **({"replaced": {piece: base.token_to_id(piece) for piece in replaced}} if growth == "replace" else {}),
                **({"intermediate": list(intermediate)} if intermediate else {}),
                "coverage": {name: coverage_statistics(counts, augmented, base) for name, counts in data.items()},
                "spelling": {name: spelling_statistics(counts.words, normal_form) for name, counts in data.items()},
            },
        )


def build_byte_vocabulary(
    corpus: Path,
    training: BytePieceTraining,
    labeled: dict[str, WordCounts],
    folder: Path,
    normal_form: Form = "NFC",
) -> None:
    """Make the vocabulary folder of a monolingual model: byte-level pieces, and statistics.json on what they cover.

    Args:
        corpus: the training split that the pieces are learned from.
        training: how.
        labeled: words of labeled data, by name, to measure coverage on.
        folder: where the vocabulary appears.
        normal_form: see `with_normal_form`.
    """
    data = {"corpus": count_words([corpus])} | labeled
    words = data["corpus"].words
    print(f"learns {training.size:,} pieces from {words.total():,} words, {len(words):,} different ones")
    tokenizer = BYTE_LEVEL.learn(words, training, with_normal_form(None, normal_form))
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        BYTE_LEVEL.save(tokenizer, temporary)
        check_reload(temporary, [word for counts in data.values() for word in counts.words])
        covered = {name: coverage_statistics(counts, tokenizer) for name, counts in data.items()}
        spelling = {name: spelling_statistics(counts.words, normal_form) for name, counts in data.items()}
        write_json(temporary / "statistics.json", {"pieces": {}, "coverage": covered, "spelling": spelling})
