"""The grammar that all languages share: endings, and the trees that words stand in."""

from __future__ import annotations

from dataclasses import dataclass, field

# Endings of nouns, adjectives and determiners follow their vowel, a or o.
SINGULAR = {"Nom": "", "Acc": "m", "Gen": "i", "Dat": "l", "Loc": "ve"}
PLURAL = {"Nom": "t", "Acc": "tim", "Gen": "ti", "Dat": "til", "Loc": "tive"}
TENSES = {"Pres": "e", "Past": "ila", "Fut": "usa"}
VERB_TAGS = {"Pres": "VR", "Past": "VP", "Fut": "VF"}
PERSONS = {"1Sing": "m", "2Sing": "s", "3Sing": "", "1Plur": "mu", "2Plur": "tu", "3Plur": "n"}


@dataclass(eq=False)
class Node:
    """A word in a dependency tree.

    Attributes:
        form, lemma: as the ancestor would have spelled them.
        upos, xpos, features: as in CoNLL-U.
        relation: to its head.
        before, after: its dependents on either side, in order.
        agreement: person and number, a key of `PERSONS`.
        entity: its label in IOB2.
        joined: whether it is written together with the next word.
    """

    form: str
    lemma: str
    upos: str
    xpos: str
    relation: str
    features: str = "_"
    before: list[Node] = field(default_factory=list)
    after: list[Node] = field(default_factory=list)
    agreement: str = "3Sing"
    entity: str = "O"
    joined: bool = False


def decline(root: str, vowel: str, case: str, number: str) -> str:
    """A nominal form; the plural of the o-class does not tell the accusative from the nominative."""
    if number == "Sing":
        return root + vowel + SINGULAR[case]
    return root + vowel + PLURAL["Nom" if (case, vowel) == ("Acc", "o") else case]


def punctuation(mark: str) -> Node:
    """A comma or a full stop."""
    return Node(mark, mark, "PUNCT", "FS" if mark == "." else "CM", "punct")


def linearize(root: Node) -> list[Node]:
    """The words of a tree in order."""
    nodes = []
    for node in root.before:
        nodes += linearize(node)
    nodes.append(root)
    for node in root.after:
        nodes += linearize(node)
    return nodes
