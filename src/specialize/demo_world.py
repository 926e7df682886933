"""A little synthetic world in the formats of the real one: what the demo downloads.

`write_world` writes Wikipedia dumps, treebanks and WikiAnn archives of six invented languages in the layout of a
mirror. They descend from one ancestor by regular sound changes and share one grammar:

    ancestor ─┬─ west ─┬─ qaa  Talvaric   Latin     high-resource
              │        ├─ qad  Ondurese   Georgian  target: its script is unknown to a base trained on qaa, qab, qac
              │        └─ qaf  Imdurese   Georgian  high-resource; for the control in which the script is known
              ├─ east ─┬─ qab  Brennish   Latin     high-resource
              │        └─ qae  Feldrish   Latin     target: its script is known
              └─────────── qac  Vostremic  Cyrillic  high-resource

Word order is free around the verb and most modifiers are optional, so that the order of the words alone says little.
Endings say most of it: case tells subject, object and oblique apart, verbs agree with their subject, adjectives with
their noun. Some endings and some function words are ambiguous. A model to which every word is `[UNK]` is therefore
left with little, and one that sees letters and endings can do well. Words follow Zipf's law. Ondurese in Latin letters
(`transliterate`, language `ka`, reversed) is close to Talvaric: its words are the same but for three sound changes and
a few words of its own. The codes are private-use ones of BCP-47; none of the names is that of a real language.

The same seed gives the same bytes.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import TypeVar
from xml.sax.saxutils import escape

Item = TypeVar("Item")

DUMP_DATE = "20200101"
RELEASE = "r1"
TREEBANK_SIZES = {"train": 200, "dev": 80, "test": 200}
ENTITY_SIZES = {"train": 100, "dev": 60, "test": 100}


# -- languages ---------------------------------------------------------------------------------------------


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


# -- words -------------------------------------------------------------------------------------------------

# Endings of nouns, adjectives and determiners follow their vowel, a or o.
SINGULAR = {"Nom": "", "Acc": "m", "Gen": "i", "Dat": "l", "Loc": "ve"}
PLURAL = {"Nom": "t", "Acc": "tim", "Gen": "ti", "Dat": "til", "Loc": "tive"}
TENSES = {"Pres": "e", "Past": "ila", "Fut": "usa"}
VERB_TAGS = {"Pres": "VR", "Past": "VP", "Fut": "VF"}
PERSONS = {"1Sing": "m", "2Sing": "s", "3Sing": "", "1Plur": "mu", "2Plur": "tu", "3Plur": "n"}

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


# -- grammar -----------------------------------------------------------------------------------------------


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


@cache
def _zipf_weights(count: int) -> tuple[float, ...]:
    return tuple(accumulate(1 / (rank + 1) for rank in range(count)))


class Speaker:
    """Someone who speaks a language: makes sentences of its words by the common grammar."""

    def __init__(self, language: Language, lexicon: Lexicon, random: Random) -> None:
        self.language = language
        self.lexicon = lexicon
        self.random = random
        self._spelled: dict[str, str] = {}

    def spell(self, word: str, capital: bool = False) -> str:
        """`spell` with a memory; a script with capitals uses one where asked to."""
        if word not in self._spelled:
            self._spelled[word] = spell(self.language, word)
        written = self._spelled[word]
        return written[0].upper() + written[1:] if capital and self.language.script != "Georgian" else written

    def chance(self, probability: float) -> bool:
        """True as often as ``probability`` says."""
        return self.random.random() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """One of ``items``, by Zipf's law."""
        return self.random.choices(items, cum_weights=_zipf_weights(len(items)))[0]

    # Sentences

    def sentence(self) -> list[Node]:
        """The words of a new sentence in order; their tree is in their `before` and `after`."""
        root = self.main_clause("root")
        if self.chance(0.15):
            self._coordinate_clause(root)
        elif self.chance(0.15):
            self._add_adverbial_clause(root)
        return self._finish(root)

    def definition(self, subject: Node) -> list[Node]:
        """The first sentence of an article: its subject is something."""
        return self._finish(self.copular_clause("root", subject))

    def entity_sentence(self) -> list[Node]:
        """A sentence with a name in it, or, as WikiAnn often has it, nothing but a name."""
        if self.chance(0.25):
            return linearize(self.name("Nom", "root"))
        while True:
            sentence = self.sentence()
            if any(node.entity != "O" for node in sentence):
                return sentence

    def _finish(self, root: Node) -> list[Node]:
        root.after.append(punctuation("."))
        nodes = linearize(root)
        loose = [node for node in nodes[1:] if node.relation == "amod"]
        if loose and self.chance(0.12):
            # An adjective moved to the front: this is where crossing branches come from.
            nodes.remove(loose[0])
            nodes.insert(0, loose[0])
        for node, following in pairwise(nodes):
            node.joined = node.xpos == "PRE" and following.upos == "DET" and self.chance(0.8)
        return nodes

    def _coordinate_clause(self, root: Node) -> None:
        conjunct = self.main_clause("conj", short=True)
        word = self.pick(CONJUNCTIONS)
        conjunct.before[:0] = [punctuation(","), Node(word, word, "CCONJ", "CC", "cc")]
        root.after.append(conjunct)

    def _add_adverbial_clause(self, root: Node) -> None:
        clause = self.verbal_clause("advcl", short=True)
        word = self.pick(SUBORDINATORS)
        clause.before.insert(0, Node(word, word, "SCONJ", "CS", "mark"))
        if self.chance(0.5):
            clause.after.append(punctuation(","))
            root.before.insert(0, clause)
        else:
            clause.before.insert(0, punctuation(","))
            root.after.append(clause)

    # Clauses

    def main_clause(self, relation: str, short: bool = False) -> Node:
        """A clause of either kind."""
        if self.chance(0.18):
            return self.copular_clause(relation, self.noun_phrase("Nom", "nsubj"))
        return self.verbal_clause(relation, short)

    def copular_clause(self, relation: str, subject: Node) -> Node:
        """Subject and predicate, with a copula that may be left out in the present."""
        number = subject.agreement[1:]
        if self.chance(0.5):
            predicate = self.adjective(relation, "a", "Nom", number)
        else:
            predicate = self.common_noun("Nom", relation, number=number, depth=1)
        parts = [subject]
        tense = self.random.choice(("Pres", "Pres", "Past", "Fut"))
        if tense != "Pres" or self.chance(0.6):
            features = f"Tense={tense}|VerbForm=Fin"
            form = COPULA + TENSES[tense] + PERSONS[subject.agreement]
            parts.append(Node(form, COPULA + "ar", "AUX", "VX", "cop", features))
        if self.chance(0.3):
            parts.append(self.oblique())
        self._arrange(predicate, parts)
        return predicate

    def verbal_clause(self, relation: str, short: bool = False, agreement: str = "") -> Node:
        """A clause around a finite verb.

        Args:
            relation: of the verb to its head.
            short: whether to spare obliques and clauses within.
            agreement: of the verb where its subject is a relative pronoun that is added elsewhere.
        """
        verb = self.pick(self.lexicon.verbs)
        parts: list[Node] = []
        if not agreement and self.chance(0.12):
            agreement = self.random.choice(("3Sing", "3Plur", "1Sing", "1Plur"))
        elif not agreement:
            subject = self.noun_phrase("Nom", "nsubj", depth=int(short))
            parts.append(subject)
            agreement = subject.agreement
        if verb.frame in ("transitive", "ditransitive"):
            parts.append(self.noun_phrase("Acc", "obj", depth=int(short)))
        if verb.frame == "ditransitive":
            parts.append(self.noun_phrase("Dat", "iobj", depth=1))
        for probability in (0.15,) if short else (0.55, 0.2):
            if self.chance(probability):
                parts.append(self.oblique())
        if self.chance(0.25):
            parts.append(self.adverb())
        if verb.frame == "modal":
            parts.append(self._infinitive())
        tense = self.random.choice(tuple(TENSES))
        head = Node(
            form=verb.root + TENSES[tense] + PERSONS[agreement],
            lemma=verb.root + "ar",
            upos="VERB",
            xpos=VERB_TAGS[tense],
            relation=relation,
            features=f"Number={agreement[1:]}|Person={agreement[0]}|Tense={tense}|VerbForm=Fin",
        )
        self._arrange(head, parts)
        if self.chance(0.08):
            head.before.append(Node(NEGATION, NEGATION, "PART", "NEG", "advmod"))
        if verb.frame == "speech" and not short:
            head.after.append(self._complement_clause())
        return head

    def _infinitive(self) -> Node:
        verb = self.pick([verb for verb in self.lexicon.verbs if verb.frame == "transitive"])
        head = Node(verb.root + "ar", verb.root + "ar", "VERB", "VN", "xcomp", "VerbForm=Inf")
        self._arrange(head, [self.noun_phrase("Acc", "obj", depth=1)] if self.chance(0.6) else [])
        return head

    def _complement_clause(self) -> Node:
        clause = self.verbal_clause("ccomp", short=True)
        mark = Node(COMPLEMENTIZER, COMPLEMENTIZER, "SCONJ", "CS", "mark")
        clause.before[:0] = [punctuation(","), mark]
        return clause

    def _relative_clause(self, agreement: str) -> Node:
        clause = self.verbal_clause("acl:relcl", short=True, agreement=agreement)
        pronoun = Node(COMPLEMENTIZER, COMPLEMENTIZER, "PRON", "PR", "nsubj", "PronType=Rel")
        clause.before[:0] = [punctuation(","), pronoun]
        return clause

    def _arrange(self, head: Node, parts: list[Node]) -> None:
        """Put the parts of a clause around its head: the subject first and the head last, or anyhow."""
        position = len(parts)
        if not self.chance(self.language.rigidity):
            self.random.shuffle(parts)
            position = self.random.randrange(len(parts) + 1)
        head.before = parts[:position] + head.before
        head.after = head.after + parts[position:]

    # Phrases

    def noun_phrase(self, case: str, relation: str, depth: int = 0) -> Node:
        """A pronoun, a name or a common noun with what belongs to it."""
        if case != "Loc" and self.chance(0.14):
            return self.pronoun(case, relation)
        if self.chance(0.16):
            return self.name(case, relation)
        number = "Plur" if self.chance(0.3) else "Sing"
        head = self.common_noun(case, relation, number, depth)
        if depth == 0 and self.chance(0.07):
            other = self.common_noun(case, "conj", number, depth=2)
            other.before.insert(0, Node(CONJUNCTIONS[0], CONJUNCTIONS[0], "CCONJ", "CC", "cc"))
            head.after.append(other)
            head.agreement = "3Plur"
        elif depth == 0 and self.chance(0.05):
            head.after.append(self._relative_clause(head.agreement))
        return head

    def common_noun(self, case: str, relation: str, number: str, depth: int) -> Node:
        """A common noun with its determiner, numeral, adjectives and a noun that depends on it."""
        noun = self.pick(self.lexicon.nouns)
        head = self.declined(noun, case, number, relation)
        if depth < 2 and self.chance(0.25):
            modifier = self._genitive(depth + 1)
            (head.before if self.chance(0.4) else head.after).append(modifier)
        for probability in (0.3, 0.06):
            if self.chance(probability):
                adjective = self.adjective("amod", noun.vowel, case, number)
                if self.chance(0.6):
                    head.before.append(adjective)
                else:
                    head.after.insert(0, adjective)
        if number == "Plur" and self.chance(0.25):
            numeral = self.pick(NUMERALS)
            head.before.insert(0, Node(numeral, numeral, "NUM", "NU", "nummod", "NumType=Card"))
        if self.chance(0.18):
            head.before.insert(0, self.determiner(noun.vowel, case, number))
        return head

    def _genitive(self, depth: int) -> Node:
        """A possessor is a name or a pronoun, anything else that depends on a noun is a common noun."""
        if self.chance(0.2):
            return self.pronoun("Gen", "nmod:poss")
        if self.chance(0.3):
            return self.name("Gen", "nmod:poss")
        return self.common_noun("Gen", "nmod", "Plur" if self.chance(0.2) else "Sing", depth)

    def oblique(self) -> Node:
        """A time, or a phrase in the locative, mostly with an adposition."""
        if self.chance(0.15):
            noun = self.pick([noun for noun in self.lexicon.nouns if noun.time])
            return self.declined(noun, "Loc", "Sing", "obl:tmod")
        head = self.noun_phrase("Loc", "obl", depth=1)
        if self.chance(0.5):
            word = self.pick(PREPOSITIONS)
            head.before.insert(0, Node(word, word, "ADP", "PRE", "case"))
        elif self.chance(0.3):
            word = self.pick(POSTPOSITIONS)
            head.after.append(Node(word, word, "ADP", "POST", "case"))
        return head

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

    # Words

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


def linearize(root: Node) -> list[Node]:
    """The words of a tree in order."""
    nodes = []
    for node in root.before:
        nodes += linearize(node)
    nodes.append(root)
    for node in root.after:
        nodes += linearize(node)
    return nodes


# -- writing -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """A written token: of one word, or of two that are written together."""

    text: str
    nodes: tuple[Node, ...]

    @property
    def is_mark(self) -> bool:
        """Whether it is punctuation, which sticks to the token before it."""
        return self.nodes[0].upos == "PUNCT"


def written_forms(speaker: Speaker, nodes: Sequence[Node]) -> list[str]:
    """Spelled words; names and the first word have a capital where the script has them."""
    return [speaker.spell(node.form, capital=index == 0 or node.entity != "O") for index, node in enumerate(nodes)]


def tokens_of(speaker: Speaker, nodes: Sequence[Node]) -> list[Token]:
    """The tokens of a sentence as they are written."""
    tokens: list[Token] = []
    for index, (node, form) in enumerate(zip(nodes, written_forms(speaker, nodes), strict=True)):
        if index and nodes[index - 1].joined:
            tokens[-1] = Token(tokens[-1].text + form, (*tokens[-1].nodes, node))
        else:
            tokens.append(Token(form, (node,)))
    return tokens


def running_text(tokens: Sequence[Token]) -> str:
    """Tokens with spaces between them, but for marks."""
    return "".join(token.text if token.is_mark else " " + token.text for token in tokens).strip()


def distinct_sentences(speaker: Speaker, count: int, seen: set[str], entities: bool) -> Iterator[list[Node]]:
    """Sentences whose text is not in ``seen`` yet; adds them there."""
    while count:
        nodes = speaker.entity_sentence() if entities else speaker.sentence()
        text = running_text(tokens_of(speaker, nodes))
        if text not in seen:
            seen.add(text)
            count -= 1
            yield nodes


# -- treebank ----------------------------------------------------------------------------------------------


def treebank_files(speaker: Speaker) -> dict[str, bytes]:
    """The three CoNLL-U files of a treebank, by name."""
    files, seen = {}, set[str]()
    for part, size in TREEBANK_SIZES.items():
        prefix = f"{speaker.language.code}_demo-ud-{part}"
        sentences = distinct_sentences(speaker, size, seen, entities=False)
        blocks = (conllu(speaker, nodes, f"{prefix}_{number}") for number, nodes in enumerate(sentences, start=1))
        files[f"{prefix}.conllu"] = "".join(blocks).encode()
    return files


def conllu(speaker: Speaker, nodes: Sequence[Node], identifier: str) -> str:
    """A sentence in CoNLL-U, with the blank line after it."""
    tokens = tokens_of(speaker, nodes)
    forms = iter(written_forms(speaker, nodes))
    number_of = {node: number for number, node in enumerate(nodes, start=1)}
    head_of = {child: number_of[node] for node in nodes for child in (*node.before, *node.after)}
    lines = [f"# sent_id = {identifier}", f"# text = {running_text(tokens)}"]
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        misc = "SpaceAfter=No" if following and following.is_mark else "_"
        first, last = number_of[token.nodes[0]], number_of[token.nodes[-1]]
        if first < last:
            lines.append("\t".join([f"{first}-{last}", token.text, *["_"] * 7, misc]))
            misc = "_"
        for node in token.nodes:
            lemma = speaker.spell(node.lemma, capital=node.entity != "O")
            columns = [str(number_of[node]), next(forms), lemma, node.upos, node.xpos, node.features]
            lines.append("\t".join([*columns, str(head_of.get(node, 0)), node.relation, "_", misc]))
    return "\n".join(lines) + "\n\n"


# -- named entities ----------------------------------------------------------------------------------------


def wikiann_archive(speaker: Speaker) -> bytes:
    """A tar.gz of the members train, dev and test, as WikiAnn has them."""
    plain, seen = io.BytesIO(), set[str]()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for part, size in ENTITY_SIZES.items():
            sentences = distinct_sentences(speaker, size, seen, entities=True)
            content = "".join(_wikiann_sentence(speaker, nodes) for nodes in sentences).encode()
            member = tarfile.TarInfo(part)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def _wikiann_sentence(speaker: Speaker, nodes: Sequence[Node]) -> str:
    code = speaker.language.code
    lines = [f"{code}:{token.text}\t{token.nodes[0].entity}\n" for token in tokens_of(speaker, nodes)]
    return "".join(lines) + "\n"


# -- Wikipedia ---------------------------------------------------------------------------------------------

NAMESPACES = {-2: "Media", -1: "Special", 0: "", 1: "Talk", 2: "User", 4: "Project", 6: "File", 10: "Template"}
NAMESPACES |= {14: "Category"}


@dataclass(frozen=True)
class Page:
    """A page of a wiki: its title, the number of its namespace, and its wiki text."""

    title: str
    namespace: int
    text: str


def dump(speaker: Speaker) -> bytes:
    """A MediaWiki export of articles, stubs, redirects and pages that are no articles; bzip2."""
    language = speaker.language
    pages = [
        Page("Template:Infobox", 10, "<includeonly>{| class=infobox\n| {{{name}}} || {{{kind}}}\n|}</includeonly>"),
        Page("Category:Demo", 14, "{{Infobox|name=Demo}}"),
    ]
    titles: set[str] = set()
    for number in range(language.articles):
        page = _article(speaker, titles)
        pages.append(page)
        if number % 12 == 3:
            pages.append(_stub(speaker, titles))
        if number % 15 == 7:
            pages.append(Page(_free_title(speaker, titles)[0], 0, f"#REDIRECT [[{page.title}]]"))
        if number % 40 == 11:
            pages.append(Page(f"Talk:{page.title}", 1, f"{_paragraph(speaker, 2)} ~~~~"))
    return bz2.compress(_export(language, pages).encode())


def _free_title(speaker: Speaker, titles: set[str]) -> tuple[str, Node]:
    """A title that is not taken yet, and the name or noun it is; numbered once the names run out."""
    subject = speaker.name("Nom", "nsubj")
    if speaker.chance(0.2):
        subject = speaker.declined(speaker.random.choice(speaker.lexicon.nouns), "Nom", "Sing", "nsubj")
    title = base = " ".join(speaker.spell(node.lemma, capital=True) for node in linearize(subject))
    number = 1
    while title in titles:
        number += 1
        title = f"{base} ({number})"
    titles.add(title)
    return title, subject


def _stub(speaker: Speaker, titles: set[str]) -> Page:
    title, subject = _free_title(speaker, titles)
    sentence = wiki_text(speaker, speaker.definition(subject), bold=subject)
    return Page(title, 0, f"{sentence}\n\n{{{{Stub}}}}\n")


def _article(speaker: Speaker, titles: set[str]) -> Page:
    title, subject = _free_title(speaker, titles)
    opening = wiki_text(speaker, speaker.definition(subject), bold=subject)
    blocks = [
        f"{{{{Infobox\n| name = {title}\n| kind = {_word(speaker)}\n}}}}\n{opening} {_paragraph(speaker, 2)}",
        f"== {_word(speaker, capital=True)} ==\n{_paragraph(speaker, speaker.random.randint(2, 4))}",
    ]
    if speaker.chance(0.3):
        blocks.append("\n".join(f"* {_paragraph(speaker, 1)}" for _ in range(3)))
    if speaker.chance(0.15):
        blocks.append(_table(speaker))
    if speaker.chance(0.6):
        paragraph = _paragraph(speaker, 2) + "<br>" + _paragraph(speaker, 1)
        blocks.append(f"=== {_word(speaker, capital=True)} ===\n{paragraph}")
    blocks.append(f"[[Category:{_word(speaker, capital=True)}]]")
    return Page(title, 0, "\n\n".join(blocks) + "\n")


def _word(speaker: Speaker, capital: bool = False) -> str:
    return speaker.spell(speaker.declined(speaker.pick(speaker.lexicon.nouns), "Nom", "Sing", "root").form, capital)


def _table(speaker: Speaker) -> str:
    rows = "".join(f"|-\n| {_word(speaker)} || {_word(speaker)}\n" for _ in range(3))
    return f'{{| class="wikitable"\n! {_word(speaker)} !! {_word(speaker)}\n{rows}|}}'


def _paragraph(speaker: Speaker, sentences: int) -> str:
    """Sentences in wiki text, some with a footnote or a template after them."""
    written = []
    for _ in range(sentences):
        text = wiki_text(speaker, speaker.sentence())
        if speaker.chance(0.05):
            text += f'<ref name="{_word(speaker)}">{_word(speaker, capital=True)}, 1999</ref>'
        elif speaker.chance(0.02):
            text += "{{Source}}"
        written.append(text)
    return " ".join(written)


def wiki_text(speaker: Speaker, nodes: Sequence[Node], bold: Node | None = None) -> str:
    """A sentence in wiki markup: some names are links, and the subject of the article is bold."""
    tokens = tokens_of(speaker, nodes)
    written: list[str] = []
    index = 0
    while index < len(tokens):
        end = index + 1
        while end < len(tokens) and tokens[end].nodes[0].entity.startswith("I-"):
            end += 1
        text = " ".join(token.text for token in tokens[index:end])
        first = tokens[index].nodes[0]
        if first is bold:
            text = f"'''{text}'''"
        elif first.entity != "O" and speaker.chance(0.5):
            title = " ".join(speaker.spell(token.nodes[0].lemma, capital=True) for token in tokens[index:end])
            text = f"[[{text}]]" if text == title else f"[[{title}|{text}]]"
        elif first.upos == "NOUN" and speaker.chance(0.01):
            text = f"''{text}''"
        written.append(text if tokens[index].is_mark else " " + text)
        index = end
    return "".join(written).strip()


def _export(language: Language, pages: Sequence[Page]) -> str:
    schema = "http://www.mediawiki.org/xml/export-0.10/"
    namespaces = "\n".join(
        f'      <namespace key="{key}" case="first-letter"' + (f">{name}</namespace>" if name else " />")
        for key, name in NAMESPACES.items()
    )
    head = f"""\
<mediawiki xmlns="{schema}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{schema} {schema[:-1]}.xsd" version="0.10" xml:lang="{language.code}">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>{language.code}wiki</dbname>
    <base>https://{language.code}.wikipedia.example/wiki/Demo</base>
    <generator>MediaWiki 1.35.0</generator>
    <case>first-letter</case>
    <namespaces>
{namespaces}
    </namespaces>
  </siteinfo>
"""
    return head + "".join(_page_xml(page, number) for number, page in enumerate(pages, start=1)) + "</mediawiki>\n"


def _page_xml(page: Page, number: int) -> str:
    prefix = "#REDIRECT [["
    target = page.text.removeprefix(prefix).removesuffix("]]") if page.text.startswith(prefix) else ""
    redirect = f'    <redirect title="{escape(target)}" />\n' if target else ""
    return f"""\
  <page>
    <title>{escape(page.title)}</title>
    <ns>{page.namespace}</ns>
    <id>{number}</id>
{redirect}    <revision>
      <id>{number + 10_000}</id>
      <timestamp>2019-{number % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z</timestamp>
      <contributor>
        <username>Demo</username>
        <id>1</id>
      </contributor>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text xml:space="preserve">{escape(page.text, {'"': "&quot;"})}</text>
    </revision>
  </page>
"""


# -- the mirror --------------------------------------------------------------------------------------------


def write_world(folder: Path, seed: int = 1) -> None:
    """Write the world as a mirror.

    Args:
        folder: where `wikipedia/`, `universal-dependencies/` and `wikiann/` appear.
        seed: of everything random; the same seed gives the same bytes.
    """
    archives = {}
    for language in LANGUAGES:
        lexicon = build_lexicon(language, seed)
        # Each product has random numbers of its own, so that one can change without the others.
        export_speaker, treebank_speaker, entity_speaker = (
            Speaker(language, lexicon, Random(f"{seed} {language.code} {product}"))
            for product in ("dump", "treebank", "entities")
        )

        name = f"{language.code}wiki-{DUMP_DATE}"
        export = {f"{name}-pages-articles.xml.bz2": dump(export_speaker)}
        sums = checksums(export, "sha1")
        wiki = folder / "wikipedia" / f"{language.code}wiki" / DUMP_DATE
        _write_folder(wiki, export | {f"{name}-sha1sums.txt": sums})
        if language.labeled:
            treebank = folder / "universal-dependencies" / language.treebank / RELEASE
            _write_folder(treebank, treebank_files(treebank_speaker))
            archives[f"{language.code}.tar.gz"] = wikiann_archive(entity_speaker)
    _write_folder(folder / "wikiann", archives)


def checksums(files: dict[str, bytes], algorithm: str) -> bytes:
    """A listing as `sha1sum` and its like print it."""
    lines = (f"{hashlib.new(algorithm, files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write files and, beside them, sha256sums.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (files | {"sha256sums.txt": checksums(files, "sha256")}).items():
        (folder / name).write_bytes(content)
