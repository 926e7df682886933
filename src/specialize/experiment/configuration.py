"""A configuration as it was merged, checked key by key against the declared settings."""

from __future__ import annotations

import datetime
import math
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from specialize.errors import ConfigError
from specialize.experiment.settings import Configuration, LanguageEntry
from specialize.experiment.suggestions import nearest, rewritten
from specialize.experiment.yaml_files import NUMBER, ConfigurationFiles, Keys
from specialize.settings import Settings, schema_of

# Where labeled data can be from, by key of a language's entry, each with the keys that say which they are.
ORIGINS: dict[str, dict[str, tuple[str, ...]]] = {
    "treebank": {"name": ("name", "release", "prefix"), "masakhapos": ("masakhapos",)},
    "ner": {"wikiann": ("wikiann",), "masakhaner": ("masakhaner",), "universal": ("universal", "prefix")},
}
SWITCHES = ("allow_cpu", "accept_rerun", "keep_models", "tensorboard")


def checked(config: dict[str, Any], files: ConfigurationFiles) -> dict[str, Any]:
    """The configuration with text keys, numbers that are numbers and switches that are switches.

    Args:
        config: as Snakemake has merged it from files and command line.
        files: only used to say where a mistake stands.

    Raises:
        ConfigError: with the key, its file and line, and the nearest valid word.
    """
    config = files.with_text_keys(config)
    _check_tags(config, files)
    _check_numbers(config, (), config, files)
    for key in SWITCHES:  # a command line's true is text
        config[key] = {"true": True, "false": False}.get(str(config.get(key)), config.get(key, False))
    _check_schema(Configuration, (), config, files)
    for tag in config["languages"]:
        _check_schema(LanguageEntry, ("languages", tag), config, files)
        _check_text(("languages", tag, "corpus"), config, files)
        for data in ORIGINS:
            _keep_last_origin(("languages", tag, data), config["languages"][tag].get(data, {}), files)
    return config


def _check_text(place: tuple[str, ...], config: dict[str, Any], files: ConfigurationFiles) -> None:
    """A text of one's own takes the place of a Wikipedia that another file names, and its number of tokens goes."""
    entry = config["languages"][place[1]]
    corpus = entry.get("corpus", {})
    for own in ("text", "dump"):
        if own in corpus and "wikipedia" in corpus:
            sources = [files.last_source([*place, key]) for key in (own, "wikipedia")]
            if sources[0] == sources[1] >= 0:
                raise ConfigError(
                    f"{files.place([*place, own], config)}: {own} takes the place of the Wikipedia, of which nothing "
                    "would be read; leave one of the two out"
                )
    counted = files.last_source([*place[:2], "tokens"])
    if any(files.changes_after([*place, key], counted) for key in ("text", "dump", "wikipedia")):
        entry.pop("tokens", None)


def _keep_last_origin(place: tuple[str, ...], entry: dict[str, Any], files: ConfigurationFiles) -> None:
    """Where a later file names other labeled data of a language, what files before it say of theirs goes."""
    if "folder" in entry:  # own files win over what is published, and may have its tags
        return
    origins = ORIGINS[place[-1]]
    last = max((files.last_source([*place, key]) for key in origins if key in entry), default=-1)
    for origin, keys in origins.items():
        if origin in entry and files.last_source([*place, origin]) < last:
            for key in keys:
                if files.last_source([*place, key]) < last:
                    entry.pop(key, None)
    # Digests hold for these files only; another release has the same tags as a rule, another treebank perhaps not.
    for told, which in (("sha256", [key for keys in origins.values() for key in keys]), ("tags", list(origins))):
        source = files.last_source([*place, told])
        if told in entry and any(files.changes_after([*place, key], source) for key in which):
            del entry[told]


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON knows 3.0 as an integer; Python, and the settings, do not.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
)


@cache
def _validator(model: type[Settings]) -> Any:
    return _Validator(schema_of(model))


def _check_schema(
    model: type[Settings], prefix: tuple[str, ...], config: dict[str, Any], files: ConfigurationFiles
) -> None:
    """Check a part of the configuration, in which numbers that YAML has read as text become numbers."""
    while True:
        part: Any = config
        for key in prefix:
            part = part[key]
        errors = sorted(_validator(model).iter_errors(part), key=lambda error: list(map(str, error.path)))
        if not errors:
            return
        written = [error for error in errors if _as_meant(error, prefix, files) is not None]
        if not written:
            raise ConfigError(_explain(errors[0], prefix, config, files))
        for error in written:
            holder = part
            *above, last = error.path
            for key in above:
                holder = holder[key]
            holder[last] = _as_meant(error, prefix, files)


def _as_meant(error: ValidationError, prefix: Keys, files: ConfigurationFiles) -> int | float | bool | None:
    """The number that was meant: YAML reads `2e-5`, without a point, as text, and `1.0e+3` as no integer.

    Within a value of `--config` everything is text, so that a switch can be meant there, too.
    """
    value = error.instance
    if "boolean" in _wanted(error) and files.is_on_command_line([*prefix, *error.path]):
        return {"true": True, "false": False}.get(str(value).lower())
    if isinstance(value, float) and value.is_integer() and _wants_integer(error):
        return int(value)
    if not isinstance(value, str) or not _wants_number(error) or not NUMBER.fullmatch(value):
        return None
    if files.is_quoted([*prefix, *error.path], value) or not math.isfinite(float(value)):
        return None
    if value.lstrip("+-").isdecimal():
        return int(value)
    return int(float(value)) if float(value).is_integer() and _wants_integer(error) else float(value)


def _wants_number(error: ValidationError) -> bool:
    return "number" in _wanted(error) or _wants_integer(error)


def _wants_integer(error: ValidationError) -> bool:
    return "integer" in _wanted(error)


def _wanted(error: ValidationError) -> str:
    return str(error.validator_value) if error.validator in ("type", "anyOf") else ""


def _explain(error: ValidationError, prefix: Keys, config: dict[str, Any], files: ConfigurationFiles) -> str:
    keys = [*prefix, *error.path]
    if error.validator == "additionalProperties":
        assert isinstance(error.schema, dict) and isinstance(error.instance, dict)
        known = list(error.schema.get("properties") or {})
        unknown = sorted(set(error.instance) - set(known))[0]
        return f"unknown key {files.place([*keys, unknown], config)}{nearest(unknown, known)}"
    if "propertyNames" in error.schema_path:
        keys.append(str(error.instance))
    merged_from = ", line 1; ".join(map(str, files.paths))
    place = files.place(keys, config) or f"the configuration ({merged_from}, line 1)"
    return f"{place}: {error.message}{_hint(error, files.is_on_command_line(keys))}"


def _hint(error: ValidationError, on_command_line: bool) -> str:
    """What to write instead, for values that YAML reads otherwise than they look."""
    value, key = error.instance, str(error.path[-1]) if error.path else ""
    wants_text = error.validator == "type" and "string" in _wanted(error)
    if wants_text and isinstance(value, datetime.date) and key == "date":
        return f'; write "{value:%Y%m%d}"'
    if wants_text and isinstance(value, int | float | bool | datetime.date):
        if on_command_line and len(error.path) == 1:
            return f"; quote it for Snakemake too: --config '{key}=\"{value}\"'"
        return f'; put it in quotes: "r{value}"' if key == "release" else "; put it in quotes"
    if error.validator == "pattern" and isinstance(value, str) and "propertyNames" not in error.schema_path:
        return rewritten(key, value, str(error.validator_value))
    if isinstance(value, str) and _wants_number(error) and NUMBER.fullmatch(value):
        return "; a number stands without quotes"
    if "propertyNames" in error.schema_path and list(error.path) != ["finetuning", "seeds"]:
        return "; it names a folder: letters, digits and hyphens, and base is taken"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)  # type: ignore[union-attr,operator]
        return f"; add {missing}: …"
    if not on_command_line and error.validator == "type":
        if _wanted(error) == "array" and not isinstance(value, dict | None):
            return f"; write a list: [{value}]"
        if _wanted(error) == "object" and not isinstance(value, list):
            return "; write its keys under it, each in a line of its own and further in"
    if on_command_line and len(error.path) > 1:
        return "; within a value of --config, Snakemake takes all for text: put this in a file, for --configfile"
    return ""


def _check_tags(config: dict[str, Any], files: ConfigurationFiles) -> None:
    languages = config.get("languages")
    if not isinstance(languages, dict):
        return
    for tag, entry in languages.items():
        if tag in ("True", "False"):
            raise ConfigError(
                f"languages.{tag}: is not a tag; quote it, for YAML reads a bare no or on as a truth value"
            )
        language, hyphen, rest = str(tag).partition("-")
        if language != language.lower():
            written = f"{language.lower()}{hyphen}{rest}"
            place = files.place(["languages", tag], config)
            raise ConfigError(f"{place}: a tag's language is written in small letters; write {written}")
        original = languages.get(tag.removesuffix("-Latn"))
        if original is not entry and isinstance(original, dict) and "transliteration" in original:
            raise ConfigError(
                f"{files.place(['languages', tag], config)}: is the twin that transliteration makes; remove one"
            )


def _check_numbers(value: Any, keys: tuple[str | int, ...], config: dict[str, Any], files: ConfigurationFiles) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{files.place(keys, config)}: {value} is not a number to calculate with")
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        _check_numbers(item, (*keys, key), config, files)
