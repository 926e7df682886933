"""Make vocabulary folders: a tokenizer that `AutoTokenizer` loads, and statistics.json on what it covers."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from specialize.errors import InputError
from specialize.files import atomic_path, write_json
from specialize.vocabularies.choose import choose_pieces
from specialize.vocabularies.coverage import coverage_statistics
from specialize.vocabularies.kinds import kind_of, known_kinds
from specialize.vocabularies.kinds.byte_level import KIND as BYTE_LEVEL
from specialize.vocabularies.normal_form import Form, spelling_statistics, with_normal_form
from specialize.vocabularies.settings import BytePieceTraining, WordPieceTraining
from specialize.vocabularies.words import WordCounts, count_words


def load_base(folder: Path) -> Tokenizer:
    """The tokenizer of a base model's folder, with neither padding nor truncation.

    Raises:
        InputError: if there is none, or pieces cannot be put into a vocabulary of its kind.
    """
    path = folder / "tokenizer.json"
    growing = " or ".join(kind.name for kind in known_kinds() if kind.grows)
    remedy = f"{growing} bases only for now: choose a model such as mBERT"
    if not path.is_file():
        raise InputError(path, "is missing from the base model", remedy=remedy)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise InputError(path, f"is not a tokenizer ({error})", remedy=remedy) from error
    kind = kind_of(tokenizer, path, remedy)
    if not kind.grows:
        raise InputError(path, f"holds a {kind.name} vocabulary", remedy=remedy)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def build_vocabulary(
    base_folder: Path,
    corpus: Path | None,
    number: int | None,
    training: WordPieceTraining | None,
    labeled: dict[str, WordCounts],
    folder: Path,
    normal_form: Form = "NFC",
) -> None:
    """Make a representation's vocabulary folder: a tokenizer, and statistics.json on what it covers.

    Args:
        base_folder: the base model.
        corpus: the training split that new pieces are learned from; None only where none are added.
        number: how many pieces to add; 0 keeps the base vocabulary, None adds the whole new one.
        training: how the new vocabulary, which is of the base's kind, is learned; None only where none is.
        labeled: words of labeled data, by name, to measure coverage on.
        folder: where the vocabulary appears.
        normal_form: see `with_normal_form`; the base is measured with it too.

    Raises:
        InputError: if pieces cannot be put into the base model's vocabulary.
    """
    base = load_base(base_folder)
    base.normalizer = with_normal_form(base.normalizer, normal_form)
    kind = kind_of(base)
    data = ({"corpus": count_words([corpus])} if corpus else {}) | labeled
    pieces: list[str] = []
    if number != 0:
        words = data["corpus"].words
        assert training is not None
        print(f"learns {training.size:,} pieces from {words.total():,} words, {len(words):,} different ones")
        pieces = choose_pieces(words, base, kind.learn(words, training, base.normalizer), number)
        if number is not None and len(pieces) < number:
            print(
                f"only {len(pieces)} new wordpieces of the {number} asked for: a vocabulary of {training.size} has no "
                "more that the base lacks; raise vocabularies.size, lower vocabularies.min_frequency or give more text"
            )
    print(f"{len(pieces):,} pieces are new; measures what they cover")
    augmented = kind.inject(base, pieces)
    ids = augmented.get_vocab()
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        kind.save(augmented, temporary, base_folder / "tokenizer_config.json")
        write_json(
            temporary / "statistics.json",
            {
                "pieces": {piece: ids[piece] for piece in pieces},
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
        covered = {name: coverage_statistics(counts, tokenizer) for name, counts in data.items()}
        spelling = {name: spelling_statistics(counts.words, normal_form) for name, counts in data.items()}
        write_json(temporary / "statistics.json", {"pieces": {}, "coverage": covered, "spelling": spelling})


def set_normal_form(folder: Path, normal_form: Form) -> None:
    """Have the tokenizer of a base model's folder, one that was copied for a run, make one of all spellings of a word.

    Args:
        folder: that `load_base` takes.
        normal_form: see `with_normal_form`.
    """
    path = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    own = tokenizer.normalizer
    normalizer = with_normal_form(own, normal_form)
    if normalizer is own:
        return
    tokenizer.normalizer = normalizer
    with atomic_path(path) as temporary:
        tokenizer.save(str(temporary))
    kind_of(tokenizer, path).save_settings(tokenizer, folder, folder / "tokenizer_config.json")
