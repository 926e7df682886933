"""Labeled data: treebanks in CoNLL-U, named entities in IOB2, and their transliterated twins."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from specialize.errors import InputError
from specialize.files import atomic_text, read_archive_members, read_text

PARTS = ("train", "dev", "test")
COLUMNS = 10
FORM, UPOS, XPOS, HEAD, DEPREL, DEPS = 1, 3, 4, 6, 7, 8
# Scorers take the second group for the end of a line.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SHOWN_REPAIRS = 20


@dataclass(frozen=True)
class Word:
    """A syntactic word; multiword-token rows and empty nodes are not words (fact 7).

    Attributes:
        form, upos, xpos, deprel: the columns of CoNLL-U.
        head: number of the head word, 0 for the root.
        row: index of its line in `Sentence.lines`.
    """

    form: str
    upos: str
    xpos: str
    head: int
    deprel: str
    row: int


@dataclass(frozen=True)
class Sentence:
    """A sentence of a treebank: its words, and all of its lines as they were read."""

    words: tuple[Word, ...]
    lines: tuple[str, ...]

    def surface(self) -> str:
        """Its text without any white space, multiword tokens in their written form."""
        parts, covered = [], 0
        for line in self.lines:
            columns = line.split("\t")
            first, dash, last = columns[0].partition("-")
            if dash and first.isdigit():
                parts.append(columns[FORM])
                covered = int(last)
            elif first.isdigit() and int(first) > covered:
                parts.append(columns[FORM])
        return re.sub(r"\s", "", "".join(parts))

    def relabeled(self, replaced: Mapping[int, Sequence[str]]) -> Sentence:
        """A copy with some columns of its words replaced; each column is known by its number."""
        lines, words = list(self.lines), []
        for word, *values in zip(self.words, *replaced.values(), strict=True):
            columns = lines[word.row].split("\t")
            for column, value in zip(replaced, values, strict=True):
                columns[column] = value
            lines[word.row] = "\t".join(columns)
            words.append(_word(columns, word.row))
        return Sentence(tuple(words), tuple(lines))


@dataclass(frozen=True)
class EntitySentence:
    """Tokens and their IOB2 labels, and the line that the first of them stands in."""

    tokens: tuple[str, ...]
    labels: tuple[str, ...]
    line: int = field(default=1, compare=False)


# -- treebanks ---------------------------------------------------------------------------------------------


def read_treebank(path: Path) -> list[Sentence]:
    """Read a CoNLL-U file whose every sentence is a tree with one root.

    Raises:
        InputError: with the line of the first thing that is wrong; also if there is no sentence.
    """
    sentences = [_parse_sentence(path, number, lines) for number, lines in _blocks(read_text(path))]
    _check_any(path, sentences)
    return sentences


def write_treebank(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write sentences as CoNLL-U, atomically."""
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.write("\n".join(sentence.lines) + "\n\n")


def _parse_sentence(path: Path, first_line: int, lines: list[str]) -> Sentence:
    words: list[Word] = []
    covered, covered_line = 0, first_line  # by the last multiword token
    empty_nodes = 0  # since the last word
    for row, line in enumerate(lines):
        number = first_line + row
        if line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            raise InputError(path, f"has {len(columns)} columns, CoNLL-U has {COLUMNS}", number, "part them by tabs")
        if not columns[FORM].strip() or UNPRINTABLE.search(columns[FORM]):
            raise InputError(path, f"form {columns[FORM]!r} is empty or has a control character", number)
        if multiword := re.fullmatch(r"([0-9]{1,6})-([0-9]{1,6})", columns[0]):
            first, last = map(int, multiword.groups())
            if first != len(words) + 1 or last <= first or first <= covered:
                problem = f"multiword token {columns[0]} does not stand right before its first word of two or more"
                raise InputError(path, problem, number)
            covered, covered_line = last, number
        elif re.fullmatch(r"[0-9]{1,6}[.][0-9]{1,6}", columns[0]):
            empty_nodes += 1
            if columns[0] != f"{len(words)}.{empty_nodes}":
                raise InputError(path, f"empty node {columns[0]} where {len(words)}.{empty_nodes} is due", number)
        else:
            if columns[0] != str(len(words) + 1):
                raise InputError(path, f"word number {columns[0]!r} where {len(words) + 1} is due", number)
            if not re.fullmatch(r"[0-9]{1,6}", columns[HEAD]):
                raise InputError(path, f"head {columns[HEAD]!r} is not a word number", number, "annotate the head")
            words.append(_word(columns, row))
            empty_nodes = 0
    if not words:
        raise InputError(path, "starts a sentence without words", first_line)
    if covered > len(words):
        raise InputError(path, f"multiword token up to {covered} in a sentence of {len(words)} words", covered_line)
    _check_tree(path, first_line, words)
    return Sentence(tuple(words), tuple(lines))


def _word(columns: list[str], row: int) -> Word:
    head = int(columns[HEAD]) if columns[HEAD].isdigit() else 0
    return Word(columns[FORM], columns[UPOS], columns[XPOS], head, columns[DEPREL], row)


def _check_tree(path: Path, first_line: int, words: list[Word]) -> None:
    for word in words:
        if word.head > len(words):
            raise InputError(path, f"head {word.head} is not in the sentence", first_line + word.row)
    roots = [word for word in words if word.head == 0]
    if len(roots) != 1:
        line = first_line + (roots[1].row if roots else words[0].row)
        raise InputError(path, f"the sentence has {len(roots)} roots, a tree has one", line, "give one word head 0")
    safe = {0}
    for start in range(1, len(words) + 1):
        trail, node = [], start
        while node not in safe:
            if node in trail:
                line = first_line + words[node - 1].row
                raise InputError(path, f"the heads run in a cycle through word {node}", line)
            trail.append(node)
            node = words[node - 1].head
        safe.update(trail)


# -- named entities ----------------------------------------------------------------------------------------


def read_entities(path: Path) -> list[EntitySentence]:
    """Read `token<TAB>label` lines in IOB2, a blank line between sentences.

    Raises:
        InputError: on a line without a token or without a label of the form O, B-TYPE, I-TYPE.
    """
    return parse_entities(path, read_text(path))


def parse_entities(path: Path, text: str) -> list[EntitySentence]:
    """The same for text that was read from ``path`` already; WikiAnn's `xx:` prefixes stay with the tokens."""
    sentences = []
    for first_line, lines in _blocks(text):
        tokens, labels = [], []
        for number, line in enumerate(lines, start=first_line):
            token, tab, label = line.partition("\t")
            if not tab or not token.strip():
                raise InputError(path, "has no token or no label", number, "write token, tab, label")
            if not re.fullmatch(r"O|[BI]-\S+", label):
                remedy = "write token, tab and one of O, B-TYPE, I-TYPE, and nothing else"
                raise InputError(path, f"label {label!r} is not IOB2", number, remedy)
            tokens.append(token)
            labels.append(label)
        sentences.append(EntitySentence(tuple(tokens), tuple(labels), first_line))
    _check_any(path, sentences)
    return sentences


def write_entities(path: Path, sentences: Iterable[EntitySentence]) -> None:
    """Write sentences as `token<TAB>label` lines, atomically."""
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.writelines(
                f"{token}\t{label}\n" for token, label in zip(sentence.tokens, sentence.labels, strict=True)
            )
            stream.write("\n")


def repair_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Make a label sequence valid IOB2: an I- that continues nothing of its type begins an entity."""
    repaired: list[str] = []
    for label in labels:
        if label.startswith("I-") and (not repaired or repaired[-1][1:] != label[1:]):
            label = "B" + label[1:]
        repaired.append(label)
    return tuple(repaired)


def repair_entities(path: Path, sentences: list[EntitySentence], broken_labels: str) -> list[EntitySentence]:
    """Make all labels valid IOB2 and print where they were not.

    Args:
        path: the file that the sentences come from.
        sentences: the sentences.
        broken_labels: `repair`, or `refuse`.

    Raises:
        InputError: if nothing is labeled at all; at the first broken label, if those are refused.
    """
    if not any(label != "O" for sentence in sentences for label in sentence.labels):
        raise InputError(path, "has no entity", remedy="each of train, dev and test needs some")
    repaired = []
    repairs = 0
    for sentence in sentences:
        labels = repair_labels(sentence.labels)
        for place, (old, new) in enumerate(zip(sentence.labels, labels, strict=True)):
            if old == new:
                continue
            repairs += 1
            problem = f"label {old} continues nothing of its type"
            if broken_labels == "refuse":
                remedy = f"write {new}, or let ner: broken_labels: repair do so"
                raise InputError(path, problem, sentence.line + place, remedy)
            if repairs <= SHOWN_REPAIRS:
                print(f"{path}, line {sentence.line + place}: {problem}; taken as {new}")
        repaired.append(EntitySentence(sentence.tokens, labels, sentence.line))
    print(f"{path}: {repairs} labels repaired to be IOB2")
    return repaired


def unpack_wikiann(archive: Path, language_code: str) -> dict[str, list[EntitySentence]]:
    """Read train, dev and test from a WikiAnn archive, without the language prefix of its tokens.

    Raises:
        InputError: if the archive or a line in it is broken.
    """
    members = read_archive_members(archive, list(PARTS))
    parts: dict[str, list[EntitySentence]] = {part: [] for part in PARTS}
    for part in PARTS:
        for sentence in parse_entities(archive / part, members[part]):
            bare = (token.removeprefix(f"{language_code}:") for token in sentence.tokens)
            pairs = zip(bare, sentence.tokens, strict=True)
            tokens = tuple(token if token.strip() else whole for token, whole in pairs)
            parts[part].append(EntitySentence(tokens, sentence.labels, sentence.line))
    return parts


def _check_any(path: Path, sentences: Sequence[object]) -> None:
    if not sentences:
        raise InputError(path, "has no sentences", 1, "each of train, dev and test needs some")


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not blank, each with the number of its first line."""
    block: list[str] = []
    number = 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield number - len(block) + 1, block


# -- transliteration ---------------------------------------------------------------------------------------

# Uyghur to the Turkish-like Latin of Muller et al. (2021), facts 9 and 10; longest source first.
UYGHUR = dict(
    zip(
        "ئا ئە ئو ئۇ ئۆ ئۈ ئې ئى ا ە ب پ ت ج چ خ د ر ز ژ س ش غ ف ق ك گ ڭ ل م ن ھ ح و ۇ ۆ ۈ ۋ ي ې ى ع "
        "، ؛ ؟ ۰ ۱ ۲ ۳ ۴ ۵ ۶ ۷ ۸ ۹".split(),
        "a e o u ö ü ë i a e b p t c ç x d r z j s ş ğ f q k g ng l m n h h o u ö ü v y ë i kh "
        ", ; ? 0 1 2 3 4 5 6 7 8 9".split(),
        strict=True,
    )
) | {"ء": ""}
_UYGHUR_PATTERN = re.compile("|".join(sorted(UYGHUR, key=len, reverse=True)))
REMEMBERED_WORDS = 1 << 19


def transliterator(scheme: str, language: str | None = None) -> Callable[[str], str]:
    """A function that turns text into Latin letters, word by word; each distinct word is converted once.

    Args:
        scheme: `uyghur` (NFKC, then the table), `transliterate` (the package of that name, reversed; fact 8) or
            `uroman` (any script).
        language: for `transliterate`, its language code, such as `ru`; for `uroman`, if wanted, one of ISO 639-3.
    """
    convert_word = lru_cache(maxsize=REMEMBERED_WORDS)(_word_converter(scheme, language))
    return lambda text: " ".join(map(convert_word, text.split(" ")))


def _word_converter(scheme: str, language: str | None) -> Callable[[str], str]:
    if scheme == "uyghur":
        return lambda word: _UYGHUR_PATTERN.sub(lambda match: UYGHUR[match[0]], unicodedata.normalize("NFKC", word))
    if scheme == "uroman":
        from uroman import Uroman

        romanizer = Uroman()
        return lambda word: str(romanizer.romanize_string(word, lcode=language))
    from transliterate import translit

    return lambda word: str(translit(word, language, reversed=True))


def transliterate_token(convert: Callable[[str], str], token: str) -> str:
    """Convert one token; one that would vanish or gain a space stays as it is, so that no token is lost."""
    converted = convert(token)
    return converted if converted and not re.search(r"\s", converted) else token


def transliterate_treebank(source: Path, destination: Path, convert: Callable[[str], str]) -> None:
    """Convert the FORM column and `# text` of a CoNLL-U file; every other byte stays."""
    with atomic_text(destination) as stream:
        lines = read_text(source).split("\n")
        stream.write("\n".join(_transliterate_line(convert, line) for line in lines))


def _transliterate_line(convert: Callable[[str], str], line: str) -> str:
    if line.startswith("# text = "):
        return "# text = " + convert(line.removeprefix("# text = "))
    if line.startswith("#") or line.count("\t") != COLUMNS - 1:
        return line
    columns = line.split("\t")
    columns[FORM] = transliterate_token(convert, columns[FORM])
    return "\t".join(columns)


def transliterate_entities(source: Path, destination: Path, convert: Callable[[str], str]) -> None:
    """Convert the tokens of a named-entity file; labels stay."""
    write_entities(
        destination,
        (
            EntitySentence(tuple(transliterate_token(convert, token) for token in sentence.tokens), sentence.labels)
            for sentence in read_entities(source)
        ),
    )
