"""The transliterated twin of a corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tqdm import tqdm

from specialize.corpora.splits import SPLITS
from specialize.datasets import (
    LARGEST_SHARE_LEFT,
    count_untransliterated,
    require_latin,
    token_converter,
    transliterated_lines,
)
from specialize.files import atomic_path, atomic_text, read_json, write_json


def transliterate_corpus(
    source: Path,
    destination: Path,
    scheme: str,
    language: str | None = None,
    largest_share_left: float = LARGEST_SHARE_LEFT,
) -> None:
    """Write the transliterated twin of a corpus folder, line for line and token for token (paper §4.1).

    Its statistics.json is the original's, with what the scheme leaves under `transliteration`.

    Args:
        source: the corpus.
        destination: its twin.
        scheme, language: see `transliterator`.
        largest_share_left: of the twin's letters that may be of another script than the Latin one.

    Raises:
        InputError: if more are.
    """
    convert_token = token_converter(scheme, language)
    words: Counter[str] = Counter()
    with atomic_path(destination) as temporary:
        temporary.mkdir()
        for split in SPLITS:
            with (
                (source / f"{split}.txt").open(encoding="utf-8", newline="\n") as lines,
                atomic_text(temporary / f"{split}.txt") as out,
            ):
                shown = tqdm(lines, desc=split, unit=" lines", mininterval=2)
                out.writelines(transliterated_lines(shown, convert_token, words))
        left = count_untransliterated(words, convert_token)
        require_latin(source, left, scheme, largest_share_left)
        statistics = read_json(source / "statistics.json")
        write_json(temporary / "statistics.json", {**statistics, "transliteration": left.as_json()})
