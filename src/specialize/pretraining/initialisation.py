"""Where the rows of new pieces start from, by the setting `initialisation`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers.modeling_utils import PreTrainedModel

from specialize.errors import InputError
from specialize.pretraining.new_rows import INITIALISATIONS, Drawn, Mixture, NewPieces, initialise, start_rows
from specialize.pretraining.rows_by_dictionary import by_dictionary
from specialize.pretraining.rows_by_script import by_script
from specialize.pretraining.settings import PretrainingSettings


@dataclass(frozen=True)
class LanguageSources:
    """What is known of the language of new pieces.

    Attributes:
        tokenizer: that has them.
        text: its training text.
        word_list: see `sources.read_word_list`; only `dictionary` needs one.
    """

    tokenizer: Tokenizer
    text: Path
    word_list: Path | None = None


def start_new_rows(
    model: PreTrainedModel, pieces: NewPieces, language: LanguageSources, settings: PretrainingSettings
) -> dict[str, Any]:
    """Have the rows of new pieces start as the settings say, in every matrix and in the output bias.

    Args:
        model: with room for them.
        pieces: the new ones.
        language: theirs.
        settings: of pretraining.

    Returns:
        For history.json: how many started in which way, as far as that is not the same for all.
    """
    how, seed = settings.initialisation, settings.seed
    if how in INITIALISATIONS:
        without_parts = initialise(model, pieces, how)
        return {"pieces_without_parts": without_parts} if without_parts else {}
    if not pieces.ids:
        return {}
    starts: Iterable[Mixture | Drawn]
    if how == "script":
        starts, started = by_script(pieces)
    elif how == "focus":
        from specialize.pretraining.rows_by_similarity import by_similarity  # it loads gensim

        starts, started = by_similarity(pieces, language.tokenizer, language.text, seed)
    else:
        assert how == "dictionary" and language.word_list, "the configuration would have been refused"
        starts, started = by_dictionary(pieces, language.tokenizer, language.text, language.word_list)
    start_rows(model, starts, seed)
    told = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in started.items())
    print(f"{len(pieces.ids):,} new rows start by {how}: {told}")
    return {"new_rows": started}


def check_slots(pieces: NewPieces, settings: PretrainingSettings, base_folder: Path) -> None:
    """Refuse to start from free slots that a base does not have, where a representation asks for it by itself.

    Raises:
        InputError: if so.
    """
    if settings.slots_wanted and pieces.ids and not pieces.slots:
        raise InputError(
            base_folder / "tokenizer.json",
            "has no free slots, from whose rows initialisation: slot has new pieces start",
            remedy="write initialisation: mean in the representation's training",
        )
