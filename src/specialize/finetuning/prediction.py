"""Tag or parse new text with finetuned models: text in three formats, CoNLL-U or entities out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from specialize.datasets import COLUMNS, FORM, HEAD, parse_treebank
from specialize.errors import InputError, SpecializeError
from specialize.finetuning.analysis import Analysis, Models
from specialize.finetuning.complete import SENTENCE_ID, Completer
from specialize.finetuning.drafts import ENTITY, MISC, Draft, attribute, marks_of
from specialize.finetuning.enhanced import enhance, parallel_ids_hold
from specialize.finetuning.raw_text import Words, printable, sentences_of, words_of

BATCH = 256  # sentences that are analysed and written at a time
FORMATS = ("lines", "text", "conllu")
STANDARD_INPUT = Path("standard input")
SHORTER = {
    "lines": "break the line, or say --format text if it holds several sentences",
    "text": "break the line where a sentence ends",
    "conllu": "part the sentence",
}


def predict(
    model_folders: Path | Sequence[Path],
    lines: Iterable[str],
    output: TextIO,
    split_words: bool = True,
    entities: bool = False,
    text_format: str = "lines",
    source: Path = STANDARD_INPUT,
    conllu: bool = False,
) -> None:
    """Write the analysis of a text as CoNLL-U that `udvalidate --level 2` passes, or as IOB2 for named entities.

    All models' predictions stand in one file, entities in the last column as `NER=B-PER`; but of an entity tagger alone
    IOB2 is written unless its input is CoNLL-U. The model of a transliterated twin reads words as its scheme writes
    them, which leaves Latin ones as they are; they are written as they were, with `Translit=` in the last column.

    Args:
        model_folders: finetuning folders with their model kept, which predict different things.
        lines: the text; of a list all is checked before anything is analysed.
        output: where the analyses go, batch by batch.
        split_words: part punctuation from words; False if words and punctuation stand apart already.
        entities: write named entities as IOB2, not tags and trees.
        text_format: `lines`, one sentence a line, empty ones are passed over; `text`, a paragraph a line; or `conllu`,
            of which multiword tokens, empty nodes, comments and what is not predicted stay.
        source: names the text in errors.
        conllu: write CoNLL-U of an entity tagger alone too.

    Raises:
        InputError: if there is no model, two predict the same, none knows entities that are asked for, the text is
            broken CoNLL-U, or it has a sentence that is too long for a parser.
        SpecializeError: if options contradict each other.
    """
    folders = [model_folders] if isinstance(model_folders, Path) else list(model_folders)
    if text_format not in FORMATS:
        raise SpecializeError(f"there is no format {text_format!r}; there are: {', '.join(FORMATS)}")
    if text_format == "conllu" and not split_words:
        raise SpecializeError("words of CoNLL-U stand apart by themselves: leave --tokenized out")
    models = Models(folders)
    if entities and not models.entities:
        raise InputError(folders[0], "knows no named entities", remedy="leave --entities out")
    entities = entities or not (models.columns or conllu or text_format == "conllu")
    mended: Counter[str] = Counter()
    drafts: Iterable[Draft]

    def parsable(some: Iterable[Draft]) -> Iterator[Draft]:
        for draft in some:
            if problem := "" if entities else models.problem_of(forms_of(draft)):
                raise InputError(source, problem, draft.line, SHORTER[text_format])
            yield draft

    if text_format == "conllu":
        drafts = document = list(parsable(read_drafts(source, "".join(lines), mended)))
        written = _whole_file(models, document, mended)
    else:
        parted = Words()
        if isinstance(lines, list) and HEAD in models.columns:
            for _ in parsable(iter_drafts(lines, parted, split_words, text_format)):
                pass
        drafts = parsable(iter_drafts(lines, parted, split_words, text_format))
        written = _as_it_comes(models, drafts, mended)
    if entities:
        for draft, analysis in _analysed(models, drafts, entities_only=True):
            pairs = zip(forms_of(draft), analysis.labels or (), strict=True)
            output.write("".join(f"{token}\t{label}\n" for token, label in pairs) + "\n")
    else:
        for draft in written:
            output.write("\n".join(draft.lines()) + "\n\n")
    for what, number in sorted(mended.items()):
        print(f"Warning: {source}: mended: {what}: {number:,}", file=sys.stderr)
    for warning in models.warnings():
        print(warning, file=sys.stderr)


def read_drafts(source: Path, text: str, mended: Counter[str]) -> list[Draft]:
    """The sentences of a text in CoNLL-U.

    Raises:
        InputError: with the first line that is none.
    """
    sentences = parse_treebank(source, text, mended=mended)
    return [
        Draft(
            [line.rstrip() for line in sentence.lines if line.startswith("#")],
            [line.split("\t") for line in sentence.lines if not line.startswith("#")],
            sentence.line,
        )
        for sentence in sentences
    ]


def iter_drafts(lines: Iterable[str], parted: Words, split_words: bool, text_format: str) -> Iterator[Draft]:
    """The sentences of a text that is not analysed; `parted` parts them into words, the others as of `predict`."""
    sentences = sentences_of(lines) if text_format == "text" else enumerate(map(printable, lines), start=1)
    for line, sentence in sentences:
        if not split_words:
            words = sentence.split()
        else:
            words = parted.of(sentence) if text_format == "text" else list(words_of(sentence))
        rows = [[str(number), word, *["_"] * (COLUMNS - 2)] for number, word in enumerate(words, start=1)]
        if rows:
            yield Draft([f"# text = {sentence}"], rows, line)


def forms_of(draft: Draft) -> list[str]:
    """The words of a sentence."""
    return [row[FORM] for row in draft.words()]


def _analysed(models: Models, drafts: Iterable[Draft], entities_only: bool = False) -> Iterator[tuple[Draft, Analysis]]:
    """Sentences with what models say of them, batch by batch."""
    remaining = iter(drafts)
    while batch := list(islice(remaining, BATCH)):
        yield from zip(batch, models.analyse(list(map(forms_of, batch)), entities_only), strict=True)


def _as_it_comes(models: Models, drafts: Iterable[Draft], mended: Counter[str]) -> Iterator[Draft]:
    """Complete sentences of a text of any length."""
    completer = Completer()
    for draft, analysis in _analysed(models, drafts):
        _fill(draft, analysis)
        completer.complete(draft, models.columns)
        yield draft
    mended.update(completer.mended)


def _whole_file(models: Models, drafts: list[Draft], mended: Counter[str]) -> Iterator[Draft]:
    """Complete sentences of CoNLL-U, some of which must agree with each other."""
    identifiers = {
        match[1] for draft in drafts for comment in draft.comments if (match := SENTENCE_ID.fullmatch(comment))
    }
    completer = Completer(identifiers, parallel_ids_hold(drafts))
    breaks = [draft.begins_part() for draft in drafts]
    for number, (draft, analysis) in enumerate(_analysed(models, drafts), start=1):
        _fill(draft, analysis)
        completer.complete(draft, models.columns, ends_part=any(breaks[number : number + 1]))
    mended.update(completer.mended)
    if lost := enhance(drafts, parsed=HEAD in models.columns):
        mended["sentences whose enhanced dependencies are not of these trees or do not hold, now without"] += lost
    yield from drafts


def _fill(draft: Draft, analysis: Analysis) -> None:
    """Write predictions into the rows of words."""
    for place, row in enumerate(draft.words()):
        for column, values in analysis.columns.items():
            row[column] = values[place]
        if analysis.labels is not None:
            _set_attribute(row, ENTITY, "" if analysis.labels[place] == "O" else analysis.labels[place])
        if analysis.read is not None:
            _set_attribute(row, "Translit", "" if analysis.read[place] == row[FORM] else analysis.read[place])


def _set_attribute(row: list[str], key: str, value: str) -> None:
    """Replace an attribute of MISC; an empty value removes it."""
    kept = [part for part in marks_of(row) if part.partition("=")[0] != key]
    row[MISC] = "|".join([*kept, attribute(key, value)] if value else kept) or "_"
