"""Files of weights: safetensors in one file or in several, what else a folder may have instead, and converting it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from safetensors import SafetensorError, safe_open

from specialize.errors import InputError
from specialize.files import atomic_path, read_json

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = "model.safetensors"
SHARDS = "model-*-of-*.safetensors"  # as `save_pretrained` names the parts of large weights
PICKLED = "pytorch_model.bin"
INDEX = ".index.json"  # after the name that one file would have: which part has which tensor
FOREIGN = {"tf_model.h5": "TensorFlow's", "flax_model.msgpack": "Flax's", "model.onnx": "ONNX's"}
FLOATS = ("F64", "F32", "F16", "BF16")
CONVERT = ".venv/bin/python -m specialize convert-weights"


class Stored(NamedTuple):
    """What a file of weights says of a tensor.

    Attributes:
        shape: its sizes.
        dtype: as safetensors names it.
    """

    shape: tuple[int, ...]
    dtype: str


class WeightNames(NamedTuple):
    """What an architecture calls its tensors; by default as BERT, RoBERTa and XLM-R do.

    Attributes:
        embeddings: how the name of the pieces' embeddings ends.
        sizes: of which tensor of the encoder which axis a key of config.json is.
        layers: how the names of the layers' tensors begin, before the layer's number.
        parts: how names of tensors begin that the encoder's forward pass uses, unlike a pooler's.
        spare_bias: what the library calls the output layer's bias besides; empty if it has one name.
        spare: how names of tensors of published files end that no model reads.
    """

    embeddings: str = "embeddings.word_embeddings.weight"
    sizes: Mapping[str, tuple[str, int]] = {
        "vocab_size": ("embeddings.word_embeddings.weight", 0),
        "hidden_size": ("embeddings.word_embeddings.weight", 1),
        "max_position_embeddings": ("embeddings.position_embeddings.weight", 0),
        "type_vocab_size": ("embeddings.token_type_embeddings.weight", 0),
        "intermediate_size": ("encoder.layer.0.intermediate.dense.weight", 0),
    }
    layers: str = "encoder.layer."
    parts: tuple[str, ...] = ("embeddings.", "encoder.")
    spare_bias: str = "cls.predictions.bias"
    spare: tuple[str, ...] = ()


def weight_files(folder: Path) -> list[Path]:
    """The files that have a folder's weights: one, or the parts that the index names.

    Raises:
        InputError: if there are none or not all of them, with what to do about what there is instead.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / (WEIGHTS + INDEX)).is_file():
        return _parts(folder, WEIGHTS)
    raise InputError(folder / WEIGHTS, "is missing from the base model", remedy=_instead_of_safetensors(folder))


def _instead_of_safetensors(folder: Path) -> str:
    """What to do about a folder without safetensors."""
    if (folder / PICKLED).is_file() or (folder / (PICKLED + INDEX)).is_file():
        return f"its weights are pickled, which may run any code; convert them: {CONVERT} {shlex.quote(str(folder))}"
    for name, whose in FOREIGN.items():
        if (folder / name).is_file():
            return f"it has only {whose} weights ({name}); choose a model that has safetensors or {PICKLED}"
    parts = sorted(folder.glob(SHARDS))
    if parts:
        return f"it has {parts[0].name}, but not {WEIGHTS}{INDEX}; copy that, too"
    return f"give a folder that has {WEIGHTS} beside config.json"


def _parts(folder: Path, name: str) -> list[Path]:
    """The parts that an index names."""
    index = folder / (name + INDEX)
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not all(isinstance(part, str) for part in places.values()):
        raise InputError(index, "has no weight_map of tensors and files", remedy="copy it again")
    names = sorted(set(places.values()))
    for part in names:
        if part in (".", "..") or set(part) & set("/\\"):
            raise InputError(index, f"{part!r} is not the plain name of a file in that folder", remedy="copy it again")
    lacking = [part for part in names if not (folder / part).is_file()]
    if lacking or not names:
        number = f"{len(lacking)} of its {len(names)} parts are missing ({', '.join(lacking[:3])})"
        raise InputError(index, number if names else "names no parts", remedy="copy the whole model again")
    return [folder / part for part in names]


def stored_tensors(files: Iterable[Path]) -> dict[str, Stored]:
    """Names, sizes and types of the tensors in files of weights, without reading the tensors.

    Raises:
        InputError: if one is not safetensors, or cut off.
    """
    found: dict[str, Stored] = {}
    for path in files:
        try:
            with safe_open(path, framework="numpy") as stream:
                for name in sorted(stream.keys()):
                    part = stream.get_slice(name)
                    found[name] = Stored(tuple(part.get_shape()), part.get_dtype())
        except (SafetensorError, OSError) as error:
            raise InputError(path, f"is not safetensors ({error})", remedy="copy or download it again") from error
    return found


def check_types(path: Path, tensors: Mapping[str, Stored]) -> None:
    """Refuse weights in whole numbers, which the library would take as they are.

    Raises:
        InputError: if one that is called a weight or bias is not of floating point.
    """
    odd = [name for name in tensors if name.endswith(("weight", "bias")) and tensors[name].dtype not in FLOATS]
    if odd:
        shown = ", ".join(f"{name}: {tensors[name].dtype}" for name in odd[:3])
        raise InputError(
            path,
            f"has {len(odd)} tensors that are not of {', '.join(FLOATS)} ({shown})",
            remedy="choose the model that is not quantized",
        )


def check_config(folder: Path) -> None:
    """Refuse what config.json can say that makes another model of the same weights.

    Raises:
        InputError: if its layers see only what is before them, or its weights are quantized.
    """
    path = folder / "config.json"
    config = read_json(path)
    if config.get("is_decoder"):
        remedy = "choose another model; or, if it was trained with masks, let config.json say is_decoder: false"
        raise InputError(path, "has is_decoder: true, so that no piece sees those after it", remedy=remedy)
    if config.get("quantization_config"):
        raise InputError(path, "has a quantization_config", remedy="choose the model that is not quantized")


def copy_weights(folder: Path, destination: Path) -> None:
    """Copy a folder's weights; those in several files become one.

    Raises:
        InputError: if a file is missing or broken.
    """
    files = weight_files(folder)
    stored = stored_tensors(files)
    if files == [folder / WEIGHTS]:
        shutil.copyfile(files[0], destination / WEIGHTS)
        return
    index = folder / (WEIGHTS + INDEX)
    lacking = sorted(read_json(index)["weight_map"].keys() - stored.keys())
    if lacking:
        problem = f"names {len(lacking)} tensors that no part has ({', '.join(lacking[:3])})"
        raise InputError(index, problem, remedy="copy the whole model again")
    _save(_tensors_of(files), destination / WEIGHTS)


def _tensors_of(files: Iterable[Path]) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return {name: tensor for path in files for name, tensor in load_file(path).items()}


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as `save_pretrained` does; those that share memory are written each by itself."""
    from safetensors.torch import save_file

    alone = {name: tensors[name].detach().clone().contiguous() for name in sorted(tensors)}
    with atomic_path(path) as temporary:
        save_file(alone, temporary, metadata={"format": "pt"})


def convert_weights(folder: Path, without_prefix: str = "") -> Path:
    """Write model.safetensors of what a folder has: pickled weights, or safetensors whose names have a prefix more.

    The pickled files are opened as tensors only, so that no code in them runs.

    Args:
        folder: of the model.
        without_prefix: is taken off the names that have it.

    Returns:
        The file that was written.

    Raises:
        InputError: if there is nothing to convert, or it holds anything else than tensors.
    """
    path = folder / WEIGHTS
    if path.is_file() or (folder / (WEIGHTS + INDEX)).is_file():
        if not without_prefix and path.is_file():
            raise InputError(path, "is there already", remedy="nothing is to be converted")
        files = weight_files(folder)
        stored_tensors(files)  # refuses a broken one
        tensors = _tensors_of(files)
    else:
        tensors = _pickled_tensors(folder)
    renamed = {name.removeprefix(without_prefix): tensor for name, tensor in tensors.items()}
    if len(renamed) != len(tensors) or (without_prefix and renamed.keys() == tensors.keys()):
        problem = (
            "no name of a tensor begins with" if renamed.keys() == tensors.keys() else "names become equal without"
        )
        raise InputError(folder, f"{problem} {without_prefix!r}", remedy=f"it has {', '.join(sorted(tensors)[:3])}")
    _save(renamed, path)
    return path


def _pickled_tensors(folder: Path) -> dict[str, Tensor]:
    import torch

    if (folder / PICKLED).is_file():
        files = [folder / PICKLED]
    elif (folder / (PICKLED + INDEX)).is_file():
        files = _parts(folder, PICKLED)
    else:
        raise InputError(folder, f"has neither {WEIGHTS} nor {PICKLED}", remedy=_instead_of_safetensors(folder))
    tensors: dict[str, Any] = {}
    for path in files:
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds
            problem = " ".join(str(error).split())[:200]
            raise InputError(path, f"cannot be read as tensors ({problem})", remedy="copy it again") from error
        if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
            keys = ", ".join(map(str, list(content)[:3])) if isinstance(content, dict) else type(content).__name__
            raise InputError(path, f"holds more than tensors by name ({keys})", remedy="save the model's state_dict()")
        tensors |= content
    return tensors
