"""What Snakemake's command line says and would forget: an option that stands twice, a target taken for a file.

Snakemake keeps the last of two equal options and says nothing of the first, and takes every word after `--configfile`
or `--config` for a value. Its own table of options is asked, so that abbreviations and short forms are known.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from specialize.errors import ConfigError
from specialize.experiment.yaml_files import compose, load

CONFIGURATION_ENDINGS = (".yaml", ".yml", ".json")
LOST = ("directory",)  # options of one word that nobody overrides on purpose
# Options of which each word is KEY=VALUE, or RULE:KEY=VALUE.
PAIRS = ("config", "resources", "set_threads", "set_resources", "default_resources", "groups", "group_components")


@dataclass(frozen=True)
class Given:
    """An option as it was given.

    Attributes:
        name: Snakemake's name, the same for all spellings, such as `configfile`.
        written: as it was written, such as `--configfiles`.
        values: its words.
        adds: several of it add up, or it has no words that could be lost.
        many: it takes several words.
    """

    name: str
    written: str
    values: tuple[str, ...]
    adds: bool
    many: bool


def check_command_line(arguments: Sequence[str]) -> None:
    """Refuse a command line of which a part would not count; warn of one that overrides its own `--cores` and the like.

    Args:
        arguments: of Snakemake, without the program's name.

    Raises:
        ConfigError: with what to write instead.
    """
    given = list(_options(list(arguments)))
    if problem := _said_twice(given) or _key_said_twice(given):
        raise ConfigError(f"on the command line, {problem}")
    last = {option.name: option for option in given}
    for option in given:
        if not option.adds and option.values != last[option.name].values:
            kept = shlex.join([last[option.name].written, *last[option.name].values])
            print(f"Warning: {shlex.join([option.written, *option.values])} does not count: {kept}", file=sys.stderr)


def check_before_files_are_read(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """The same, and whether what is given for files are files, and whether a profile's configuration would be lost.

    Args:
        arguments: of Snakemake, without the program's name.
        environment: its variables.

    Raises:
        ConfigError: with what to write instead.
    """
    given = list(_options(list(arguments)))
    if problem := _said_twice(given) or _key_said_twice(given) or _target_among_values(given) or _nested_key(given):
        raise ConfigError(f"on the command line, {problem}")
    for option in given:
        if option.name == "configfile":
            for value in option.values:
                load(Path(value))  # whose errors name the line; Snakemake's do not
                if compose(Path(value)) is None:
                    raise ConfigError(f"{value}, line 1: has no keys; leave the file out, or write some")
        elif option.name == "directory":
            _check_run(option.values[-1])
    written = {option.name: option.written for option in given}
    for path, names in own_profiles(arguments, environment).items():
        for name in ("config", "configfile"):
            if name in written and {name, f"{name}s"} & set(names):
                raise ConfigError(
                    f"on the command line, {written[name]} would replace what {path} has under {name}: give all of it "
                    "in one of the two places"
                )


def _check_run(folder: str) -> None:
    """The folder of the run, or the nearest one above it that is there, is one that can be written to."""
    there = next(path for path in [Path(folder).absolute(), *Path(folder).absolute().parents] if path.exists())
    if not there.is_dir():
        raise ConfigError(f"on the command line, --directory: {there} is a file, and no folder; give another one")
    if not os.access(there, os.W_OK):
        raise ConfigError(f"on the command line, --directory: {there} cannot be written to; give another folder")


def is_snakemake(program: str) -> bool:
    """Whether a program's name (`sys.argv[0]`) is Snakemake's, so that its arguments are Snakemake's too."""
    path = Path(program)
    return path.name == "snakemake" or path.parts[-2:] == ("snakemake", "__main__.py")


def own_profiles(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Names of the options that the profiles which a user has named set, by the profile's file.

    It looks where Snakemake looks, which depends on the current directory.
    """
    from snakemake.cli import get_profile_dir

    named = [value for option in _options(list(arguments)) if option.name == "profile" for value in option.values]
    found = {}
    for name in named or filter(None, [environment.get("SNAKEMAKE_PROFILE")]):
        place = get_profile_dir(name)
        if place is not None:
            try:
                read = yaml.safe_load(Path(place[1]).read_text(encoding="utf-8"))
            except (OSError, ValueError, yaml.YAMLError):  # for Snakemake to report
                continue
            found[str(place[1])] = sorted(map(str, read)) if isinstance(read, dict) else []
    return found


@cache
def _known_options() -> dict[str, Any]:
    """Snakemake's options by each of their spellings."""
    from snakemake.cli import get_argument_parser

    return dict(get_argument_parser()._option_string_actions)


def _options(arguments: list[str]) -> Iterator[Given]:
    """The options of a command line, as `argparse` parts it."""
    if "--" in arguments:
        arguments = arguments[: arguments.index("--")]
    place = 0
    while place < len(arguments):
        written, first = _parted(arguments[place])
        place += 1
        action = _known_options().get(_full_name(written)) if written else None
        if action is None:
            continue
        values = [first] if first is not None else []
        most = {None: 1, "?": 1, "+": len(arguments), "*": len(arguments)}.get(action.nargs, action.nargs)
        while first is None and len(values) < most and place < len(arguments) and not _is_option(arguments[place]):
            values.append(arguments[place])
            place += 1
        adds = action.nargs == 0 or "Append" in type(action).__name__
        yield Given(action.dest, written, tuple(values), adds, action.nargs in ("+", "*"))


def _parted(word: str) -> tuple[str, str | None]:
    """The option in a word, and the value that is written together with it; no option if the word is none."""
    if not _is_option(word):
        return "", None
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    for place, letter in enumerate(word[1:], start=1):  # as in -npC key=value
        action = _known_options().get(f"-{letter}")
        if action is None:
            return "", None
        if action.nargs != 0 or place == len(word) - 1:
            rest = word[place + 1 :].removeprefix("=")
            return f"-{letter}", rest or None
    return "", None


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and " " not in word.partition("=")[0] and not word[1:2].isdigit()


def _full_name(written: str) -> str:
    """The option that an abbreviation stands for; Snakemake itself has refused one that could be several."""
    known = _known_options()
    if written in known or not written.startswith("--"):
        return written
    return next((name for name in known if name.startswith(written)), written)


def _said_twice(given: Sequence[Given]) -> str | None:
    first: dict[str, Given] = {}
    for option in given:
        before = first.setdefault(option.name, option)
        if option.adds or option.values == before.values or not (option.many or option.name in LOST):
            continue
        twice = before.written if before.written == option.written else f"{before.written} and {option.written}"
        stands = f"{twice} stands twice" if before.written == option.written else f"{twice} are one option"
        dropped = f"{stands}, and {shlex.join(before.values) or 'the first'} would be forgotten"
        if option.many:
            values = [*before.values, *option.values]
            targets = [value for value in values if option.name == "configfile" and not _is_configuration(value)]
            kept = [value for value in values if value not in targets]
            first_of_all = f"{shlex.join(targets)} … " if targets else ""
            return f"{dropped}; write it once: {first_of_all}{before.written} {shlex.join(kept)}"
        return f"{dropped}; leave one of them out"
    return None


def _is_configuration(word: str) -> bool:
    return word.endswith(CONFIGURATION_ENDINGS) or Path(word).is_file()


def _target_among_values(given: Sequence[Given]) -> str | None:
    for option in given:
        if option.name == "configfile":
            wrong = next((value for value in option.values if not Path(value).is_file()), None)
            if wrong is not None and (_is_configuration(wrong) or len(option.values) == 1):
                return f"{option.written}: there is no file {Path(wrong).absolute()}"
        elif option.name in PAIRS:
            wrong = next((value for value in option.values if "=" not in value and value), None)
            if wrong is not None and wrong == option.values[0]:
                return None  # for Snakemake to explain, which knows other forms
        else:
            continue
        if wrong is not None:
            kept = option.values[: option.values.index(wrong)]
            targets = option.values[len(kept) :]
            return (
                f"{option.written} takes every word after it, and {wrong!r} for one of its own; put targets first: "
                f"snakemake {shlex.join(targets)} … {option.written} {shlex.join(kept)}"
            )
    return None


def _key_said_twice(given: Sequence[Given]) -> str | None:
    """A key of `--config` that has two values; mappings are merged, and nothing of them is lost."""
    for option in given:
        if option.name != "config":
            continue
        values: list[tuple[tuple[str, ...], str]] = []
        for word in option.values:
            name, _, text = word.partition("=")
            for keys, value in _leaves((name,), _node(text)):
                for before, lost in values:
                    shorter = min(len(before), len(keys))
                    if before[:shorter] == keys[:shorter] and (before, lost) != (keys, value):
                        return (
                            f"{option.written} has {'.'.join(keys[:shorter])} twice, and {lost} of the first would be "
                            "forgotten; leave one"
                        )
                values.append((keys, value))
    return None


def _nested_key(given: Sequence[Given]) -> str | None:
    """A key of `--config` that Snakemake does not take, as a rule since it names what stands within another."""
    for option in given:
        for word in option.values if option.name == "config" else ():
            name, equals, value = word.partition("=")
            if not equals or re.match(r"[a-zA-Z_][\w-]*\w$", name):  # as Snakemake has it
                continue
            keys = [key for key in re.split(r"[.:/]", name) if key]
            if len(keys) < 2:
                return f"{option.written}: {name!r} is no key of the configuration"
            nested = value
            for key in reversed(keys[1:]):
                nested = f"{{{key}: {nested}}}"
            return f"{option.written} sets keys at the top; write {option.written} {shlex.quote(f'{keys[0]}={nested}')}"
    return None


def _node(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.BaseLoader)  # the loader that Snakemake uses here
    except yaml.YAMLError:
        return None


def _leaves(keys: tuple[str, ...], node: yaml.Node | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each value with the keys above it, of keys that are equal too; quotes of a key make no difference."""
    if isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            yield from _leaves((*keys, str(key.value)), item)
    elif node is not None:
        yield keys, str(yaml.constructor.BaseConstructor().construct_document(node))
