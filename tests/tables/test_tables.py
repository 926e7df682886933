"""Statistics against scipy called by hand, and the formats."""

import json
import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.conftest import ROOT, configuration

from specialize.errors import SpecializeError
from specialize.experiment import Experiment
from specialize.experiment.regimes import Method
from specialize.tables.answers import answers_table
from specialize.tables.comparisons import comparisons_table
from specialize.tables.formats import Entry, Table, to_html, to_latex, to_markdown, write_table
from specialize.tables.inputs import corpora_table, hyperparameters_table
from specialize.tables.scores import Scores, load_scores
from specialize.tables.single_task import single_task_table
from specialize.tables.statistics import compare, comparisons
from specialize.tables.transliteration import transliteration_table
from specialize.tables.verdicts import tied
from specialize.tables.write import write_all
from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer, inject, save_tokenizer


def small_experiment(registry=None, bases=(), **grid):
    """The paper's configuration with another grid, more representations and folders here as more base models."""
    config = configuration()
    config["representations"] |= registry or {}
    config["base_models"] |= {name: {"folder": str(ROOT)} for name in bases}
    regimes = ["pos", "ud", "ner"]
    config["experiment"] = {
        "languages": ["ug", "wo", "mhr"],
        "representations": ["mbert", "lapt", "tva"],
        "regimes": regimes,
        "seeds": [1, 2, 3, 4, 5],
    } | grid
    for number in config["experiment"]["seeds"]:
        config["finetuning"]["seeds"].setdefault(number, [number] * 3)
    return Experiment(config)


def alike(by_seed):
    """Scores that are the same on development and on test data."""
    return Scores(by_seed, development=by_seed)


def some_scores(experiment, seed=0):
    generator = numpy.random.default_rng(seed)
    by_seed = {}
    for cell in experiment.cells:
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            key = (cell.language, cell.method, task)
            by_seed.setdefault(key, {})[cell.seed] = float(generator.normal(70, 2))
    return alike(by_seed)


def row(table, task, representation):
    return next(row for row in table.rows if row[0].text.startswith(task) and row[1].text.startswith(representation))


def average(table, representation, task="POS"):
    return row(table, task, representation)[table.columns.index("Average")]


def test_a_worked_example():
    # Differences 2, 3, 1, 2, 2: mean 2, sd 0.7071, t = 2 / (0.7071 / √5) = 6.3246 with 4 degrees of freedom.
    first = {1: 72.0, 2: 74.0, 3: 71.0, 4: 73.0, 5: 75.0}
    second = {1: 70.0, 2: 71.0, 3: 70.0, 4: 71.0, 5: 73.0}
    difference, seeds, t, p = compare(first, second)
    assert (difference, seeds) == (2.0, 5)
    assert t == pytest.approx(6.3246, abs=1e-4)
    assert p == pytest.approx(0.0016, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_the_test_is_scipys(seed, number):
    generator = numpy.random.default_rng(seed)
    first, second = generator.normal(70, 3, number), generator.normal(69, 3, number)
    _, _, t, p = compare(dict(enumerate(first)), dict(enumerate(second)))
    expected = stats.ttest_rel(first, second, alternative="greater")
    assert (t, p) == pytest.approx((expected.statistic, expected.pvalue))


def test_seeds_are_paired_by_number_and_only_shared_ones_count():
    first, second = {3: 5.0, 1: 1.0, 2: 3.0, 9: 90.0}, {1: 0.0, 2: 1.5, 3: 3.0}
    difference, seeds, t, _ = compare(first, second)
    assert (difference, seeds) == (1.5, 3)
    assert t == pytest.approx(stats.ttest_rel([1, 3, 5], [0, 1.5, 3]).statistic)


def test_one_shared_seed_gives_no_test():
    difference, seeds, t, p = compare({1: 5.0}, {1: 4.0})
    assert (difference, seeds) == (1.0, 1)
    assert math.isnan(t)
    assert math.isnan(p)


def test_bonferroni_counts_the_tasks_of_the_language():
    experiment = small_experiment()
    for tested in comparisons(experiment, some_scores(experiment)):
        tasks = {"ug": 3, "wo": 2, "mhr": 1}[tested.language]
        assert tested.corrected_p == pytest.approx(min(1.0, tasks * tested.p))
        assert tested.significant == (tasks * tested.p < 0.05)
        assert tested.difference >= 0


def test_tasks_that_the_grid_leaves_out_count_for_bonferroni_as_the_notes_say():
    experiment = small_experiment(languages=["ug"], regimes=["pos"])
    scores = some_scores(experiment)
    for tested in comparisons(experiment, scores):
        assert tested.corrected_p == pytest.approx(min(1.0, 3 * tested.p))
    for table in (single_task_table, comparisons_table, answers_table):
        said = "by the number of tasks that the language has labeled data for, whether the grid runs them or not"
        assert any(said in note for note in table(experiment, scores).notes)


def test_every_pair_is_compared_once():
    experiment = small_experiment()
    found = comparisons(experiment, some_scores(experiment))
    assert len(found) == (3 + 2 + 1) * 3
    assert len({(c.language, c.task, frozenset((c.better, c.other))) for c in found}) == len(found)
    assert len(comparisons_table(experiment, some_scores(experiment)).rows) == len(found)


@pytest.fixture(scope="module")
def uyghur():
    return small_experiment(languages=["ug"])


@pytest.mark.parametrize("seed", range(200))
def test_bold_is_the_highest_mean_and_marks_follow_the_test(uyghur, seed):
    experiment = uyghur
    scores = some_scores(experiment, seed)
    table = single_task_table(experiment, scores)
    for task in ("POS", "UD", "NER"):
        key = task.lower()
        values = {name: list(scores.by_seed["ug", Method(name), key].values()) for name in ("mbert", "lapt", "tva")}
        best = max(values, key=lambda name: numpy.mean(values[name]))
        for name, expected in values.items():
            cell = row(table, task, name)[2]
            assert cell.text == f"{numpy.mean(expected):.2f} ± {numpy.std(expected, ddof=1):.2f}"
            tie = tied(numpy.mean(expected), numpy.mean(values[best]))  # of means that differ by 0.00006, once
            assert cell.best == tie
            worse = name != best and 3 * stats.ttest_rel(values[best], expected, alternative="greater").pvalue < 0.05
            assert cell.not_worse == (not tie and not worse)


def test_a_method_that_did_not_converge_stays_out():
    experiment = small_experiment(regimes=["pos"], languages=["ug", "wo"])
    scores = some_scores(experiment)
    scores.by_seed["ug", Method("tva"), "pos"][3] = None
    table = single_task_table(experiment, scores)
    assert row(table, "POS", "tva")[2].text == "–"
    assert average(table, "tva").text == f"{scores.mean(('wo', Method('tva'), 'pos')):.2f}"
    tested = comparisons(experiment, scores)
    assert not any(("ug", Method("tva"), "pos") in (comparison.better, comparison.other) for comparison in tested)
    assert any("did not converge" in note for note in table.notes)


def test_what_the_grid_lacks_says_so():
    experiment = small_experiment(
        languages=["ug", "wo"],
        representations=["mbert", "tva"],
        exceptions=[{"languages": ["wo"], "representations": ["tva"], "seeds": []}],
    )
    table = single_task_table(experiment, some_scores(experiment))
    assert row(table, "POS", "tva")[3].text == "not in this grid"
    assert average(table, "tva").text == ""


def test_a_single_seed_has_no_deviation_and_no_marks():
    experiment = small_experiment(languages=["ug"], seeds=[1])
    table = single_task_table(experiment, some_scores(experiment))
    cells = [cell for row in table.rows for cell in row[2:3]]
    assert all("±" not in cell.text and not cell.not_worse for cell in cells)
    assert any("no test" in note for note in table.notes)


def test_transliteration_shows_before_after_and_change():
    experiment = small_experiment(languages=["ug", "ug-Latn"], representations=["lapt", "tva"], regimes=["pos"])
    scores = Scores(
        {
            ("ug", Method("lapt"), "pos"): {1: 80.0, 2: 82.0},
            ("ug-Latn", Method("lapt"), "pos"): {1: 90.0, 2: 88.0},
            ("ug", Method("tva"), "pos"): {1: 91.0, 2: 91.0},
            ("ug-Latn", Method("tva"), "pos"): {1: 90.0, 2: 89.0},
        }
    )
    cells = transliteration_table(experiment, scores).rows[0]
    assert [cell.text for cell in cells[2:]] == ["81.00 → 89.00 (+8.00)", "91.00 → 89.50 (-1.50)"]
    assert [cell.best for cell in cells[2:]] == [False, True]


def test_missing_results_are_named_and_never_counted(tmp_path):
    experiment = small_experiment(languages=["wo"], regimes=["pos"], representations=["lapt"], seeds=[1, 2])
    first, second = (tmp_path / cell.metrics for cell in experiment.cells)
    first.parent.mkdir(parents=True)
    first.write_text(
        json.dumps({"converged": True, "scores": {key: {"pos": {"accuracy": 0.5}} for key in ("dev", "test")}})
    )
    with pytest.raises(SpecializeError, match="1 results are missing: results/finetuning/wo/lapt/pos/seed2"):
        load_scores(experiment, tmp_path)
    second.parent.mkdir(parents=True)
    second.write_text(
        json.dumps({"converged": False, "scores": {key: {"pos": {"accuracy": 0.0}} for key in ("dev", "test")}})
    )
    assert load_scores(experiment, tmp_path).by_seed == {("wo", Method("lapt"), "pos"): {1: 50.0, 2: None}}


def test_hyperparameters_are_those_of_the_configuration():
    texts = [[cell.text for cell in row] for row in hyperparameters_table(small_experiment()).rows]
    assert ["base models", "mbert hub", "google-bert/bert-base-multilingual-cased"] in texts
    assert ["pretraining", "learning rate", "2e-05"] in texts
    assert ["representations", "tva multiplier", "5"] in texts
    assert ["finetuning", "batch sizes ug pos", "64"] in texts


def test_formats_escape_and_mark(tmp_path):
    table = Table(
        "odd", "50 % of <b>_x_</b>", ["A|B", "C"], [[Entry("a_b & c", best=True), Entry("<i>", not_worse=True)]]
    )
    assert "**a_b & c**" in to_markdown(table)
    assert "<i> ≈" in to_markdown(table)
    assert r"\textbf{a\_b \& c}" in to_latex(table)
    assert r"50 \% of" in to_latex(table)
    page = to_html(table)
    assert "<b>a_b &amp; c</b>" in page
    assert "&lt;i&gt; ≈" in page
    assert "50 % of &lt;b&gt;" in page
    write_table(table, tmp_path)
    assert (tmp_path / "odd.csv").read_text() == "A|B,C\na_b & c,<i>\n"
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".csv", ".tex", ".html"}


def scores_of(task, **by_language):
    """Scores by seed, as {language: {representation: [scores of the seeds 1, 2, …]}}."""
    return Scores(
        {
            (language, Method(name), task): dict(enumerate(values, start=1))
            for language, representations in by_language.items()
            for name, values in representations.items()
        }
    )


def test_an_average_of_fewer_languages_is_never_the_best():
    experiment = small_experiment(languages=["ug", "wo", "mt"], representations=["lapt", "tva"], regimes=["pos"])
    good, fair, poor = [90.0, 91.0], [80.0, 82.0], [50.0, 51.0]
    scores = scores_of(
        "pos",
        ug={"lapt": [None, 40.0], "tva": poor},
        wo={"lapt": good, "tva": fair},
        mt={"lapt": good, "tva": fair},
    )
    table = single_task_table(experiment, scores)
    averages = [average(table, name) for name in ("lapt", "tva")]
    assert [(entry.text, entry.best) for entry in averages] == [("90.50", False), ("70.83", True)]
    assert any("did not converge" in note and "Uyghur POS lapt" in note for note in table.notes)


def test_languages_without_a_task_of_the_grid_have_no_column():
    experiment = small_experiment(regimes=["pos"])
    table = single_task_table(experiment, some_scores(experiment))
    assert table.columns[:5] == ["Task", "Representation", "Uyghur (ug)", "Wolof (wo)", "Average"]


def test_notes_name_the_scores_whose_seeds_differ():
    experiment = small_experiment(languages=["ug"], regimes=["pos"])
    scores = scores_of("pos", ug={"tva": [90.0, 91.0, 92.0, 90.0, 91.0], "lapt": [80.0, 81.0, 80.0], "mbert": [70.0]})
    table = single_task_table(experiment, scores)
    assert sum("shared ones: Uyghur POS lapt." in note for note in table.notes) == 1
    assert sum("no test, no mark: Uyghur POS mbert." in note for note in table.notes) == 1
    untested = next(row for row in comparisons_table(experiment, scores).rows if row[3].text == "mbert")
    assert [cell.text for cell in untested[7:]] == ["–", "–", "–", "not tested: fewer than two shared seeds"]


def test_transliteration_tells_not_converged_from_not_in_the_grid():
    experiment = small_experiment(languages=["ug", "ug-Latn"], representations=["fasttext", "lapt", "tva"])
    scores = Scores(
        {
            ("ug", Method("lapt"), "ner"): {1: None, 2: 3.0},
            ("ug-Latn", Method("lapt"), "ner"): {1: 60.0, 2: 62.0},
            ("ug", Method("tva"), "ner"): {1: None},
            ("ug-Latn", Method("tva"), "ner"): {1: None},
            ("ug", Method("fasttext"), "ner"): {1: 99.0},
        }
    )
    (cells,) = transliteration_table(experiment, scores).rows
    assert [cell.text for cell in cells[2:]] == ["99.00 → not in this grid", "– → 61.00", "–"]
    assert [cell.best for cell in cells[2:]] == [True, False, False]


def test_a_half_that_stands_alone_says_which_one_the_grid_lacks():
    experiment = small_experiment(
        languages=["ug", "ug-Latn"], representations=["bert", "mbert", "lapt", "tva"], regimes=["pos"]
    )
    scores = Scores(
        {
            ("ug", Method("bert"), "pos"): {1: None},
            ("ug-Latn", Method("lapt"), "pos"): {1: 60.0},
            ("ug", Method("tva"), "pos"): {1: 50.0},
            ("ug-Latn", Method("tva"), "pos"): {1: 55.0},
        }
    )
    (cells,) = transliteration_table(experiment, scores).rows
    expected = ["– → not in this grid", "not in this grid", "not in this grid → 60.00", "50.00 → 55.00 (+5.00)"]
    assert [cell.text for cell in cells[2:]] == expected
    assert [cell.best for cell in cells[2:]] == [False, False, True, False]
    before_only = Scores({key: seeds for key, seeds in scores.by_seed.items() if key[0] == "ug"})
    assert transliteration_table(experiment, before_only).rows == []


def coverage(pieces, unknown):
    rates = {"unknown_wordpiece_rate": unknown / 2, "continuation_rate": 0.5, "unknown_word_rate": unknown}
    lengths = {"wordpieces_per_token": pieces, "wordpieces_per_letter": pieces / 5}
    words = {"words": 8000, "unknown_words": int(8000 * unknown), "unknown_marks": 3 if unknown else 0}
    named = {
        "frequent_unknown_words": {"ئا": 12, "ې": 3} if unknown else {},
        "frequent_unknown_marks": {"–": 3} if unknown else {},
    }
    return {"tokens": 9000, "unknown_token_rate": unknown, **lengths, **rates, **words, **named}


def write_statistics(run, files):
    for name, content in files.items():
        path = run / "results" / name / "statistics.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")


def statistics_of_uyghur():
    base = {"corpus": coverage(2.54, 0.25), "ner": coverage(2.0, 0.1)}
    better = {"corpus": coverage(2.4, 0.01), "ner": coverage(1.9, 0.0)}
    total = {"articles": 1234, "sentences": 20000, "tokens": 345678, "letters": 2000000, "spaceless_letters": 0}
    files = {"corpora/ug": {"articles_read": 2345, "total": total, "removed": {}}}
    whole = {"words": 10, "missing": dict.fromkeys(("form", "upos", "xpos", "head", "deprel"), 0)}
    files["datasets/ug"] = dict.fromkeys(("train", "dev", "test"), whole)
    letters = {"sentences": 700, "scripts": {"Arabic": 0.98, "Latin": 0.02}, "missing_letters": {"ې": 0.03, "ۇ": 0.02}}
    for name, after in {"mbert": base, "lapt": base, "va": better, "tva": better}.items():
        covered = {data: {**letters, "base": base[data], "augmented": after[data]} for data in base}
        files[f"vocabularies/ug/{name}"] = {"pieces": {"ئا": 1} if after is better else {}, "coverage": covered}
    return files


def write_new_pieces(run, *names, tag="ug", held_out="ئا", pieces=("ئا",)):
    """A base vocabulary of single letters, grown by some pieces, and held-out text."""
    letters = sorted(set("ئاtalokns"))
    base = bert_tokenizer({p: n for n, p in enumerate([*SPECIAL_TOKENS, *letters, *(f"##{x}" for x in letters)])})
    folders = {run / "results/pretraining/base/mbert": base}
    folders |= {run / f"results/vocabularies/{tag}/{name}": inject(base, list(pieces)) for name in names}
    for folder, tokenizer in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        save_tokenizer(tokenizer, folder)
    (run / "results/pretraining/base/mbert/config.json").write_text("{}")
    (run / f"results/corpora/{tag}/test.txt").write_text(f"{held_out}\n", encoding="utf-8")


def test_corpora_show_text_and_coverage_before_and_after_beside_the_papers(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["mbert", "lapt", "va", "tva"], seeds=[1])
    with pytest.raises(SpecializeError, match=r"1 results are missing: results/corpora/ug/statistics\.json"):
        corpora_table(experiment, tmp_path)
    write_statistics(tmp_path, statistics_of_uyghur())
    rows = [[cell.text for cell in row] for row in corpora_table(experiment, tmp_path).rows]
    assert {tuple(row[:5]) for row in rows} == {("Uyghur", "2", "Perso-Arabic", "Turkic", "100%")}
    text, entities = ["corpus", "20,000", "345,678"], ["ner", "700", "9,000"]
    assert [row[5:] for row in rows] == [
        [*text, "base (mbert)", "2.54", "25.00%", "12.50%", "50.0%", "136k", "2.3M", "2.54"],
        [*text, "va (1 new), tva (1 new)", "2.40", "1.00%", "0.50%", "50.0%", "–", "–", "–"],
        [*entities, "base (mbert)", "2.00", "10.00%", "5.00%", "50.0%", "–", "–", "–"],
        [*entities, "va (1 new), tva (1 new)", "1.90", "0.00%", "0.00%", "50.0%", "–", "–", "–"],
    ]


def test_a_run_writes_the_same_bytes_again(tmp_path):
    experiment = small_experiment(languages=["wo"], regimes=["pos"], representations=["lapt", "tva"], seeds=[1, 2])
    for cell in experiment.cells:
        path = tmp_path / cell.metrics
        path.parent.mkdir(parents=True)
        score = {key: {"pos": {"accuracy": 0.5 + cell.seed / 10}} for key in ("dev", "test")}
        path.write_text(json.dumps({"converged": True, "scores": score}))
    names = ["comparisons", "single-task", "hyperparameters", "transliteration"]
    write_all(experiment, tmp_path, names)
    folder = tmp_path / "results/tables"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_all(experiment, tmp_path, names)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert {*first} == {f"{name}.{ending}" for name in names for ending in ("md", "csv", "tex", "html")}


def test_the_error_reduction_is_the_papers(uyghur):
    # Table 2: TVA 91.49 and LAPT 79.88 on Uyghur POS; of 20.12 points of error 11.61 are gone, the paper's 57 %.
    scores = scores_of("pos", ug={"lapt": [79.88], "tva": [91.49], "mbert": [78.07]})
    table = single_task_table(uyghur, scores)
    assert table.columns[-1] == "Largest error reduction over lapt"
    texts = {name: row(table, "POS", name)[-1].text for name in ("mbert", "lapt", "tva")}
    assert texts == {"mbert": "none", "lapt": "–", "tva": "57.7% (Uyghur)"}
    tested = comparisons_table(uyghur, scores)
    assert [cell.text for cell in tested.rows[0]][:6] == ["Uyghur", "POS (accuracy)", "tva", "lapt", "11.61", "57.7%"]


def test_as_run_counts_three_tasks_and_no_convergence_as_0():
    experiment = small_experiment(languages=["wo", "mt"], representations=["lapt", "tva"], regimes=["pos"])
    experiment.config["tables"] |= {"correction": "all-tasks", "not_converged": "zero"}
    scores = scores_of(
        "pos",
        wo={"lapt": [70.0, 71.0, 69.0], "tva": [72.0, 74.0, 70.0]},
        mt={"lapt": [80.0, 81.0, 82.0], "tva": [None]},
    )
    table = single_task_table(experiment, scores)
    assert (average(table, "lapt").text, average(table, "tva").text) == ("75.50", "36.00")
    assert any("counted as 0 in averages" in note for note in table.notes)
    (tested,) = comparisons(experiment, scores)
    assert tested.corrected_p == pytest.approx(3 * tested.p)


def test_unknown_tables_are_refused(tmp_path):
    with pytest.raises(SpecializeError, match="there is no table 'tableau'; there are: corpora, single-task"):
        write_all(small_experiment(), tmp_path, ["tableau"])


def test_latex_takes_no_letter_for_a_command():
    text = "50 % & $5 # a_b {x} ~ ^ \\ < > | ± → ≈ –"
    escaped = to_latex(Table("odd", text, [text], [[Entry(text)]]))
    expected = (
        r"50 \% \& \$5 \# a\_b \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"$<$ $>$ \textbar{} $\pm$ $\rightarrow$ $\approx$ --"
    )
    assert escaped.count(expected) == 3
    assert r"\toprule" in escaped


def floats_of(table):
    return to_latex(table).split(r"\begin{table}")[1:]


def test_a_long_latex_table_is_one_numbered_table_over_several_pages():
    table = Table("long", "Many rows.", ["Row"], [[Entry(f"row {number}")] for number in range(100)], ["A note."])
    first, *others = floats_of(table)
    assert len(others) == 2
    assert r"\caption{Many rows. A note.}" in first
    assert r"\label{tab:long}" in first
    for part in others:
        assert r"\caption[]{Many rows. (continued)}" in part
        assert r"\addtocounter{table}{-1}" in part
        assert r"\label" not in part
    rows = [line for part in (first, *others) for line in part.splitlines() if line.startswith("row ")]
    assert rows == [rf"row {number} \\" for number in range(100)]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_stay_on_one_page_however_long_the_notes(rows):
    (page,) = floats_of(Table("short", "Few rows.", ["Row"], [[Entry("a word")]] * rows, ["A note. " * 20]))
    assert page.count("a word") == rows


def test_long_cells_and_titles_are_broken_into_lines():
    sentence, number = "significantly better than every other configuration", "0.5"
    (page,) = floats_of(
        Table("wide", "Wide.", ["Answer", "p corrected", "A"], [[Entry(sentence), Entry(number), Entry("aa")]])
    )
    broken = r">{\raggedright\arraybackslash}p{%sem}"
    assert rf"\begin{{tabular}}{{{broken % '22.0'}{broken % '5.0'}l}}" in page


def test_markdown_titles_escape_too():
    assert r"| A\|B " in to_markdown(Table("odd", "odd", ["A|B"], [[Entry("x|y")]]))


def test_the_table_of_texts_says_where_tokens_are_phrases(tmp_path):
    files = statistics_of_uyghur()
    files["corpora/ug"]["total"]["spaceless_letters"] = 1_500_000
    write_statistics(tmp_path, files)
    experiment = small_experiment(languages=["ug"], representations=["mbert"], seeds=[1])
    note = "Uyghur: 2,000,000 letters, mainly of scripts without spaces"
    assert any(line.startswith(note) for line in corpora_table(experiment, tmp_path).notes)
    experiment.languages["ug"].entry["corpus"]["words"] = "icu"
    assert not any(line.startswith(note) for line in corpora_table(experiment, tmp_path).notes)
