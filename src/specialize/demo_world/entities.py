"""Named entities, in archives as WikiAnn has them."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence

from specialize.demo_world.grammar import Node
from specialize.demo_world.speaker import Speaker
from specialize.demo_world.writing import distinct_sentences, tokens_of

ENTITY_SIZES = {"train": 300, "dev": 100, "test": 300}  # sentences


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
