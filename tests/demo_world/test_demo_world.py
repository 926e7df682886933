"""The demo's world: the same bytes every time, real formats, and a language that its form explains."""

from __future__ import annotations

import bz2
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from pathlib import Path

import pytest

from specialize.corpora import clean_line, extract, read_dump
from specialize.datasets import Sentence, Word, read_treebank, repair_entities, transliterator, unpack_wikiann
from specialize.demo_world import DUMP_DATE, ENTITY_SIZES, LANGUAGES, TREEBANK_SIZES, Language, write_world
from specialize.files import file_hash, read_checksums
from specialize.unicode import squeeze

pytestmark = pytest.mark.slow  # to make the whole world and to read it takes seconds

LABELED = [language for language in LANGUAGES if language.labeled]
BY_CODE = {language.code: language for language in LANGUAGES}


def code_of(language: Language) -> str:
    return language.code


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(folder)
    return folder


@pytest.fixture(scope="module")
def sentences(world: Path) -> dict[str, list[str]]:
    """Sentences of every Wikipedia, as the pipeline extracts and cleans them."""
    return {
        language.code: [
            sentence
            for page in read_dump(dump_of(world, language))
            for line in extract(page).lines
            for sentence in clean_line(line)
        ]
        for language in LANGUAGES
    }


def dump_of(world: Path, language: Language) -> Path:
    folder = world / "wikipedia" / f"{language.code}wiki" / DUMP_DATE
    return folder / f"{language.code}wiki-{DUMP_DATE}-pages-articles.xml.bz2"


def treebank_of(world: Path, language: Language, part: str) -> list[Sentence]:
    folder = world / "universal-dependencies" / language.treebank / "r1"
    return read_treebank(folder / f"{language.code}_demo-ud-{part}.conllu")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def is_georgian(text: str) -> bool:
    return any("\u10a0" <= letter <= "\u10ff" for letter in text)


def majority_accuracy(
    train: list[Sentence], test: list[Sentence], feature: Callable[[tuple[Word, ...], int], Hashable]
) -> float:
    """How often the tag most frequent with a feature in ``train`` is right in ``test``."""
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for sentence in train:
        for index, word in enumerate(sentence.words):
            counts[feature(sentence.words, index)][word.xpos] += 1
    overall = sum(counts.values(), Counter[str]())
    right = [
        counts.get(feature(sentence.words, index), overall).most_common(1)[0][0] == word.xpos
        for sentence in test
        for index, word in enumerate(sentence.words)
    ]
    return sum(right) / len(right)


def around(words: tuple[Word, ...], index: int) -> tuple[str, ...]:
    """What a model sees to which all words are one: the marks and the ends of the sentence nearby."""
    padded = ["<", "<", *(word.form if word.upos == "PUNCT" else "_" for word in words), ">", ">"]
    return tuple(padded[index : index + 5])


def test_same_seed_gives_same_bytes(world: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "again")
    write_world(tmp_path / "other", seed=2)
    assert contents(tmp_path / "again") == contents(world)
    other = contents(tmp_path / "other")
    assert other.keys() == contents(world).keys()
    assert all(other[name] != content for name, content in contents(world).items())


def test_world_is_small(world: Path) -> None:
    assert sum(map(len, contents(world).values())) < 3_000_000


def test_every_folder_lists_its_files(world: Path) -> None:
    listings = sorted(world.rglob("sha256sums.txt"))
    assert {path.parent for path in world.rglob("*") if path.is_file()} == {path.parent for path in listings}
    for listing in listings:
        sums = read_checksums(listing)
        assert sums.keys() == {path.name for path in listing.parent.iterdir()} - {listing.name}
        assert all(file_hash(listing.parent / name) == digest for name, digest in sums.items())
    for listing in world.rglob("*-sha1sums.txt"):
        for name, digest in read_checksums(listing).items():
            assert file_hash(listing.parent / name, "sha1") == digest


@pytest.mark.parametrize("language", LABELED, ids=code_of)
def test_treebanks_are_valid(world: Path, language: Language) -> None:
    texts: set[str] = set()
    for part, size in TREEBANK_SIZES.items():
        treebank = treebank_of(world, language, part)
        assert len(treebank) == size
        texts |= {sentence.surface() for sentence in treebank}
        assert all(sentence.words[-1].form == "." for sentence in treebank)
        for sentence in treebank:
            assert sentence.lines[0].startswith(f"# sent_id = {language.code}_demo-ud-{part}_")
            assert squeeze(sentence.lines[1].removeprefix("# text = ")) == sentence.surface()
    assert len(texts) == sum(TREEBANK_SIZES.values()), "no sentence stands in two parts"


@pytest.mark.parametrize("language", LABELED, ids=code_of)
def test_treebanks_have_what_readers_trip_over(world: Path, language: Language) -> None:
    train = treebank_of(world, language, "train")
    assert sum("-" in line.split("\t")[0] for sentence in train for line in sentence.lines if "\t" in line) >= 3
    relations = {word.deprel for sentence in train for word in sentence.words}
    assert {"nmod:poss", "obl:tmod", "acl:relcl"} <= relations
    crossing = sum(map(has_crossing_branches, train))
    assert 0 < crossing < len(train) / 10


def has_crossing_branches(sentence: Sentence) -> bool:
    branches = [sorted((number, word.head)) for number, word in enumerate(sentence.words, 1) if word.head]
    return any(a < c < b < d for a, b in branches for c, d in branches)


@pytest.mark.parametrize("language", LABELED, ids=code_of)
def test_named_entities_are_valid(world: Path, language: Language) -> None:
    parts = unpack_wikiann(world / "wikiann" / f"{language.code}.tar.gz", language.code)
    for part, size in ENTITY_SIZES.items():
        entities = repair_entities(Path(part), parts[part], "refuse")
        assert len(entities) == size
        assert all(set(sentence.labels) != {"O"} for sentence in entities)
        labels = {label for sentence in entities for label in sentence.labels}
        assert labels == {"O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"}


@pytest.mark.parametrize("language", LANGUAGES, ids=code_of)
def test_dump_is_full_of_markup_and_extracts_cleanly(
    world: Path, sentences: dict[str, list[str]], language: Language
) -> None:
    export = bz2.decompress(dump_of(world, language).read_bytes()).decode()
    for markup in (
        "'''",
        "[[",
        "|",
        "== ",
        "\n* ",
        "{| class",
        "{{",
        "&lt;ref",
        "&lt;br&gt;",
        "#REDIRECT",
        "[[Category:",
    ):
        assert markup in export
    text = "\n".join(sentences[language.code])
    assert not set("[]{}|<>*=#&'") & set(text)
    assert len(sentences[language.code]) > 8 * language.articles


@pytest.mark.parametrize("language", LANGUAGES, ids=code_of)
def test_scripts(sentences: dict[str, list[str]], language: Language) -> None:
    letters = {letter for letter in "".join(sentences[language.code]) if letter.isalpha()}
    assert len({letter.lower() for letter in letters}) <= 22
    assert all(is_georgian(letter) == (language.script == "Georgian") for letter in letters)


def test_base_languages_have_no_georgian_letter_and_all_letters_of_the_latin_target(
    world: Path, sentences: dict[str, list[str]]
) -> None:
    for code in ("qaa", "qab", "qac"):
        assert not is_georgian(bz2.decompress(dump_of(world, BY_CODE[code]).read_bytes()).decode())
    seen = set("".join(sentences["qaa"] + sentences["qab"]))
    forms = {word.form for sentence in treebank_of(world, BY_CODE["qae"], "test") for word in sentence.words}
    assert set("".join(sentences["qae"])) | set("".join(forms)) <= seen


def test_transliterated_target_is_close_to_its_relative(sentences: dict[str, list[str]]) -> None:
    convert = transliterator("transliterate", "ka")
    tokens = Counter(convert(" ".join(sentences["qad"])).split())

    def shared(code: str) -> float:
        known = {token.lower() for sentence in sentences[code] for token in sentence.split()}
        return sum(count for token, count in tokens.items() if token in known) / tokens.total()

    assert shared("qaa") > 0.5
    assert shared("qaa") > shared("qab") + 0.15


@pytest.mark.parametrize("language", LABELED, ids=code_of)
def test_form_tells_the_tag_and_position_does_not(world: Path, language: Language) -> None:
    train, test = treebank_of(world, language, "train"), treebank_of(world, language, "test")
    assert 0.70 < majority_accuracy(train, test, lambda words, index: words[index].form) < 0.90
    assert majority_accuracy(train, test, lambda words, index: index) < 0.25
    assert majority_accuracy(train, test, lambda words, index: (index, len(words))) < 0.45
    assert majority_accuracy(train, test, around) < 0.45


@pytest.mark.parametrize("language", LABELED, ids=code_of)
def test_labeled_sentences_are_rare_in_the_wikipedia(
    world: Path, sentences: dict[str, list[str]], language: Language
) -> None:
    corpus = {squeeze(sentence) for sentence in sentences[language.code]}
    labeled = [s.surface() for part in ("dev", "test") for s in treebank_of(world, language, part)]
    assert sum(text in corpus for text in labeled) <= len(labeled) / 50
