"""Vocabularies: learn new wordpieces from text, choose n of them, and put them into a base vocabulary."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from fontTools.unicodedata import script, script_name
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from specialize.corpora import read_corpus
from specialize.datasets import read_entities, read_treebank
from specialize.files import atomic_path, write_json
from specialize.sources import check_wordpiece

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = "[UNK]"
UNUSED = re.compile(r"\[unused(\d+)\]")
CONTINUATION = "##"
BYTE_SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # in RoBERTa's order
LEADING_SPACE = "Ġ"  # how byte-level pieces write it
SHOWN_LETTERS = 30
WORDS_IN_A_CALL = 1000


@dataclass(frozen=True)
class WordPieceTraining:
    """How a new vocabulary is learned (fact 11; sizes: paper, Table 5)."""

    size: int = 5000
    min_frequency: int = 5
    limit_alphabet: int = 1000


@dataclass(frozen=True)
class BytePieceTraining:
    """How a byte-level vocabulary is learned (fact 20)."""

    size: int = 52_000
    min_frequency: int = 2


@dataclass(frozen=True)
class Coverage:
    """How well a vocabulary covers some words.

    Attributes:
        tokens: how many words, counted as often as they occur.
        wordpieces_per_token: mean number of pieces (the paper's "# WP/Token").
        unknown_token_rate: share of words with an unknown piece.
        unknown_wordpiece_rate: share of pieces that are unknown.
        continuation_rate: share of pieces that continue a word.
    """

    tokens: int
    wordpieces_per_token: float
    unknown_token_rate: float
    unknown_wordpiece_rate: float
    continuation_rate: float


@dataclass(frozen=True)
class WordCounts:
    """Words of a data set with their counts, and the number of its sentences."""

    sentences: int
    words: Counter[str]


def count_words(paths: Iterable[Path]) -> WordCounts:
    """White-space tokens of corpus files."""
    words: Counter[str] = Counter()
    number = 0
    for path in paths:
        for sentences in read_corpus(path):
            number += len(sentences)
            for sentence in sentences:
                words.update(sentence.split())
    return WordCounts(number, words)


def count_labeled_words(paths: Iterable[Path]) -> dict[str, WordCounts]:
    """Words of labeled data: of treebanks under `treebank`, of named entities under `ner`."""
    counts: dict[str, WordCounts] = {}
    for path in paths:
        words: Counter[str] = Counter()
        if path.suffix == ".conllu":
            name, treebank = "treebank", read_treebank(path)
            number = len(treebank)
            words.update(word.form for sentence in treebank for word in sentence.words)
        else:
            name, entities = "ner", read_entities(path)
            number = len(entities)
            words.update(token for labeled in entities for token in labeled.tokens)
        before = counts.get(name, WordCounts(0, Counter()))
        counts[name] = WordCounts(before.sentences + number, before.words + words)
    return counts


def letter_counts(words: Counter[str]) -> Counter[str]:
    """Letters of words, counted as often as they occur."""
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in filter(str.isalpha, word):
            letters[letter] += count
    return letters


def script_shares(letters: Counter[str]) -> dict[str, float]:
    """Shares of the letters by Unicode script (such as Arabic), the largest first."""
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        scripts[script_name(script(letter))] += count
    return _shares(scripts, letters.total())


def missing_letters(tokenizer: Tokenizer, letters: Counter[str]) -> dict[str, float]:
    """Letters that a vocabulary has neither at the start of words nor within, by their share, the largest first."""
    known = tokenizer.get_vocab().keys()
    missing = {letter: letters[letter] for letter in letters if known.isdisjoint((letter, CONTINUATION + letter))}
    return dict(islice(_shares(Counter(missing), letters.total()).items(), SHOWN_LETTERS))


def _shares(counts: Counter[str], total: int) -> dict[str, float]:
    return {name: round(counts[name] / total, 6) for name in sorted(counts, key=lambda name: (-counts[name], name))}


def learn_wordpieces(words: Counter[str], training: WordPieceTraining) -> Tokenizer:
    """Learn a cased WordPiece vocabulary.

    Two choices that the trainer makes in an order that changes from run to run are made here: which of the rarest
    letters go beyond the limit, and the numbers of the letters that continue a word, which break its ties.
    """
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    ranked = sorted(letters, key=lambda letter: (-letters[letter], letter))
    dropped = {ord(letter): None for letter in ranked[training.limit_alphabet :]}

    continuing = {letter for word in words for letter in word.translate(dropped)[1:]}
    tokenizer = bert_tokenizer({token: number for number, token in enumerate(SPECIAL_TOKENS)})
    trainer = trainers.WordPieceTrainer(
        vocab_size=training.size,
        min_frequency=training.min_frequency,
        special_tokens=[*SPECIAL_TOKENS, *(CONTINUATION + letter for letter in sorted(continuing))],
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_repeated(words, dropped), trainer, length=len(words))
    return bert_tokenizer(tokenizer.get_vocab())


def _repeated(words: Counter[str], dropped: dict[int, None]) -> Iterator[str]:
    """Each word as often as it occurs, in lines of bounded length and a fixed order."""
    for word in sorted(words):
        kept = word.translate(dropped)
        remaining = words[word] if kept else 0
        while remaining:
            yield " ".join([kept] * min(remaining, 1000))
            remaining -= min(remaining, 1000)


def bert_tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    """A cased BERT tokenizer: accents kept, CJK split, control characters cleaned (fact 11)."""
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=CONTINUATION)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return tokenizer


def learn_byte_pieces(words: Counter[str], training: BytePieceTraining) -> Tokenizer:
    """Learn byte-level pieces, as RoBERTa has them; every word, the first of a line too, has a space before it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=training.size,
        min_frequency=training.min_frequency,
        special_tokens=[AddedToken(token, lstrip=token == "<mask>", normalized=False) for token in BYTE_SPECIAL_TOKENS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_repeated(words, {}), trainer, length=len(words))
    special = special_ids(tokenizer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", special["end"]), ("<s>", special["start"]))
    return tokenizer


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of what stands at the `start` and the `end` of a sequence, pads it, and stands for a `mask`."""
    bert = {"start": "[CLS]", "end": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
    roberta = {"start": "<s>", "end": "</s>", "pad": "<pad>", "mask": "<mask>"}
    vocabulary = tokenizer.get_vocab()
    names = bert if bert["start"] in vocabulary else roberta
    return {role: vocabulary[name] for role, name in names.items()}


def new_base_vocabulary(words: Counter[str], training: WordPieceTraining, unused_slots: int) -> list[str]:
    """A vocabulary for a base model trained here: specials, unused slots as in mBERT (fact 13), then pieces."""
    pieces = in_order(learn_wordpieces(words, training))[len(SPECIAL_TOKENS) :]
    unused = [f"[unused{number}]" for number in range(1, unused_slots + 1)]
    return ["[PAD]", *unused, *SPECIAL_TOKENS[1:], *pieces]


def in_order(tokenizer: Tokenizer) -> list[str]:
    """A tokenizer's vocabulary by id."""
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def choose_pieces(words: Counter[str], base: Tokenizer, new: Tokenizer, number: int | None) -> list[str]:
    """The n new pieces that replace the most unknown pieces (paper §2.1, fact 12).

    Of every word in which the base vocabulary gives more unknown pieces than the new one, the new vocabulary's
    pieces are counted unless the base segmentation has them; pieces that the base vocabulary knows are dropped;
    the n most frequent are taken. If there are fewer, the new vocabulary's most frequent other pieces follow, and
    without a number at last those that no word is cut into. Distinct words are segmented once and weighed by their
    counts; ties are broken by the piece itself.
    """
    distinct = sorted(words)
    known = base.get_vocab()
    rescuing: Counter[str] = Counter()
    frequent: Counter[str] = Counter()
    for word, old_pieces, new_pieces in zip(distinct, segment(base, distinct), segment(new, distinct), strict=True):
        rescues = old_pieces.count(UNKNOWN) > new_pieces.count(UNKNOWN)
        for piece in new_pieces:
            if piece in known:
                continue
            frequent[piece] += words[word]
            if rescues and piece not in old_pieces:
                rescuing[piece] += words[word]
    first = sorted(rescuing, key=lambda piece: (-rescuing[piece], piece))
    others = sorted(frequent.keys() - rescuing.keys(), key=lambda piece: (-frequent[piece], piece))
    unseen = sorted(new.get_vocab().keys() - known.keys() - frequent.keys())
    return [*first, *others, *unseen] if number is None else [*first, *others][:number]


def segment(tokenizer: Tokenizer, words: list[str]) -> list[list[str]]:
    """The pieces of each word. Many words go into one call, since each costs more than a word."""
    pieces = in_order(tokenizer)
    segmented: list[list[str]] = [[] for _ in words]
    blocks = [words[first : first + WORDS_IN_A_CALL] for first in range(0, len(words), WORDS_IN_A_CALL)]
    # Of the library's two ways the faster one does not say of which word a piece is.
    encoded = tokenizer.encode_batch(blocks, add_special_tokens=False, is_pretokenized=True)
    for first, encoding in zip(range(0, len(words), WORDS_IN_A_CALL), encoded, strict=True):
        for number, word in zip(encoding.ids, encoding.word_ids, strict=True):
            assert word is not None
            segmented[first + word].append(pieces[number])
    return segmented


def coverage(tokenizer: Tokenizer, words: Counter[str]) -> Coverage:
    """How well a vocabulary covers words with counts."""
    distinct = sorted(words)
    byte_level = isinstance(tokenizer.model, models.BPE)
    tokens = pieces = unknown_tokens = unknown_pieces = continuations = 0
    for word, segmented in zip(distinct, segment(tokenizer, distinct), strict=True):
        count = words[word]
        unknown = segmented.count(UNKNOWN)
        tokens += count
        pieces += count * len(segmented)
        unknown_tokens += count * (unknown > 0)
        unknown_pieces += count * unknown
        continued = len(segmented) - 1 if byte_level else sum(piece.startswith(CONTINUATION) for piece in segmented)
        continuations += count * continued
    return Coverage(
        tokens=tokens,
        wordpieces_per_token=round(pieces / max(tokens, 1), 4),
        unknown_token_rate=round(unknown_tokens / max(tokens, 1), 6),
        unknown_wordpiece_rate=round(unknown_pieces / max(pieces, 1), 6),
        continuation_rate=round(continuations / max(pieces, 1), 4),
    )


def load_wordpiece(folder: Path) -> Tokenizer:
    """The tokenizer of a base model.

    Raises:
        InputError: if the folder is not that of a BERT model with a WordPiece vocabulary.
    """
    check_wordpiece(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def inject(base: Tokenizer, pieces: list[str]) -> Tokenizer:
    """Put pieces into the unused slots, in the order of their ids, and the rest after all others.

    Every other id stays (fact 13).
    """
    definition = json.loads(base.to_str())
    vocabulary: dict[str, int] = definition["model"]["vocab"]
    slots = sorted((token for token in vocabulary if UNUSED.fullmatch(token)), key=vocabulary.__getitem__)
    for slot, piece in zip(slots, pieces, strict=False):
        vocabulary[piece] = vocabulary.pop(slot)
    for piece in pieces[len(slots) :]:
        vocabulary[piece] = len(vocabulary)
    definition["model"]["vocab"] = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    return Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))


def save_byte_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write a byte-level tokenizer so that `AutoTokenizer` loads it: tokenizer.json, vocab.json, merges.txt."""
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    start, pad, end, unknown, mask = BYTE_SPECIAL_TOKENS
    names = {"bos_token": start, "cls_token": start, "pad_token": pad, "eos_token": end, "sep_token": end}
    takes_its_space = {"__type": "AddedToken", "content": mask, "lstrip": True, "special": True}
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "RobertaTokenizer",
            "add_prefix_space": True,
            "model_max_length": 512,
            "unk_token": unknown,
            "mask_token": takes_its_space,
            **names,
        },
    )


def save_tokenizer(tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
    """Write a tokenizer so that `AutoTokenizer` loads it: tokenizer.json, vocab.txt and their settings.

    Args:
        tokenizer: the tokenizer.
        folder: an existing folder.
        settings: a tokenizer_config.json to keep; by default that of a cased BERT.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join(in_order(tokenizer)) + "\n", encoding="utf-8")
    if settings is not None and settings.is_file():
        shutil.copyfile(settings, folder / "tokenizer_config.json")
    else:
        names = {
            "pad_token": "[PAD]",
            "unk_token": UNKNOWN,
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        }
        cased = {
            "do_lower_case": False,
            "strip_accents": False,
            "tokenize_chinese_chars": True,
            "model_max_length": 512,
        }
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", **cased, **names})


def build_vocabulary(
    base_folder: Path,
    corpus: Path | None,
    number: int | None,
    training: WordPieceTraining,
    labeled: dict[str, WordCounts],
    folder: Path,
) -> None:
    """Make a representation's vocabulary folder: a tokenizer, and statistics.json on what it covers.

    Args:
        base_folder: the base model.
        corpus: the training split that new pieces are learned from; None only where none are added.
        number: how many pieces to add; 0 keeps the base vocabulary, None adds the whole new one.
        training: how the new vocabulary is learned.
        labeled: words of labeled data, by name, to measure coverage on.
        folder: where the vocabulary appears.

    Raises:
        InputError: if the base model has no WordPiece vocabulary.
    """
    base = load_wordpiece(base_folder)
    data = ({"corpus": count_words([corpus])} if corpus else {}) | labeled
    pieces: list[str] = []
    if number != 0:
        words = data["corpus"].words
        pieces = choose_pieces(words, base, learn_wordpieces(words, training), number)
        if number is not None and len(pieces) < number:
            print(
                f"only {len(pieces)} new wordpieces of the {number} asked for: a vocabulary of {training.size} has no "
                "more that the base lacks; raise vocabularies.size, lower vocabularies.min_frequency or give more text"
            )
    augmented = inject(base, pieces)
    ids = augmented.get_vocab()
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        save_tokenizer(augmented, temporary, base_folder / "tokenizer_config.json")
        write_json(
            temporary / "statistics.json",
            {
                "pieces": {piece: ids[piece] for piece in pieces},
                "coverage": {name: _coverage_statistics(counts, augmented, base) for name, counts in data.items()},
            },
        )


def build_byte_vocabulary(
    corpus: Path, training: BytePieceTraining, labeled: dict[str, WordCounts], folder: Path
) -> None:
    """Make the vocabulary folder of a monolingual model: byte-level pieces, and statistics.json on what they cover.

    Args:
        corpus: the training split that the pieces are learned from.
        training: how.
        labeled: words of labeled data, by name, to measure coverage on.
        folder: where the vocabulary appears.
    """
    data = {"corpus": count_words([corpus])} | labeled
    tokenizer = learn_byte_pieces(data["corpus"].words, training)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        save_byte_tokenizer(tokenizer, temporary)
        covered = {name: _coverage_statistics(counts, tokenizer) for name, counts in data.items()}
        write_json(temporary / "statistics.json", {"pieces": {}, "coverage": covered})


def _coverage_statistics(counts: WordCounts, own: Tokenizer, base: Tokenizer | None = None) -> dict[str, Any]:
    letters = letter_counts(counts.words)
    statistics = {"sentences": counts.sentences, "scripts": script_shares(letters)}
    if base is not None:
        statistics["missing_letters"] = missing_letters(base, letters)
        statistics["base"] = asdict(coverage(base, counts.words))
    return {**statistics, "augmented": asdict(coverage(own, counts.words))}
