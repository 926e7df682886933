"""A finished model without the wordpieces that given texts do not need: what it says of such texts stays the same."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from specialize.datasets import TRANSLITERATION, read_transliteration, token_converter
from specialize.errors import InputError
from specialize.files import atomic_path, atomic_text, read_json, read_text
from specialize.finetuning.raw_text import words_of
from specialize.pretraining.fewer_rows import fewer_rows
from specialize.pretraining.model_card import smaller_section
from specialize.vocabularies import count_labeled_words, kind_of, load_base, trimmed

CARD = "README.md"
LABELED = (".conllu", ".tsv")


def trim_finished(model_folder: Path, folder: Path, texts: Sequence[Path]) -> tuple[int, int]:
    """Write a copy of a model that has only the wordpieces which some texts need.

    Args:
        model_folder: a finetuning folder with its model kept, a pretrained model, or an exported one.
        folder: where the copy appears; a new one.
        texts: files in the language and in others that are to be read as before: CoNLL-U, entities as the run has them
            (.tsv), or plain text. The model of a transliterated twin reads all of them as its scheme writes them.

    Returns:
        How many pieces it has had, and how many it has now.

    Raises:
        InputError: if there is no model with wordpieces, the folder cannot be a new one, or a text is none.
    """
    source = model_folder / "model" if (model_folder / "model").is_dir() else model_folder
    _require_wordpieces(source, model_folder)
    if folder.exists() or folder.resolve().is_relative_to(model_folder.resolve()):
        problem = "is there already" if folder.exists() else "is in the model's own folder"
        raise InputError(folder, problem, remedy="give a new folder, such as ltg-small")
    converted = _converter(source)
    words = {str(path): _words(path, converted) for path in texts}
    tokenizer = load_base(source)
    made = trimmed(tokenizer, words)
    with atomic_path(folder) as temporary, tempfile.TemporaryDirectory() as vocabulary:
        kind_of(made).save(made, Path(vocabulary), source / "tokenizer_config.json")
        shutil.copytree(source, temporary)
        before, after, _ = fewer_rows(source, Path(vocabulary), temporary)
        if (temporary / CARD).is_file():
            card = read_text(temporary / CARD)
            with atomic_text(temporary / CARD) as stream:
                stream.write(card + smaller_section(before, after))
    return before, after


def _require_wordpieces(source: Path, given: Path) -> None:
    if not (source / "config.json").is_file():
        if (source / "task.json").is_file():
            raise InputError(given, "reads static vectors of words, not wordpieces", remedy="trim another model")
        remedy = "give a finetuned model that was kept (keep_models=true), a pretrained or an exported one"
        raise InputError(given, "holds no model", remedy=remedy)
    if "auto_map" in read_json(source / "config.json"):
        remedy = "trim the model that it was exported from, and export that"
        raise InputError(given, "is a tagger that was exported", remedy=remedy)


def _converter(source: Path) -> Callable[[str], str]:
    """What the model of a transliterated twin makes of a word; nothing of any other's."""
    is_task_model = (source / "task.json").is_file()
    if (source / TRANSLITERATION).is_file() or (
        is_task_model and read_json(source / "task.json").get("transliteration")
    ):
        known = read_transliteration(source)
        return token_converter(known["scheme"], known["language"])
    return str


def _words(path: Path, converted: Callable[[str], str]) -> Counter[str]:
    """The words of a text; of plain text also with the punctuation that stands on them, as pretraining reads them."""
    if not path.is_file():
        raise InputError(path, "is no file", remedy="correct the path")
    if path.suffix in LABELED:
        found = sum((counts.words for counts in count_labeled_words([path]).values()), Counter[str]())
    else:
        found = Counter()
        for line in read_text(path).splitlines():
            found.update(line.split())
            found.update(words_of(line))
    if not found:
        raise InputError(path, "has no words", remedy="give a text in the language of the model")
    words: Counter[str] = Counter()
    for word, count in found.items():
        words[converted(word)] += count
    return words
