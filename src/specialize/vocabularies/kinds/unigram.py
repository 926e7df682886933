"""Unigram, as XLM-R has it: words with a mark before them are cut into the pieces whose scores have the largest sum."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.normalizers import Normalizer

from specialize.errors import InputError, warn
from specialize.files import read_json
from specialize.vocabularies.kinds.choosing import candidates
from specialize.vocabularies.kinds.fewer import freed_slots
from specialize.vocabularies.kinds.holes import SPECIAL, without_holes
from specialize.vocabularies.kinds.kind import Growth, Kind, special_names
from specialize.vocabularies.kinds.unigram_fitting import Candidate, Elsewhere, Fitting
from specialize.vocabularies.kinds.unigram_learning import learn_scores
from specialize.vocabularies.kinds.unigram_paths import parts_of
from specialize.vocabularies.settings import PieceChoice, PieceTraining

SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")  # in XLM-R's order, before all pieces
MASK = "<mask>"  # after them
MARK = "▁"  # before a word
NOBODYS = "\U0010ffff"  # no vocabulary has it: Unicode has set it aside as no character
FREQUENT = 1e-4  # of the words: a letter, or a piece of unknown words, that goes before merely frequent pieces
EXAMPLES = 20  # of a piece's most frequent words, and as many of its others
LETTER_EXAMPLES = 200  # of a letter's, which often stands in other new pieces
SHARE = 0.01  # of the base's text that a new language is taken to be where no other language is asked


class Unigram(Kind):
    """See the module."""

    name = "Unigram"
    key = "unigram"
    files = ("tokenizer.json", "tokenizer_config.json")
    inputs = ("input_ids", "attention_mask")
    too_few = (
        "a vocabulary of {size} has no more that the base lacks, or the others would cut too many words of "
        "vocabularies.other_languages otherwise; raise vocabularies.size or vocabularies.most_resegmented, lower "
        "vocabularies.min_frequency or give more text"
    )

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """By the model."""
        return isinstance(tokenizer.model, models.Unigram)

    def unknown(self, tokenizer: Tokenizer) -> str:
        """What the model makes of a letter that it lacks; none if that are bytes."""
        pieces = tokenizer.model.tokenize(NOBODYS)
        name = tokenizer.id_to_token(pieces[0].id) if len(pieces) == 1 else None
        return name or ""

    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """The mark is put before every word, or before none."""
        definition = json.loads(tokenizer.pre_tokenizer.__getstate__())
        for step in _marking_steps(definition):
            step["prepend_scheme"] = "always" if leading_space else "never"
        whole = json.loads(Tokenizer(models.Unigram()).to_str()) | {"pre_tokenizer": definition}
        tokenizer.pre_tokenizer = Tokenizer.from_str(json.dumps(whole)).pre_tokenizer

    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """Those without the mark."""
        return [sum(not piece.startswith(MARK) for piece in pieces) for pieces in segmented]

    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """Those that are no piece by themselves, with the mark or without, unless there are bytes for them."""
        if not self.unknown(tokenizer):
            return []
        known = tokenizer.get_vocab().keys()
        return [letter for letter in letters if known.isdisjoint((letter, MARK + letter))]

    def fixed(self, tokenizer: Tokenizer) -> set[str]:
        """The piece of the lowest score, too, by which unknown letters are scored; and theirs, even beside bytes."""
        vocabulary = _vocabulary(tokenizer)
        lowest, _ = min(vocabulary, key=lambda item: item[1])
        unknown, _ = vocabulary[json.loads(tokenizer.to_str())["model"]["unk_id"]]
        return super().fixed(tokenizer) | {lowest, unknown}

    def free_slots(self, tokenizer: Tokenizer) -> list[str]:
        """No base has any; those of pieces that give way."""
        return freed_slots(tokenizer)

    def learn(
        self,
        words: Counter[str],
        training: PieceTraining,
        normalizer: Normalizer | None = None,
        base: Tokenizer | None = None,
    ) -> Tokenizer:
        """See `learn_unigram`."""
        return learn_unigram(words, training, normalizer, base)

    def settled(self, tokenizer: Tokenizer, path: Path, besides: Mapping[str, int | None]) -> Tokenizer:
        """Added tokens and ids without a piece become part of the model's list, whose places are the ids.

        Sampling, which some files ask for, is turned off: words are to be cut in one way.
        """
        definition = read_json(path)
        _check(definition, path)
        model = definition["model"]
        # What is put there has the lowest score, by which unknown letters are scored, so that nothing else changes.
        listed = model["vocab"]
        own = ((piece, number) for number, (piece, _) in enumerate(listed))
        lowest = min(score for _, score in listed)
        further = list(without_holes(own, definition, path, besides))[len(listed) :]
        model["vocab"] = listed + [[piece, lowest] for piece in further]
        model |= {name: None for name in ("alpha", "nbest_size") if name in model}
        ids = {piece: number for number, (piece, _) in enumerate(model["vocab"])}
        added = {token["content"]: token for token in definition.get("added_tokens") or []}
        names = special_names(tokenizer)
        for token in sorted({*names.values(), *besides} & ids.keys() - added.keys()):
            added[token] = SPECIAL | {"id": ids[token], "content": token, "lstrip": token == MASK}
        definition["added_tokens"] = sorted(added.values(), key=lambda token: token["id"])
        tokenizer = Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))
        if names:
            _set_ends(tokenizer, names["cls_token"], names["sep_token"])
        return tokenizer

    def grow(
        self,
        base: Tokenizer,
        words: Counter[str],
        number: int | None,
        choice: PieceChoice,
        elsewhere: Mapping[str, Counter[str]],
    ) -> Growth:
        """The n pieces that do the most, with scores that leave the words of other languages as they are.

        Letters that the base lacks come first, then pieces as `choice.choose` has them; see `Fitting` for the scores.
        Without other languages a new piece has the score of its own vocabulary in a text a hundredth of which is of
        the language.
        """
        new = learn_unigram(words, choice, base.normalizer, base)
        shift = 0.0
        if not any(elsewhere.values()):
            warn(
                "how words of other languages are cut with the new pieces is not measured; name some of the run's "
                "languages in vocabularies.other_languages, such as those whose scores should stay"
            )
            shift = math.log(SHARE)
        vocabulary = _vocabulary(base)
        bounded = {
            language: [(parts_of(base, word), count) for word, count in sorted(its_words.items())]
            for language, its_words in elsewhere.items()
        }
        fitting = Fitting(dict(vocabulary), Elsewhere(bounded, choice.most_resegmented))
        scores = fitting.fit(_candidates(words, base, new, choice, shift), number)
        grown = _grown(base, scores)
        while blamed := _blamed(base, grown, elsewhere, choice.most_resegmented):
            fitting.give_up([blamed])
            del scores[blamed]
            grown = _grown(base, scores)
        if any(elsewhere.values()):
            _report(base, grown, elsewhere, choice.most_resegmented)
        return Growth(grown, list(scores), fitting.given_way)

    def save(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """Write tokenizer.json and its settings. There is no SentencePiece file: nobody reads one beside the first."""
        tokenizer.save(str(folder / "tokenizer.json"))
        self.save_settings(tokenizer, folder, settings)

    def settings(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """The mask's space, which is part of it for XLM-R."""
        name = special_names(tokenizer).get("mask_token")
        added = {token.content: token for token in tokenizer.get_added_tokens_decoder().values()}
        if name not in added or not added[name].lstrip:
            return {}
        return {"mask_token": {"__type": "AddedToken", "content": name, "lstrip": True, "special": True}}


KIND = Unigram()


def learn_unigram(
    words: Counter[str],
    training: PieceTraining,
    normalizer: Normalizer | None = None,
    base: Tokenizer | None = None,
) -> Tokenizer:
    """Learn a Unigram vocabulary, laid out as XLM-R's, of words as a normalizer spells them.

    By default that is SentencePiece's. Words are parted and marked as the base does it, by default as XLM-R does. Of
    the rarest letters beyond the limit none is learned. See `learn_scores`.
    """
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer if normalizer is not None else sentencepiece_normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace() if base is None else base.pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    parts = _parts(words, tokenizer)
    letters: Counter[str] = Counter()
    for part, count in parts.items():
        for letter in part:
            letters[letter] += count
    ranked = sorted(letters, key=lambda letter: (-letters[letter], letter))
    dropped = {ord(letter): None for letter in ranked[training.limit_alphabet :]}
    kept: Counter[str] = Counter()
    for part, count in parts.items():
        kept[part.translate(dropped)] += count
    del kept[""]
    scores = learn_scores(kept, training.size - len(SPECIAL_TOKENS) - 1, training.min_frequency)
    pieces = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    listed = [*((token, 0.0) for token in SPECIAL_TOKENS), *pieces, (MASK, 0.0)]
    tokenizer.model = models.Unigram(listed, unk_id=SPECIAL_TOKENS.index("<unk>"))
    tokens = [AddedToken(token, lstrip=token == MASK, normalized=False) for token in (*SPECIAL_TOKENS, MASK)]
    tokenizer.add_special_tokens(tokens)
    _set_ends(tokenizer, "<s>", "</s>")
    return tokenizer


def sentencepiece_normalizer() -> Normalizer:
    """As SentencePiece spells text by default."""
    steps = [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    return normalizers.Sequence(steps)


def _candidates(
    words: Counter[str], base: Tokenizer, new: Tokenizer, choice: PieceChoice, shift: float
) -> Iterator[Candidate]:
    """Pieces in the order in which they are taken, with the scores that they have in their own vocabulary.

    Args:
        shift: what is added to those.
    """
    parts = _parts(words, base)
    own = dict(_vocabulary(new))
    letters = {letter: found for letter, found in _lacking(base, parts).items() if letter in own}
    lettered = _grown(base, {letter: own[letter] for letter in letters}) if choice.choose != "unknown" else base
    ordered = candidates(KIND, words, base, new, choice.choose, FREQUENT, lettered)
    found: dict[str, list[str]] = defaultdict(list)
    by_count = sorted(parts, key=lambda part: (-parts[part], part))
    cut = Tokenizer(new.model).encode_batch_fast(by_count, add_special_tokens=False)
    names = [piece for piece, _ in _vocabulary(new)]
    for part, encoding in zip(by_count, cut, strict=True):
        for number in sorted(set(encoding.ids)):
            found[names[number]].append(part)
    for letter, its_parts in letters.items():
        yield Candidate(letter, own[letter] + shift, _examples(its_parts, parts, LETTER_EXAMPLES), needed=True)
    for piece in ordered:
        if piece not in letters:
            yield Candidate(piece, own[piece] + shift, _examples(found[piece], parts))


def _lacking(base: Tokenizer, parts: Counter[str]) -> dict[str, list[str]]:
    """Letters that a base lacks and the text often has, the most frequent ones first, with their parts likewise."""
    known = set(base.get_vocab())
    found: dict[str, list[str]] = defaultdict(list)
    for part in sorted(parts, key=lambda part: (-parts[part], part)):
        for letter in sorted(set(part) - known):
            found[letter].append(part)
    counts = {letter: sum(parts[part] for part in its_parts) for letter, its_parts in found.items()}
    frequent = [letter for letter in counts if counts[letter] >= FREQUENT * parts.total()]
    return {letter: found[letter] for letter in sorted(frequent, key=lambda letter: (-counts[letter], letter))}


def _examples(found: list[str], parts: Counter[str], most: int = EXAMPLES) -> tuple[tuple[str, float], ...]:
    """Some parts that have a piece, with their weights: `most` of the most frequent ones, and about as many others."""
    first, rest = found[:most], found[most:]
    some = rest[:: -(-len(rest) // most)] if rest else []
    weight = sum(parts[part] for part in rest) / max(len(some), 1)
    return (*((part, float(parts[part])) for part in first), *((part, weight) for part in some))


def _parts(words: Counter[str], tokenizer: Tokenizer) -> Counter[str]:
    """What a tokenizer's model is given of words, with the counts."""
    parts: Counter[str] = Counter()
    for word, count in words.items():
        for part in parts_of(tokenizer, word):
            parts[part] += count
    return parts


def _vocabulary(tokenizer: Tokenizer) -> list[tuple[str, float]]:
    """Pieces with their scores, by id."""
    return [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]


def _grown(base: Tokenizer, scores: Mapping[str, float]) -> Tokenizer:
    """A copy with pieces in freed slots, the rest after all others. Scores of the old ones are exactly as they were."""
    definition = base.to_str()
    model = json.loads(definition)["model"]
    listed = [(piece, score) for piece, score in model["vocab"]]
    slots, ids = freed_slots(base), base.get_vocab()
    for slot, item in zip(slots, scores.items(), strict=False):
        listed[ids[slot]] = item
    listed += list(scores.items())[len(slots) :]
    grown = Tokenizer.from_str(definition)
    grown.model = models.Unigram(listed, unk_id=model["unk_id"], byte_fallback=model["byte_fallback"])
    return grown


def _changed(base: Tokenizer, grown: Tokenizer, words: Counter[str]) -> dict[str, set[str]]:
    """Words that are cut otherwise, with the new pieces that they are cut into."""
    old, distinct = set(base.get_vocab()), sorted(words)
    new = (set(cut) - old for cut in KIND.segment(grown, distinct))
    return {word: pieces for word, pieces in zip(distinct, new, strict=True) if pieces}


def _share(changed: Iterable[str], words: Counter[str]) -> float:
    """Of running or of different words, whichever is larger."""
    some = list(changed)
    return max(sum(words[word] for word in some) / max(words.total(), 1), len(some) / max(len(words), 1))


def _blamed(base: Tokenizer, grown: Tokenizer, elsewhere: Mapping[str, Counter[str]], share: float) -> str | None:
    """The piece that changes the most words of a language of which more change than may; none if no language has."""
    for language in sorted(elsewhere):
        changed = _changed(base, grown, elsewhere[language])
        if _share(changed, elsewhere[language]) > share:
            blame = Counter(piece for pieces in changed.values() for piece in pieces)
            return min(blame, key=lambda piece: (-blame[piece], piece))
    return None


def _report(base: Tokenizer, grown: Tokenizer, elsewhere: Mapping[str, Counter[str]], share: float) -> None:
    found = {language: _share(_changed(base, grown, words), words) for language, words in sorted(elsewhere.items())}
    shares = ", ".join(f"{language} {changed:.2%}" for language, changed in found.items())
    print(f"of other languages' words are cut otherwise, {share:.2%} at most: {shares}")


def _set_ends(tokenizer: Tokenizer, start: str, end: str) -> None:
    """Have texts and pairs of texts stand between special tokens, as XLM-R reads them, or as BERT where so spelled."""
    pair = f"{start} $A {end} {end} $B {end}" if start == "<s>" else f"{start} $A {end} $B:1 {end}:1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=pair,
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )


def _marking_steps(definition: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The steps of a pre-tokenizer that put the mark before words."""
    steps = (definition or {}).get("pretokenizers", [definition] if definition else [])
    return [step for step in steps if step["type"] == "Metaspace" and step["replacement"] == MARK]


def _check(definition: dict[str, Any], path: Path) -> None:
    """Refuse what is Unigram by name only.

    Raises:
        InputError: if words have no mark, or letters that are lacking no piece.
    """
    if not _marking_steps(definition.get("pre_tokenizer")):
        raise InputError(path, f"puts no {MARK} before words", remedy="take another base model")
    if definition["model"].get("unk_id") is None:
        raise InputError(path, "has no piece for unknown letters", remedy="give its place in the list as model.unk_id")
