"""The transliterated twin of a corpus."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from tqdm import tqdm

from specialize.corpora.splits import SPLITS
from specialize.datasets import REMEMBERED_WORDS, transliterate_token
from specialize.files import atomic_path, atomic_text


def transliterate_corpus(source: Path, destination: Path, convert: Callable[[str], str]) -> None:
    """Write the transliterated twin of a corpus folder, line for line and token for token (paper §4.1)."""
    convert_token = lru_cache(maxsize=REMEMBERED_WORDS)(partial(transliterate_token, convert))
    with atomic_path(destination) as temporary:
        temporary.mkdir()
        for split in SPLITS:
            with (
                (source / f"{split}.txt").open(encoding="utf-8", newline="\n") as lines,
                atomic_text(temporary / f"{split}.txt") as out,
            ):
                for line in tqdm(lines, desc=split, unit=" lines", mininterval=2):
                    tokens = line.rstrip("\n").split(" ")
                    out.write(" ".join(map(convert_token, tokens)) + "\n")
        shutil.copyfile(source / "statistics.json", temporary / "statistics.json")
