"""Treebanks in CoNLL-U, in three parts."""

from __future__ import annotations

from collections.abc import Sequence

from specialize.demo_world.grammar import Node
from specialize.demo_world.speaker import Speaker
from specialize.demo_world.writing import distinct_sentences, running_text, tokens_of, written_forms

TREEBANK_SIZES = {"train": 200, "dev": 80, "test": 200}  # sentences


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
