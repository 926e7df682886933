"""The words of the languages: open classes, whose roots are inherited, and closed classes, which all share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from specialize.demo_world.languages import Language

# The closed classes, frequent words first.
PRONOUNS = {"3Sing": "so", "1Sing": "mi", "3Plur": "sei", "1Plur": "mei", "2Sing": "tu", "2Plur": "tei"}
DEMONSTRATIVES = ("tel", "ist")
QUANTIFIERS = ("un", "tot", "mult")
NUMERALS = ("du", "tri", "kvar", "pent", "seks", "hep", "okt", "nov", "dek")
PREPOSITIONS = ("en", "kon", "per", "sub", "ad", "kontra")
POSTPOSITIONS = ("pose", "inter")
CONJUNCTIONS = ("e", "ma", "vel")
SUBORDINATORS = ("kvan", "si", "pro")
# One word for "that" and "which", and one for "below" that is a preposition or an adverb.
COMPLEMENTIZER = "ke"
BARE_ADVERBS = ("sub", "nun", "tam", "jam", "hori", "ante", "semper", "kras")
NEGATION = "ne"
COPULA = "es"

# How a verb is used, and how many in a hundred verbs are.
FRAMES = {"transitive": 45, "intransitive": 27, "ditransitive": 12, "speech": 8, "modal": 8}


@dataclass(frozen=True)
class Noun:
    """A nominal stem: its root, the vowel of its endings, and whether it names a time."""

    root: str
    vowel: str
    time: bool = False


@dataclass(frozen=True)
class Verb:
    """A verbal root and its frame, a key of `FRAMES`."""

    root: str
    frame: str


@dataclass(frozen=True)
class Lexicon:
    """The open classes of a language, most frequent word first, as the ancestor would have spelled them."""

    nouns: tuple[Noun, ...]
    verbs: tuple[Verb, ...]
    adjectives: tuple[str, ...]
    adverbs: tuple[str, ...]
    given_names: tuple[Noun, ...]
    surnames: tuple[Noun, ...]
    places: tuple[Noun, ...]
    landscapes: tuple[Noun, ...]
    companies: tuple[Noun, ...]
    brands: tuple[Noun, ...]


def build_lexicon(language: Language, seed: int) -> Lexicon:
    """The ancestor's words, each root replaced where a step of the language's lineage replaced it."""
    random = Random(f"{seed} ancestor")
    taken = set(BARE_ADVERBS)
    replacements = _replacements(language, seed)

    def roots(count: int) -> list[str]:
        return [_inherit(_new_root(random, taken), replacements) for _ in range(count)]

    def nouns(count: int, suffixes: Sequence[str] = ("",), times: int = 0) -> tuple[Noun, ...]:
        # Words for times stand among the frequent ones.
        return tuple(
            Noun(root + random.choice(suffixes), random.choice("aao"), time=10 <= rank < 10 + times)
            for rank, root in enumerate(roots(count))
        )

    common = nouns(150, times=8)
    # A sixth of the verbs have the root of a noun.
    verbal = [common[rank * 2 + 5].root if rank % 6 == 5 else root for rank, root in enumerate(roots(60))]
    frames = random.choices(list(FRAMES), list(FRAMES.values()), k=len(verbal))
    # Half of the adjectives show by a suffix that they are.
    adjectives = [root + ("is" if random.random() < 0.5 else "") for root in roots(50)]
    adverbs = [*BARE_ADVERBS, *(root + "eme" for root in [*adjectives[1:20:2], *roots(7)])]
    random.shuffle(adverbs)
    return Lexicon(
        nouns=common,
        verbs=tuple(Verb(root, frame) for root, frame in zip(verbal, frames, strict=True)),
        adjectives=tuple(adjectives),
        adverbs=tuple(adverbs),
        given_names=nouns(30),
        surnames=nouns(40, ("esk", "esk", "idor")),
        places=nouns(50, ("", "and", "urg", "ivi")),
        landscapes=nouns(5),
        companies=nouns(8),
        brands=nouns(25, ("ek", "ek", "")),
    )


def _replacements(language: Language, seed: int) -> list[tuple[Random, float]]:
    return [(Random(f"{seed} {branch.name}"), branch.replaced) for branch in language.lineage]


def _inherit(root: str, replacements: list[tuple[Random, float]]) -> str:
    for random, share in replacements:
        # The new root is drawn whether it is needed or not: cousins then agree on all the words before and after.
        replaced, new = random.random() < share, _new_root(random, set())
        root = new if replaced else root
    return root


def _new_root(random: Random, taken: set[str]) -> str:
    while True:
        pattern = random.choice(("CVC", "CVCVC", "CVCVC", "CVCLVC"))
        sounds = {"C": "ptkbdgmnlrsvhj", "V": "aaeiou", "L": "lrn"}
        root = "".join(random.choice(sounds[place]) for place in pattern)
        if root not in taken:
            taken.add(root)
            return root
