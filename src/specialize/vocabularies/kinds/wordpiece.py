"""WordPiece, as BERT has it: from its start a word is cut into the longest pieces, or is unknown as a whole."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers.normalizers import Normalizer

from specialize.files import atomic_text, read_json
from specialize.vocabularies.kinds.choosing import Choice, candidates
from specialize.vocabularies.kinds.fewer import freed_slots
from specialize.vocabularies.kinds.holes import HOLE, SPECIAL, without_holes
from specialize.vocabularies.kinds.kind import Growth, Kind, in_order, repeated, special_names
from specialize.vocabularies.normal_form import steps_of
from specialize.vocabularies.settings import Choose, PieceChoice, PieceTraining

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = "[UNK]"
UNUSED = re.compile(r"\[unused(\d+)\]")
CONTINUATION = "##"
LONGEST_WORD = 100  # letters


class WordPiece(Kind):
    """See the module."""

    name = "WordPiece"
    key = "wordpiece"
    files = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
    inputs = ("input_ids", "token_type_ids", "attention_mask")

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """By the model, which old files of the library do not name."""
        return isinstance(tokenizer.model, models.WordPiece)

    def unknown(self, tokenizer: Tokenizer) -> str:
        """The model's own."""
        unknown: str = tokenizer.model.unk_token
        return unknown

    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """Nothing: its pieces know of no space."""

    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """Those with the model's prefix; punctuation within a word begins one of its own."""
        prefix = tokenizer.model.continuing_subword_prefix
        return [sum(piece.startswith(prefix) for piece in pieces) for pieces in segmented]

    def begins_word(self, tokenizer: Tokenizer, piece: str) -> bool:
        """See `continuations`."""
        return not piece.startswith(tokenizer.model.continuing_subword_prefix)

    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """Those that are no piece by themselves, with the prefix or without."""
        known, prefix = tokenizer.get_vocab().keys(), tokenizer.model.continuing_subword_prefix
        return [letter for letter in letters if known.isdisjoint((letter, prefix + letter))]

    def free_slots(self, tokenizer: Tokenizer) -> list[str]:
        """As BERT's vocabularies have them (fact 13), but for those that somebody has made tokens of."""
        vocabulary = tokenizer.get_vocab()
        if freed := freed_slots(tokenizer):
            return freed
        used = {token.content for token in tokenizer.get_added_tokens_decoder().values()} | {self.unknown(tokenizer)}
        return sorted((slot for slot in vocabulary.keys() - used if UNUSED.fullmatch(slot)), key=vocabulary.__getitem__)

    def uses(self, tokenizer: Tokenizer, words: Counter[str]) -> Counter[str]:
        """Those of an unknown word, too, up to where none begins: without them shorter ones might go on."""
        distinct, unknown = sorted(words), self.unknown(tokenizer)
        vocabulary, prefix = tokenizer.get_vocab(), tokenizer.model.continuing_subword_prefix
        counts: Counter[str] = Counter()
        for word, pieces in zip(distinct, self.segment(tokenizer, distinct), strict=True):
            for piece in pieces:
                counts[piece] += words[word]
            for part in _pre_tokenized(Counter([word]), tokenizer) if unknown in pieces else ():
                for piece in _longest(part, vocabulary, prefix)[0]:
                    counts[piece] += words[word]
        return counts

    def letters(self, tokenizer: Tokenizer) -> dict[str, str]:
        """With the prefix or without."""
        prefix = tokenizer.model.continuing_subword_prefix
        bare = {piece: piece.removeprefix(prefix) for piece in tokenizer.get_vocab()}
        return {piece: letter for piece, letter in bare.items() if len(letter) == 1}

    def settled(self, tokenizer: Tokenizer, path: Path, besides: Mapping[str, int | None]) -> Tokenizer:
        """Added tokens and ids without a piece become part of the model's vocabulary, which the library counts on."""
        unknown = self.unknown(tokenizer)
        definition = read_json(path)
        definition["model"]["vocab"] = vocabulary = without_holes(
            definition["model"]["vocab"].items(), definition, path, besides
        )
        added = {token["content"]: token for token in definition.get("added_tokens") or []}
        names = special_names(tokenizer)
        for token in sorted({unknown, *names.values(), *besides} & vocabulary.keys() - added.keys()):
            added[token] = {"id": vocabulary[token], "content": token} | SPECIAL
        definition["added_tokens"] = sorted(added.values(), key=lambda token: token["id"])
        tokenizer = Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))
        if names:
            _set_ends(tokenizer, names["cls_token"], names["sep_token"])
        return tokenizer

    def base_pieces(self, base: Tokenizer, pieces: list[str]) -> list[list[int]]:
        """As within a word, if one continues it: the longest pieces from its start on; nothing, if it is unknown."""
        vocabulary, prefix = base.get_vocab(), base.model.continuing_subword_prefix
        return [_cut(piece, vocabulary, prefix) for piece in pieces]

    def reading(self, tokenizer: Tokenizer, piece: str) -> tuple[str, bool]:
        """The prefix continues a word."""
        prefix = tokenizer.model.continuing_subword_prefix
        return piece.removeprefix(prefix), not piece.startswith(prefix)

    def grow(
        self,
        base: Tokenizer,
        words: Counter[str],
        number: int | None,
        choice: PieceChoice,
        elsewhere: Mapping[str, Counter[str]],
    ) -> Growth:
        """The n pieces that replace the most unknown ones; see `choose_pieces`. Other languages are not asked."""
        new = learn_wordpieces(words, choice, base.normalizer, base)
        pieces, passed_over = choose_pieces(words, base, new, number, choice.choose)
        return Growth(inject(base, pieces), pieces, passed_over)

    def learn(
        self,
        words: Counter[str],
        training: PieceTraining,
        normalizer: Normalizer | None = None,
        base: Tokenizer | None = None,
    ) -> Tokenizer:
        """See `learn_wordpieces`."""
        return learn_wordpieces(words, training, normalizer, base)

    def save(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """See `save_tokenizer`."""
        save_tokenizer(tokenizer, folder, settings)

    def settings(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """What a BERT's normalizer does, if it has one."""
        for step in steps_of(tokenizer.normalizer):
            if isinstance(step, normalizers.BertNormalizer):
                return {
                    "do_lower_case": step.lowercase,
                    "strip_accents": step.strip_accents,
                    "tokenize_chinese_chars": step.handle_chinese_chars,
                }
        return {}


KIND = WordPiece()


def _cut(piece: str, vocabulary: Mapping[str, int], prefix: str) -> list[int]:
    """The ids of the longest pieces, one after the other; none, if there is a place where no piece begins."""
    mark = prefix if piece.startswith(prefix) else ""
    found, rest = _longest(piece.removeprefix(prefix), vocabulary, prefix, mark)
    return [] if rest else [vocabulary[one] for one in found]


def _longest(part: str, vocabulary: Mapping[str, int], prefix: str, mark: str = "") -> tuple[list[str], str]:
    """The longest pieces of a part of a word, one after the other, and what is left where no piece begins."""
    found: list[str] = []
    while end := next((end for end in range(len(part), 0, -1) if mark + part[:end] in vocabulary), 0):
        found.append(mark + part[:end])
        mark, part = prefix, part[end:]
    return found, part


def choose_pieces(
    words: Counter[str], base: Tokenizer, new: Tokenizer, number: int | None, choose: Choose = "unknown"
) -> Choice:
    """The n new pieces that replace the most unknown pieces, or all of them (paper §2.1, fact 12).

    A piece that is chosen may still be none that any word is cut into, because the base's own and other new pieces come
    before it. It is passed over for the next ones, until every piece is in use. So is one after which no piece goes on
    in a word that the base knows: it has others within longer pieces only.

    Args:
        words: of the text, with their counts.
        base: the vocabulary that they go into.
        new: the one that they are from.
        number: how many; None takes all.
        choose: which go first; see `candidates`.
    """
    ordered = candidates(KIND, words, base, new, choose)
    if number is None:
        special = {token.content for token in new.get_added_tokens_decoder().values()}
        ordered += sorted(new.get_vocab().keys() - base.get_vocab().keys() - special - set(ordered))
    distinct = sorted(words)
    before = KIND.segment(base, distinct)
    unknown = KIND.unknown(base)
    passed_over: dict[str, None] = {}
    while True:
        pieces = [piece for piece in ordered if piece not in passed_over][:number]
        grown = inject(base, pieces)
        after = KIND.segment(grown, distinct) if pieces else before
        used = {piece for cut in after for piece in cut}
        lost = [
            word
            for word, old, new_pieces in zip(distinct, before, after, strict=True)
            if new_pieces.count(unknown) > old.count(unknown)
        ]
        needless = {piece for piece in pieces if piece not in used} | _misleading(grown, lost, set(pieces))
        if not needless:
            return Choice(pieces, list(passed_over))
        passed_over |= dict.fromkeys(piece for piece in pieces if piece in needless)


def _misleading(grown: Tokenizer, words: list[str], pieces: set[str]) -> set[str]:
    """The last of some pieces in each word that is unknown since no piece goes on after it."""
    if not words:
        return set()
    vocabulary, prefix = grown.get_vocab(), grown.model.continuing_subword_prefix
    found = set()
    for part in _pre_tokenized(Counter(words), grown):
        known, rest = _longest(part, vocabulary, prefix)
        if rest:
            found.update([piece for piece in known if piece in pieces][-1:])
    return found


def inject(base: Tokenizer, pieces: list[str]) -> Tokenizer:
    """A copy with pieces put into the free slots, in the order of their ids, and the rest after all others.

    Every other id stays (fact 13); see `check_ids`.

    Args:
        base: one that is `settled`.
        pieces: that it lacks.
    """
    definition = json.loads(base.to_str())
    vocabulary: dict[str, int] = definition["model"]["vocab"]
    slots, last = KIND.free_slots(base), max(base.get_vocab().values())
    for slot, piece in zip(slots, pieces, strict=False):
        vocabulary[piece] = vocabulary.pop(slot)
    for number, piece in enumerate(pieces[len(slots) :], last + 1):
        vocabulary[piece] = number
    definition["model"]["vocab"] = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    return Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))


def learn_wordpieces(
    words: Counter[str],
    training: PieceTraining,
    normalizer: Normalizer | None = None,
    base: Tokenizer | None = None,
) -> Tokenizer:
    """Learn a WordPiece vocabulary of words as a normalizer spells them, by default a cased one.

    They are parted, and pieces that continue one are marked, as the base does it, by default as BERT does.

    Letters are counted after normalising and pre-tokenising, so that only those that continue a word take a place for
    it (fact 11). Two choices that the trainer makes in an order that changes from run to run are made here: which of
    the rarest letters go beyond the limit, and the numbers of the letters that continue a word, which break its ties.
    """
    tokenizer = bert_tokenizer({token: number for number, token in enumerate(SPECIAL_TOKENS)}, normalizer, base)
    prefix = tokenizer.model.continuing_subword_prefix
    words = _pre_tokenized(words, tokenizer)
    tokenizer.normalizer = None  # twice, it may join letters between which the first time has taken something out
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    ranked = sorted(letters, key=lambda letter: (-letters[letter], letter))
    dropped = {ord(letter): None for letter in ranked[training.limit_alphabet :]}

    continuing = {letter for word in words for letter in word.translate(dropped)[1:]}
    trainer = trainers.WordPieceTrainer(
        vocab_size=training.size,
        min_frequency=training.min_frequency,
        special_tokens=[*SPECIAL_TOKENS, *(prefix + letter for letter in sorted(continuing))],
        continuing_subword_prefix=prefix,
        show_progress=False,
    )
    tokenizer.train_from_iterator(repeated(words, dropped), trainer, length=len(words))
    return bert_tokenizer(tokenizer.get_vocab(), normalizer, base)


def _pre_tokenized(words: Counter[str], tokenizer: Tokenizer) -> Counter[str]:
    """What a tokenizer's model is given of words, with the counts."""
    parts: Counter[str] = Counter()
    for word, count in words.items():
        spelled = word if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(word)
        for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(spelled):
            parts[part] += count
    return parts


def bert_tokenizer(
    vocabulary: dict[str, int], normalizer: Normalizer | None = None, base: Tokenizer | None = None
) -> Tokenizer:
    """A BERT tokenizer, by default a cased one: accents kept, CJK split, control characters cleaned (fact 11).

    Args:
        vocabulary: with BERT's special tokens.
        normalizer: another one.
        base: parts words and marks pieces otherwise; without a normalizer it has none.
    """
    prefix = CONTINUATION if base is None else base.model.continuing_subword_prefix
    longest = LONGEST_WORD if base is None else base.model.max_input_chars_per_word
    model = models.WordPiece(
        vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=longest, continuing_subword_prefix=prefix
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = cased_normalizer() if normalizer is None and base is None else normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer() if base is None else base.pre_tokenizer
    tokenizer.decoder = decoders.WordPiece(prefix=prefix)
    tokenizer.add_special_tokens([token for token in SPECIAL_TOKENS if token in vocabulary])
    _set_ends(tokenizer, "[CLS]", "[SEP]")
    return tokenizer


def _set_ends(tokenizer: Tokenizer, start: str, end: str) -> None:
    """Have texts and pairs of texts stand between special tokens, as BERT reads them."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )


def cased_normalizer() -> Normalizer:
    """A cased BERT's own."""
    return normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False)


def new_base_vocabulary(
    words: Counter[str], training: PieceTraining, unused_slots: int, normalizer: Normalizer | None = None
) -> list[str]:
    """A vocabulary for a base model trained here: specials, unused slots as in mBERT (fact 13), then pieces."""
    pieces = in_order(learn_wordpieces(words, training, normalizer))[len(SPECIAL_TOKENS) :]
    unused = [f"[unused{number}]" for number in range(1, unused_slots + 1)]
    return ["[PAD]", *unused, *SPECIAL_TOKENS[1:], *pieces]


def save_tokenizer(tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
    """Write a tokenizer so that `AutoTokenizer` loads it: tokenizer.json, vocab.txt and their settings.

    Args:
        tokenizer: the tokenizer.
        folder: an existing folder.
        settings: see `Kind.save_settings`.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    pieces = {number: piece for piece, number in tokenizer.get_vocab().items()}
    named = (pieces.get(number, "\n") for number in range(1 + max(pieces)))
    lines = (HOLE.format(number) if set(piece) & {"\n", "\r"} else piece for number, piece in enumerate(named))
    with atomic_text(folder / "vocab.txt") as stream:
        stream.writelines(f"{line}\n" for line in lines)
    KIND.save_settings(tokenizer, folder, settings)
