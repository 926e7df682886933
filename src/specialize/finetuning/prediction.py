"""Tag or parse new text with a finetuned model."""

from __future__ import annotations

import difflib
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from specialize.datasets import (
    COLUMNS,
    FORM,
    NO_HEAD,
    UNPRINTABLE,
    EntitySentence,
    Sentence,
    Word,
    token_converter,
    warning_of_letters_left,
)
from specialize.errors import InputError
from specialize.finetuning.model import is_finetuned, load_model
from specialize.run_command import command_that_makes, run_of
from specialize.unicode import ZERO_WIDTH_SPACE, without_invisible

LINES = 256  # analysed and written at a time
JOBS = "results/finetuning/*/*/*/seed*/metrics.json"


def predict(
    model_folder: Path, lines: Iterable[str], output: TextIO, split_words: bool = True, entities: bool = False
) -> None:
    """Write the analysis of each line as CoNLL-U, or IOB2 for named entities.

    A model of several tasks fills in all columns that it has learned. The model of a transliterated twin reads words as
    its scheme writes them, which leaves Latin ones as they are; they are written as they were, with `Translit=` in the
    last column of CoNLL-U.

    Args:
        model_folder: a finetuning folder with its model kept.
        lines: one sentence a line; empty ones are passed over.
        output: where the analyses go, batch by batch.
        split_words: part punctuation from words; False if words and punctuation stand apart already.
        entities: write the entities that a model of several tasks finds, not its tags and trees.

    Raises:
        InputError: if there is no model, or it knows no entities.
    """
    _require_model(model_folder)
    model = load_model(model_folder)
    if entities and "ner" not in model.tasks:
        raise InputError(model_folder, "knows no named entities", remedy="leave --entities out")
    entities = entities or list(model.tasks) == ["ner"]
    convert: Callable[[str], str] = str
    if model.transliteration:
        convert = token_converter(model.transliteration["scheme"], model.transliteration["language"])
    seen: Counter[str] = Counter()
    printable = (UNPRINTABLE.sub(" ", line).strip() for line in lines)
    remaining = (line for line in printable if line.strip(f"{ZERO_WIDTH_SPACE} "))
    number = 0
    while batch := list(islice(remaining, LINES)):
        words = [list(words_of(line)) if split_words else line.split() for line in batch]
        read = [list(map(convert, forms)) for forms in words]
        if model.transliteration:
            seen.update(chain.from_iterable(words))
        if entities:
            sentences = [EntitySentence(tuple(forms), ("O",) * len(forms)) for forms in read]
            for forms, sentence in zip(words, model.predict("ner", sentences), strict=True):
                pairs = zip(forms, sentence.labels, strict=True)
                output.write("".join(f"{token}\t{label}\n" for token, label in pairs) + "\n")
        else:
            analysed = [
                _blank(number + index, *one) for index, one in enumerate(zip(batch, words, read, strict=True), 1)
            ]
            for task in model.tasks:
                if task != "ner":
                    analysed = model.predict(task, analysed)
            for sentence, forms in zip(analysed, words, strict=True):
                output.write("\n".join(_as_written(sentence, forms)) + "\n\n")
        number += len(batch)
    if model.transliteration and (warning := warning_of_letters_left(seen, convert)):
        print(warning, file=sys.stderr)


def _require_model(folder: Path) -> None:
    """Refuse a folder without a model, with the command that makes it if it is a job's whose model was not kept.

    Raises:
        InputError: with it, or with what the run has.
    """
    if is_finetuned(folder) or is_finetuned(folder / "model"):
        return
    problem, job = "holds no finetuned model", folder.parent if folder.name == "model" else folder
    run = run_of(job)
    if run is None:
        example = "runs/latgalian/results/finetuning/ltg/tva/ud/seed1"
        raise InputError(folder, problem, remedy=f"give a job's, such as {example}, of a run with keep_models=true")
    if not (job / "metrics.json").is_file():
        jobs = sorted(path.parent for start in ("", "*/") for path in run.glob(start + JOBS))  # a module has a prefix
        kept = [path for path in jobs if is_finetuned(path / "model")]
        near = difflib.get_close_matches(str(job.absolute()), map(str, kept or jobs), n=3, cutoff=0)
        remedy = f"the run has {', '.join(near)}" if near else "the run has no finetuned model yet"
        raise InputError(folder, f"{problem}, and is no job that has ended", remedy=remedy)
    target = job.absolute().relative_to(run) / "model"
    command = command_that_makes(run, target, keep_models=True)
    if command is None:
        command = f"snakemake {target} with the run's --directory and --configfile, and --config keep_models=true"
    raise InputError(folder, f"{problem}, since models are kept only if asked for", remedy=f"this makes it: {command}")


def words_of(line: str) -> Iterator[str]:
    """Words and punctuation marks of a line; hyphens, apostrophes and joiners inside a word stay in it."""
    for token in line.replace(ZERO_WIDTH_SPACE, " ").split():
        start = 0
        for place, character in enumerate(token):
            if _belongs_to_word(token, place):
                continue
            if start < place:
                yield token[start:place]
            yield character
            start = place + 1
        if start < len(token):
            yield token[start:]


def _belongs_to_word(token: str, place: int) -> bool:
    if unicodedata.category(token[place])[0] not in "PS":
        return True
    if token[place] not in "-'’.,·":
        return False
    before, after = (
        _first_visible(token, places) for places in (range(place - 1, -1, -1), range(place + 1, len(token)))
    )
    return before in "LMN" and after in "LN"


def _first_visible(token: str, places: range) -> str:
    """The kind of the first character that a reader sees; that of a space where there is none."""
    return next((unicodedata.category(token[place])[0] for place in places if without_invisible(token[place])), "Z")


def _blank(number: int, line: str, forms: list[str], read: list[str]) -> Sentence:
    """A sentence of CoNLL-U without any analysis, of words as the model reads them."""
    rows, place = [], 0
    for index, (form, latin) in enumerate(zip(forms, read, strict=True), start=1):
        place = line.find(form, place) + len(form)
        spaced = place >= len(line) or line[place].isspace()
        marks = [] if spaced else ["SpaceAfter=No"]
        if latin != form:
            marks.append("Translit=" + latin.replace("|", r"\p"))  # | parts marks
        rows.append("\t".join([str(index), latin, *["_"] * (COLUMNS - 3), "|".join(marks) or "_"]))
    comments = [f"# sent_id = {number}", f"# text = {line}"]
    words = tuple(Word(latin, "_", "_", NO_HEAD, "_", row) for row, latin in enumerate(read, start=len(comments)))
    return Sentence(words, (*comments, *rows))


def _as_written(sentence: Sentence, forms: list[str]) -> list[str]:
    """The lines of an analysed sentence, with its words as they were written."""
    lines = list(sentence.lines)
    for word, form in zip(sentence.words, forms, strict=True):
        columns = lines[word.row].split("\t")
        columns[FORM] = form
        lines[word.row] = "\t".join(columns)
    return lines
