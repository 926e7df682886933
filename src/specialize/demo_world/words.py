"""Words drawn from a lexicon by their frequency, in the forms that a sentence asks for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from random import Random
from typing import TypeVar

from specialize.demo_world.grammar import SINGULAR, Node, decline
from specialize.demo_world.languages import Language, spell
from specialize.demo_world.lexicon import BARE_ADVERBS, DEMONSTRATIVES, PRONOUNS, QUANTIFIERS, Lexicon, Noun

Item = TypeVar("Item")


@cache
def _zipf_weights(count: int) -> tuple[float, ...]:
    """Cumulated weights of 1, 1/2, 1/3 … for so many words."""
    return tuple(accumulate(1 / (rank + 1) for rank in range(count)))


class Words:
    """Words of a language, drawn and put into their forms.

    Args:
        language: the language.
        lexicon: its words.
        random: what every choice is drawn from, in the order of the calls.
    """

    def __init__(self, language: Language, lexicon: Lexicon, random: Random) -> None:
        self.language = language
        self.lexicon = lexicon
        self.random = random
        self._spelled: dict[str, str] = {}

    def spell(self, word: str, capital: bool = False) -> str:
        """A word as it is spelled, remembered; with a capital where asked for, if the script has them."""
        if word not in self._spelled:
            self._spelled[word] = spell(self.language, word)
        written = self._spelled[word]
        if capital and self.language.script != "Georgian":
            return written[0].upper() + written[1:]
        return written

    def chance(self, probability: float) -> bool:
        """True as often as ``probability`` says."""
        return self.random.random() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """One of ``items``, by Zipf's law."""
        return self.random.choices(items, cum_weights=_zipf_weights(len(items)))[0]

    def declined(self, noun: Noun, case: str, number: str, relation: str) -> Node:
        """A common noun in one of its forms; the tag tells the case."""
        return Node(
            form=decline(noun.root, noun.vowel, case, number),
            lemma=noun.root + noun.vowel,
            upos="NOUN",
            xpos="N" + case[0],
            relation=relation,
            features=f"Case={case}|Number={number}",
            agreement="3" + number,
        )

    def adjective(self, relation: str, vowel: str, case: str, number: str) -> Node:
        """An adjective that agrees with a noun of class ``vowel``."""
        root = self.pick(self.lexicon.adjectives)
        form = decline(root, vowel, case, number)
        return Node(form, root + "a", "ADJ", "AJ", relation, f"Case={case}|Number={number}")

    def determiner(self, vowel: str, case: str, number: str) -> Node:
        """A demonstrative or a quantifier."""
        demonstrative = self.chance(0.6)
        root = self.pick(DEMONSTRATIVES if demonstrative else QUANTIFIERS)
        form = decline(root, vowel, case, number)
        tag = "DD" if demonstrative else "DQ"
        return Node(form, root + "a", "DET", tag, "det", f"Case={case}|Number={number}")

    def pronoun(self, case: str, relation: str) -> Node:
        """A personal pronoun, or a demonstrative that stands alone."""
        if self.chance(0.25):
            form = decline(DEMONSTRATIVES[0], "a", case, "Sing")
            features = f"Case={case}|Number=Sing|PronType=Dem"
            return Node(form, DEMONSTRATIVES[0] + "a", "PRON", "PD", relation, features)
        person = self.pick(tuple(PRONOUNS))
        form = PRONOUNS[person] + SINGULAR[case]
        features = f"Case={case}|Number={person[1:]}|Person={person[0]}|PronType=Prs"
        return Node(form, PRONOUNS[person], "PRON", "PP", relation, features, agreement=person)

    def adverb(self) -> Node:
        """An adverb of the verb; those of time have a tag of their own."""
        form = self.pick(self.lexicon.adverbs)
        return Node(form, form, "ADV", "RT" if form in BARE_ADVERBS else "RB", "advmod")

    def name(self, case: str, relation: str) -> Node:
        """The name of a person, a place or an organisation; only its first word is declined."""
        words, kind = self._name_words()
        head = self.declined(words[0], case, "Sing", relation)
        head.upos, head.xpos, head.entity = "PROPN", "NP", f"B-{kind}"
        for word in words[1:]:
            part = self.declined(word, "Nom", "Sing", "flat")
            part.upos, part.xpos, part.entity = "PROPN", "NP", f"I-{kind}"
            head.after.append(part)
        return head

    def _name_words(self) -> tuple[list[Noun], str]:
        lexicon = self.lexicon
        kind = self.random.choice(("PER", "LOC", "ORG"))
        if kind == "PER":
            given, surname = self.pick(lexicon.given_names), self.pick(lexicon.surnames)
            return ([given, surname] if self.chance(0.6) else [surname]), kind
        if kind == "LOC":
            place = self.pick(lexicon.places)
            return ([self.pick(lexicon.landscapes), place] if self.chance(0.25) else [place]), kind
        brand = self.pick(lexicon.brands)
        return ([self.pick(lexicon.companies), brand] if self.chance(0.65) else [brand]), kind
