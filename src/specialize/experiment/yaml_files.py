"""YAML files: reading them strictly, and finding where in which file a key stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from specialize.errors import ConfigError, InputError
from specialize.files import read_text

Keys = Sequence[str | int]
COMMIT = re.compile("[0-9a-f]{40}")
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


class ConfigurationFiles:
    """The files that a configuration was merged from, and what the command line has laid over them.

    Args:
        paths: the last one wins.
        command_line: the values of `--config`, which win over all files.

    Raises:
        ConfigError: if one is not YAML, or a key stands twice in it.
    """

    def __init__(self, paths: Sequence[Path], command_line: Mapping[str, Any] | None = None) -> None:
        self.paths = tuple(paths)
        self.command_line = string_keys(dict(command_line or {}))
        self._nodes = {path: compose(path) for path in self.paths}

    def place(self, keys: Keys, config: Any) -> str:
        """Where a key stands: `finetuning.epochs (demo.yaml, line 12)`, or that it is on the command line.

        Of a key that stands nowhere it is the line of the nearest one that would hold it.
        """
        name = ".".join(str(key) for key in keys)
        for length in range(len(keys), 0, -1):
            if self.is_on_command_line(keys[:length]):
                return f"{name} (on the command line)"
            for path in reversed(self.paths):
                line, node = _find(self._nodes[path], keys[:length])
                if line is None:
                    continue
                value = string_keys(yaml.constructor.SafeConstructor().construct_document(node))
                from_file = length < len(keys) or isinstance(value, dict | list) or _same(value, value_at(config, keys))
                return f"{name} ({path}, line {line})" if from_file else f"{name} (on the command line)"
        return f"{name} (on the command line)" if self.paths and keys else name

    def last_given(self, candidates: Sequence[Keys]) -> Keys:
        """The one of several keys that was given last: on the command line, else in the last file; else the first."""
        return max(candidates, key=self.last_source)

    def last_source(self, keys: Keys) -> int:
        """Which source has a key last: a file, by its number, or the command line, whose number is the highest; -1 if
        none has it."""
        if self.is_on_command_line(keys):
            return len(self.paths)
        places = range(len(self.paths))
        return max(
            (place for place in places if _find(self._nodes[self.paths[place]], keys)[0] is not None), default=-1
        )

    def changes_after(self, keys: Keys, source: int) -> bool:
        """Whether a source after one (see `last_source`) has another value for a key than those up to it."""
        written = [_find(self._nodes[path], keys)[1] for path in self.paths]
        values = [None if node is None else node.value for node in written]
        values.append(str(value_at(self.command_line, keys)) if self.is_on_command_line(keys) else None)
        known = next((value for value in reversed(values[: source + 1]) if value is not None), None)
        return any(value not in (None, known) for value in values[source + 1 :])

    def is_on_command_line(self, keys: Keys) -> bool:
        """Whether the command line has a value for exactly this key."""
        return bool(keys) and _has(self.command_line, keys)

    def is_quoted(self, keys: Keys, text: str) -> bool:
        """Whether the last file that has a key has it as this text in quotes; a command line's quotes are lost."""
        if self.is_on_command_line(keys):
            return False
        for path in reversed(self.paths):
            line, node = _find(self._nodes[path], keys)
            if line is not None:
                return isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') and node.value == text
        return False

    def with_text_keys(self, value: Any, keys: tuple[str | int, ...] = ()) -> Any:
        """The same with every mapping's keys as strings: YAML reads `1:` as a number, a command line as text.

        Snakemake merges `1` and `"1"` as two keys, in an order that has nothing to do with that of the files; of such a
        pair the value is merged anew, the last file and the command line winning as everywhere.

        Raises:
            ConfigError: if two such keys have two values, and no file says which of them counts.
        """
        if isinstance(value, list):
            return [self.with_text_keys(item, (*keys, place)) for place, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        same: dict[str, Any] = {}
        for key, item in value.items():
            text = str(key)
            read = self.with_text_keys(item, (*keys, text))
            if text in same and same[text] != read:
                read = self._merged((*keys, text))
            same[text] = read
        return same

    def _merged(self, keys: Keys) -> Any:
        """The value of a key as the files and the command line have it, merged."""
        merged: dict[str, Any] = {}
        for source in (*map(load, self.paths), self.command_line):
            if _has(source, keys):
                merge(merged, {"": value_at(source, keys)})
        if not merged:
            name = ".".join(str(key) for key in keys)
            raise ConfigError(f"{name}: stands twice, as a number and as text in quotes, with two values; leave one")
        return merged[""]


def _has(value: Any, keys: Keys) -> bool:
    """Whether a configuration has a key, given with those above it."""
    for key in keys:
        there = key in value if isinstance(value, dict) else isinstance(value, list) and key in range(len(value))
        if not there:
            return False
        value = value[key]
    return True


def _same(written: Any, value: Any) -> bool:
    """Whether a file's value is the configuration's, in which `2e-5` has become a number."""
    if isinstance(written, str) and isinstance(value, int | float):
        return NUMBER.fullmatch(written) is not None and float(written) == value
    return bool(written == value)


def load(path: Path) -> dict[str, Any]:
    """A file's mapping, its keys as strings.

    Raises:
        ConfigError: with file and line.
    """
    node = compose(path)
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{path}, line {node.start_mark.line + 1}: is not a mapping of keys to values")
    loaded: dict[str, Any] = string_keys(_construct(path, node))
    return loaded


def merge(config: dict[str, Any], overlay: dict[str, Any]) -> None:
    """Lay one configuration over another, as Snakemake does: mappings merge, anything else is replaced."""
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            merge(config[key], value)
        else:
            config[key] = value


def string_keys(value: Any) -> Any:
    """The same with every mapping's keys as strings: YAML reads `1:` as a number, a command line as text."""
    if isinstance(value, dict):
        return {str(key): string_keys(item) for key, item in value.items()}
    return [string_keys(item) for item in value] if isinstance(value, list) else value


def value_at(config: Any, keys: Keys) -> Any:
    """The value of a key, given with those above it."""
    for key in keys:
        config = config[key]
    return config


def dates_to_resolve(path: Path) -> list[tuple[str, str, int, int]]:
    """Where a file has `latest` for the date of a dump: the language's tag, its Wikipedia's code, and the characters
    from and to which the word stands.

    Raises:
        ConfigError: if the file is not a configuration, or an entry says `latest` of no Wikipedia.
    """
    found = []
    load(path)
    languages = _node_of(compose(path), "languages")
    for tag, entry in languages.value if isinstance(languages, yaml.MappingNode) else ():
        corpus = _node_of(entry, "corpus")
        date = _node_of(corpus, "date")
        if isinstance(date, yaml.ScalarNode) and date.value == "latest":
            code = _node_of(corpus, "wikipedia")
            if not isinstance(code, yaml.ScalarNode):
                line = date.start_mark.line + 1
                raise ConfigError(f"{path}, line {line}: name the Wikipedia beside this date, such as wikipedia: ltg")
            found.append((tag.value, code.value, date.start_mark.index, date.end_mark.index))
    return found


class Revision(NamedTuple):
    """The revision of a model on the hub, as a file names it.

    Attributes:
        name: of the base model.
        hub: its name on the hub.
        revision: as it is written.
        line: where it stands, from 1.
        start, end: the characters from and to which it stands.
    """

    name: str
    hub: str
    revision: str
    line: int
    start: int
    end: int


def revisions_to_pin(path: Path) -> list[Revision]:
    """The revisions of base models in a file that are no commits, but names such as `main`; in their order.

    Raises:
        ConfigError: if the file is not a configuration, or a revision is of no model on the hub.
    """
    found: list[Revision] = []
    load(path)
    models = _node_of(compose(path), "base_models")
    for name, entry in models.value if isinstance(models, yaml.MappingNode) else ():
        revision = _node_of(entry, "revision")
        if isinstance(revision, yaml.ScalarNode) and not COMMIT.fullmatch(revision.value):
            hub, mark = _node_of(entry, "hub"), revision.start_mark
            if not isinstance(hub, yaml.ScalarNode):
                problem = "name the model on the hub beside this revision, such as hub: FacebookAI/xlm-roberta-base"
                raise ConfigError(f"{path}, line {mark.line + 1}: {problem}")
            if any(one.start == mark.index for one in found):  # an alias
                problem = "this revision is of several models; give each its own"
                raise ConfigError(f"{path}, line {mark.line + 1}: {problem}")
            end = revision.end_mark.index
            found.append(Revision(name.value, hub.value, revision.value, mark.line + 1, mark.index, end))
    return sorted(found, key=lambda one: one.start)


def _node_of(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def compose(path: Path) -> yaml.Node | None:
    """The nodes of a YAML file, in which no key stands twice.

    Raises:
        ConfigError: with the line of the first thing that is wrong.
    """
    try:
        return _composed(path, read_text(Path(path)))
    except InputError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error


@lru_cache(maxsize=8)  # a start needs the nodes of each file twice
def _composed(path: Path, text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_keys(path, node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path}, line {line}: has a character that YAML does not allow ({error.reason})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = (error.problem or error.context or "").replace("character '\\t' that", "a tab, which")
        remedy = "; write spaces" if "a tab," in problem else ""
        raise ConfigError(f"{path}, line {line}: is not YAML ({problem}){remedy}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}, line 1: is nested too deeply") from error
    return node


def _check_keys(path: Path, node: yaml.Node | None, above: tuple[yaml.Node, ...]) -> None:
    if isinstance(node, yaml.ScalarNode):
        _construct(path, node)
    if not isinstance(node, yaml.CollectionNode):
        return
    line = node.start_mark.line + 1
    if any(node is holder for holder in above):
        raise ConfigError(f"{path}, line {line}: an alias here refers to what holds it")
    children = node.value
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{path}, line {line}: a key is not plain text")
            read = _construct(path, key)
            if isinstance(read, bool) or not isinstance(read, str | int):
                raise ConfigError(f"{path}, line {line}: YAML reads the key {key.value!r} as {read}; put it in quotes")
            if key.value in lines:
                raise ConfigError(
                    f"{path}, line {line}: key {key.value} stands in line {lines[key.value]} already; remove one"
                )
            lines[key.value] = line
        children = [part for pair in node.value for part in pair]
    for child in children:
        _check_keys(path, child, (*above, node))


def _construct(path: Path, node: yaml.Node) -> Any:
    """The value of a node; a date that the calendar lacks and the like are no value."""
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except (ValueError, yaml.constructor.ConstructorError) as error:
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        raise ConfigError(f"{path}, line {node.start_mark.line + 1}: cannot be read ({problem})") from error


def _find(node: yaml.Node | None, keys: Keys) -> tuple[int | None, yaml.Node | None]:
    """Line (from 1) and node of a key's value in a file's nodes; no line if it is not there."""
    line = None
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
            continue
        found = [pair for pair in getattr(node, "value", []) if isinstance(pair, tuple) and pair[0].value == str(key)]
        if not found:
            return None, None
        line, node = found[-1][0].start_mark.line + 1, found[-1][1]
    return (line, node) if node else (None, None)
