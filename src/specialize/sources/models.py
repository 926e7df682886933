"""Base models: folders as the Hugging Face hub has them, fetched or copied, and checked before any long job starts."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from specialize import __version__
from specialize.errors import DownloadError, InputError
from specialize.files import atomic_path, read_json
from specialize.sources.downloads import download
from specialize.sources.published import Source, place_in_mirror
from specialize.sources.transfer import disk_errors_reported
from specialize.sources.verification import LISTING, read_listing

MODEL_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "model.safetensors")
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


def fetch_model(hub: str, revision: str, destination: Path) -> None:
    """Download a base model from the Hugging Face hub; what its cache has is not downloaded again.

    Raises:
        DownloadError: if it cannot be had.
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            hub,
            revision=revision,
            allow_patterns=list(MODEL_FILES),
            library_name="specialize",
            library_version=__version__,
        )
    except Exception as error:  # the library's own errors and those of its HTTP clients have no common root
        problem = " ".join(str(error).split())
        raise DownloadError(f"model {hub}, revision {revision}: {type(error).__name__}: {problem}") from error
    copy_model(Path(folder), destination)


def copy_model(folder: Path, destination: Path) -> None:
    """Copy a base model of one's own.

    Raises:
        DownloadError: if it cannot be copied.
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights.
    """
    with disk_errors_reported(destination), atomic_path(destination) as temporary:
        check_base_model(folder)
        temporary.mkdir()
        for name in MODEL_FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, temporary / name)


def fetch_model_from_mirror(name: str, mirror: str, destination: Path) -> None:
    """Download all files of a base model that its folder of a mirror lists.

    Raises:
        DownloadError: if one cannot be had, or is not the file that was promised.
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights.
    """
    listing = place_in_mirror(f"models/{name}/{LISTING}", mirror)
    files = list(read_listing(listing))
    for file in files:
        if file in (".", "..") or set(file) & set("/\\"):
            raise DownloadError(f"{listing}: {file!r} is not the plain name of a file in that folder")
    with atomic_path(destination) as temporary:
        for file in files:
            download(Source(urls=(), mirror_path=f"models/{name}/{file}"), temporary / file, mirror)
        check_base_model(temporary)


def check_base_model(folder: Path) -> None:
    """Check that a base model's folder has all that later stages read, before any long job starts.

    Raises:
        InputError: if it is not a BERT model with a WordPiece vocabulary and safetensors weights that fit it.
    """
    check_wordpiece(folder)
    weights = _required(folder / "model.safetensors", "convert its weights to safetensors")
    rows = _word_embeddings(weights)
    config = read_json(folder / "config.json")
    if config.get("tie_word_embeddings") is False:
        remedy = "choose a model whose output layer shares its word embeddings, as BERT's does"
        raise InputError(folder / "config.json", "has tie_word_embeddings: false", remedy=remedy)
    pieces = 1 + max(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab().values())
    vocabulary_size = config.get("vocab_size")
    if rows != vocabulary_size or rows < pieces:
        raise InputError(
            weights,
            f"has {rows} word embeddings, where config.json's vocab_size is {vocabulary_size} and the tokenizer has "
            f"{pieces} pieces",
            remedy="take weights, config.json and tokenizer.json of the same model",
        )


def _word_embeddings(path: Path) -> int:
    """How many word embeddings a file of weights has, of which only the header is read."""
    try:
        with safe_open(path, framework="numpy") as weights:
            names = [name for name in list(weights.keys()) if name.endswith(WORD_EMBEDDINGS)]
            shapes = [weights.get_slice(name).get_shape() for name in names]
    except (SafetensorError, OSError) as error:
        raise InputError(path, f"is not safetensors ({error})", remedy="copy or convert it again") from error
    return int(shapes[0][0]) if shapes and shapes[0] else 0


def check_wordpiece(folder: Path) -> None:
    """Check that a folder holds a BERT model with a WordPiece vocabulary.

    Raises:
        InputError: if it does not.
    """
    remedy = "WordPiece bases only for now: choose a BERT model such as mBERT"
    config = read_json(_required(folder / "config.json", remedy))
    kind = config.get("model_type") if isinstance(config, dict) else type(config).__name__
    if kind != "bert":
        raise InputError(folder / "config.json", f"is of a {kind} model", remedy=remedy)
    path = _required(folder / "tokenizer.json", remedy)
    try:
        vocabulary = type(Tokenizer.from_file(str(path)).model).__name__
    except Exception as error:  # the library raises nothing more precise
        raise InputError(path, f"is not a tokenizer ({error})", remedy=remedy) from error
    if vocabulary != "WordPiece":
        raise InputError(path, f"holds a {vocabulary} vocabulary", remedy=remedy)


def _required(path: Path, remedy: str) -> Path:
    if not path.is_file():
        raise InputError(path, "is missing from the base model", remedy=remedy)
    return path
