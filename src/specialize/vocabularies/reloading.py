"""One truth about a tokenizer: what whoever loads a folder reads is what training has read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from specialize.errors import SpecializeError
from specialize.vocabularies.kinds import kind_of, special_names

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WORDS = 2000  # are compared, taken evenly from all
WORDS_IN_A_LINE = 20
SHOWN = 3
MARKED = "{0}É-{1}'漢字e\u0301"


def check_reload(folder: Path, words: Iterable[str] = (), positions: int | None = None) -> None:
    """Check that `AutoTokenizer` reads a folder that we wrote as training does.

    Args:
        folder: with tokenizer.json and its settings.
        words: of the text; some of them are compared, and besides some made of the vocabulary's pieces.
        positions: how many pieces the model reads at once, if there is one.

    Raises:
        SpecializeError: if it does not.
    """
    found = differences(folder, words, positions)
    if found:
        raise SpecializeError(
            f"{folder}: AutoTokenizer reads another tokenizer than training does: {'; '.join(found)}; "
            "take another base model, or report this"
        )


def differences(
    folder: Path,
    words: Iterable[str] = (),
    positions: int | None = None,
    ours: Tokenizer | None = None,
) -> list[str]:
    """In what `AutoTokenizer` reads a folder otherwise than training does.

    Args:
        folder, words, positions: as of `check_reload`.
        ours: what training reads, which may name ids that have no piece; by default the folder's tokenizer.json.
    """
    from transformers import AutoTokenizer
    from transformers.utils import logging

    if as_written := ours is None:
        ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
        ours.no_padding()
        ours.no_truncation()
    found: list[str] = []
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        # Else it would ask at the terminal whether to run a model's own code, which none of our tokenizers has.
        theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if as_written and (lacking := sorted(ours.get_vocab().keys() - theirs.get_vocab().keys())):
            found.append(f"it lacks {len(lacking):,} pieces ({_some(lacking)})")
        found += _differences(ours, theirs, [*_sample(words), *_own_words(ours)])
    except Exception as error:  # the library raises whatever its files lead to
        return [f"it does not load ({' '.join(str(error).split())[:200]})"]
    finally:
        logging.set_verbosity(verbosity)
    if positions is not None and theirs.model_max_length > positions:
        found.append(f"it allows {theirs.model_max_length} pieces, where the model has {positions} positions")
    return found


def _differences(ours: Tokenizer, theirs: PreTrainedTokenizerBase, words: list[str]) -> Iterator[str]:
    known = ours.get_vocab()
    if strange := sorted(piece for piece, number in theirs.get_vocab().items() if known.get(piece) != number):
        yield f"{len(strange):,} of its pieces are none or have another id ({_some(strange)})"

    names, unknown = special_names(ours), kind_of(ours).unknown(ours)
    for role, name in (names | ({"unk_token": unknown} if unknown else {})).items():
        if getattr(theirs, role, None) != name:
            yield f"its {role} is {getattr(theirs, role, None)}, not {name}"

    words = [*words, *names.values()]
    cut = [encoding.ids for encoding in ours.encode_batch(words, add_special_tokens=False)]
    otherwise = [
        word
        for word, ids, read in zip(words, cut, theirs(words, add_special_tokens=False).input_ids, strict=True)
        if read != ids
    ]
    if otherwise:
        yield f"it cuts {len(otherwise):,} of {len(words):,} words otherwise ({_some(otherwise)})"
    if names:
        start, end = known[names["cls_token"]], known[names["sep_token"]]
        lines = [" ".join(words[first : first + WORDS_IN_A_LINE]) for first in range(0, len(words), WORDS_IN_A_LINE)]
        cut = [[start, *encoding.ids, end] for encoding in ours.encode_batch(lines, add_special_tokens=False)]
        if theirs(lines).input_ids != cut:
            yield f"lines do not become their pieces between {names['cls_token']} and {names['sep_token']}"


def _sample(words: Iterable[str]) -> list[str]:
    """At most `WORDS` of them, evenly taken, in order."""
    ordered = sorted(set(words))
    return ordered[:: -(-len(ordered) // WORDS)] if ordered else []


def _own_words(tokenizer: Tokenizer) -> list[str]:
    """Pieces, and words of them with what case, accents and marks may change."""
    lettered = (piece for piece in tokenizer.get_vocab() if piece.isprintable() and any(map(str.isalpha, piece)))
    some = _sample(piece.strip("#") for piece in lettered)[::3]
    return [way.format(piece, piece.capitalize()) for piece in some for way in ("{0}", "{1}", MARKED)]


def _some(words: list[str]) -> str:
    return ", ".join(words[:SHOWN])
