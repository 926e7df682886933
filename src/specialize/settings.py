"""How a setting is declared: once, with its type, bounds, meaning and source.

Each stage has a `settings.py` with such models. From them follow the check of configuration files, the overrides of one
representation, `workflow/schemas/`, the reference page, and the parameters that make Snakemake run a job again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, WrapValidator
from pydantic.fields import FieldInfo

Reader: TypeAlias = Callable[[Any], bool]  # of a resolved model: whether the job reads a setting

# Patterns of text that several stages' settings share.
PATH = "^[^{}]+$"  # Snakemake would read braces as a pattern
SHA256 = "^[0-9a-f]{64}$"
LICENSE = "^[a-z0-9.-]+$"  # as the Hugging Face hub names it
CODE = "^[a-z][a-z0-9-]*$"  # of a language, at Wikipedia and WikiAnn

# How training computes on a GPU; `training.precision` and `training.devices` do it.
Precision: TypeAlias = Literal["auto", "float32", "tf32", "bfloat16"]
PRECISION = (
    "weights, optimizer and losses are in float32. auto: bfloat16 on a GPU that has it, float32 elsewhere; tf32: of "
    "float32 matrices with TF32's shorter mantissas on a GPU that has them, plain float32 elsewhere; bfloat16: also on "
    "a CPU, which is slow if it has no instructions for it"
)
DETERMINISTIC = (
    "whether one GPU gives the same bytes twice, by slower operations; with false its last bits differ from run to "
    "run. A CPU gives the same bytes in either case"
)

_NO_NEUTRAL = object()


def setting(
    meaning: str,
    *,
    source: str = "",
    read_by: str = "",
    neutral: Any = _NO_NEUTRAL,
    derived: bool = False,
    schema: dict[str, Any] | None = None,
    **more: Any,
) -> Any:
    """Declare a setting, as the default of a field of `Settings`.

    Args:
        meaning: what it does, for the reference.
        source: where its default is from: a section or table of the paper, or a numbered fact (docs/facts.md).
        read_by: which jobs read it, as a key of `readers` of the model of resolved settings; by default all. A job
            that does not read it is not run again when it changes.
        neutral: value that leaves results as they were before the setting existed.
        derived: not a key of the configuration but a property of the job, for `readers`.
        schema: extra keywords of its JSON schema.
        more: bounds (`ge`, `gt`, `le`, `lt`, `min_length` …), as `pydantic.Field` takes them, or a `default`.
    """
    extra: dict[str, Any] = {"source": source, "read by": read_by, **(schema or {})}
    if neutral is not _NO_NEUTRAL:
        extra["neutral"] = neutral
    return Field(description=meaning, json_schema_extra=extra, exclude=derived, **more)


def _as_written(value: Any, check: Callable[[Any], float]) -> Any:
    check(value)
    return value


# A number that keeps its type: 5 stays an integer where it is written into a result.
Number = Annotated[float, WrapValidator(_as_written)]


class Settings(BaseModel):
    """A group of settings: strict types, no unknown keys, immutable.

    Attributes:
        readers: maps each phrase of `read_by` to a predicate: does the job of these settings read the setting?
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    readers: ClassVar[dict[str, Reader]] = {}

    def as_dict(self) -> dict[str, Any]:
        """All settings in the order of their declaration, as plain types."""
        return self.model_dump(by_alias=True)

    def job_parameters(self) -> dict[str, Any]:
        """What the job's result depends on, as plain types: without what it does not read, and what changes nothing."""
        known = {}
        for name, field in type(self).model_fields.items():
            reader = str(declared(field)["read by"])
            value = getattr(self, name)
            is_read = not reader or self.readers[reader](self)
            if is_read and not field.exclude and not _is_neutral(field, value):
                known[field.alias or name] = value.job_parameters() if isinstance(value, Settings) else value
        return known


def declared(field: FieldInfo) -> dict[str, Any]:
    """What `setting` was told of a field: `source`, `read by`, perhaps `neutral`."""
    assert isinstance(field.json_schema_extra, dict), f"{field.description}: declare it by setting()"
    return dict(field.json_schema_extra)


def _is_neutral(field: FieldInfo, value: Any) -> bool:
    return "neutral" in declared(field) and bool(value == declared(field)["neutral"])


def without_neutral(model: type[Settings], section: dict[str, Any]) -> dict[str, Any]:
    """A section of a configuration, or some keys of it, without those at values that change nothing.

    What overrides a section stays as it is: its neutral value changes something where the section's is another.
    """
    known = {}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, value in section.items():
        field = fields.get(key)
        inner = field.annotation if field else None
        if field and _is_neutral(field, value):
            continue
        if isinstance(inner, type) and issubclass(inner, Settings) and isinstance(value, dict):
            value = without_neutral(inner, value)
        for entries in (mark for mark in field.metadata if isinstance(mark, Entries)) if field else ():
            value = {name: without_neutral(entries.model, entry) for name, entry in value.items()}
        known[key] = value
    return known


def schema_of(model: type[Settings]) -> dict[str, Any]:
    """The JSON schema of a model with every group where it is used, without what says nothing to a reader."""
    schema = model.model_json_schema()
    tidied: dict[str, Any] = _tidied(schema, schema.get("$defs", {}))
    return tidied


@dataclass(frozen=True)
class Entries:
    """Marks the type of a mapping of names: its entries are of this model."""

    model: type[Settings]


def overrides(model: type[Settings]) -> Any:
    """The type of a mapping that has some of a model's settings, of inner groups as well."""
    return Annotated[dict[str, Any], WithJsonSchema(_without_required(schema_of(model)))]


def named(entry: Any, pattern: str) -> Any:
    """The type of a mapping of names to entries of a model (or of a type that `overrides` or `named` gave).

    Args:
        entry: the model; None if the entries are checked apart.
        pattern: of the names.
    """
    schema: dict[str, Any] = {"type": "object", "propertyNames": {"pattern": pattern}}
    if entry is not None:
        schema["additionalProperties"] = schema_of(entry)
    if isinstance(entry, type) and issubclass(entry, Settings):
        return Annotated[dict[str, Any], WithJsonSchema(schema), Entries(entry)]
    return Annotated[dict[str, Any], WithJsonSchema(schema)]


ONLY_OURS = ("title", "default", "source", "read by", "neutral", "$defs")


def _tidied(schema: Any, groups: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_tidied(item, groups) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        group = groups[schema["$ref"].rpartition("/")[2]]
        return _tidied({**group, **{key: value for key, value in schema.items() if key != "$ref"}}, groups)
    tidied: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            tidied[key] = {name: _tidied(inner, groups) for name, inner in value.items()}
        elif key not in ONLY_OURS:
            tidied[key] = _tidied(value, groups)
    options = tidied.get("anyOf", [])
    if len(options) == 2 and options[1] == {"type": "null"}:  # "is not of type 'integer', 'null'" is what people read
        del tidied["anyOf"]
        tidied |= {**options[0], "type": [options[0]["type"], "null"]}
    return tidied


def _without_required(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_required(value) for key, value in schema.items() if key != "required"}
    return [_without_required(item) for item in schema] if isinstance(schema, list) else schema
