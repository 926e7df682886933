"""Transliteration: no token is lost or gained, and nothing but words changes."""

import re
import sys
import unicodedata
from functools import cache

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.datasets import (
    UYGHUR,
    EntitySentence,
    count_untransliterated,
    read_entities,
    require_latin,
    transliterate_entities,
    transliterate_parts,
    transliterate_token,
    transliterate_treebank,
    transliterator,
    write_entities,
)
from specialize.datasets.settings import TRANSLITERATE_LANGUAGES
from specialize.errors import InputError

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
    assert re.findall(r"\s", converted) == re.findall(r"\s", token)


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


# -- alphabets ---------------------------------------------------------------------------------------------

# Small letters of the alphabets that the options are for, from the languages' official orthographies.
ALPHABET_OF = {
    ("transliterate", "bg"): "абвгдежзийклмнопрстуфхцчшщъьюяѝ",
    ("transliterate", "el"): "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    ("transliterate", "hy"): "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև",
    ("transliterate", "ka"): "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    ("transliterate", "l1"): "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿß",
    ("transliterate", "mk"): "абвгдѓежзѕијклљмнњопрстќуфхцчџшѐѝ",
    ("transliterate", "mn"): "абвгдеёжзийклмноөпрстуүфхцчшщъыьэюя",
    ("transliterate", "ru"): "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    ("transliterate", "sr"): "абвгдђежзијклљмнњопрстћуфхцчџш",
    ("transliterate", "uk"): "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    ("uyghur", None): "ابتجچخدرزژسشغفقكگڭلمنھوۇۆۈۋېىيە",
}
# What stands for them within a word, such as the soft sign, is an apostrophe; the Georgian table tells ტ from თ by
# writing it as a capital, though the script has none.
SIGNS = "ъьჭէ"
CAPITALS_OF_SMALL_LETTERS = "ტ"
UROMAN_ALPHABET = (
    "абвгдеёжзийклмнопрстуфхцчшщыэюяіїєґўәғқңөұүһҥӧӱӓӹαβγδεζηθικλμνξοπρσςτυφχψωաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցփքօֆև"
    "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰאבגדהוזחטיכלמנספצקרשתابتجچخدرزسشفقكگلمنوېक्खगघचजतदनपबमयरलवसहಕತನಪಮกขคงจชดตนบปมยรลวสหကခဂငစတနပမယလသကខគងចតនបមអሀለመሠረሰበተነአከወዘየደጀገ가나다라中文あいうカキク"
)
ALPHABETIC_OPTIONS = [(*option, letters) for option, letters in ALPHABET_OF.items()]


def test_every_language_of_the_package_has_an_alphabet_here():
    assert {language for scheme, language in ALPHABET_OF if scheme == "transliterate"} == set(TRANSLITERATE_LANGUAGES)


@pytest.mark.parametrize(
    ("scheme", "language", "letters"),
    [*ALPHABETIC_OPTIONS, pytest.param("uroman", None, UROMAN_ALPHABET, marks=pytest.mark.slow)],
)
def test_letters_become_latin_letters_of_their_case(scheme, language, letters):
    convert = transliterator(scheme, language) if scheme != "uroman" else converter("any")
    for small in letters:
        capital = small.upper()
        for letter in {small, capital, unicodedata.normalize("NFD", small)}:
            converted = convert(letter)
            if small not in SIGNS:
                assert regex.fullmatch(r"[\p{Latin}\p{M}]*\p{Latin}[\p{Latin}\p{M}]*|'?", converted), letter
            assert regex.fullmatch(r"[\p{Latin}\p{M}']*", converted), letter
        if capital != small and small not in SIGNS and scheme != "l1":
            assert regex.match(r"\p{Lu}", convert(capital)), capital
            assert small in CAPITALS_OF_SMALL_LETTERS or convert(small) == convert(small).lower(), small


MARKS = ".,;:!?()[]«»„“”‘’\"'-–—…·/*&%+=<>@#"
MARKS_OF_SCRIPTS = {"hy": "՞՝՜։՛՚֊", "el": ";·", "ka": "჻„“"}


@pytest.mark.parametrize(("scheme", "language"), ALPHABET_OF)
def test_digits_stay_digits_and_marks_stay_marks(scheme, language):
    convert = transliterator(scheme, language)
    for digit in "0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९":
        assert unicodedata.decimal(convert(digit)) == unicodedata.decimal(digit)
    for mark in MARKS + MARKS_OF_SCRIPTS.get(language, ""):
        if scheme == "transliterate":
            assert convert(mark) == unicodedata.normalize("NFC", mark)
        assert regex.fullmatch(r"[\p{P}\p{S}]+", convert(mark)), mark


def test_arabic_marks_and_digits_become_latin_ones():
    assert converter("uyghur")("،؛؟۰۹") == ",;?09"


@pytest.mark.slow
def test_digits_of_every_script_are_romanized_and_marks_are_no_letters():
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) == "Nd":
            assert converter("any")(chr(code)) == str(unicodedata.decimal(chr(code)))
    for mark in MARKS + "։՞՝،؛؟।॥။៕。、《》「」၊":
        assert not regex.search(r"[\p{L}\p{N}]", transliterate_token(converter("any"), mark)), mark


@pytest.mark.parametrize(
    ("language", "word", "latin"),
    [
        ("hy", "Երևան", "Erevan"),
        ("hy", "արևելք", "arevelq"),
        ("hy", "և", "ev"),
        ("hy", "Եւ", "Ev"),
        ("hy", "ԵՐԵՒԱՆ", "EREVAN"),
        ("hy", "տուն", "tun"),
        ("hy", "ՈՒՍՈՒՄ", "USUM"),
        ("hy", "իւր", "ivr"),
        ("el", "Όμηρος", "Omiros"),
        ("el", "ΗΛΙΟΣ", "ILIOS"),
        ("el", "Ο\u0301μηρος", "Omiros"),  # taken apart
        ("mn", "Ыйщ", "Yishch"),
        ("ka", "Tbilisi", "Tbilisi"),
        ("ka", "თბილისი-NATO", "tbilisi-NATO"),
        ("ka", "ᲗᲑᲘᲚᲘᲡᲘ", "TBILISI"),
        ("ru", "и\u0306од", "jod"),
    ],
)
def test_corrections_by_example(language, word, latin):
    assert transliterator("transliterate", language)(word) == latin


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "latin"), [("你好。再见", "nihao.zaijian"), ("Әлем", "Elem"), ("10\u00a0ел", "10\u00a0el"), ("。", ".")]
)
def test_romanized_words_stay_one_token(word, latin):
    assert transliterate_token(converter("any"), word) == latin


@pytest.mark.slow
def test_romanizing_a_long_word_costs_as_much_as_its_parts(monkeypatch):
    import uroman

    lengths = []
    romanize = uroman.Uroman.romanize_string
    monkeypatch.setattr(
        uroman.Uroman,
        "romanize_string",
        lambda self, text, **options: lengths.append(len(text)) or romanize(self, text, **options),
    )
    for times in (1000, 2000):
        lengths.clear()
        assert converter("any")("абв" * times) == "abv" * times
        assert sum(lengths) == 3 * times
        assert max(lengths) <= 200


# -- what is left ------------------------------------------------------------------------------------------


def left_of(words, *scheme):
    convert = transliterator(*scheme)
    return count_untransliterated(words, lambda token: transliterate_token(convert, token))


def test_letters_that_stay_are_counted_as_often_as_they_occur():
    left = left_of({"қазақ": 2, "әлем": 1, "тау": 5, "ӘҚ": 1, "12,": 9, "ʼ": 1, "naïve": 1}, "transliterate", "ru")
    assert left.left == {"қ": 4, "ә": 1, "Ә": 1, "Қ": 1}
    assert left.letters == 2 * 5 + 4 + 5 * 3 + 2 + 1 + 5
    assert (left.words, left.mixed, left.unchanged, left.marked) == (11, 3, 1, 0)
    assert left.share == pytest.approx(7 / 37)
    assert list(left.most()) == ["қ", "Қ", "Ә", "ә"]


def test_words_that_would_vanish_are_left():
    assert left_of({"ء": 3, "ءا": 1}, "uyghur").left == {"ء": 3}


def test_letters_that_become_marks_are_counted():
    marked = count_untransliterated({"Երևան": 2, "&": 1, "ь": 4}, {"Երևան": "Er&an", "&": "&", "ь": "'"}.__getitem__)
    assert marked.marked == 2


def test_too_much_left_is_refused_and_the_rest_told(tmp_path, capsys):
    left = left_of({"тау": 9, "әә": 1}, "transliterate", "ru")
    require_latin(tmp_path, left, "transliterate", 0.07)
    assert "transliteration leaves 6.9% of 29 letters in their script, most often ә" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"set transliteration: scheme: uroman.* or a larger largest_share_left"):
        require_latin(tmp_path, left, "transliterate", 0.05)
    with pytest.raises(InputError, match="set transliteration: a larger largest_share_left"):
        require_latin(tmp_path, left, "uroman", 0.05)
    require_latin(tmp_path, left_of({"12": 3}, "uyghur"), "uyghur", 0)
    assert "leaves 0.0% of 0 letters in their script (" in capsys.readouterr().out


def test_twins_of_labeled_data_give_their_words(tmp_path):
    (tmp_path / "a.conllu").write_text("# text = б б\n1\tб\t_\tX\tX\t_\t0\troot\t_\t_\n\n")
    assert transliterate_treebank(tmp_path / "a.conllu", tmp_path / "b.conllu", converter("russian")) == {"б": 1}
    write_entities(tmp_path / "a.tsv", [EntitySentence(("б", "в", "б"), ("O", "B-X", "O"))])
    assert transliterate_entities(tmp_path / "a.tsv", tmp_path / "b.tsv", converter("russian")) == {"б": 2, "в": 1}


def test_twins_of_a_data_sets_files_are_refused_together(tmp_path, capsys):
    paths = []
    for part, word in (("train", "тау"), ("test", "әә")):
        write_entities(tmp_path / part, [EntitySentence((word,), ("O",))])
        paths.append((tmp_path / part, tmp_path / f"{part}-Latn"))
    transliterate_parts(transliterate_entities, paths, "transliterate", "ru", largest_share_left=0.5)
    assert "transliteration leaves 40.0% of 5 letters in their script" in capsys.readouterr().out
    assert paths[0][1].read_text(encoding="utf-8") == "tau\tO\n\n"
    with pytest.raises(InputError, match="transliteration leaves 40"):
        transliterate_parts(transliterate_entities, paths, "transliterate", "ru")
