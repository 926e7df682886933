"""Bilingual word lists: what they hold, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

from specialize.errors import InputError
from specialize.files import read_text

LAYOUT = "each line is a word, a tab and one translation of it"


def read_word_list(path: Path) -> dict[str, list[str]]:
    r"""Read a bilingual word list: the translations of each word, in their order.

    Args:
        path: UTF-8; in each line a word of the language, a tab, and a word of one that the base model knows. A word
            with several translations has several lines. Either may be of several words; empty lines are passed over.

    Raises:
        InputError: with the first line that is none, or if there is no line at all.
    """
    if not path.is_file():
        raise InputError(path, "is not there", remedy="correct the path; a relative one starts at the run's directory")
    translations: dict[str, dict[str, None]] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        columns = [" ".join(column.split()) for column in line.split("\t")]
        if len(columns) == 1:
            remedy = rf"{LAYOUT}; where a blank parts them: sed 's/ /\t/' FILE > NEW"
            raise InputError(path, "the line has no tab", number, remedy)
        if len(columns) > 2 or not all(columns):
            problem = f"the line has {len(columns)} columns" if len(columns) > 2 else "a column is empty"
            raise InputError(path, problem, number, LAYOUT)
        translations.setdefault(columns[0], {})[columns[1]] = None
    if not translations:
        raise InputError(path, "has no word", remedy=LAYOUT)
    return {word: list(its_translations) for word, its_translations in translations.items()}
