"""Load a model of a folder, and take nothing on trust: each tensor that it uses is from the file, and is sound."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers.utils import logging

from specialize.bases.weights import (
    CONVERT,
    WEIGHTS,
    Stored,
    WeightNames,
    check_config,
    check_types,
    stored_tensors,
    weight_files,
)
from specialize.errors import InputError

if TYPE_CHECKING:
    from transformers.modeling_utils import PreTrainedModel

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what its report says is an error of ours, or no news
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

SHOWN = 3
AS_BERT = WeightNames()
LARGEST = 1e6  # trained weights stay below a thousand
ONE_BIAS = "take the weights as they were published"
MAY_BE_CONSTANT = "token_type_embeddings.weight"  # zeros in RoBERTa, which has one segment


def load_sound(
    kind: type[PreTrainedModel], folder: Path, names: WeightNames = AS_BERT, **options: Any
) -> tuple[PreTrainedModel, list[str]]:
    """A model in float32, each of whose tensors is from the folder's file.

    Args:
        kind: the library's class.
        folder: of the model.
        names: of its tensors.
        options: of its `from_pretrained`.

    Returns:
        The model, and the names of the tensors of its head if the file has none of them: they were drawn by torch's
        random numbers.

    Raises:
        InputError: if the file lacks a tensor that the model uses, has it in another size, has more of the encoder than
            the model, or values that no training leaves; or config.json describes no model.
    """
    path = weight_files(folder)[0]
    stored = stored_tensors(weight_files(folder))
    check_types(path, stored)
    check_config(folder)
    try:
        loaded: Any = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are an error below
            **options,
        )
    except Exception as error:  # a configuration is checked by whatever reads it
        problem = " ".join(str(error).split())[:300]
        remedy = "take config.json and weights of the same model"
        raise InputError(folder / "config.json", f"describes no model ({problem})", remedy=remedy) from error
    model, found = loaded
    _take_spare_bias(names, model, found)
    drawn = _drawn_head(model, found["missing_keys"])
    _check_names(path, names, model, stored, found, drawn)
    _check_ties(path, model)
    _check_values(path, model, drawn)
    return model, drawn


def _drawn_head(model: PreTrainedModel, missing: Iterable[str]) -> list[str]:
    """The names of a head's tensors if the file has none of them, but all of the encoder's.

    A file that has some of the head's is broken.
    """
    if model.base_model is model:
        return []
    head = {name for name in _own(model) if not name.startswith(model.base_model_prefix + ".")}
    return sorted(head) if head == set(missing) - model.all_tied_weights_keys.keys() else []


def _own(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Its parameters, each once, under the name that files have it by."""
    tied = model.all_tied_weights_keys.keys()
    return {name: one for name, one in model.named_parameters(remove_duplicate=False) if name not in tied}


def _take_spare_bias(names: WeightNames, model: PreTrainedModel, found: dict[str, Any]) -> None:
    """Without a tie the library makes two biases of one, and uses the one that older files lack.

    Where a file has both, the other one is not used, whatever it is.
    """
    output = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    used = next((f"{name}.bias" for name, part in model.named_modules() if part is output), "")
    spare = names.spare_bias
    if model.base_model is model or not spare or used in model.all_tied_weights_keys:
        return
    missing = set(found["missing_keys"])
    if spare in missing and used not in missing:
        found["missing_keys"] = missing - {spare}
    elif used in missing and spare not in missing:
        with torch.no_grad():
            model.get_parameter(used).copy_(model.get_parameter(spare))
        found["missing_keys"] = missing - {used}


def _check_names(
    path: Path,
    names: WeightNames,
    model: PreTrainedModel,
    stored: Mapping[str, Stored],
    found: Mapping[str, Any],
    drawn: list[str],
) -> None:
    missing = [] if drawn else sorted(set(found["missing_keys"]) - model.all_tied_weights_keys.keys())
    unused = sorted(found["unexpected_keys"])
    if missing:
        raise InputError(
            path,
            f"lacks {len(missing)} of the {len(_own(model))} tensors of the model that config.json describes "
            f"({_first(missing)}), and has {len(unused)} that it does not use"
            + (f" ({_first(unused)})" * bool(unused)),
            remedy=_remedy(path, names, model, stored, missing),
        )
    if found["mismatched_keys"]:
        sizes = [f"{name} {_size(has)}, not {_size(due)}" for name, has, due in sorted(found["mismatched_keys"])]
        raise InputError(
            path,
            f"has {len(sizes)} tensors of another size than config.json says ({_first(sizes)}), "
            f"and {len(unused)} that the model does not use",
            remedy=_remedy(path, names, model, stored),
        )
    used = [name.removeprefix(model.base_model_prefix + ".") for name in unused if not name.endswith(names.spare)]
    left_out = [name for name in used if name.startswith(names.parts)]
    if left_out:
        problem = f"has {len(left_out)} tensors that the model of config.json would leave out ({_first(left_out)})"
        raise InputError(path, problem, remedy=_remedy(path, names, model, stored))


def _remedy(
    path: Path,
    names: WeightNames,
    model: PreTrainedModel,
    stored: Mapping[str, Stored],
    missing: Sequence[str] = (),
) -> str:
    """What to do about weights and a configuration that do not fit: another prefix, other sizes, or another copy."""
    own, words = model.base_model_prefix + ".", names.embeddings
    prefixes = {name.removesuffix(words).removesuffix(own) for name in stored if name.endswith(words)}
    if len(prefixes) == 1 and (prefix := prefixes.pop()):
        folder, prefix = shlex.quote(str(path.parent)), shlex.quote(prefix)
        return f"take off the names' prefix: {CONVERT} {folder} --without-prefix {prefix}"
    plain = {name.removeprefix(own): tensor for name, tensor in stored.items()}
    config = model.config.to_dict()
    wrong: dict[str, int | str] = {
        key: plain[name].shape[axis]
        for key, (name, axis) in names.sizes.items()
        if name in plain and len(plain[name].shape) == 2 and config.get(key) != plain[name].shape[axis]
    }
    numbered = [name.removeprefix(names.layers) for name in plain if name.startswith(names.layers)]
    layers = {int(name.partition(".")[0]) for name in numbered if name.partition(".")[0].isdecimal()}
    if layers == set(range(len(layers))) and layers and len(layers) != config.get("num_hidden_layers"):
        wrong["num_hidden_layers"] = len(layers)
    if missing and all(name.endswith("decoder.weight") for name in missing):
        wrong["tie_word_embeddings"] = "true"
    again = f"take {WEIGHTS} and config.json of the same model, copied whole"
    if not wrong:
        return again
    said = ", ".join(f"{key}: {size}" for key, size in wrong.items())
    return f"{again}; or, if the weights are right, let config.json say {said}"


def _check_ties(path: Path, model: PreTrainedModel) -> None:
    """The library loosens a tie if the file has two different tensors."""
    for name, source in sorted(model.get_expanded_tied_weights_keys(all_submodels=True).items()):
        if model.get_parameter(name) is not model.get_parameter(source):
            raise InputError(
                path,
                f"has two tensors, {source} and {name}, where the model has one",
                remedy="if both were trained, let config.json say tie_word_embeddings: false"
                if model.get_parameter(name).ndim > 1
                else ONE_BIAS,
            )


def _check_values(path: Path, model: PreTrainedModel, drawn: list[str]) -> None:
    """Each number is one that a weight can be, and no matrix is one number throughout, as of an unfinished copy."""
    impossible, constant = [], []
    for name, parameter in _own(model).items():
        if name in drawn or not parameter.numel():
            continue
        lowest, highest = (float(value) for value in torch.aminmax(parameter.detach()))
        if not (abs(lowest) < LARGEST and abs(highest) < LARGEST):  # NaN compares as False
            impossible.append(name)
        elif lowest == highest and parameter.ndim > 1 and parameter.numel() > 1 and not name.endswith(MAY_BE_CONSTANT):
            constant.append(name)
    if impossible:
        problem = (
            f"has numbers that are infinite, huge or none at all in {len(impossible)} tensors ({_first(impossible)})"
        )
        raise InputError(path, problem, remedy="copy it again, or take the weights of a training that converged")
    if constant:
        problem = f"has {len(constant)} matrices of one and the same number ({_first(constant)})"
        raise InputError(path, problem, remedy="copy or download it again: this is how an unfinished copy looks")


def untrained_norms(model: PreTrainedModel) -> list[str]:
    """Names of a model's layer norms that are as they were made, with weights 1 and biases 0; training moves them."""
    norms = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.LayerNorm)}
    return [
        name
        for name, norm in norms.items()
        if bool((norm.weight == 1).all()) and (norm.bias is None or not bool(norm.bias.any()))
    ]


def _first(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _size(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape))
