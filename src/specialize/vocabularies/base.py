"""The tokenizer of a base model: what all its files say of it, and nothing that they contradict each other in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from specialize.errors import InputError, SpecializeError, warn
from specialize.files import read_json
from specialize.vocabularies.kinds import kind_of, known_kinds, set_positions
from specialize.vocabularies.normal_form import Form, with_normal_form
from specialize.vocabularies.reloading import check_reload, differences

SETTINGS = "tokenizer_config.json"
# Files of older libraries, in which tokens may stand that tokenizer.json lacks.
OLDER_FILES = ("special_tokens_map.json", "added_tokens.json")
LISTS = ("additional_special_tokens", "extra_special_tokens")


def load_base(folder: Path) -> Tokenizer:
    """The tokenizer of a base model's folder, with neither padding nor truncation; see `Kind.settled`.

    Raises:
        InputError: if there is none, it contradicts itself, or pieces cannot be put into a vocabulary of its kind.
    """
    path = folder / "tokenizer.json"
    growing = ", ".join(kind.name for kind in known_kinds())
    remedy = f"the kinds that can take pieces are {growing}: choose a model such as mBERT or XLM-R"
    if not path.is_file():
        raise InputError(path, "is missing from the base model", remedy=remedy)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise InputError(path, f"is not a tokenizer ({error})", remedy=remedy) from error
    kind = kind_of(tokenizer, path, remedy)
    besides: dict[str, int | None] = {}
    for token, number in _tokens_besides(folder):
        if token and besides.get(token) is None:
            besides[token] = number
    tokenizer = kind.settled(tokenizer, path, besides)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def settle_base(folder: Path, normal_form: Form, positions: int) -> None:
    """Make one truth of the tokenizer files of a base model's folder, one that was copied for a run.

    What tokenizer.json says counts. If `AutoTokenizer` makes something else of the folder, a warning says so.

    Args:
        folder: that `load_base` takes.
        normal_form: what is made of all spellings of a word; see `with_normal_form`.
        positions: how many pieces the model reads at once.

    Raises:
        InputError: if the tokenizer cannot be used.
    """
    path = folder / "tokenizer.json"
    tokenizer = load_base(folder)
    kind = kind_of(tokenizer, path)
    if tokenizer.pre_tokenizer is None and not kind.cuts_lines:
        raise InputError(path, "has no pre_tokenizer, so a line is one word", remedy="take another base model")
    unknown = kind.unknown(tokenizer)
    if unknown and tokenizer.token_to_id(unknown) is None:
        raise InputError(path, f"lacks {unknown}, its piece for unknown words", remedy="take another base model")
    try:
        kind.special_ids(tokenizer)
    except SpecializeError as error:
        raise InputError(path, str(error)) from error
    found = differences(folder, ours=tokenizer)
    if found:
        warn(
            f"{folder}: AutoTokenizer reads this base model's tokenizer otherwise than tokenizer.json has it, which is "
            f"what counts here: {'; '.join(found)}. If AutoTokenizer is right, save what it reads in the base model's "
            "folder: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        )
    tokenizer.normalizer = with_normal_form(tokenizer.normalizer, normal_form)
    kind.save(tokenizer, folder, folder / SETTINGS)
    set_positions(folder, positions)
    for name in OLDER_FILES:  # their tokens are in tokenizer.json now
        (folder / name).unlink(missing_ok=True)
    check_reload(folder, positions=positions)


def _tokens_besides(folder: Path) -> Iterator[tuple[str, int | None]]:
    """Tokens that other files than tokenizer.json name, with the ids that they say, if they do."""
    for name in (SETTINGS, *OLDER_FILES):
        path = folder / name
        content = read_json(path) if path.is_file() else {}
        if not isinstance(content, dict):
            raise InputError(path, "holds no settings", remedy="copy it again, or leave it out")
        for key, value in content.items():
            if name == OLDER_FILES[1]:
                yield key, value if isinstance(value, int) and value >= 0 else None
            elif key == "added_tokens_decoder" and isinstance(value, dict):
                yield from ((_spelled(token), int(number)) for number, token in value.items() if number.isdecimal())
            elif key in LISTS and isinstance(value, list | dict):
                yield from ((_spelled(token), None) for token in (value.values() if isinstance(value, dict) else value))
            elif key.endswith("_token"):
                yield _spelled(value), None


def _spelled(token: Any) -> str:
    """A token as these files have it, by itself or with its properties; empty for anything else."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else ""
