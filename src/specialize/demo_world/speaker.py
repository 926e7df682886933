"""Sentences: clauses and phrases by the common grammar, with as much freedom as the language has."""

from __future__ import annotations

from itertools import pairwise

from specialize.demo_world.grammar import PERSONS, TENSES, VERB_TAGS, Node, linearize, punctuation
from specialize.demo_world.lexicon import (
    COMPLEMENTIZER,
    CONJUNCTIONS,
    COPULA,
    NEGATION,
    NUMERALS,
    POSTPOSITIONS,
    PREPOSITIONS,
    SUBORDINATORS,
    Verb,
)
from specialize.demo_world.words import Words


class Speaker(Words):
    """Someone who speaks a language: makes sentences of its words by the common grammar."""

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
        parts += self._objects(verb, depth=int(short))
        parts += self._adjuncts(short)
        if verb.frame == "modal":
            parts.append(self._infinitive())
        head = self._finite(verb, relation, agreement)
        self._arrange(head, parts)
        if self.chance(0.08):
            head.before.append(Node(NEGATION, NEGATION, "PART", "NEG", "advmod"))
        if verb.frame == "speech" and not short:
            head.after.append(self._complement_clause())
        return head

    def _objects(self, verb: Verb, depth: int) -> list[Node]:
        objects = []
        if verb.frame in ("transitive", "ditransitive"):
            objects.append(self.noun_phrase("Acc", "obj", depth))
        if verb.frame == "ditransitive":
            objects.append(self.noun_phrase("Dat", "iobj", depth=1))
        return objects

    def _adjuncts(self, short: bool) -> list[Node]:
        """Up to two obliques, one where the clause is short, and perhaps an adverb."""
        adjuncts = []
        for probability in (0.15,) if short else (0.55, 0.2):
            if self.chance(probability):
                adjuncts.append(self.oblique())
        if self.chance(0.25):
            adjuncts.append(self.adverb())
        return adjuncts

    def _finite(self, verb: Verb, relation: str, agreement: str) -> Node:
        tense = self.random.choice(tuple(TENSES))
        return Node(
            form=verb.root + TENSES[tense] + PERSONS[agreement],
            lemma=verb.root + "ar",
            upos="VERB",
            xpos=VERB_TAGS[tense],
            relation=relation,
            features=f"Number={agreement[1:]}|Person={agreement[0]}|Tense={tense}|VerbForm=Fin",
        )

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
            side = head.before if self.chance(0.4) else head.after
            side.append(modifier)
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
