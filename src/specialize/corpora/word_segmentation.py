"""The words of a text: parted where a script writes no spaces between them, and left out where they are too long."""

from __future__ import annotations

import regex

from specialize.unicode import ICU_SCRIPTS, SPACELESS_LETTER, ZERO_WIDTH_SPACE, count_of, written_in

# Image data, runs of letters and the like: learning pieces of a word takes time quadratic in its length. The longest
# words of the paper's texts are addresses of some hundred characters.
LONGEST_WORD = 1000
LONG_WORDS = f"words of more than {LONGEST_WORD:,} characters"

# A run for ICU goes on over marks and joiners, and over the tsheg that ends a Tibetan syllable.
_FOR_ICU = written_in(ICU_SCRIPTS, r"\p{L}\p{M}\p{N}")
_RUN = regex.compile(rf"(?V1){_FOR_ICU}(?:{_FOR_ICU}|[\p{{M}}\u200c\u200d\u2060\u0f0b\u0f0c])*")
_PUNCTUATED = regex.compile(r"\p{P}+|[^\p{P}]+")


def part_words(sentence: str) -> str:
    """A sentence with spaces between the words of Thai, Lao, Khmer, Burmese, Japanese and Chinese, found by ICU.

    Of Tibetan, syllables are parted. Only runs of letters of these scripts are, and each has a space on both sides;
    everything else stays. A zero-width space is where the writer has parted words. Needs the extra `words`.
    """
    if not has_unparted_words(sentence):
        return sentence
    spaced = _RUN.sub(lambda run: f" {_words_of_run(run[0])} ", sentence.replace(ZERO_WIDTH_SPACE, " "))
    return " ".join(spaced.split())


def has_unparted_words(sentence: str) -> bool:
    """Whether `part_words` would look for words in a sentence."""
    return _RUN.search(sentence) is not None


def _words_of_run(run: str) -> str:
    from icu4py.breakers import WordBreaker

    words: list[str] = []
    for piece in WordBreaker(run, "root"):  # ICU has one dictionary a script, whatever the locale
        if words and not any(map(str.isalnum, piece)):
            words[-1] += piece  # a mark that ends a syllable or a word
        else:
            words.append(piece)
    return " ".join(words)


def with_words(sentences: list[str], words: str) -> tuple[list[str], int]:
    """Sentences as every later stage reads them, with spaces between words and without words that are too long.

    Args:
        sentences: of an article.
        words: `spaces`, as the text has them, or `icu`; see `part_words`.

    Returns:
        the sentences of which something is left, and how many words were left out.
    """
    if words == "icu":
        sentences = [part_words(sentence) for sentence in sentences]
    if all(len(sentence) <= LONGEST_WORD for sentence in sentences):
        return sentences, 0
    kept, left_out = [], 0
    for sentence in sentences:
        tokens = sentence.split(" ")
        fitting = [token for token in tokens if not _is_too_long(token)]
        left_out += len(tokens) - len(fitting)
        if fitting:
            kept.append(" ".join(fitting))
    return kept, left_out


def _is_too_long(token: str) -> bool:
    if len(token) <= LONGEST_WORD:
        return False
    if 2 * count_of(SPACELESS_LETTER, token) < len(token):
        return True
    # A paragraph that nobody has parted into words: what counts is how long it goes on without punctuation.
    return max(map(len, _PUNCTUATED.findall(token))) > LONGEST_WORD
