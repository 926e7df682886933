"""What new rows cannot start from is refused before any job: slots that are not there, dictionaries without a file."""

import re

import pytest
from tests.experiment.test_configuration_errors import PAPER, assert_refused, small_base, with_overlay

from specialize.datasets import transliterate_word_list
from specialize.errors import ConfigError
from specialize.experiment import Experiment
from specialize.experiment.yaml_files import load

GRID = "experiment: {languages: [LANGUAGES], representations: [x], regimes: [pos], exceptions: []}\n"
DICTIONARY = "representations:\n  x: {method: adapt, pieces: 9, training: {initialisation: dictionary}}\n"
WITHOUT_SLOTS = "has no free slots, from whose rows slot has new pieces start"


def grid(*languages):
    return GRID.replace("LANGUAGES", ", ".join(languages))


def with_base(tmp_path, training, **changes):
    """A representation of a base model that is pretrained here."""
    own = tmp_path / "base.yaml"
    own.write_text(
        f"base_models: {{small: {{pretrain: {small_base(**changes)}}}}}\nbase_model: small\n{grid('wo')}"
        f"representations: {{x: {{method: adapt, pieces: 9, training: {training}}}}}\n"
    )
    return Experiment.read(own)


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"unused_slots": 0}, {"unused_slots": 9}),
        ({"unused_slots": None}, {"unused_slots": 9}),
        ({"unused_slots": None, "vocabulary": "unigram"}, None),
        ({"unused_slots": None, "vocabulary": "byte-level"}, None),
    ],
)
def test_slots_of_a_base_that_gets_none_are_refused(tmp_path, changes, remedy):
    with pytest.raises(ConfigError, match=WITHOUT_SLOTS) as caught:
        with_base(tmp_path, "{initialisation: slot}", **changes)
    assert str(caught.value).startswith("representations.x.training.initialisation (")
    assert ("give it unused_slots, or write" in str(caught.value)) == (remedy is not None)
    assert with_base(tmp_path, "{initialisation: mean}", **changes).adaptations
    assert not with_base(tmp_path, "{}", **changes).pretraining("x").slots_wanted  # the section's slot: mean there
    if remedy:
        assert with_base(tmp_path, "{initialisation: slot}", **(changes | remedy)).pretraining("x").slots_wanted


@pytest.mark.parametrize("changes", [{}, {"unused_slots": None, "vocabulary": "bpe"}])
def test_slots_of_a_base_that_gets_some_are_taken(tmp_path, changes):
    experiment = with_base(tmp_path, "{initialisation: slot}", **changes)
    plain = with_base(tmp_path, "{}", **changes)
    assert experiment.pretraining("x").job_parameters() == plain.pretraining("x").job_parameters()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("pieces: 9, growth: replace, training: {initialisation: slot}", "write initialisation: mean"),
        ("training: {initialisation: focus}", "x has no new pieces; give it pieces, or leave initialisation"),
    ],
)
def test_a_start_that_no_new_row_can_have_is_refused(tmp_path, entry, said):
    text = f"{grid('wo')}representations:\n  x: {{method: adapt, {entry}}}\n"
    assert_refused(tmp_path, text, said, key="representations.x.training.initialisation", line=3)


def test_a_representation_that_reads_a_dictionary_needs_one(tmp_path):
    text = DICTIONARY + grid("wo")
    assert_refused(tmp_path, text, "wo has none", key="representations.x.training.initialisation", line=2)
    text = "pretraining: {initialisation: dictionary}\nrepresentations: {x: {method: adapt, pieces: 9}}\n" + grid("wo")
    assert_refused(tmp_path, text, "give languages.wo.dictionary", key="pretraining.initialisation", line=1)
    assert with_overlay(tmp_path, text.replace("pieces: 9", "pieces: 0")).adaptations  # nothing is new
    left_out = "[{languages: [wo], representations: [x], seeds: []}]"
    both = DICTIONARY + "languages: {mt: {dictionary: PATH}}\n" + grid("wo", "mt")
    (tmp_path / "list.tsv").write_text("dar\thouse\n")
    both = both.replace("PATH", str(tmp_path / "list.tsv"))
    assert_refused(tmp_path, both, "wo has none", key="representations.x.training.initialisation", line=2)
    assert with_overlay(tmp_path, both.replace("exceptions: []", f"exceptions: {left_out}")).adaptations == (
        ("mt", "x"),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"dar\thouse\nkelb dog\n", "list.tsv, line 2: the line has no tab"),
        (b"dar\th\xf6user\n", "list.tsv, line 1: is not UTF-8"),
        (b"", "list.tsv: has no word"),
        (None, "list.tsv: is not there"),
    ],
)
@pytest.mark.parametrize("language", ["ug", "ug-Latn"])
def test_a_dictionary_that_cannot_be_read_is_refused_with_its_line(tmp_path, content, said, language):
    path = tmp_path / "list.tsv"
    if content is not None:
        path.write_bytes(content)
    text = f"{DICTIONARY}languages: {{ug: {{dictionary: {path}}}}}\n" + grid(language)
    assert_refused(tmp_path, text, said, key="languages.ug.dictionary", line=3)
    assert with_overlay(tmp_path, text.replace("initialisation: dictionary", "initialisation: focus")).cells
    path.write_text("dar\thouse\n")
    assert with_overlay(tmp_path, text).cells


def test_a_twins_dictionary_has_its_words_in_latin_letters(tmp_path):
    (tmp_path / "list.tsv").write_text("كىتاب\tbook\nكىتاب ئۆي\tlibrary\nكىتاب\tvolume\n", encoding="utf-8")
    transliterate_word_list(tmp_path / "list.tsv", tmp_path / "twin.tsv", "uyghur")
    written = (tmp_path / "twin.tsv").read_text(encoding="utf-8")
    assert written == "kitab\tbook\nkitab\tvolume\nkitab öy\tlibrary\n"


def test_the_papers_configuration_starts_new_rows_as_it_did():
    paper = load(PAPER)
    assert paper["pretraining"]["initialisation"] == "slot"
    settings = Experiment(paper, [PAPER]).pretraining("tva")
    assert not re.search("slots_wanted|initialisation", str(settings.job_parameters()))
