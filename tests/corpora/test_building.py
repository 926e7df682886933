"""Building a corpus: decontamination, the split by article, downsampling, and what is counted."""

import itertools
import random
from pathlib import Path

import pytest
from tests.conftest import paper_cleaning

from specialize.corpora import (
    SPLITS,
    Article,
    build_corpus,
    labeled_sentences,
    read_articles,
    read_corpus,
    split_of,
    transliterate_corpus,
)
from specialize.corpora import build as build_module
from specialize.datasets import transliterate_token, transliterator
from specialize.errors import InputError, SpecializeError
from specialize.files import read_json

CLEANING = paper_cleaning()


def made_up_articles(number, seed=5):
    """Articles of two to five sentences, no two alike, each opened by its own number."""
    source = random.Random(seed)
    words = ["".join(source.choices("aeioumnrst", k=source.randint(2, 6))) for _ in range(200)]

    def sentence(opening):
        return " ".join([opening, *source.choices(words, k=source.randint(3, 8))]) + "."

    return [
        Article(str(index), tuple(sentence(f"{index}:{line}") for line in range(source.randint(2, 5))))
        for index in range(number)
    ]


def build(folder, articles, cleaning=CLEANING, labeled=None):
    build_corpus(Path("articles.txt"), articles, labeled or {}, cleaning, folder)
    return {split: list(read_corpus(folder / f"{split}.txt")) for split in SPLITS}


def as_set(corpus):
    return {split: {tuple(article) for article in articles} for split, articles in corpus.items()}


# -- split -------------------------------------------------------------------------------------------------


def test_split_proportions():
    shares = [split_of(article.identifier, CLEANING) for article in made_up_articles(6000)]
    assert shares.count("valid") == pytest.approx(600, abs=100)  # four standard deviations
    assert shares.count("test") == pytest.approx(600, abs=100)


def test_split_depends_on_the_seed():
    articles = made_up_articles(300)
    other = paper_cleaning(seed=2)
    first, second = ([split_of(article.identifier, rules) for article in articles] for rules in (CLEANING, other))
    assert first != second


def test_reordering_the_articles_moves_none_of_them(tmp_path):
    articles = made_up_articles(300)
    shuffled = random.Random(3).sample(articles, len(articles))
    first, second = build(tmp_path / "first", articles), build(tmp_path / "second", shuffled)
    assert as_set(first) == as_set(second)
    assert read_json(tmp_path / "first/statistics.json") == read_json(tmp_path / "second/statistics.json")


def test_more_articles_move_none_of_the_old_ones(tmp_path):
    articles = made_up_articles(300)
    small, large = build(tmp_path / "small", articles[:200]), build(tmp_path / "large", articles)
    for split in SPLITS:
        assert as_set(small)[split] <= as_set(large)[split]


def test_every_article_is_in_one_split_whole(tmp_path):
    articles = made_up_articles(300)
    corpus = build(tmp_path / "corpus", articles)
    found = [tuple(article) for split in SPLITS for article in corpus[split]]
    assert len(found) == len(set(found)) == len(articles)
    assert {len(article) for article in found} == {len(article.lines) for article in articles}


def test_a_blank_line_follows_each_article(tmp_path):
    build(tmp_path / "corpus", made_up_articles(100))
    statistics = read_json(tmp_path / "corpus/statistics.json")
    for split in SPLITS:
        text = (tmp_path / "corpus" / f"{split}.txt").read_text(encoding="utf-8")
        assert text.endswith(".\n\n")
        assert text.count("\n\n") == statistics[split]["articles"]
        assert "\n\n\n" not in text


def test_articles_of_a_plain_text_are_parted_by_blank_lines(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n\nOne.\nTwo.\n \n\nThree.\n", encoding="utf-8")
    articles = list(read_articles(path))
    assert [[line.strip() for line in article.lines] for article in articles] == [["One.", "Two."], ["Three."]]
    assert articles[0].identifier != articles[1].identifier


def test_articles_of_a_plain_text_keep_their_identifier_when_they_move(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("One.\nTwo.\n\nThree.\n", encoding="utf-8")
    before = {article.lines: article.identifier for article in read_articles(path)}
    path.write_text("Three.\n\nOne.\nTwo.\n", encoding="utf-8")
    assert {article.lines: article.identifier for article in read_articles(path)} == before


def test_plain_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"One.\n\xff\n")
    with pytest.raises(InputError, match=r"text\.txt, line 2: is not UTF-8"):
        list(read_articles(path))


@pytest.mark.slow
def test_any_number_of_processes_builds_the_same_bytes(tmp_path, labeled):
    articles = made_up_articles(3000)
    for processes in (1, 2, 3):
        build_corpus(Path("a"), articles, labeled, CLEANING, tmp_path / str(processes), processes)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()
        assert path.read_bytes() == (tmp_path / "3" / path.name).read_bytes()


# -- downsampling ------------------------------------------------------------------------------------------


def test_downsampling_keeps_whole_articles_and_is_nested(tmp_path):
    articles = made_up_articles(1500)
    corpora = {
        share: as_set(build(tmp_path / str(share), articles, paper_cleaning(sample=share))) for share in (0.2, 0.5, 1.0)
    }
    for split in SPLITS:
        assert corpora[0.2][split] < corpora[0.5][split] < corpora[1.0][split]
    kept = read_json(tmp_path / "0.2/statistics.json")["total"]["articles"]
    assert kept == pytest.approx(300, abs=65)  # four standard deviations


def test_downsampling_depends_on_the_seed(tmp_path):
    articles = made_up_articles(600)
    kept = []
    for seed in (1, 2):
        corpus = as_set(build(tmp_path / str(seed), articles, paper_cleaning(seed=seed, sample=0.5)))
        kept.append(set().union(*corpus.values()))
    assert kept[0] != kept[1]


def test_downsampling_and_split_are_independent(tmp_path):
    """A share of 0.1 must not keep the very articles that validation consists of."""
    corpus = build(tmp_path / "corpus", made_up_articles(3000), paper_cleaning(sample=0.2))
    total = sum(map(len, corpus.values()))
    assert len(corpus["valid"]) / total == pytest.approx(0.1, abs=0.05)


def test_downsampling_as_run_keeps_whole_files_of_extracted_text(tmp_path, monkeypatch):
    assert build_module.SAMPLED_FILE_BYTES == 1 << 20
    monkeypatch.setattr(build_module, "SAMPLED_FILE_BYTES", 1 << 10)  # and articles as much smaller
    articles = [Article(str(number), (f"{number} . End.",)) for number in range(1500)]
    rules = paper_cleaning(sample=0.5, sampling="files")
    corpus = build(tmp_path / "corpus", articles, rules)
    kept = sorted(int(article[0].split()[0]) for split in SPLITS for article in corpus[split])
    runs = 1 + sum(second != first + 1 for first, second in itertools.pairwise(kept))
    assert 0.2 < len(kept) / len(articles) < 0.8
    assert runs <= 8  # eighteen files, of which neighbours join
    removed = read_json(tmp_path / "corpus/statistics.json")["removed"]
    assert removed["articles not sampled"] == len(articles) - len(kept)


# -- decontamination ---------------------------------------------------------------------------------------

TREEBANK = """\
# text = Vámonos ya, dijo.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\t_\tX\tX\t_\t0\troot\t_\t_
2\tnos\t_\tX\tX\t_\t1\tdep\t_\t_
3\tya\t_\tX\tX\t_\t1\tdep\t_\t_
4\t,\t_\tX\tX\t_\t1\tdep\t_\t_
5\tdijo\t_\tX\tX\t_\t1\tdep\t_\t_
6\t.\t_\tX\tX\t_\t1\tdep\t_\t_

"""


@pytest.fixture
def labeled(tmp_path):
    folder = tmp_path / "labeled"
    (folder / "ner").mkdir(parents=True)
    (folder / "dev.conllu").write_text(TREEBANK, encoding="utf-8")
    (folder / "train.conllu").write_text(TREEBANK.replace("dijo", "canto"), encoding="utf-8")
    (folder / "ner/test.tsv").write_text("In\tO\nOslo\tB-LOC\n\nVamos\tO\nnos\tO\n", encoding="utf-8")
    return labeled_sentences([folder / "dev.conllu", folder / "ner/test.tsv"])


def test_labeled_sentences_are_left_out_in_both_writings(tmp_path, labeled):
    labeled_lines = ("Vámonos ya, dijo. Vamos nos  ya , dijo.", "In Oslo")
    near_misses = ("Vámonos y, dijo!", "In Oslo.", "In Oslo Oslo", "Vámonos ya, canto.")
    articles = [*made_up_articles(100), Article("contaminated", (*labeled_lines, *near_misses))]
    corpus = build(tmp_path / "corpus", articles, labeled=labeled)
    (kept,) = (article for split in SPLITS for article in corpus[split] if "In Oslo ." in article)
    assert kept == ["Vámonos y , dijo !", "In Oslo .", "In Oslo Oslo", "Vámonos ya , canto ."]
    statistics = read_json(tmp_path / "corpus/statistics.json")
    assert statistics["removed"]["sentences of labeled data"] == 3
    assert statistics["removed_by_labeled_file"] == {"dev.conllu": 2, "ner/test.tsv": 1}


def test_what_each_rule_removes_is_counted(tmp_path, labeled):
    article = Article("marked", ("== A ==", "[[File:x]]", "<div>", "&lt;div", ".", "", "In Oslo", "B. C. D."))
    build(tmp_path / "corpus", [*made_up_articles(100), article], labeled=labeled)
    assert read_json(tmp_path / "corpus/statistics.json")["removed"] == {
        "lines of =": 1,
        "lines of [[": 1,
        "lines of <": 1,
        "lines of &lt;": 1,
        "lines of nothing but a full stop or <br>": 1,
        "sentences of labeled data": 1,
    }


def test_a_labeled_file_that_removes_nothing_is_reported_as_zero(tmp_path, labeled):
    build(tmp_path / "corpus", made_up_articles(100), labeled=labeled)
    counts = read_json(tmp_path / "corpus/statistics.json")["removed_by_labeled_file"]
    assert counts == {"dev.conllu": 0, "ner/test.tsv": 0}


# -- what is dropped, and what is counted ------------------------------------------------------------------


def test_articles_of_one_sentence_or_less_are_dropped(tmp_path, labeled):
    short = [
        Article("empty", ()),
        Article("markup", ("== Only ==", "<div>")),
        Article("one", ("A single sentence.",)),
        Article("one left", ("In Oslo", "The other sentence.")),
        Article("two", ("A first. A second.",)),
    ]
    corpus = build(tmp_path / "corpus", [*made_up_articles(100), *short], labeled=labeled)
    sentences = {sentence for split in SPLITS for article in corpus[split] for sentence in article}
    assert {"A first .", "A second ."} <= sentences
    assert not {"A single sentence .", "The other sentence ."} & sentences
    assert read_json(tmp_path / "corpus/statistics.json")["removed"]["articles of one sentence or less"] == 4


def test_statistics_add_up(tmp_path, labeled):
    articles = [*made_up_articles(400), Article("one", ("Single.",)), Article("mixed", ("== A ==", "In Oslo", "B. C."))]
    corpus = build(tmp_path / "corpus", articles, paper_cleaning(sample=0.8), labeled)
    statistics = read_json(tmp_path / "corpus/statistics.json")
    for split in SPLITS:
        sentences = [sentence for article in corpus[split] for sentence in article]
        assert statistics[split] == {
            "articles": len(corpus[split]),
            "sentences": len(sentences),
            "tokens": sum(len(sentence.split()) for sentence in sentences),
            "letters": sum(letter.isalpha() for sentence in sentences for letter in sentence),
            "spaceless_letters": 0,
        }
    for unit, total in statistics["total"].items():
        assert total == sum(statistics[split][unit] for split in SPLITS)
    removed = statistics["removed"]
    dropped = removed["articles not sampled"] + removed["articles of one sentence or less"]
    assert statistics["articles_read"] == len(articles) == statistics["total"]["articles"] + dropped


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_empty_split_is_an_error_and_leaves_nothing(tmp_path, number):
    with pytest.raises(SpecializeError, match=rf"articles\.txt: has {number} articles, and no article for"):
        build(tmp_path / "corpus", made_up_articles(number))
    assert list(tmp_path.iterdir()) == []


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        build(tmp_path / name, made_up_articles(100))
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


# -- twins -------------------------------------------------------------------------------------------------


def test_a_twin_is_its_original_line_for_line(tmp_path):
    articles = [
        Article(article.identifier, (*article.lines, "ئۇيغۇر تىلى.", "ء ء", "ﷺ")) for article in made_up_articles(100)
    ]
    build(tmp_path / "ug", articles)
    convert = transliterator("uyghur")
    transliterate_corpus(tmp_path / "ug", tmp_path / "ug-Latn", "uyghur", largest_share_left=1.0)
    for split in SPLITS:
        before = (tmp_path / "ug" / f"{split}.txt").read_text(encoding="utf-8").split("\n")
        after = (tmp_path / "ug-Latn" / f"{split}.txt").read_text(encoding="utf-8").split("\n")
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert new.split(" ") == [transliterate_token(convert, token) for token in old.split(" ")]
        assert "uyğur tili ." in after
        assert "ء ء" in after  # tokens that would vanish stay
    statistics = read_json(tmp_path / "ug-Latn/statistics.json")
    left = statistics.pop("transliteration")
    assert statistics == read_json(tmp_path / "ug/statistics.json")
    assert left["most_often_left"]["ء"] == 2 * left["most_often_left"]["ﷺ"] > 0


def test_a_twin_of_which_too_much_stays_is_refused_with_its_letters(tmp_path, capsys):
    build(tmp_path / "kk", [Article(a.identifier, ("Қазақ әлем.", "Тау, көл.")) for a in made_up_articles(100)])
    message = (
        r"kk: transliteration leaves 26\.7% of .* letters in their script, most often Қ қ ә ө .*mix scripts.*"
        "set transliteration: scheme: uroman, which reads any script, or a larger largest_share_left"
    )
    with pytest.raises(InputError, match=message):
        transliterate_corpus(tmp_path / "kk", tmp_path / "kk-Latn", "transliterate", "ru")
    assert not (tmp_path / "kk-Latn").exists()
    transliterate_corpus(tmp_path / "kk", tmp_path / "kk-Latn", "transliterate", "ru", largest_share_left=0.3)
    assert "transliteration leaves 26.7%" in capsys.readouterr().out
