"""A vocabulary without the pieces that some texts do not need; their words are cut as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from fontTools.unicodedata import script
from tokenizers import Tokenizer

from specialize.errors import SpecializeError
from specialize.files import atomic_path, write_json
from specialize.vocabularies.base import SETTINGS, load_base
from specialize.vocabularies.coverage import coverage_statistics
from specialize.vocabularies.kinds import Kind, in_order, kind_of, only, special_ids
from specialize.vocabularies.normal_form import Form, spelling_statistics
from specialize.vocabularies.reloading import check_reload
from specialize.vocabularies.words import WordCounts, count_words, letter_counts

SCRIPT_SHARE = 0.001  # of a text's letters: all letters of such a script stay, so that new words of it are read
OF_NO_SCRIPT = ("Zyyy", "Zinh")  # digits, punctuation, and marks that stand on letters of any script


def trimmed(tokenizer: Tokenizer, texts: Mapping[str, Counter[str]]) -> Tokenizer:
    """A copy that has only the pieces which some texts need, with ids in the order of the old ones.

    Tokens stay, bytes, the unknown piece, all letters of the scripts that a text is written in, and what else a kind
    needs to cut the words as before. The padding keeps its id, from which some architectures count positions.

    Args:
        tokenizer: one that is `settled`.
        texts: words with their counts, by the name of their text or language.

    Raises:
        SpecializeError: if a word were cut otherwise.
    """
    kind, ids = kind_of(tokenizer), tokenizer.get_vocab()
    words = sum(texts.values(), Counter())
    needed = kind.fixed(tokenizer) - set(kind.free_slots(tokenizer))
    needed |= kind.uses(tokenizer, words).keys() | _alphabet(kind, tokenizer, texts)
    for parts in kind.made_of(tokenizer, sorted(needed)).values():
        needed |= parts
    kept = sorted(needed, key=ids.__getitem__)
    padding = in_order(tokenizer)[special_ids(tokenizer)["pad"]]
    if ids[padding] < len(kept):
        kept.remove(padding)
        kept.insert(ids[padding], padding)
    made = only(tokenizer, kept)
    distinct = sorted(words)
    if kind.segment(made, distinct) != kind.segment(tokenizer, distinct):
        raise SpecializeError("words are cut otherwise without the pieces that none of them is cut into; report this")
    return made


def _alphabet(kind: Kind, tokenizer: Tokenizer, texts: Mapping[str, Counter[str]]) -> set[str]:
    """The pieces of one letter of the scripts that texts are written in, and of those that belong to none."""
    scripts = set(OF_NO_SCRIPT)
    for words in texts.values():
        counts: Counter[str] = Counter()
        for letter, count in letter_counts(words).items():
            counts[script(letter)] += count
        scripts |= {name for name, count in counts.items() if count >= SCRIPT_SHARE * counts.total()}
    return {piece for piece, letter in kind.letters(tokenizer).items() if script(letter) in scripts}


def build_trimmed_vocabulary(
    source: Path,
    corpus: Path | None,
    labeled: Mapping[str, WordCounts],
    elsewhere: Mapping[str, Counter[str]],
    folder: Path,
    normal_form: Form = "NFC",
) -> None:
    """Make the vocabulary folder of a trimmed model: a tokenizer, and statistics.json on what it covers.

    Args:
        source: the vocabulary folder of the representation that is trimmed.
        corpus: the training split of the language's text; None if it has none.
        labeled: words of labeled data, by name.
        elsewhere: words of other languages that are to be cut as before, by language.
        folder: where the vocabulary appears.
        normal_form: see `with_normal_form`; the source has it.

    Raises:
        SpecializeError: see `trimmed`.
    """
    tokenizer = load_base(source)
    kind = kind_of(tokenizer)
    data = ({"corpus": count_words([corpus])} if corpus else {}) | dict(labeled)
    own = {name: counts.words for name, counts in data.items()}
    made = trimmed(tokenizer, own | {f"language {language}": words for language, words in elsewhere.items()})
    before, after = len(in_order(tokenizer)), len(in_order(made))
    print(f"{after:,} of {before:,} pieces stay; measures what they cover")
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        kind.save(made, temporary, source / SETTINGS)
        check_reload(temporary, [word for words in own.values() for word in words])
        write_json(
            temporary / "statistics.json",
            {
                "pieces": {},
                "trimmed": {"pieces": after, "of": before},
                "coverage": {name: coverage_statistics(counts, made, tokenizer) for name, counts in data.items()},
                "spelling": {name: spelling_statistics(words, normal_form) for name, words in own.items()},
            },
        )
