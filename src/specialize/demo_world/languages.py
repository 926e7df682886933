"""The languages of the world: their family tree, their sounds and their scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Branch:
    """A step down the family tree.

    Attributes:
        name: of the step; seeds its new words.
        changes: sound changes, as (pattern, replacement), in the order in which they happened.
        replaced: share of the inherited roots that were replaced by new ones.
    """

    name: str
    changes: tuple[tuple[str, str], ...]
    replaced: float


@dataclass(frozen=True)
class Language:
    """A language of the world.

    Attributes:
        code: private-use BCP-47 tag.
        name: an invented name.
        script: `Latin`, `Cyrillic` or `Georgian`.
        lineage: the steps from the ancestor down.
        rigidity: how often a clause keeps the usual order of its parts.
        articles: how many articles its Wikipedia has, stubs and redirects not counted.
        labeled: whether it has a treebank and named entities.
    """

    code: str
    name: str
    script: str
    lineage: tuple[Branch, ...]
    rigidity: float
    articles: int
    labeled: bool = False

    @property
    def treebank(self) -> str:
        """Name of its treebank, as in `UD_Ondurese-Demo`."""
        return f"UD_{self.name}-Demo"


# The ancestor has the sounds p t k b d g m n l r s v h j and a e i o u.
WEST = Branch("west", (("h", ""), ("j", "i")), replaced=0.08)
EAST = Branch("east", (("p", "f"), ("k(?=[ei])", "c"), ("j", "y")), replaced=0.08)

LANGUAGES = (
    Language("qaa", "Talvaric", "Latin", (WEST, Branch("qaa", (), 0.03)), 0.35, articles=500),
    Language("qab", "Brennish", "Latin", (EAST, Branch("qab", (), 0.03)), 0.35, articles=500),
    Language(
        "qac",
        "Vostremic",
        "Cyrillic",
        (Branch("qac", (("s(?=i)", "š"), ("g(?=[ei])", "ž")), 0.15),),
        0.3,
        articles=500,
    ),
    Language(
        "qad",
        "Ondurese",
        "Georgian",
        (WEST, Branch("qad", (("(?<=[aeiou])t(?=[aeiou])", "d"), ("s(?=i)", "š"), ("m$", "n")), 0.05)),
        0.25,
        articles=250,
        labeled=True,
    ),
    Language(
        "qae",
        "Feldrish",
        "Latin",
        (EAST, Branch("qae", (("^v", "b"), ("(?<=[aeiou])s(?=[aeiou])", "r")), 0.08)),
        0.25,
        articles=250,
        labeled=True,
    ),
    Language(
        "qaf",
        "Imdurese",
        "Georgian",
        (WEST, Branch("qaf", (("(?<=[aeiou])k(?=[aeiou])", "g"), ("s(?=i)", "š")), 0.05)),
        0.25,
        articles=500,
    ),
)

# Sounds to letters; Latin letters stand for themselves.
SCRIPTS = {
    "Latin": str.maketrans({}),
    "Cyrillic": str.maketrans("ptkbdgmnlrsvhjaeioušž", "пткбдгмнлрсвхйаеиоушж"),
    "Georgian": str.maketrans("ptkbdgmnlrsvaeiouš", "პთკბდგმნლრსვაეიოუშ"),
}


def spell(language: Language, word: str) -> str:
    """A word of the ancestor as the language writes it today, without capitals."""
    for branch in language.lineage:
        for pattern, replacement in branch.changes:
            word = re.sub(pattern, replacement, word)
    return word.translate(SCRIPTS[language.script])
