"""Diagnosis: how well a base vocabulary covers a language, and what that suggests, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from specialize.corpora import LONG_WORDS
from specialize.errors import SpecializeError
from specialize.experiment import Experiment, Language
from specialize.experiment.costs import Costs
from specialize.experiment.machine import Machine
from specialize.experiment.plan import bytes_in_words, bytes_to_be_written
from specialize.reports.new_pieces import Effects, effects_of_new_pieces
from specialize.tables.figures.style import save_figure
from specialize.tables.formats import Entry, Table, write_table
from specialize.tables.inputs import (
    MAIN_DATA,
    corpus_statistics,
    is_spaceless,
    treebank_statistics,
    vocabulary_statistics,
)
from specialize.unicode import OTHER_SPACELESS_SCRIPTS
from specialize.vocabularies import NO_FORM

# Thresholds between the paper's languages, by what 99 new wordpieces gain on their words with mBERT's vocabulary
# (docs/diagnosis.md has the numbers) and in scores (Table 2). In Uyghur unknown words fall by 39 to 42 points, and
# scores gain 12 to 17; in Maltese by 2.3 to 3.3, for half a point; in Wolof by 0.01 at most, and scores gain nothing,
# though a word there has 4 % fewer wordpieces.
MUCH_READABLE = 0.10
SOME_READABLE = 0.01
MUCH_COARSER = 0.10
LEAST_TOKENS = 400_000  # of Wolof, the least of the paper's languages
LEAST_LETTER = 0.0001  # of all letters; rarer ones are of quotations
LETTERS_PER_WORD = 4  # a round figure, where no words are known
SHOWN_LETTERS_OF_WORD = 30
DATA_TITLES = {"corpus": "text", "treebank": "treebank", "ner": "named entities"}


@dataclass(frozen=True)
class Gain:
    """What new wordpieces were measured to gain on a data set.

    Attributes:
        representation: that has them.
        unknown: the share of words (with letters) that are unknown, without them and with them.
        pieces: wordpieces per word, without them and with them.
    """

    representation: str
    unknown: tuple[float, float]
    pieces: tuple[float, float]

    @property
    def readable(self) -> float:
        """The share of words that become readable."""
        return self.unknown[0] - self.unknown[1]

    def __str__(self) -> str:
        """In words."""
        unknown, pieces = " → ".join(map("{:.1%}".format, self.unknown)), " → ".join(map("{:.2f}".format, self.pieces))
        return f"measured with {self.representation}: {unknown} unknown words, {pieces} wordpieces per word"


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a language before training.

    Attributes:
        language: the language.
        corpus: its corpus statistics, if it has text.
        coverage: coverage statistics by representation and data set.
        grown: the representations with new wordpieces, of those that gain alike the better one first.
        spelling: normal forms and invisible marks of words by data set.
        treebank: what its treebank's columns hold, by part, if it has one.
        effects: what new wordpieces do, by representation.
    """

    language: Language
    corpus: dict[str, Any] | None
    coverage: dict[str, dict[str, Any]]
    grown: tuple[str, ...] = ()
    spelling: dict[str, dict[str, Any]] = field(default_factory=dict)
    treebank: dict[str, Any] | None = None
    effects: dict[str, Effects] = field(default_factory=dict)

    @property
    def data(self) -> str:
        """The data set that stands for the language: the first of `MAIN_DATA` that there is and has words."""
        (first, *_) = self.coverage.values()
        there = [name for name in MAIN_DATA if name in first]
        return next((name for name in there if not (name == "corpus" and self.unparted)), there[0])

    @property
    def base(self) -> dict[str, Any]:
        """How the (first) base vocabulary covers it, with its scripts and missing letters."""
        (first, *_) = self.coverage.values()
        statistics: dict[str, Any] = first[self.data]
        return statistics

    @property
    def spaceless(self) -> bool:
        """Whether its text is mainly in scripts without spaces between words."""
        return self.corpus is not None and is_spaceless(self.corpus["total"])

    @property
    def unparted(self) -> bool:
        """Whether that text is cut at spaces all the same."""
        return self.spaceless and self.language.entry.get("corpus", {}).get("words") != "icu"

    @property
    def tokens(self) -> int:
        """About how many words its text has."""
        if self.corpus is None:
            return 0
        total = self.corpus["total"]
        tokens: int = total["letters"] // LETTERS_PER_WORD if self.unparted else total["tokens"]
        return tokens

    def gain(self) -> Gain | None:
        """What those new wordpieces gain that make most words readable, then those of the fewest wordpieces."""
        gains = []
        for name in self.grown:
            before, after = (self.coverage[name][self.data][kind] for kind in ("base", "augmented"))
            unknown = before["unknown_word_rate"], after["unknown_word_rate"]
            gains.append(Gain(name, unknown, (before["wordpieces_per_token"], after["wordpieces_per_token"])))
        return max(gains, key=lambda gain: (round(gain.readable, 3), -gain.pieces[1]), default=None)

    def suggestion(self) -> str:
        """Which mix-in that suggests."""
        if not self.base["scripts"]:
            return "nothing: there are no letters in it; look at the files that the entry of the language names"
        if not self.corpus:
            return "give text first: lapt and tva learn from it, and there is none yet"
        if self.data == "corpus" and self.unparted:
            advice = "have the words of the text parted first (see above), then ask again"
        elif gain := self.gain():
            advice = f"{self._of_gain(gain)} ({gain})"
        else:
            advice = "lapt; have tva among the representations, and what new wordpieces gain is measured here"
        if self.tokens < LEAST_TOKENS:
            advice += f"; the text is smaller than any of the paper's (its least: {LEAST_TOKENS:,} tokens)"
        return advice

    def _of_gain(self, gain: Gain) -> str:
        name = gain.representation
        if gain.readable >= MUCH_READABLE:
            advice = f"{name}: new wordpieces should help much, as for the paper's Uyghur"
            if next(iter(self.base["scripts"])) != "Latin" and not self.language.original:
                advice += "; try transliteration too if the base model knows a related language in Latin letters"
        elif gain.readable >= SOME_READABLE:
            advice = f"lapt and {name}: new wordpieces should help a little, as for the paper's Maltese"
        elif gain.pieces[1] <= (1 - MUCH_COARSER) * gain.pieces[0]:
            advice = (
                f"lapt and {name}: new wordpieces make hardly more words readable, but cut them less finely; "
                "the paper has no such language"
            )
        else:
            advice = "lapt: new wordpieces should change little, as for the paper's Wolof"
        if gain.unknown[1] >= SOME_READABLE:
            advice += "; more of them may read what stays unknown"
        return advice


def write_diagnosis(experiment: Experiment, run: Path) -> None:
    """Write the table and the figure of a run's diagnosis.

    Raises:
        SpecializeError: if statistics are missing.
    """
    corpora = corpus_statistics(experiment, run)
    vocabularies = {
        (tag, name): read
        for (tag, name), read in vocabulary_statistics(experiment, run).items()
        if experiment.representations[name].method in ("base", "adapt")  # others have no base vocabulary to diagnose
    }
    if not vocabularies:
        raise SpecializeError("there is no base vocabulary to diagnose: add one, such as mbert, to the representations")
    effects = effects_of_new_pieces(experiment, run, vocabularies)
    diagnoses = []
    for language in experiment.grid_languages:
        own = {name: read for (tag, name), read in vocabularies.items() if tag == language.tag}
        if own:
            diagnoses.append(
                Diagnosis(
                    language,
                    corpora.get(language.tag),
                    {name: read["coverage"] for name, read in own.items()},
                    _grown(experiment, own),
                    next(read.get("spelling", {}) for read in own.values()),
                    treebank_statistics(run, language),
                    {name: found for (tag, name), found in effects.items() if tag == language.tag},
                )
            )
    write_table(diagnosis_table(experiment, diagnoses, run), run / "results" / "tables")
    write_figure(diagnoses, run / "results" / "figures")


def _grown(experiment: Experiment, vocabularies: dict[str, Any]) -> tuple[str, ...]:
    """The representations with new wordpieces; those with a tiered learning rate, as the paper advises, come first."""
    names = [name for name, read in vocabularies.items() if read["pieces"]]
    return tuple(sorted(names, key=lambda name: experiment.representations[name].multiplier == 1))


def diagnosis_table(experiment: Experiment, diagnoses: list[Diagnosis], run: Path) -> Table:
    """For each language the answers to what one asks before paying for a GPU."""
    table = Table(
        "diagnosis",
        "Before training: how well the base vocabulary covers each language, and what that suggests.",
        ["Language", "Question", "Answer"],
    )
    for diagnosis in diagnoses:
        for question, answer in _answers(experiment, diagnosis):
            table.rows.append([Entry(diagnosis.language.name), Entry(question), Entry(answer)])
    table.notes = [
        _cost(experiment, run),
        "An unknown word has a letter in a wordpiece that the vocabulary lacks; dashes and other marks are counted "
        "apart. The suggestions follow from what new wordpieces were measured to gain, with thresholds between the "
        f"paper's languages: {MUCH_READABLE:.0%} and {SOME_READABLE:.0%} of the words become readable (Uyghur: 38% "
        f"and more, Maltese: 2% and more, Wolof: none), or a word has {MUCH_COARSER:.0%} fewer wordpieces. Letters of "
        f"less than {LEAST_LETTER:.2%} are not listed. Only the scores on your own data decide.",
    ]
    return table


def _cost(experiment: Experiment, run: Path) -> str:
    """What training takes, on a GPU and here."""
    costs, here, gpu = Costs(experiment, run), Machine.here(), Machine.with_a_gpu()
    measured = "as measured" if not here.unmeasured(costs.shapes()) else "at an assumed speed"
    place = f"{here.gpus} GPUs" if here.gpus > 1 else "its GPU" if here.gpus else f"{here.cores} cores"
    return (
        f"The whole run ({len(experiment.adaptations)} models to pretrain, {len(experiment.cells):,} to finetune) "
        f"takes roughly {gpu.in_words(costs.jobs)} on one data-centre GPU, at an assumed speed; on this machine, with "
        f"{place}, {measured}: {here.in_words(costs.jobs)}. It takes about "
        f"{bytes_in_words(sum(bytes_to_be_written(experiment, None, run).values()))} of disk besides the downloads."
    )


def _answers(experiment: Experiment, diagnosis: Diagnosis) -> list[tuple[str, str]]:
    answers = []
    if diagnosis.corpus:
        answers.append(("How much text is there?", _amount(diagnosis.corpus)))
    scripts = [f"{name} {share:.1%}" for name, share in diagnosis.base["scripts"].items() if share >= 0.001]
    answers.append(("In which scripts?", ", ".join(scripts) or "it has no letters"))
    if diagnosis.corpus and "transliteration" in diagnosis.corpus:
        answers.append(("What does transliteration leave?", _left_by_transliteration(diagnosis.corpus)))
    if spelling := spelling_met(diagnosis.spelling, experiment.normal_form):
        answers.append(("Is it spelled in one way?", spelling))
    if diagnosis.spaceless:
        answers.append(("Are its words parted?", _how_parted(diagnosis)))
    named: dict[str, str] = {}  # representations that cover alike need one row
    for representation, coverage in diagnosis.coverage.items():
        base = f"the base vocabulary ({experiment.representations[representation].base_model})"
        named.setdefault(_covered(diagnosis, coverage, "base"), base)
    for representation, coverage in diagnosis.coverage.items():
        named.setdefault(_covered(diagnosis, coverage, "augmented"), representation)
    answers += [(f"How well does {name} cover it?", text) for text, name in named.items()]
    done = {id(effects): name for name, effects in reversed(diagnosis.effects.items())}  # one row a vocabulary
    for name in reversed(done.values()):
        answers.append((f"What do the new wordpieces of {name} do?", str(diagnosis.effects[name])))
    unknown = _unknown(diagnosis.base["base"])
    if unknown and not (diagnosis.data == "corpus" and diagnosis.unparted):
        answers.append(("What can the base not read?", unknown))
    missing = {letter: share for letter, share in diagnosis.base["missing_letters"].items() if share >= LEAST_LETTER}
    if missing:
        letters = " ".join(missing)
        answers.append(("Which letters does the base lack?", f"{letters} ({sum(missing.values()):.2%} of all letters)"))
    if lacking := _lacking(diagnosis):
        answers.append(("What does the treebank lack?", lacking))
    answers.append(("What does that suggest?", diagnosis.suggestion()))
    return answers


def _left_by_transliteration(corpus: dict[str, Any]) -> str:
    left = corpus["transliteration"]
    if not left["letters_left"]:
        return "every letter is a Latin one"
    return (
        f"{left['share_left']:.1%} of the letters, most often {' '.join(left['most_often_left'])}; "
        f"{left['words_of_mixed_scripts']:,} of {left['words']:,} words mix scripts"
    )


def _lacking(diagnosis: Diagnosis) -> str:
    """The shares of a treebank's words that have no form, tag, head or relation, by part."""
    columns = {"form": "forms", diagnosis.language.tags: f"{diagnosis.language.tags} tags", "head": "heads"}
    columns["deprel"] = "relations"
    parts = []
    for part, read in (diagnosis.treebank or {}).items():
        shares = {title: read["missing"][name] / read["words"] for name, title in columns.items()}
        if any(shares.values()):
            named = [f"{share:.1%} of the {name}" for name, share in shares.items() if share]
            parts.append(f"{part}: {', '.join(named)}")
    return "; ".join(parts)


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


def _amount(corpus: dict[str, Any]) -> str:
    total, long_words = corpus["total"], corpus["removed"].get(LONG_WORDS, 0)
    amount = (
        f"{total['tokens']:,} tokens in {total['sentences']:,} sentences of {total['articles']:,} articles, "
        f"{total['letters']:,} letters, after cleaning (of {corpus['articles_read']:,} articles)"
    )
    return amount + (f"; {long_words:,} {LONG_WORDS} left out" if long_words else "")


def _how_parted(diagnosis: Diagnosis) -> str:
    scripts = list(diagnosis.base["scripts"])
    if not diagnosis.unparted:
        return "by ICU, of Tibetan into syllables" if "Tibetan" in scripts else "by ICU"
    remedy = "corpus: {words: icu} in its entry parts them (of Tibetan: syllables), with the extra words installed"
    if scripts[:1] and scripts[0].replace(" ", "_") in OTHER_SPACELESS_SCRIPTS:
        remedy = "write spaces between its words, which no library of ours parts"
    return (
        "no: its script has no spaces between words, so that tokens are phrases, and what is counted by token or by "
        f"word of the text means nothing; {remedy}"
    )


def _covered(diagnosis: Diagnosis, coverage: dict[str, Any], kind: str) -> str:
    covered = []
    for data, statistics in coverage.items():
        measured = statistics[kind]
        if data == "corpus" and diagnosis.unparted:
            text = f"{measured['wordpieces_per_letter']:.2f} wordpieces per letter"
        else:
            unknown, pieces = measured["unknown_word_rate"], measured["wordpieces_per_token"]
            text = f"{unknown:.1%} unknown words, {pieces:.2f} wordpieces per word"
            if bytes_ := measured.get("bytes_per_wordpiece"):  # nothing is ever unknown
                text = f"{pieces:.2f} wordpieces per word, {bytes_:.2f} bytes per wordpiece"
        covered.append(f"{DATA_TITLES[data]}: {text}")
    return "; ".join(covered)


def _unknown(measured: dict[str, Any]) -> str:
    """The unknown words and marks of a vocabulary, the most frequent by name; empty if there are none."""
    parts = []
    if measured["unknown_words"]:
        share = f"{measured['unknown_words']:,} of {measured['words']:,} words"
        parts.append(f"{share}: {_listed(measured['frequent_unknown_words'])}")
    if measured["unknown_marks"]:
        title = f"{measured['unknown_marks']:,} marks and what they join"
        parts.append(f"{title}: {_listed(measured['frequent_unknown_marks'])}")
    return "; ".join(parts)


def _listed(words: dict[str, int]) -> str:
    return ", ".join(f"{_shown(word)} ({count:,})" for word, count in words.items())


def _shown(word: str) -> str:
    """A word of a table: what has no shape by its number, and one without end cut short."""
    visible = "".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in word)
    return visible if len(visible) <= SHOWN_LETTERS_OF_WORD else visible[:SHOWN_LETTERS_OF_WORD] + "…"


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
    measures = (("unknown_word_rate", 100, "Unknown words (%)"), ("wordpieces_per_token", 1, "Wordpieces per word"))
    for axes, (measure, factor, title) in zip(panels, measures, strict=True):
        for place, (_, statistics) in enumerate(rows):
            before = factor * statistics[0]["base"][measure]
            after = factor * min(read["augmented"][measure] for read in statistics)
            axes.plot([before, after], [place, place], color="0.6", zorder=1)
            axes.plot(before, place, "o", color="black", markerfacecolor="white", label="base vocabulary", zorder=2)
            axes.plot(after, place, "o", color="black", markersize=4, label="with the new wordpieces", zorder=3)
        axes.set_xlabel(title)
        axes.set_xlim(0, max(1.05 * axes.dataLim.xmax, 1))
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), [label for label, _ in rows])
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[:2], labels[:2], loc="outside upper center", ncols=2, frameon=False)
    save_figure(figure, folder, "coverage")
