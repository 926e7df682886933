"""What a terminal shows of a run: its answers in one screen, or its diagnosis."""

import subprocess
import sys

import pytest
from tests.tables.test_answers import REGIMES, scores_with
from tests.tables.test_tables import (
    alike,
    small_experiment,
    statistics_of_uyghur,
    write_new_pieces,
    write_statistics,
)

from specialize.errors import InputError
from specialize.experiment.regimes import Method
from specialize.reports.diagnosis import write_diagnosis
from specialize.tables.answers import answers_table
from specialize.tables.contents import TABLES
from specialize.tables.formats import write_table
from specialize.tables.screen import SHOWN_TABLES, WIDTH, all_tables, summary
from specialize.tables.verdicts import TWO_SEEDS, VARIANCE_NOTE


@pytest.fixture
def answered(tmp_path):
    """A run of two languages, one of them transliterated, that has its answers."""
    experiment = small_experiment(languages=["ug", "ug-Latn", "vi"], representations=["lapt", "tva"], regimes=REGIMES)
    scores = scores_with(experiment, {("ug", Method("tva"), "pos"): 90.0, ("ug", Method("tva"), "ud"): 60.0})
    write_table(answers_table(experiment, scores), tmp_path / "results/tables")
    return tmp_path


def test_answers_are_no_wider_than_a_screen(answered):
    lines = summary(answered).splitlines()
    assert [line for line in lines if len(line) > WIDTH and str(answered) not in line] == []


def test_the_best_method_by_how_much_and_whether_that_is_significant(answered):
    text = " ".join(summary(answered).split())
    assert (
        "Uyghur, POS (accuracy): tva (90.00 ± 0.16): significantly better than the 5 others; next: lapt (70.00); "
        "+20.00 points, p = "
    ) in text
    for question in ("RQ1: Do new wordpieces help", "RQ2: Does multi-task", "RQ3: Does pre-", "RQ4: How do new"):
        assert text.count(question) == 1
    assert (
        "tva against lapt, other letters: +5.00 points, significantly better in 1 of 2, significantly worse in 1"
        in text
    )
    assert "tests" not in text.replace("Answers with their tests", "")
    assert "no significant difference" not in text


def test_what_the_grid_has_nothing_to_say_about(tmp_path):
    experiment = small_experiment(languages=["vi"], representations=["tva"], regimes=["pos"], seeds=[1])
    write_table(answers_table(experiment, scores_with(experiment, {})), tmp_path / "results/tables")
    text = summary(tmp_path)
    assert "Vietnamese, POS (accuracy): tva (70.00): there is no other\n" in text
    assert text.count("\n  not in this grid\n") == 4


def test_what_was_not_tested_and_what_two_seeds_are_worth(tmp_path):
    pair = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos", "ud"], seeds=[1, 2])
    values = {"pos": ([70.0, 71.0], [70.5, 71.5]), "ud": ([60.0, 61.0], [60.5, 61.51])}
    scores = alike(
        {
            ("wo", Method(name), task): dict(enumerate(known[place], start=1))
            for task, known in values.items()
            for place, name in enumerate(["lapt", "tva"])
        }
    )
    write_table(answers_table(pair, scores), tmp_path / "results/tables")
    text = " ".join(summary(tmp_path).split())
    assert (
        "Wolof, POS (accuracy): tva (71.00 ± 0.71): not tested against lapt (70.50) (no variance); +0.50 points, 2"
        in text
    )
    assert "significantly better than the other one (two seeds only); next: lapt" in text
    assert VARIANCE_NOTE in text
    assert TWO_SEEDS in text
    assert "inf" not in text.split("Answers with")[0].replace("information", "")


def test_where_the_rest_is(answered):
    assert "keep_models=true" in summary(answered)
    model = answered / "results/finetuning/ug/tva/pos/seed1/model"
    model.mkdir(parents=True)
    text = summary(answered)
    assert f"predict --model \\\n    {model.parent} < text.txt" in text
    for place in ("results/tables/answers.html", "results/figures", "--report report.html", "--all"):
        assert place in text


def test_a_run_that_has_only_a_diagnosis_prints_it_with_its_cost(tmp_path):
    experiment = small_experiment(languages=["ug"], representations=["mbert", "tva"], seeds=[1])
    write_statistics(tmp_path, statistics_of_uyghur())
    write_new_pieces(tmp_path, "tva")
    write_diagnosis(experiment, tmp_path)
    text = " ".join(summary(tmp_path).split())
    for words in (
        "Uyghur How much text is there? 345,678 tokens in 20,000 sentences",
        "What does that suggest? tva: new wordpieces should help much",
        "1 models to pretrain, 6 to finetune",
        "results/tables/diagnosis.html",
    ):
        assert words in text


def test_all_tables_end_with_the_answers(answered):
    (answered / "results/tables/corpora.md").write_text("**How much text**\n", encoding="utf-8")
    text = all_tables(answered)
    assert 0 == text.index("**How much text**") < text.index("**What this run says")
    assert "p corrected" in text


def test_all_tables_are_those_of_this_run():
    assert set(TABLES) - set(SHOWN_TABLES) == {"hyperparameters", "multi-task-all", "replication"}


def test_a_run_without_tables_says_what_to_do(tmp_path):
    for show in (summary, all_tables):
        with pytest.raises(InputError, match="has no tables yet; run `snakemake all` there"):
            show(tmp_path)


def test_the_command_starts_quickly_without_pandas(answered):
    code = "import sys; from specialize.tables.screen import summary; print('pandas' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
