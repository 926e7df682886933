"""The folder of a base model: its files, and whether they are all that later stages read."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from specialize.bases.architectures import Architecture, architecture_of, known_architectures
from specialize.errors import InputError
from specialize.files import read_json
from specialize.vocabularies import OLDER_FILES, known_kinds, load_base


def model_files() -> tuple[str, ...]:
    """Names of the files that a base model may have, for a download or a copy."""
    vocabularies = dict.fromkeys(name for kind in known_kinds() if kind.grows for name in kind.files)
    return ("config.json", *vocabularies, *OLDER_FILES, "model.safetensors")


def check_base_model(folder: Path) -> None:
    """Check that a base model can be adapted and that its files fit each other, before any long job starts.

    Raises:
        InputError: if its architecture or its kind of vocabulary is none that can be adapted, if a file is missing or
            broken, or if the weights are not safetensors that fit the vocabulary.
    """
    architecture = _adaptable(folder)
    tokenizer = load_base(folder)
    path = folder / "model.safetensors"
    rows = _embedding_rows(path, architecture)
    config = read_json(folder / "config.json")
    if config.get("tie_word_embeddings") is False:
        remedy = "choose a model whose output layer shares its word embeddings, as BERT's does"
        raise InputError(folder / "config.json", "has tie_word_embeddings: false", remedy=remedy)
    pieces = 1 + max(tokenizer.get_vocab().values())
    vocabulary_size = config.get("vocab_size")
    if rows != vocabulary_size or rows < pieces:
        raise InputError(
            path,
            f"has {rows} word embeddings, where config.json's vocab_size is {vocabulary_size} and the tokenizer has "
            f"{pieces} pieces",
            remedy="take weights, config.json and tokenizer.json of the same model",
        )


def _adaptable(folder: Path) -> Architecture:
    kinds = " or ".join(kind.name for kind in known_kinds() if kind.grows)
    names = " or ".join(known.name for known in known_architectures().values() if known.adaptable)
    remedy = f"{kinds} bases only for now: choose a {names} model such as mBERT"
    architecture = architecture_of(folder, remedy)
    if not architecture.adaptable:
        raise InputError(folder / "config.json", f"is of a {architecture.model_type} model", remedy=remedy)
    return architecture


def _embedding_rows(path: Path, architecture: Architecture) -> int:
    """How many pieces a file of weights has embeddings of; 0 if there are none."""
    if not path.is_file():
        raise InputError(path, "is missing from the base model", remedy="convert its weights to safetensors")
    try:
        with safe_open(path, framework="numpy") as weights:
            names = [name for name in list(weights.keys()) if name.endswith(architecture.embeddings_name)]
            shapes = [weights.get_slice(name).get_shape() for name in names]
    except (SafetensorError, OSError) as error:
        raise InputError(path, f"is not safetensors ({error})", remedy="copy or convert it again") from error
    return int(shapes[0][0]) if shapes and shapes[0] else 0
