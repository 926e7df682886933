"""Tables of what goes in: texts with their coverage, and the hyperparameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specialize.experiment import Experiment, Language
from specialize.files import read_json
from specialize.tables.formats import NOTHING, Entry, Table
from specialize.tables.paper import TABLE_1
from specialize.tables.parameters import hyperparameters
from specialize.tables.scores import require

COVERAGE_COLUMNS = ("Vocabulary", "Pieces per token", "Unknown tokens", "Unknown pieces", "Continuing pieces")
MAIN_DATA = ("corpus", "treebank", "ner")  # the first that there is stands for the language
PAPER_COLUMNS = ("Paper: sentences", "Paper: tokens", "Paper: pieces per token")


def corpus_statistics(experiment: Experiment, run: Path) -> dict[str, Any]:
    """The statistics of each text of the grid, by tag.

    Raises:
        SpecializeError: naming every file that is missing.
    """
    paths = {
        language.tag: f"results/corpora/{language.tag}/statistics.json"
        for language in experiment.grid_languages
        if language.has_corpus
    }
    require(run, list(paths.values()))
    return {tag: read_json(run / path) for tag, path in paths.items()}


def vocabulary_statistics(experiment: Experiment, run: Path) -> dict[tuple[str, str], Any]:
    """The statistics of each vocabulary of the grid, by tag and representation.

    Raises:
        SpecializeError: naming every file that is missing.
    """
    paths = {key: f"results/vocabularies/{'/'.join(key)}/statistics.json" for key in experiment.vocabularies}
    require(run, list(paths.values()))
    return {key: read_json(run / path) for key, path in paths.items()}


def treebank_statistics(run: Path, language: Language) -> dict[str, Any] | None:
    """What the columns of a language's treebank hold, by part, a twin's as its original's; None if it has none.

    Raises:
        SpecializeError: if the file is missing.
    """
    if not language.has_treebank:
        return None
    path = f"results/datasets/{language.original or language.tag}/statistics.json"
    require(run, [path])
    statistics: dict[str, Any] = read_json(run / path)
    return statistics


def is_spaceless(total: dict[str, int]) -> bool:
    """Whether a text, by the counts of its statistics, is mainly in scripts without spaces between words."""
    return 2 * total["spaceless_letters"] > total["letters"]


def corpora_table(experiment: Experiment, run: Path) -> Table:
    """The paper's Table 1 beside ours, and how well each vocabulary covers the text and the labeled data."""
    corpora, vocabularies = corpus_statistics(experiment, run), vocabulary_statistics(experiment, run)
    table = Table(
        "corpora",
        "Texts and labeled data, and how well each vocabulary covers them.",
        [*"Language Type Script Family Downsampled Data Sentences Tokens".split(), *COVERAGE_COLUMNS, *PAPER_COLUMNS],
    )
    for language in experiment.grid_languages:
        script = "Latin" if language.original else language.entry.get("script", "")
        start = [language.name, str(language.entry.get("type", "")), script, language.entry.get("family", "")]
        start.append(f"{language.entry['corpus'].get('sample', 1):.0%}" if language.has_corpus else NOTHING)
        statistics = {name: read for (tag, name), read in vocabularies.items() if tag == language.tag}
        paper = TABLE_1.get(language.tag)
        for row in _coverage_rows(experiment, statistics):
            printed = [NOTHING] * len(PAPER_COLUMNS)
            if row[0] == "corpus":  # counts of the whole text; coverage is of its training part
                row[1:3] = (f"{corpora[language.tag]['total'][unit]:,}" for unit in ("sentences", "tokens"))
                printed, paper = paper or printed, None  # beside the base vocabulary, which comes first
            table.rows.append([Entry(text) for text in (*start, *row, *printed)])
    table.notes = [
        "Type 2: unseen by the base model; 1: among its smallest languages; 0: better represented. Downsampled: share "
        "of the articles that is kept.",
        "base: the vocabulary of the base model. Sentences and tokens of the text are those of all three parts; of "
        "labeled data, and for coverage, of the training part. An unknown token has an unknown wordpiece; a "
        "continuing piece does not begin its word.",
        "Paper: its Table 1, from dumps of December 2020 under mBERT's vocabulary.",
    ]
    table.notes += [
        f"{language.name}: {corpora[language.tag]['total']['letters']:,} letters, mainly of scripts without spaces "
        "between words; tokens of its text are phrases, and what is counted by token means nothing."
        for language in experiment.grid_languages
        if language.tag in corpora
        and is_spaceless(corpora[language.tag]["total"])
        and language.entry["corpus"].get("words") != "icu"
    ]
    return table


def _coverage_rows(experiment: Experiment, statistics: dict[str, Any]) -> list[list[str]]:
    """For each data set: the base vocabulary, then each augmented one; those that cover it alike share a row."""
    names: dict[tuple[str, ...], list[str]] = {}
    for kind in ("base", "augmented"):
        for representation, read in statistics.items():
            entry = experiment.representations[representation]
            trimmed, own = entry.method == "trim", entry.method in ("scratch", "trim")
            if (kind == "augmented" and not read["pieces"] and not own) or (kind == "base" and own):
                continue
            name = f"{representation} (its own)" if own else f"{representation} ({len(read['pieces'])} new)"
            if trimmed:
                name = f"{representation} ({read['trimmed']['pieces']:,} of {read['trimmed']['of']:,})"
            elif kind == "base":
                name = f"base ({entry.base_model})"
            for data, covered in read["coverage"].items():
                measured = covered[kind]
                key = (
                    data,
                    f"{covered['sentences']:,}",
                    f"{measured['tokens']:,}",
                    f"{measured['wordpieces_per_token']:.2f}",
                    f"{measured['unknown_token_rate']:.2%}",
                    f"{measured['unknown_wordpiece_rate']:.2%}",
                    f"{measured['continuation_rate']:.1%}",
                )
                names.setdefault((kind, *key), []).append(name)
    rows = [
        [data, sentences, tokens, ", ".join(dict.fromkeys(same)), *numbers]
        for (_, data, sentences, tokens, *numbers), same in names.items()
    ]
    return sorted(rows, key=lambda row: row[0])


def hyperparameters_table(experiment: Experiment, run: Path | None = None) -> Table:
    """The paper's Table 5, from the resolved configuration; it reads no file of a run."""
    table = Table("hyperparameters", "Hyperparameters of this run.", ["Stage", "Hyperparameter", "Value"])

    def add(stage: str, prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(stage, f"{prefix} {key}".strip(), inner)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)
            table.rows.append([Entry(stage), Entry(prefix.replace("_", " ")), Entry(text)])

    for section, value in hyperparameters(experiment).items():
        add(section.replace("_", " "), "", value)
    return table
