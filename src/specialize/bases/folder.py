"""The folder of a base model: its files, and whether they are all that later stages read."""

from __future__ import annotations

import io
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

from specialize.bases.architectures import Architecture
from specialize.bases.supported import check_architecture, check_description
from specialize.bases.weights import INDEX, SHARDS, WEIGHTS, Stored, copy_weights, stored_tensors, weight_files
from specialize.errors import InputError, warn
from specialize.files import read_json, read_text, write_json
from specialize.vocabularies import OLDER_FILES, known_kinds, load_base

HEAD_DRAWN = "has no head that predicts masked pieces: adapting it draws one at random, by the seed of pretraining"


def description_files() -> tuple[str, ...]:
    """Names of the files that describe a base model: all but its weights."""
    vocabularies = dict.fromkeys(name for kind in known_kinds() for name in kind.files)
    return ("config.json", *vocabularies, *OLDER_FILES)


def model_files() -> tuple[str, ...]:
    """Names of the files that a base model may have, for a download or a copy; one is a pattern."""
    return (*description_files(), WEIGHTS, WEIGHTS + INDEX, SHARDS)


def files_in(folder: Path) -> list[Path]:
    """The files of a base model that a folder has."""
    if not folder.is_dir():
        return []
    wanted = model_files()
    return sorted(path for path in folder.iterdir() if any(fnmatchcase(path.name, name) for name in wanted))


def take_base_model(source: Path, destination: Path, place: str = "", adapted: bool = True) -> None:
    """Copy a base model into a folder of its own, in the form that later stages read, and check it.

    Weights in several files become one. A BERT that has only vocab.txt gets the tokenizer.json of it.

    Args:
        source: the folder that has it.
        destination: a new folder.
        place: what errors call the source, where that is a temporary copy.
        adapted: whether it is pretrained further on a language.

    Raises:
        InputError: see `check_base_model`; it names the source.
    """
    destination.mkdir()
    try:
        check_description(source, adapted)
        for path in files_in(source):
            if path.name in description_files():
                shutil.copyfile(path, destination / path.name)
        if (destination / "vocab.txt").is_file() and not (destination / "tokenizer.json").is_file():
            _tokenizer_of_vocab_txt(destination)
        load_base(destination)
        copy_weights(source, destination)
        check_base_model(destination, adapted)
    except InputError as error:
        raise error.of_the_original(destination, source).of_the_original(source, place or source) from error


def check_base_model(folder: Path, adapted: bool = True) -> None:
    """Check that a base model can be adapted and that its files fit each other, before any long job starts.

    Args:
        folder: of the model.
        adapted: whether it is pretrained further on a language, or only used as it is.

    Raises:
        InputError: if its architecture or its kind of vocabulary is none that can be adapted, if a file is missing or
            broken, or if the weights are not safetensors that fit the vocabulary and config.json, each of them sound.
    """
    architecture = check_architecture(folder, adapted)
    tokenizer = load_base(folder)
    files = weight_files(folder)
    rows = _embedding_rows(files[0], stored_tensors(files), architecture)
    pieces = 1 + max(tokenizer.get_vocab().values())
    vocabulary_size = read_json(folder / "config.json").get("vocab_size")
    if rows != vocabulary_size or rows < pieces:
        raise InputError(
            files[0],
            f"has {rows} word embeddings, where config.json's vocab_size is {vocabulary_size} and the tokenizer has "
            f"{pieces} pieces",
            remedy="take weights, config.json and tokenizer.json of the same model",
        )
    _check_weights(folder, architecture)


def _check_weights(folder: Path, architecture: Architecture) -> None:
    """Load the model as adapting will do, or as finetuning will do if that is all that it is for."""
    from specialize.bases.loading import untrained_norms

    head_drawn = False
    if architecture.no_masked_training(read_json(folder / "config.json")):
        model = architecture.encoder(folder)
    else:
        model, head_drawn = architecture.masked_lm(folder)
    if head_drawn:
        warn(f"the base model {HEAD_DRAWN}")
    norms = [name for name in untrained_norms(model) if not head_drawn or name.startswith(model.base_model_prefix)]
    if norms:
        shown = ", ".join(norms[:3]) + (", …" if len(norms) > 3 else "")
        warn(f"{len(norms)} layer norms of the base model are as they were made ({shown}): were they ever trained?")


def _embedding_rows(path: Path, stored: dict[str, Stored], architecture: Architecture) -> int:
    """How many pieces a file of weights has embeddings of."""
    found = [stored[name].shape for name in stored if name.endswith(architecture.embeddings_name)]
    if not found or not found[0]:
        names = (
            f"none of its {len(stored)} tensors ({', '.join(list(stored)[:3])}) ends in {architecture.embeddings_name}"
        )
        raise InputError(
            path,
            f"has no word embeddings: {names}",
            remedy=f"take the weights of a {architecture.name} model",
        )
    return found[0][0]


def _tokenizer_of_vocab_txt(folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json of a vocab.txt.

    Whether it keeps case is what tokenizer_config.json says. If that says nothing, the library would lower all words;
    a vocabulary that has capital letters keeps them.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    path, config_path = folder / "vocab.txt", folder / "tokenizer_config.json"
    text = read_text(path)  # without a byte-order mark, which would be part of the first piece
    path.write_text(text, encoding="utf-8", newline="")
    pieces = [line.rstrip("\n") for line in io.StringIO(text, newline=None)]
    config = read_json(config_path) if config_path.is_file() else {}
    if not isinstance(config, dict):
        raise InputError(config_path, "holds no settings", remedy="leave it out, or copy it again")
    if "do_lower_case" not in config:
        capitals = sum(piece != piece.lower() for piece in pieces if not piece.startswith("["))
        config |= {"do_lower_case": not capitals}
        how = f"keeps case, since {capitals:,} of its pieces have capitals" if capitals else "lowers all words"
        print(f"vocab.txt is taken as a vocabulary that {how}; tokenizer_config.json can say do_lower_case")
        write_json(config_path, config)
    remedy = "take the vocabulary of a BERT model, with tokenizer_config.json if it names its special tokens otherwise"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the library's tokenizers raise whatever their files lead to
        problem = " ".join(str(error).split())[:200]
        raise InputError(path, f"makes no tokenizer ({problem})", remedy=remedy) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise InputError(path, f"is for a {type(tokenizer).__name__}", remedy=remedy)
    lacking = sorted(name for name, number in tokenizer.get_vocab().items() if number >= len(pieces))
    if lacking:
        raise InputError(path, f"has no {', '.join(lacking)}", remedy=remedy)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
