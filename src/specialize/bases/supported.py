"""Which base models can be used: what their descriptions say, before any weights are fetched, copied or read."""

from __future__ import annotations

from pathlib import Path

from specialize.bases.architectures import Architecture, architecture_of, known_architectures
from specialize.bases.weights import check_config
from specialize.errors import InputError
from specialize.files import read_json

TO_TOKENIZER = 'python -c "from transformers import AutoTokenizer as T; T.from_pretrained({0}).save_pretrained({0})"'


def supported() -> str:
    """The architectures and the kinds of vocabularies that a base model may have, as a remedy."""
    from specialize.vocabularies import known_kinds

    names = ", ".join(known.name for known in known_architectures().values())
    kinds = ", ".join(kind.name for kind in known_kinds())
    return f"supported are the architectures {names}, and vocabularies of {kinds}: choose such a model, as mBERT is"


def check_architecture(folder: Path, adapted: bool = True) -> Architecture:
    """Check what config.json says of a base model; torch is not needed for it.

    Args:
        folder: of the model.
        adapted: whether it is pretrained further on a language, which not every architecture can be.

    Raises:
        InputError: if its architecture is not known, or only usable as it is; or see `check_config`.
    """
    architecture = architecture_of(folder, supported())
    check_config(folder)
    reason = architecture.no_masked_training(read_json(folder / "config.json"))
    if adapted and reason:
        remedy = "use it by a representation of method base, and choose another base model for method adapt"
        raise InputError(folder / "config.json", reason, remedy=remedy)
    return architecture


def check_description(folder: Path, adapted: bool = True) -> None:
    """Check everything of a base model that is known without its weights.

    Args:
        folder: of the model; its weights need not be there.
        adapted: see `check_architecture`.

    Raises:
        InputError: see `check_architecture`; or if its vocabulary is of no known kind, or not described.
    """
    from specialize.vocabularies import load_base

    check_architecture(folder, adapted)
    path = folder / "tokenizer.json"
    if not path.is_file() and (folder / "vocab.txt").is_file():
        return  # tokenizer.json is made of it
    check_tokenizer_file(folder)
    pieces_of(path)
    load_base(folder)


def pieces_of(path: Path) -> int:
    """How many pieces a tokenizer.json has.

    Raises:
        InputError: if it is none, or of a kind that is not supported.
    """
    from tokenizers import Tokenizer

    from specialize.vocabularies import kind_of

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise InputError(path, f"is not a tokenizer ({error})", remedy=supported()) from error
    kind_of(tokenizer, path, supported())
    return int(tokenizer.get_vocab_size())


def check_tokenizer_file(folder: Path) -> None:
    """Check that a base model has a vocabulary that is read.

    Raises:
        InputError: if it has neither tokenizer.json nor vocab.txt, with how the first is made.
    """
    if (folder / "tokenizer.json").is_file() or (folder / "vocab.txt").is_file():
        return
    there = sorted(path.name for path in folder.glob("*.model")) or ["a *.model file of sentencepiece"]
    make = TO_TOKENIZER.format(repr(str(folder)))
    raise InputError(
        folder / "tokenizer.json",
        "is missing from the base model",
        remedy=f"if it has {there[0]}, make tokenizer.json of that in a folder of your own, by a Python that has "
        f"transformers, sentencepiece and protobuf: {make}; else {supported()}",
    )
