"""Diagnosis: how well a base vocabulary covers a language, and what that suggests, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from specialize.errors import SpecializeError
from specialize.experiment import Experiment, Language
from specialize.experiment.plan import CPU_OPERATIONS, GPU_OPERATIONS, bytes_in_words, estimate, hours_in_words
from specialize.tables.figures.style import save_figure
from specialize.tables.formats import Entry, Table, write_table
from specialize.tables.inputs import MAIN_DATA, corpus_statistics, vocabulary_statistics
from specialize.vocabularies import NO_FORM

# Thresholds between the paper's languages (Tables 1 and 2; our counts of UD 2.5): new wordpieces gain most on Uyghur,
# 38 % of whose words mBERT cannot read; little on Maltese (2 %, 2.4 wordpieces per token), nothing on Vietnamese (1.2).
MANY_UNKNOWN = 0.05
SOME_UNKNOWN = 0.01
MANY_PIECES = 2.0
LEAST_TOKENS = 400_000  # of Wolof, the least of the paper's languages
DATA_TITLES = {"corpus": "text", "treebank": "treebank", "ner": "named entities"}


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a language before training.

    Attributes:
        language: the language.
        corpus: its corpus statistics, if it has text.
        coverage: coverage statistics by representation and data set.
        spelling: normal forms and invisible marks of words by data set.
    """

    language: Language
    corpus: dict[str, Any] | None
    coverage: dict[str, dict[str, Any]]
    spelling: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def data(self) -> str:
        """The data set that stands for the language: the first of `MAIN_DATA` that there is."""
        (first, *_) = self.coverage.values()
        return next(name for name in MAIN_DATA if name in first)

    @property
    def base(self) -> dict[str, Any]:
        """How the (first) base vocabulary covers it, with its scripts and missing letters."""
        (first, *_) = self.coverage.values()
        statistics: dict[str, Any] = first[self.data]
        return statistics

    def suggestion(self) -> str:
        """Which mix-in that suggests."""
        unknown, pieces = self.base["base"]["unknown_token_rate"], self.base["base"]["wordpieces_per_token"]
        latin = next(iter(self.base["scripts"]), "Latin") == "Latin"
        if unknown >= MANY_UNKNOWN:
            advice = "tva: new wordpieces should help much, as for the paper's Uyghur"
            if not latin and not self.language.original:
                advice += "; try transliteration too if the base model knows a related language in Latin letters"
        elif unknown >= SOME_UNKNOWN or pieces >= MANY_PIECES:
            advice = "lapt and tva: new wordpieces should help a little, as for the paper's Maltese"
        else:
            advice = "lapt: new wordpieces should change little, as for the paper's Vietnamese"
        if self.corpus and self.corpus["total"]["tokens"] < LEAST_TOKENS:
            advice += f"; the text is smaller than any of the paper's (its least: {LEAST_TOKENS:,} tokens)"
        return advice if self.corpus else f"{advice}; all of them need text, of which there is none yet"


def write_diagnosis(experiment: Experiment, run: Path) -> None:
    """Write the table and the figure of a run's diagnosis.

    Raises:
        SpecializeError: if statistics are missing.
    """
    corpora = corpus_statistics(experiment, run)
    vocabularies = {
        (tag, name): read
        for (tag, name), read in vocabulary_statistics(experiment, run).items()
        if experiment.representations[name].method != "scratch"  # which has no base vocabulary to diagnose
    }
    if not vocabularies:
        raise SpecializeError("there is no base vocabulary to diagnose: add one, such as mbert, to the representations")
    diagnoses = [
        Diagnosis(
            language,
            corpora.get(language.tag),
            {name: read["coverage"] for (tag, name), read in vocabularies.items() if tag == language.tag},
            next(read.get("spelling", {}) for (tag, _), read in vocabularies.items() if tag == language.tag),
        )
        for language in experiment.grid_languages
        if any(tag == language.tag for tag, _ in vocabularies)
    ]
    write_table(diagnosis_table(experiment, diagnoses), run / "results" / "tables")
    write_figure(diagnoses, run / "results" / "figures")


def diagnosis_table(experiment: Experiment, diagnoses: list[Diagnosis]) -> Table:
    """For each language the answers to what one asks before paying for a GPU."""
    table = Table(
        "diagnosis",
        "Before training: how well the base vocabulary covers each language, and what that suggests.",
        ["Language", "Question", "Answer"],
    )
    for diagnosis in diagnoses:
        for question, answer in _answers(experiment, diagnosis):
            table.rows.append([Entry(diagnosis.language.name), Entry(question), Entry(answer)])
    tokens = {
        diagnosis.language.tag: diagnosis.corpus["total"]["tokens"] for diagnosis in diagnoses if diagnosis.corpus
    }
    cost = estimate(experiment, tokens)
    on_gpu, on_cpu = (
        [hours_in_words(operations / rate / 3600) for operations in (cost.pretraining, cost.finetuning)]
        for rate in (GPU_OPERATIONS, CPU_OPERATIONS)
    )
    table.notes = [
        f"The whole run ({len(experiment.adaptations)} models to pretrain, {len(experiment.cells):,} to "
        f"finetune) takes roughly {on_gpu[0]} of pretraining and {on_gpu[1]} of finetuning on one data-centre GPU, or "
        f"{on_cpu[0]} and {on_cpu[1]} of one CPU core, and {bytes_in_words(cost.disk)} of disk besides the downloads.",
        "An unknown word is one with a wordpiece that the vocabulary lacks. The suggestions follow the paper's "
        f"results, with thresholds between its languages: {MANY_UNKNOWN:.0%} and {SOME_UNKNOWN:.0%} of unknown words, "
        f"{MANY_PIECES:g} wordpieces per word. Only the scores on your own data decide.",
    ]
    return table


def _answers(experiment: Experiment, diagnosis: Diagnosis) -> list[tuple[str, str]]:
    answers = []
    if diagnosis.corpus:
        total = diagnosis.corpus["total"]
        answers.append(
            (
                "How much text is there?",
                f"{total['tokens']:,} tokens in {total['sentences']:,} sentences of {total['articles']:,} articles, "
                f"after cleaning (of {diagnosis.corpus['articles_read']:,} articles)",
            )
        )
    scripts = [f"{name} {share:.1%}" for name, share in diagnosis.base["scripts"].items() if share >= 0.001]
    answers.append(("In which scripts?", ", ".join(scripts) or "it has no letters"))
    if spelling := spelling_met(diagnosis.spelling, experiment.normal_form):
        answers.append(("Is it spelled in one way?", spelling))
    named: dict[str, str] = {}  # representations that cover alike need one row
    for representation, coverage in diagnosis.coverage.items():
        base = f"the base vocabulary ({experiment.representations[representation].base_model})"
        named.setdefault(_covered(coverage, "base"), base)
    for representation, coverage in diagnosis.coverage.items():
        named.setdefault(_covered(coverage, "augmented"), representation)
    answers += [(f"How well does {name} cover it?", text) for text, name in named.items()]
    missing = diagnosis.base["missing_letters"]
    if missing:
        letters = " ".join(missing)
        answers.append(("Which letters does the base lack?", f"{letters} ({sum(missing.values()):.2%} of all letters)"))
    answers.append(("What does that suggest?", diagnosis.suggestion()))
    return answers


def spelling_met(statistics: dict[str, dict[str, Any]], form: str) -> str:
    """How many words of each data set are in another normal form or have invisible marks; empty if none are."""
    met = []
    for data, counts in statistics.items():
        found = {f"not in {'NFC' if form == NO_FORM else form}": counts["other_form"]}
        found |= {f"with {mark.lower()}": number for mark, number in counts["invisible"].items()}
        words = [f"{number:,} {what}" for what, number in found.items() if number]
        if words:
            met.append(f"{DATA_TITLES[data]}, of {counts['words']:,} words: {', '.join(words)}")
    read = "each is read as it is written" if form == NO_FORM else "all spellings of a word are read as one"
    return "; ".join([*met, f"{read} (vocabularies.normal_form: {form})"]) if met else ""


def _covered(coverage: dict[str, Any], kind: str) -> str:
    return "; ".join(
        f"{DATA_TITLES[data]}: {statistics[kind]['unknown_token_rate']:.1%} unknown words, "
        f"{statistics[kind]['wordpieces_per_token']:.2f} wordpieces per word"
        for data, statistics in coverage.items()
    )


def write_figure(diagnoses: list[Diagnosis], folder: Path) -> None:
    """Draw how well vocabularies cover the data, as coverage.svg and .png: hollow the base's, filled the best one's."""
    rows = [
        (f"{diagnosis.language.name}: {DATA_TITLES[data]}", [read[data] for read in diagnosis.coverage.values()])
        for diagnosis in diagnoses
        for data in DATA_TITLES
        if all(data in read for read in diagnosis.coverage.values())
    ]
    figure = Figure(figsize=(9, 1.2 + 0.35 * len(rows)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    measures = (("unknown_token_rate", 100, "Unknown words (%)"), ("wordpieces_per_token", 1, "Wordpieces per word"))
    for axes, (measure, factor, title) in zip(panels, measures, strict=True):
        for place, (_, statistics) in enumerate(rows):
            before = factor * statistics[0]["base"][measure]
            after = factor * min(read["augmented"][measure] for read in statistics)
            axes.plot([before, after], [place, place], color="0.6", zorder=1)
            axes.plot(before, place, "o", color="black", markerfacecolor="white", label="base vocabulary", zorder=2)
            axes.plot(after, place, "o", color="black", markersize=4, label="with the new wordpieces", zorder=3)
        axes.set_xlabel(title)
        axes.set_xlim(0, 1.05 * axes.dataLim.xmax or 1)
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), [label for label, _ in rows])
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[:2], labels[:2], loc="outside upper center", ncols=2, frameon=False)
    save_figure(figure, folder, "coverage")
