"""Texts of several languages in one training: shares, whole articles, no mixture, and what is written of it."""

from collections import Counter

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pretraining.conftest import DESCRIPTION, small_settings, small_tokenizer, write_corpus, write_text

from specialize.corpora import read_corpus
from specialize.errors import InputError
from specialize.files import read_json
from specialize.pretraining.masked_text import encode_lines, training_text
from specialize.pretraining.model_card import ModelDescription, write_card
from specialize.pretraining.pretrain import adapt
from specialize.pretraining.several_languages import recorded, texts_of

TOKENIZER = small_tokenizer()


def write_others(folder, **articles):
    """The own corpus file, and folders of other languages of so many articles."""
    for seed, (tag, number) in enumerate(articles.items(), 3):
        (folder / tag).mkdir(parents=True)
        write_text(folder / tag / "train.txt", number, seed)
    return {tag: folder / tag for tag in articles}


def words_of(path):
    return [sum(len(sentence.split(" ")) for sentence in article) for article in read_corpus(path)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    write_text(folder / "train.txt", 20, seed=1)
    return folder / "train.txt", write_others(folder, tt=100, tr=7)


def test_a_mapping_gives_the_shares_and_the_own_text_is_whole_and_once(folders):
    own, others = folders
    texts = texts_of("ug", own, others, small_settings(with_languages={"tt": 0.3, "tr": 0.2}))
    assert [text.language for text in texts] == ["ug", "tr", "tt"]
    assert texts[0].times.tolist() == [1] * 20
    own_words, longest = sum(words_of(own)), max(words_of(others["tt"] / "train.txt"))
    for text, share in zip(texts[1:], (0.2, 0.3), strict=True):
        wanted = own_words / 0.5 * share
        assert abs(text.words_learned_from() - wanted) <= longest
        assert text.words.tolist() == words_of(others[text.language] / "train.txt")
    assert min(texts[1].times) >= 1
    assert set(texts[2].times.tolist()) == {0, 1}


@pytest.mark.parametrize(("exponent", "own"), [(0, 1 / 3), (1, 20 / 127), (0.3, None)])
def test_a_list_takes_shares_by_how_much_text_there_is(folders, exponent, own):
    path, others = folders
    job = small_settings(with_languages=["tr", "tt"], sampling_exponent=exponent)
    totals = {"ug": sum(words_of(path))} | {tag: sum(words_of(one / "train.txt")) for tag, one in others.items()}
    weights = {tag: number**exponent for tag, number in totals.items()}
    record = recorded(texts_of("ug", path, others, job))["texts"]
    for tag, weight in weights.items():
        assert record[tag]["share"] == pytest.approx(weight / sum(weights.values()), abs=0.03)
    assert own is None or record["ug"]["share"] == pytest.approx(own, abs=0.03)
    if exponent == 1:
        assert all(one["repeated"] == {"1": number} for one, number in zip(record.values(), (20, 7, 100), strict=True))
    if exponent == 0:
        assert record["tr"]["articles"] == 7 and set(record["tr"]["repeated"]) == {"2", "3"}


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0.02, 0.95), seed=st.integers(0, 99))
def test_articles_are_taken_whole_and_as_evenly_as_can_be(folders, share, seed):
    own, others = folders
    _, text = texts_of("ug", own, {"tr": others["tr"]}, small_settings(with_languages={"tr": share}, seed=seed))
    assert max(text.times) - min(text.times) <= 1
    wanted = sum(words_of(own)) / (1 - share) * share
    assert abs(text.words_learned_from() - wanted) <= max(text.words)
    assert [(sentences, times) for sentences, times in text.articles()] == [
        (sentences, times)
        for sentences, times in zip(read_corpus(others["tr"] / "train.txt"), text.times.tolist(), strict=True)
        if times
    ]


def test_which_articles_are_drawn_depends_on_the_seed_and_not_on_other_languages(folders):
    own, others = folders
    alone = texts_of("ug", own, {"tt": others["tt"]}, small_settings(with_languages={"tt": 0.25}))[1]
    both = texts_of("ug", own, others, small_settings(with_languages={"tt": 0.2, "tr": 0.2}))[2]
    again = texts_of("ug", own, {"tt": others["tt"]}, small_settings(with_languages={"tt": 0.25}))[1]
    other = texts_of("ug", own, {"tt": others["tt"]}, small_settings(with_languages={"tt": 0.25}, seed=8))[1]
    assert alone.times.tolist() == again.times.tolist() == both.times.tolist()
    assert alone.times.tolist() != other.times.tolist()


def test_a_model_s_own_tag_counts_for_nothing_but_its_twin_is_another_text():
    job = small_settings(with_languages={"ug": 0.5, "ug-Latn": 0.2})
    assert job.other_languages("ug") == ["ug-Latn"]
    assert job.shares("ug", {}) == {"ug": 0.8, "ug-Latn": 0.2}
    assert job.shares("ug-Latn", {}) == {"ug-Latn": 0.5, "ug": 0.5}
    listed = small_settings(with_languages=["ug", "ug-Latn"], sampling_exponent=0.5)
    assert listed.shares("ug", {"ug": 400, "ug-Latn": 100}) == {"ug": 2 / 3, "ug-Latn": 1 / 3}


def test_what_a_job_does_not_read_is_none_of_its_parameters():
    assert "with" not in small_settings().job_parameters()
    assert "sampling_exponent" not in small_settings(with_languages={"tt": 0.5}).job_parameters()
    listed = small_settings(with_languages=["tt"]).job_parameters()
    assert (listed["with"], listed["sampling_exponent"]) == (["tt"], 0.3)
    base = small_settings(with_languages=["tt"], adapted=False)
    assert base.other_languages("ug") == [] and not base.job_parameters().keys() & {"with", "sampling_exponent"}


@pytest.mark.parametrize("examples", ["articles", "lines", "sentence-pairs"])
def test_no_example_has_text_of_two_languages_and_each_is_there_as_often_as_it_shall(folders, examples):
    own, others = folders
    job = small_settings(with_languages={"tr": 0.6, "tt": 0.1}, examples=examples, short_sequence_probability=0.0)
    texts = texts_of("ug", own, others, job)
    made = training_text([own], TOKENIZER, job, texts[1:])
    again = training_text([own], TOKENIZER, job, texts[1:])
    assert all(
        numpy.array_equal(getattr(made, name), getattr(again, name))
        for name in ("pieces", "starts", "ends", "places", "replacements")
    )
    articles = [(sentences, times, text.language) for text in texts for sentences, times in text.articles()]
    lines = [encode_lines(sentences, TOKENIZER) for sentences, _, _ in articles]
    if examples == "articles":
        lines = [encode_lines([" ".join(sentences)], TOKENIZER) for sentences, _, _ in articles]
    assert made.pieces.tolist() == [piece for article in lines for ids in article for piece in ids], "once each"
    article_of = numpy.repeat(range(len(articles)), [sum(map(len, article)) for article in lines])
    pieces: Counter[int] = Counter()
    for start, end in zip(made.starts, made.ends, strict=True):
        segments = [article_of[first:last] for first, last in zip(start, end, strict=True) if first < last]
        assert all(len(set(segment)) == 1 for segment in segments)
        assert len({articles[segment[0]][2] for segment in segments}) == 1
        pieces[segments[0][0]] += len(segments[0])
    if examples != "sentence-pairs":
        sizes = Counter(article_of.tolist())
        assert pieces == {number: 2 * times * sizes[number] for number, (_, times, _) in enumerate(articles)}


def test_an_article_that_is_longer_than_the_share_is_taken_nevertheless_and_one_is_told(tmp_path, capsys):
    write_text(tmp_path / "train.txt", 2, seed=1)
    others = write_others(tmp_path, tt=1)
    _, text = texts_of("ug", tmp_path / "train.txt", others, small_settings(with_languages={"tt": 0.01}))
    assert text.times.tolist() == [1]
    output = capsys.readouterr()
    assert "is text of tt, where 1.0% was asked for: articles stay whole" in output.out + output.err


def test_an_empty_text_is_refused(tmp_path):
    write_text(tmp_path / "train.txt", 2, seed=1)
    others = write_others(tmp_path, tt=1)
    (others["tt"] / "train.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no text; give the language more text, or leave it out"):
        texts_of("ug", tmp_path / "train.txt", others, small_settings(with_languages=["tt"]))


def test_history_and_card_say_what_was_learned_from(tmp_path, base, same_vocabulary):
    (tmp_path / "own").mkdir()
    own = write_corpus(tmp_path / "own")
    others = write_others(tmp_path, qab=40, qac=3)
    described = [
        {"language": tag, "name": name, "text": "other text", "text_license": license_}
        for tag, name, license_ in (("qab", "Second", "CC0"), ("qac", "Third", None))
    ]
    description = ModelDescription(**{**vars(DESCRIPTION), "others": described})
    job = small_settings(with_languages={"qab": 0.25, "qac": 0.25, "qaa": 0.9}, epochs=1, steps_per_epoch=2)
    for name, more in (("several", {"others": others}), ("one", {})):
        used = job if more else job.model_copy(update={"with_languages": {}})
        known = description if more else DESCRIPTION
        adapt(base, same_vocabulary, own, 1, used, known, tmp_path / name, **more)
    history, before = (read_json(tmp_path / name / "history.json") for name in ("several", "one"))
    assert set(history) - set(before) == {"texts"}
    assert history["hyperparameters"]["with"] == {"qab": 0.25, "qac": 0.25, "qaa": 0.9}
    assert list(history["texts"]) == ["qaa", "qab", "qac"]
    assert history["texts"]["qaa"]["articles"] == 20
    assert history["texts"]["qac"]["articles"] == 3
    assert sum(text["share"] for text in history["texts"].values()) == pytest.approx(1)
    losses = [one["epochs"][0]["validation_loss"] for one in (history, before)]
    assert losses[0] == losses[1], "of the own text alone"
    card = (tmp_path / "several" / "README.md").read_text(encoding="utf-8")
    assert "text in Talvaric, Second and Third" in card
    assert "language:\n- qaa\n- qab\n- qac" in card
    assert "| Text in Second (`qab`) | other text: " in card
    assert "That of the text in Second: CC0." in card
    assert "That of the text in Third: not stated; find it out before you share the model." in card
    write_card(tmp_path / "one", description)
    assert "Second" not in (tmp_path / "one" / "README.md").read_text(encoding="utf-8"), "it has not learned from it"
    write_card(tmp_path / "several", DESCRIPTION)
    card = (tmp_path / "several" / "README.md").read_text(encoding="utf-8")
    assert "text in Talvaric, qab and qac" in card and "That of the text in qab: not stated" in card
