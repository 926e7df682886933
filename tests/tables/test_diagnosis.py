"""Diagnosis: what coverage suggests, before anything is trained."""

import re

import pytest
from tests.tables.test_tables import small_experiment, statistics_of_uyghur, write_new_pieces, write_statistics

from specialize.corpora import LONG_WORDS
from specialize.errors import SpecializeError
from specialize.experiment import Language
from specialize.files import read_json, write_json
from specialize.reports.diagnosis import LETTERS_PER_WORD, Diagnosis, _answers, spelling_met, write_diagnosis
from specialize.reports.new_pieces import Effects
from specialize.tables.contents import diagnosis_inputs
from specialize.tables.screen import diagnosis as diagnosis_on_screen
from specialize.tables.screen import table_rows


def covered(unknown, pieces, words=1000, **named):
    frequent = {"frequent_unknown_words": {}, "frequent_unknown_marks": {}, "unknown_marks": 0} | named
    rates = {"unknown_word_rate": unknown, "wordpieces_per_token": pieces, "wordpieces_per_letter": pieces / 5}
    return {"words": words, "unknown_words": round(words * unknown), **rates, **frequent}


def statistics(before, after, scripts, **named):
    shared = {"scripts": scripts, "missing_letters": {}}
    return {**shared, "base": covered(*before, **named), "augmented": covered(*(after or before))}


def diagnosis(
    before, after=None, tokens=1_000_000, scripts=("Arabic",), original=None, entry=None, spaceless=0.0, **named
):
    """Of a text that a base vocabulary covers so before new wordpieces, and tva so after; both unknown and pieces."""
    both = statistics(before, after, dict.fromkeys(scripts, 1.0), **named)
    total = {"tokens": tokens, "letters": 5 * tokens, "spaceless_letters": int(5 * tokens * spaceless)}
    counted = {"articles_read": 9, "removed": {}, "total": {**total, "sentences": 7, "articles": 8}}
    language = Language("xx", {"name": "X", "corpus": entry or {}}, original)
    return Diagnosis(language, counted if tokens else None, {"tva": {"corpus": both}}, ("tva",) if after else ())


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((0.451, 2.56), (0.066, 3.46), "tva: new wordpieces should help much"),  # Uyghur
        ((0.033, 2.48), (0.0002, 2.49), "lapt and tva: new wordpieces should help a little"),  # Maltese
        ((0.00007, 1.81), (0.00003, 1.74), "lapt: new wordpieces should change little"),  # Wolof
        ((0.00006, 2.39), (0.00002, 2.34), "lapt: new wordpieces should change little"),  # Latgalian
        ((0.3, 3.0), (0.3, 3.0), "lapt: new wordpieces should change little"),  # unknown, and none of them helps
        (
            (0.0, 3.0),
            (0.0, 2.5),
            "lapt and tva: new wordpieces make hardly more words readable, but cut them less finely",
        ),
    ],
)
def test_suggestions_follow_from_what_was_measured_and_part_the_papers_languages(before, after, words):
    suggestion = diagnosis(before, after).suggestion()
    assert suggestion.startswith(words)
    assert f"measured with tva: {before[0]:.1%} → {after[0]:.1%} unknown words" in suggestion
    assert f"{before[1]:.2f} → {after[1]:.2f} wordpieces per word" in suggestion


def test_without_new_wordpieces_in_the_run_nothing_is_said_of_them():
    assert diagnosis((0.4, 2.5)).suggestion() == (
        "lapt; have tva among the representations, and what new wordpieces gain is measured here"
    )


def test_more_wordpieces_are_suggested_where_words_stay_unknown():
    assert "more of them" in diagnosis((0.45, 2.5), (0.07, 3.4)).suggestion()
    assert "more of them" not in diagnosis((0.45, 2.5), (0.001, 3.4)).suggestion()


def test_transliteration_is_suggested_to_other_scripts_only():
    gain = (0.38, 2.5), (0.04, 3.0)
    assert "transliteration" in diagnosis(*gain).suggestion()
    assert "transliteration" not in diagnosis(*gain, scripts=["Latin"]).suggestion()
    assert "transliteration" not in diagnosis(*gain, original="x").suggestion()


def test_little_text_no_text_and_no_letters_are_said():
    assert "smaller than any" in diagnosis((0.001, 1.2), tokens=1000).suggestion()
    assert "give text first" in diagnosis((0.001, 1.2), tokens=0).suggestion()
    assert "there are no letters" in diagnosis((0.0, 1.0), scripts=[]).suggestion()


def answers(measured):
    return dict(_answers(small_experiment(representations=["tva"]), measured))


@pytest.mark.parametrize(
    ("scripts", "spaceless", "entry", "parted", "coverage"),
    [
        (["Thai"], 0.9, {}, "corpus: {words: icu}", "text: 0.50 wordpieces per letter"),
        (["Javanese"], 0.9, {}, "write spaces between its words", "text: 0.50 wordpieces per letter"),
        (["Thai"], 0.9, {"words": "icu"}, "by ICU", "text: 20.0% unknown words, 2.50 wordpieces per word"),
        (["Tibetan"], 0.9, {"words": "icu"}, "into syllables", "text: 20.0% unknown words, 2.50 wordpieces per word"),
        (["Latin"], 0.1, {}, None, "text: 20.0% unknown words, 2.50 wordpieces per word"),
    ],
)
def test_what_is_counted_by_token_is_not_shown_where_tokens_are_phrases(scripts, spaceless, entry, parted, coverage):
    found = answers(diagnosis((0.2, 2.5), (0.1, 2.5), scripts=scripts, spaceless=spaceless, entry=entry))
    assert coverage in found["How well does the base vocabulary (mbert) cover it?"]
    assert (parted or "") in found.get("Are its words parted?", "")
    assert ("Are its words parted?" in found) == bool(parted)
    assert ("What can the base not read?" in found) == ("words" in coverage)
    assert ("parted first" in found["What does that suggest?"]) == (not entry and spaceless > 0.5)


def test_a_treebank_stands_for_a_language_whose_text_is_not_parted():
    measured = diagnosis((0.2, 2.5), (0.1, 2.5), scripts=["Thai"], spaceless=0.9)
    measured.coverage["tva"]["treebank"] = statistics((0.3, 2.0), (0.05, 2.2), {"Thai": 1.0})
    assert measured.data == "treebank"
    assert "30.0% → 5.0% unknown words" in measured.suggestion()
    assert measured.tokens == 5_000_000 // LETTERS_PER_WORD


def test_unknown_words_and_marks_are_named_with_their_counts():
    named = {
        "frequent_unknown_words": {"x" * 100_000: 3, "\u200bţ": 2},
        "frequent_unknown_marks": {"–": 725},
        "unknown_marks": 914,
    }
    assert answers(diagnosis((0.005, 2.5), **named))["What can the base not read?"] == (
        f"5 of 1,000 words: {'x' * 30}… (3), U+200Bţ (2); 914 marks and what they join: – (725)"
    )
    assert "What can the base not read?" not in answers(diagnosis((0.0, 2.5)))


def test_letters_of_next_to_no_share_are_not_listed():
    measured = diagnosis((0.2, 2.5))
    measured.base["missing_letters"].update({"ې": 0.03, "ۇ": 0.0001, "𐌱": 0.00003})
    assert answers(measured)["Which letters does the base lack?"] == "ې ۇ (3.01% of all letters)"
    measured.base["missing_letters"].clear()
    measured.base["missing_letters"]["𐌱"] = 0.00003
    assert "Which letters does the base lack?" not in answers(measured)


def test_words_without_end_are_shown_with_the_text():
    measured = diagnosis((0.2, 2.5))
    measured.corpus["removed"][LONG_WORDS] = 2
    assert answers(measured)["How much text is there?"].endswith("; 2 words of more than 1,000 characters left out")


def test_what_a_treebank_lacks_is_said_and_else_nothing(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["mbert", "tva"], seeds=[1])
    write_statistics(tmp_path, statistics_of_uyghur())
    write_new_pieces(tmp_path, "tva")
    path = tmp_path / "results/datasets/ug/statistics.json"
    whole = read_json(path)
    missing = {"form": 1, "upos": 0, "xpos": 5, "head": 0, "deprel": 0}
    write_json(path, whole | {"test": {"words": 10, "missing": missing}})
    write_diagnosis(experiment, tmp_path)
    table = tmp_path / "results/tables/diagnosis.md"
    assert "| What does the treebank lack?" in table.read_text()
    assert "| test: 10.0% of the forms, 50.0% of the xpos tags " in table.read_text()
    write_json(path, whole)
    write_diagnosis(experiment, tmp_path)
    assert "What does the treebank lack?" not in table.read_text()
    path.unlink()
    with pytest.raises(SpecializeError, match=r"1 results are missing: results/datasets/ug/statistics\.json"):
        write_diagnosis(experiment, tmp_path)


def test_a_diagnosis_is_a_table_and_a_figure_with_the_same_bytes_again(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["mbert", "tva"], seeds=[1])
    write_statistics(tmp_path, statistics_of_uyghur())
    write_new_pieces(tmp_path, "tva")
    write_diagnosis(experiment, tmp_path)
    table = (tmp_path / "results/tables/diagnosis.md").read_text(encoding="utf-8")
    for words in (
        "345,678 tokens in 20,000 sentences of 1,234 articles, 2,000,000 letters, after cleaning (of 2,345 articles)",
        "Arabic 98.0%, Latin 2.0%",
        "text: 25.0% unknown words, 2.54 wordpieces per word; named entities: 10.0% unknown words",
        "text: 1.0% unknown words, 2.40 wordpieces per word",
        "ې ۇ (5.00% of all letters)",
        "tva: new wordpieces should help much, as for the paper's Uyghur; try transliteration too",
        "2,000 of 8,000 words: ئا (12), ې (3); 3 marks and what they join: – (3)",
        "| What do the new wordpieces of tva do?",
        "| 1 of 1 new pieces in use on held-out text; words of other languages cut otherwise: not measured "
        "(name some in vocabularies.other_languages) ",
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


def test_of_representations_with_the_same_vocabulary_the_tiered_one_is_suggested(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["va", "tva"], seeds=[1])
    write_statistics(tmp_path, statistics_of_uyghur())
    write_new_pieces(tmp_path, "va", "tva")
    write_diagnosis(experiment, tmp_path)
    assert "| tva: new wordpieces should help much" in (tmp_path / "results/tables/diagnosis.md").read_text("utf-8")


def test_what_transliteration_leaves_is_a_row_of_a_twin(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["mbert"], seeds=[1])
    write_statistics(tmp_path, statistics_of_uyghur())
    path = tmp_path / "results/corpora/ug/statistics.json"
    left = {"letters_left": 20, "share_left": 0.02, "most_often_left": {"ҥ": 15, "ӧ": 5}}
    left |= {"words": 1500, "words_of_mixed_scripts": 18}
    for found, answer in (
        (left, "2.0% of the letters, most often ҥ ӧ; 18 of 1,500 words mix scripts"),
        (left | {"letters_left": 0}, "every letter is a Latin one"),
    ):
        write_json(path, read_json(path) | {"transliteration": found})
        write_diagnosis(experiment, tmp_path)
        table = (tmp_path / "results/tables/diagnosis.md").read_text(encoding="utf-8")
        assert re.search(rf"What does transliteration leave\? +\| {re.escape(answer)} +\|", table)


def test_normal_forms_and_invisible_marks_are_named_where_there_are_any():
    clean = {"words": 9000, "other_form": 0, "invisible": {}}
    met = {"words": 9000, "other_form": 1200, "invisible": {"ZERO WIDTH NON-JOINER": 31}}
    assert spelling_met({"corpus": clean, "ner": clean}, "NFC") == spelling_met({}, "NFC") == ""
    words = "text, of 9,000 words: 1,200 not in NFC, 31 with zero width non-joiner; "
    for form, read in (("NFC", "all spellings of a word are read as one"), ("none", "each is read as it is written")):
        found = spelling_met({"corpus": met, "treebank": clean}, form)
        assert found == f"{words}{read} (vocabularies.normal_form: {form})"


# -- what new pieces do ------------------------------------------------------------------------------------


def write_words(run, tag, words):
    path = run / f"results/datasets/{tag}/test.conllu"
    path.parent.mkdir(parents=True)
    rows = [f"{number}\t{word}\t_\tNOUN\t_\t_\t0\troot\t_\t_" for number, word in enumerate(words.split(), 1)]
    path.write_text("\n".join([*rows, "", ""]), encoding="utf-8")


def rows_on_new_pieces(run):
    return {
        row["Question"]: row["Answer"] for row in table_rows(run, "diagnosis") if "new wordpieces of" in row["Question"]
    }


def grown_experiment(run, representations, others, pieces=("talo", "##ssa", "kalassako"), held_out="talossa kala"):
    experiment = small_experiment(languages=["ug"], representations=representations, seeds=[1])
    experiment.config["vocabularies"]["other_languages"] = others
    files = statistics_of_uyghur()
    for name in {"va", "tva"} & set(representations):
        files[f"vocabularies/ug/{name}"]["pieces"] = dict.fromkeys(pieces, 1)
    write_statistics(run, files)
    write_new_pieces(run, *sorted({"va", "tva"} & set(representations)), held_out=held_out, pieces=pieces)
    return experiment


def test_new_pieces_are_counted_on_held_out_text_and_on_other_languages(tmp_path):
    experiment = grown_experiment(tmp_path, ["mbert", "va", "tva"], ["ga", "wo", "ug"])
    write_words(tmp_path, "ga", "talo talo talo kala kossa lasso tok as at an")
    write_words(tmp_path, "wo", "sal ak")
    write_diagnosis(experiment, tmp_path)
    assert rows_on_new_pieces(tmp_path) == {
        "What do the new wordpieces of va do?": "2 of 3 new pieces in use on held-out text; "
        "words of other languages cut otherwise: worst language Irish 40.00%"
    }
    shown = " ".join(diagnosis_on_screen(tmp_path).split())
    assert "2 of 3 new pieces in use on held-out text; words of other languages cut otherwise: worst" in shown
    (tmp_path / "results/datasets/wo/test.conllu").unlink()
    with pytest.raises(SpecializeError, match=r"1 results are missing: results/datasets/wo/test\.conllu"):
        write_diagnosis(experiment, tmp_path)


def test_without_other_languages_or_held_out_text_the_diagnosis_says_so(tmp_path):
    experiment = grown_experiment(tmp_path, ["tva"], [], held_out="")
    write_diagnosis(experiment, tmp_path)
    assert rows_on_new_pieces(tmp_path) == {
        "What do the new wordpieces of tva do?": "new pieces in use: not measured (there is no held-out text); "
        "words of other languages cut otherwise: not measured (name some in vocabularies.other_languages)"
    }


def test_where_nothing_is_unknown_bytes_per_wordpiece_are_shown():
    measured = diagnosis((0.0, 2.5), (0.0, 2.1))
    measured.coverage["tva"]["corpus"]["base"]["bytes_per_wordpiece"] = 2.0
    assert answers(measured)["How well does the base vocabulary (mbert) cover it?"] == (
        "text: 2.50 wordpieces per word, 2.00 bytes per wordpiece"
    )


def test_pieces_that_only_make_longer_ones_are_told():
    assert "; 9 of the base's least used ones gave way to them; words" in str(Effects(9, 6, replaced=9))
    assert str(Effects(9, 6, 2, {"Irish": 0.001, "Wolof": 0.0049})) == (
        "6 of 9 new pieces in use on held-out text; 2 of the 9 only make longer ones; "
        "words of other languages cut otherwise: worst language Wolof 0.49%"
    )


def test_a_diagnosis_waits_for_what_it_measures_and_no_more():
    experiment = small_experiment(
        languages=["ug", "wo"], representations=["mbert", "tva", "fasttext", "bert"], seeds=[1]
    )
    experiment.config["vocabularies"]["other_languages"] = ["ga", "wo"]
    measured = [path for path in diagnosis_inputs(experiment) if not path.endswith("statistics.json")]
    assert measured == [
        "results/pretraining/base/mbert/config.json",
        "results/corpora/ug/test.txt",
        "results/vocabularies/ug/tva/tokenizer.json",
        "results/datasets/ga/test.conllu",
        "results/datasets/wo/test.conllu",
        "results/corpora/wo/test.txt",
        "results/vocabularies/wo/tva/tokenizer.json",
    ]
