"""Transliteration: no token is lost or gained, and nothing but words changes."""

import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.datasets import (
    UYGHUR,
    EntitySentence,
    read_entities,
    transliterate_entities,
    transliterate_token,
    transliterate_treebank,
    transliterator,
    write_entities,
)

SCHEMES = {
    "uyghur": ("uyghur", None),
    "russian": ("transliterate", "ru"),
    "georgian": ("transliterate", "ka"),
    "any": ("uroman", "hin"),
}
ALPHABETS = {
    "uyghur": "".join(UYGHUR) + "ئ،؟ﺋﺎﷲ",
    "russian": "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБЩЪӱӧҥ",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "any": "हिन्दीभाषाกขสวัสดีབོད་ཡིག中文ሰላም",
}


@cache
def converter(scheme):
    """The transliterator of a scheme, made when a test wants it: uroman reads its tables for seconds."""
    return transliterator(*SCHEMES[scheme])


UROMAN = pytest.param("any", marks=pytest.mark.slow)
every_scheme = pytest.mark.parametrize("scheme", ["uyghur", "russian", "georgian", UROMAN])


def tokens_of(scheme):
    anything = st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r")
    letters = st.sampled_from(ALPHABETS[scheme])
    return st.text(st.one_of(letters, letters, anything), min_size=1, max_size=8).filter(lambda text: text.strip())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("transliteration")


@pytest.mark.parametrize(
    ("scheme", "word", "latin"),
    [
        ("uyghur", "ئۇيغۇر", "uyğur"),
        ("uyghur", "ئاتا", "ata"),
        ("uyghur", "مەڭگۈ", "menggü"),
        ("uyghur", "جۇڭخۇا،", "cungxua,"),
        ("uyghur", "۱۹۹۹؟", "1999?"),
        ("uyghur", "ﺑﺎﻻ", "bala"),  # presentation forms, composed first
        ("uyghur", "ئ", "ئ"),  # no rule of its own
        ("uyghur", "Latin", "Latin"),
        ("russian", "мланде", "mlande"),
        ("georgian", "გამარჯობა", "gamarjoba"),
        pytest.param("any", "हिन्दी भाषा", "hindii bhaassaa", marks=pytest.mark.slow),
        pytest.param("any", "7" * 4400, "7" * 4400, marks=pytest.mark.slow, id="a number that Python reads no more"),
    ],
)
def test_by_example(scheme, word, latin):
    assert converter(scheme)(word) == latin


def test_spaces_between_words_stay_as_they_are():
    assert converter("uyghur")("  ئاتا  ئانا ") == "  ata  ana "


def test_a_token_that_would_vanish_or_fall_apart_stays():
    assert converter("uyghur")("ء") == ""
    assert transliterate_token(converter("uyghur"), "ء") == "ء"
    assert transliterate_token(converter("uyghur"), "ﷺ") == "ﷺ"  # a ligature of four words
    assert transliterate_token(converter("uyghur"), "ءا") == "a"


@every_scheme
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_token_stays_one_token(scheme, data):
    token = data.draw(tokens_of(scheme))
    converted = transliterate_token(converter(scheme), token)
    assert converted
    assert converted == token or not re.search(r"\s", converted)


@every_scheme
def test_letters_of_the_script_are_gone(scheme):
    plain = {"uyghur": "ابتخدرزسشغفقكلمنوىي", "russian": "абвгдежзиклмнопрстуфх", "georgian": ALPHABETS["georgian"]}
    plain["any"] = "हिन्दी中文ሰላም"
    converted = transliterate_token(converter(scheme), plain[scheme])
    assert not set(converted) & set(plain[scheme])


@every_scheme
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_entities_keep_their_labels_and_numbers(folder, scheme, data):
    tokens = data.draw(st.lists(tokens_of(scheme), min_size=1, max_size=5))
    labels = data.draw(st.lists(st.sampled_from(["O", "B-PER", "I-PER"]), min_size=len(tokens), max_size=len(tokens)))
    source, destination = folder / "source.tsv", folder / "destination.tsv"
    write_entities(source, [EntitySentence(tuple(tokens), tuple(labels))] * 2)
    transliterate_entities(source, destination, converter(scheme))
    converted = tuple(transliterate_token(converter(scheme), token) for token in tokens)
    assert read_entities(destination) == [EntitySentence(converted, tuple(labels))] * 2


def rows(forms):
    """One row a form: words, with a multiword token before the first and an empty node after it."""
    yield "# sent_id = Ю"
    yield "# text = " + " ".join(forms)
    yield "# text_ru = Юла"
    yield "\t".join(["1-2", forms[0], *["_"] * 7, "Translit=Юла"])
    for number, form in enumerate(forms, start=1):
        head = "0" if number == 1 else "1"
        yield "\t".join([str(number), form, "лемма", "ТЕГ", "ئات", "F=Ю", head, "გ", "1:გ", "Gloss=мир"])
        if number == 1:
            yield "\t".join(["1.1", form, *["_"] * 8])


@every_scheme
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_all_but_forms_and_text_stays_byte_for_byte(folder, scheme, data):
    forms = data.draw(st.lists(tokens_of(scheme), min_size=2, max_size=5))
    source, destination = folder / "source.conllu", folder / "destination.conllu"
    content = ("\n".join(rows(forms)) + "\n\n") * 2
    source.write_bytes(content.encode())
    transliterate_treebank(source, destination, converter(scheme))
    before, after = content.split("\n"), destination.read_bytes().decode().split("\n")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if old.startswith("# text = "):
            assert new.startswith("# text = ")
        elif old.startswith("#") or not old:
            assert new == old
        else:
            (first, form, *others), (new_first, new_form, *new_others) = old.split("\t"), new.split("\t")
            assert (new_first, new_others) == (first, others)
            assert new_form == transliterate_token(converter(scheme), form)


def test_text_and_forms_are_both_converted(tmp_path):
    source, destination = tmp_path / "source.conllu", tmp_path / "destination.conllu"
    source.write_text("\n".join(rows(["ئاتا", "ئانا"])) + "\n\n", encoding="utf-8")
    transliterate_treebank(source, destination, converter("uyghur"))
    lines = destination.read_text(encoding="utf-8").split("\n")
    assert lines[1] == "# text = ata ana"
    assert [line.split("\t")[1] for line in lines if "\t" in line] == ["ata", "ata", "ata", "ana"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_last_line_stays_whatever_it_ends_with(tmp_path, end):
    source, destination = tmp_path / "source.conllu", tmp_path / "twin.conllu"
    row = "1\tА\t_\tX\tX\t_\t0\troot\t_\t_"
    source.write_bytes((f"# A\t\t\t\t\t\t\t\t\tА\r\n{row}{end}").encode())
    transliterate_treebank(source, destination, transliterator("transliterate", "ru"))
    assert destination.read_bytes() == source.read_bytes().replace(row.encode(), row.replace("А", "A").encode())
