"""What new pieces do: how many are in use on text that they were not learned from, and what they change elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from specialize.experiment import Experiment
from specialize.tables.contents import new_pieces_inputs
from specialize.tables.scores import require
from specialize.vocabularies import count_words, load_base, words_by_language
from specialize.vocabularies.side_effects import pieces_in_use, resegmented


@dataclass(frozen=True)
class Effects:
    """What the new pieces of a vocabulary do.

    Attributes:
        number: how many there are.
        used: how many of them the held-out text is cut into; None if there is no such text.
        intermediate: how many of the others only make longer ones.
        elsewhere: the share of the running words that they cut otherwise, by the language's name.
        replaced: how many of the base's have given way to them.
    """

    number: int
    used: int | None
    intermediate: int = 0
    elsewhere: dict[str, float] = field(default_factory=dict)
    replaced: int = 0

    def __str__(self) -> str:
        """In words."""
        said = ["new pieces in use: not measured (there is no held-out text)"]
        if self.used is not None:
            said = [f"{self.used:,} of {self.number:,} new pieces in use on held-out text"]
        if self.intermediate:
            said.append(f"{self.intermediate:,} of the {self.number:,} only make longer ones")
        if self.replaced:
            said.append(f"{self.replaced:,} of the base's least used ones gave way to them")
        changed = "not measured (name some in vocabularies.other_languages)"
        if self.elsewhere:
            worst = max(sorted(self.elsewhere), key=self.elsewhere.__getitem__)
            changed = f"worst language {worst} {self.elsewhere[worst]:.2%}"
        return "; ".join([*said, f"words of other languages cut otherwise: {changed}"])


def effects_of_new_pieces(
    experiment: Experiment, run: Path, vocabularies: dict[tuple[str, str], Any]
) -> dict[tuple[str, str], Effects]:
    """What the new pieces of each vocabulary do, by tag and representation; those without new ones are left out.

    Args:
        experiment: the configuration.
        run: the run's folder.
        vocabularies: the statistics of some, by tag and representation.

    Raises:
        SpecializeError: naming every file that is missing.
    """
    grown = {key: tuple(read["pieces"]) for key, read in vocabularies.items() if read["pieces"]}
    require(run, sorted({path for key in grown for path in new_pieces_inputs(experiment, *key)}))

    @cache
    def base_of(base_model: str) -> Tokenizer:
        return load_base(run / experiment.base_folder(base_model))

    @cache
    def words_of(tag: str) -> Counter[str]:
        (words,) = words_by_language([run / experiment.languages[tag].held_out_treebank]).values()
        return words

    effects: dict[tuple[str, str], Effects] = {}
    measured: dict[Any, Effects] = {}  # representations that differ in how they train have one vocabulary
    for (tag, name), pieces in grown.items():
        base_model, others = experiment.representations[name].base_model, experiment.other_languages(tag, name)
        known = (tag, base_model, pieces, tuple(vocabularies[tag, name].get("replaced", ())))
        if known not in measured:
            tokenizer = Tokenizer.from_file(str(run / f"results/vocabularies/{tag}/{name}/tokenizer.json"))
            base = base_of(base_model)
            base.normalizer = tokenizer.normalizer  # so that what differs is the pieces'
            held_out = count_words([run / f"results/corpora/{tag}/test.txt"]).words
            elsewhere = {experiment.languages[other].name: words_of(other) for other in others}
            measured[known] = Effects(
                len(pieces),
                pieces_in_use(tokenizer, pieces, held_out) if held_out else None,
                len(vocabularies[tag, name].get("intermediate", ())),
                {other: resegmented(base, tokenizer, words).running for other, words in elsewhere.items()},
                len(vocabularies[tag, name].get("replaced", ())),
            )
        effects[tag, name] = measured[known]
    return effects
