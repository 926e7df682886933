"""What a grid asks of treebanks, and whether own ones have it, before any job starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.errors import ConfigError
from specialize.experiment.grid import Language
from specialize.experiment.regimes import TASKS
from specialize.sources import PARTS, Publication, entities_origin, treebank_origin

if TYPE_CHECKING:
    from specialize.experiment import Experiment

COLUMNS = {"form": 1, "upos": 3, "xpos": 4, "head": 6, "deprel": 7}  # of CoNLL-U


def learned_tasks(experiment: Experiment, tag: str) -> tuple[str, ...]:
    """The tasks that the grid learns from a language's labeled data, its twin's included, in the order of `TASKS`."""
    tasks = set()
    for cell in experiment.cells:
        language = experiment.languages[cell.language]
        if tag in (language.tag, language.original):
            start = cell.prefinetuned or cell
            tasks |= {task for together in language.datasets(start.regime) for task in together}
    return tuple(task for task in TASKS if task in tasks)


def listed_publication(experiment: Experiment, section: str, destination: str) -> tuple[Publication, bool]:
    """The data set whose list of files lies somewhere in a run, and whether all of its parts are needed.

    They are where an entry that the run needs says no `folds`.

    Args:
        experiment: the configuration.
        section: of a language's entry, `treebank` or `ner`.
        destination: the list's path, relative to the run.
    """
    origin_of = treebank_origin if section == "treebank" else entities_origin
    needed = experiment.needed_languages
    found, all_parts = None, False
    for language in experiment.languages.values():
        entry = language.entry.get(section, {})
        origin = origin_of(entry)
        if isinstance(origin, Publication) and origin.destination == destination:
            found = found or origin
            all_parts = all_parts or (language in needed and not entry.get("folds"))
    if found is None:
        raise ConfigError(f"languages: no {section} is published as {destination}")
    return found, all_parts


def check_own_treebank(experiment: Experiment, language: Language, place: list[str]) -> None:
    """Refuse an own treebank of which a part is missing, or has nothing at all in a column that is to be learned.

    Raises:
        ConfigError: with the key, the file, and what to do.
    """
    folder, folds = Path(language.entry["treebank"]["folder"]), bool(language.folds("pos"))
    where = experiment.place([*place, "treebank", "folder"])
    _check_parts(folder, where, folds)
    tasks = learned_tasks(experiment, language.original or language.tag)
    tags, other = language.tags, "upos" if language.tags == "xpos" else "xpos"
    for part in PARTS:
        path = folder / f"{part}.conllu"
        if folds and not path.is_file():
            continue
        if _has_nothing(path, "form"):
            raise ConfigError(
                f"{where}: {path} has _ in place of every form: the text is withheld, as a rule for its licence; "
                "merge it in as the treebank's README says"
            )
        if "pos" in tasks and _has_nothing(path, tags):
            remedy = f"set tags: {other}, or " if not _has_nothing(path, other) else ""
            raise ConfigError(
                f"{where}: {path} has no {tags} tags to learn or to measure on; {remedy}leave the regimes that tag out "
                "of experiment.regimes"
            )
        for column, name in (("head", "heads"), ("deprel", "relations")):
            if "ud" in tasks and _has_nothing(path, column):
                raise ConfigError(
                    f"{where}: {path} has no {name} to learn or to measure on; annotate them, or leave out the "
                    "regimes that parse (experiment.regimes, or experiment.exceptions for this language only)"
                )


def _check_parts(folder: Path, where: str, folds: bool) -> None:
    there = [part for part in PARTS if (folder / f"{part}.conllu").is_file()]
    for part in PARTS:
        path = folder / f"{part}.conllu"
        named = sorted(one.name for one in folder.glob(f"*-{part}.conllu")) if folder.is_dir() else []
        if part in there or (folds and there and not named):
            continue
        remedy = ""
        if len(named) == 1:
            remedy = f"; name {named[0]} so"
        elif part != "test" and there:
            remedy = (
                "; give the treebank folds: 10 for cross-validation over what there is, or part some sentences of "
                "another part from it (docs/tutorial.md says how)"
            )
        raise ConfigError(f"{where}: there is no file {path.absolute()}{remedy}")


def _has_nothing(path: Path, column: str) -> bool:
    """Whether there are words, and none has a value in a column; broken lines are for the treebank's job to report."""
    values = _values(path, column)
    first = next(values, None)
    return first == "_" and all(value == "_" for value in values)


def _values(path: Path, column: str) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            row = line.rstrip("\r\n").split("\t")
            if len(row) == 10 and row[0].isdigit():
                yield row[COLUMNS[column]].strip() or "_"
