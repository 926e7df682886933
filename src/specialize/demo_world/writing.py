"""Sentences in writing: spelled words, tokens of one or two words, running text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specialize.demo_world.grammar import Node
from specialize.demo_world.speaker import Speaker


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
