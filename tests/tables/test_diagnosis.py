"""Diagnosis: what coverage suggests, before anything is trained."""

import pytest
from tests.tables.test_tables import small_experiment, statistics_of_uyghur, write_statistics

from specialize.experiment import Language
from specialize.reports.diagnosis import Diagnosis, spelling_met, write_diagnosis


def diagnosis(unknown, pieces, tokens=1_000_000, script="Arabic", original=None):
    base = {"unknown_token_rate": unknown, "wordpieces_per_token": pieces}
    covered = {"corpus": {"scripts": {script: 1.0}, "missing_letters": {}, "base": base, "augmented": base}}
    corpus = {"total": {"tokens": tokens}} if tokens else None
    return Diagnosis(Language("xx", {"name": "X"}, original), corpus, {"tva": covered})


@pytest.mark.parametrize(
    ("unknown", "pieces", "words"),
    [
        (0.38, 2.54, "tva: new wordpieces should help much"),  # Uyghur
        (0.021, 2.2, "lapt and tva: new wordpieces should help a little"),  # Maltese
        (0.001, 2.25, "lapt and tva: new wordpieces should help a little"),
        (0.001, 1.17, "lapt: new wordpieces should change little"),  # Vietnamese
    ],
)
def test_suggestions_part_the_papers_languages_as_its_results_do(unknown, pieces, words):
    assert diagnosis(unknown, pieces).suggestion().startswith(words)


def test_transliteration_is_suggested_to_other_scripts_only():
    assert "transliteration" in diagnosis(0.38, 2.5).suggestion()
    assert "transliteration" not in diagnosis(0.38, 2.5, script="Latin").suggestion()
    assert "transliteration" not in diagnosis(0.38, 2.5, original="x").suggestion()


def test_little_text_and_no_text_are_said():
    assert "smaller than any" in diagnosis(0.001, 1.2, tokens=1000).suggestion()
    assert "need text" in diagnosis(0.001, 1.2, tokens=0).suggestion()


def test_a_diagnosis_is_a_table_and_a_figure_with_the_same_bytes_again(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["mbert", "tva"], seeds=[1])
    write_statistics(tmp_path, statistics_of_uyghur())
    write_diagnosis(experiment, tmp_path)
    table = (tmp_path / "results/tables/diagnosis.md").read_text(encoding="utf-8")
    for words in (
        "345,678 tokens in 20,000 sentences of 1,234 articles, after cleaning (of 2,345 articles)",
        "Arabic 98.0%, Latin 2.0%",
        "text: 25.0% unknown words, 2.54 wordpieces per word; named entities: 10.0% unknown words",
        "text: 1.0% unknown words, 2.40 wordpieces per word",
        "ې ۇ (5.00% of all letters)",
        "tva: new wordpieces should help much",
        "1 models to pretrain, 6 to finetune",
    ):
        assert words in table
    files = [
        tmp_path / f"results/{name}"
        for name in ("tables/diagnosis.html", "figures/coverage.svg", "figures/coverage.png")
    ]
    before = [path.read_bytes() for path in files]
    assert all(before)
    write_diagnosis(experiment, tmp_path)
    assert [path.read_bytes() for path in files] == before


def test_normal_forms_and_invisible_marks_are_named_where_there_are_any():
    clean = {"words": 9000, "other_form": 0, "invisible": {}}
    met = {"words": 9000, "other_form": 1200, "invisible": {"ZERO WIDTH NON-JOINER": 31}}
    assert spelling_met({"corpus": clean, "ner": clean}, "NFC") == spelling_met({}, "NFC") == ""
    words = "text, of 9,000 words: 1,200 not in NFC, 31 with zero width non-joiner; "
    for form, read in (("NFC", "all spellings of a word are read as one"), ("none", "each is read as it is written")):
        found = spelling_met({"corpus": met, "treebank": clean}, form)
        assert found == f"{words}{read} (vocabularies.normal_form: {form})"
