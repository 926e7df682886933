"""Which method is best for which language, and the paper's four questions, from the numbers at hand."""

import re

import numpy
import pytest
from scipy import stats
from tests.tables.test_tables import alike, small_experiment, some_scores

from specialize.experiment.regimes import Method
from specialize.tables.answers import answers_table
from specialize.tables.best import best_methods
from specialize.tables.scores import Scores
from specialize.tables.verdicts import TWO_SEEDS, VARIANCE_NOTE

REGIMES = ["pos", "ud", "mtl-ups-alt", "pft-mtl-ups-alt-pos"]


@pytest.fixture(scope="module")
def experiment():
    return small_experiment(languages=["ug", "ug-Latn", "vi"], representations=["lapt", "tva"], regimes=REGIMES)


def scores_with(experiment, means):
    """Scores that vary a little by seed around given means, 70 where none is given."""
    by_seed = {}
    for cell in experiment.cells:
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            key = (cell.language, cell.method, task)
            seeds = by_seed.setdefault(key, {})
            noise = (cell.seed * (1 + len(by_seed) % 4) % 5 - 2) / 10  # an order of -0.2 to 0.2
            seeds[cell.seed] = means.get(key, 70.0) + (-noise if cell.language.endswith("-Latn") else noise)
    return alike(by_seed)


def answers(table, question):
    return [[cell.text for cell in row[1:]] for row in table.rows if row[0].text.startswith(question)]


def test_the_best_is_named_with_what_it_is_not_shown_to_beat(experiment):
    scores = scores_with(
        experiment,
        {("ug", Method("tva"), "pos"): 90.0, ("vi", Method("tva"), "pos"): 70.2, ("vi", Method("lapt"), "pos"): 70.2},
    )
    best = {(row[0], row[1]): row[2] for row in answers(answers_table(experiment, scores), "Best")}
    won = "tva (90.00 ± 0.16): significantly better than the 5 others; next: lapt (70.00)"
    assert best["Uyghur", "POS (accuracy)"] == won
    vietnamese = best["Vietnamese", "POS (accuracy)"]
    assert vietnamese.startswith("lapt (70.20 ± 0.16): the same mean as tva (70.20); not significantly better ")
    assert "next" not in vietnamese, "it has been named"
    assert ("Uyghur (transliterated)", "UD (LAS)") in best


def test_one_that_is_beaten_is_no_others_and_what_did_not_converge_is_counted():
    three = small_experiment(languages=["vi"], representations=["mbert", "lapt", "tva"], regimes=["pos"])
    scores = scores_with(three, {("vi", Method("tva"), "pos"): 90.0})
    scores.by_seed["vi", Method("mbert"), "pos"][2] = None
    (best,) = answers(answers_table(three, scores), "Best")
    assert best[2].endswith(": significantly better than the other one; 1 did not converge; next: lapt (70.00)")


def test_differences_are_over_the_seeds_that_both_have_and_say_how_many():
    fewer = [{"representations": ["lapt"], "seeds": [1, 2, 3]}]
    unequal = small_experiment(languages=["vi"], representations=["lapt", "tva"], regimes=["pos"], exceptions=fewer)
    values = {"lapt": [50.0, 52.0, 51.0], "tva": [60.0, 61.0, 62.0, 90.0, 95.0]}
    scores = alike({("vi", Method(name), "pos"): dict(enumerate(known, start=1)) for name, known in values.items()})
    table = answers_table(unequal, scores)
    assert table.columns[4:] == ["Difference", "Seeds", "p corrected"]
    assert answers(table, "Best")[0][3:5] == answers(table, "RQ1, tests")[0][3:5] == ["+10.00", "3"]
    assert answers(table, "RQ1:")[0][4] == "–"


def test_new_wordpieces_are_counted_by_script(experiment):
    scores = scores_with(experiment, {("ug", Method("tva"), "pos"): 90.0, ("ug", Method("tva"), "ud"): 60.0})
    (latin, other) = sorted(answers(answers_table(experiment, scores), "RQ1:"), key=lambda row: "other" in row[2])
    assert other[2].startswith(
        "tva against lapt, other letters: significantly better in 1 of 2, significantly worse in 1"
    )
    assert latin[2].startswith("tva against lapt, Latin letters: significantly better in 0 of 2")
    behind = {(row[0], row[1]): row for row in answers(answers_table(experiment, scores), "RQ1, tests")}
    assert behind["Uyghur", "POS (accuracy)"][2] == "tva significantly better than lapt (error reduction 66.7%)"
    assert behind["Uyghur", "POS (accuracy)"][3].startswith("+")
    assert behind["Uyghur", "UD (LAS)"][2].startswith("lapt significantly better than tva")
    assert behind["Uyghur", "UD (LAS)"][3].startswith("-")


def test_multi_task_learning_and_pre_finetuning_have_their_answers(experiment):
    means = {
        ("ug", Method("lapt", "mtl-ups-alt"), "pos"): 75.0,
        ("ug", Method("tva", "mtl-ups-alt", prefinetuned=True), "pos"): 65.0,
    }
    table = answers_table(experiment, scores_with(experiment, means))
    (several,) = answers(table, "RQ2:")
    assert "significantly better in 1 of 6, significantly worse in 0" in several[2]
    (before,) = answers(table, "RQ3:")
    assert "significantly better in 0 of 6, significantly worse in 2" in before[2]  # lapt too, from its high 75
    tests = {(row[0], row[1]): row[2] for row in answers(table, "RQ2, tests")}
    expected = "lapt + UPS + ALT significantly better than tva (single-task) (error reduction 16.6%)"
    assert tests["Uyghur", "POS (accuracy)"] == expected


def test_multi_task_models_are_set_against_single_task_ones_of_their_representations_only():
    rare = [{"representations": ["bert"], "regimes": ["mtl-ups-alt"], "seeds": []}]
    grid = {"languages": ["ug"], "representations": ["bert", "tva"], "regimes": ["pos", "ud", "mtl-ups-alt"]}
    means = {("ug", Method("bert"), "pos"): 95.0, ("ug", Method("tva", "mtl-ups-alt"), "pos"): 80.0}
    for exceptions, against in ((rare, "tva"), ([], "bert")):
        fair = small_experiment(**grid, exceptions=exceptions)
        tests = answers(answers_table(fair, scores_with(fair, means)), "RQ2, tests")
        (sentence,) = [row[2] for row in tests if row[1] == "POS (accuracy)"]
        assert f"{against} (single-task)" in sentence
        assert sentence.startswith("tva + UPS + ALT significantly better") == (against == "tva")
    alone = [{"representations": ["bert"], "regimes": ["pos", "ud"], "seeds": []}]
    fair = small_experiment(**grid, exceptions=alone)
    means = {("ug", Method("bert", "mtl-ups-alt"), "pos"): 95.0, ("ug", Method("tva", "mtl-ups-alt"), "pos"): 80.0}
    (sentence, _) = [row[2] for row in answers(answers_table(fair, scores_with(fair, means)), "RQ2, tests")]
    assert sentence.startswith("tva + UPS + ALT significantly better than tva (single-task)")


def test_transliteration_alone_against_and_with_new_wordpieces(experiment):
    means = {
        ("ug", Method("lapt"), "pos"): 60.0,
        ("ug-Latn", Method("lapt"), "pos"): 80.0,
        ("ug", Method("tva"), "pos"): 79.0,
    }
    table = answers_table(experiment, scores_with(experiment, means))
    tests = [row[2] for row in answers(table, "RQ4, tests") if row[1] == "POS (accuracy)"]
    assert tests == [
        "lapt transliterated significantly better than lapt as written (error reduction 50.0%)",
        "lapt transliterated significantly better than tva as written (error reduction 4.8%)",
        "lapt transliterated significantly better than tva transliterated (error reduction 33.3%)",
    ]
    assert {row[0] for row in answers(table, "RQ4, tests")} == {"Uyghur", "Uyghur (transliterated)"}


def test_what_the_grid_cannot_answer_says_so():
    plain = small_experiment(languages=["wo"], representations=["mbert"], regimes=["pos"], seeds=[1])
    table = answers_table(plain, some_scores(plain))
    for question in ("RQ1:", "RQ2:", "RQ3:", "RQ4:"):
        assert [row[2] for row in answers(table, question)] == ["not in this grid"]
    assert answers(table, "Best")[0][2].endswith("there is no other")


def test_without_two_shared_seeds_there_is_no_test():
    single = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"], seeds=[1])
    table = answers_table(single, some_scores(single))
    assert answers(table, "Best")[0][2].endswith(": not tested against tva (69.74) (fewer than two shared seeds)")
    assert "not tested in 1 (fewer than two shared seeds)" in answers(table, "RQ1:")[0][2]


def test_equal_scores_are_called_the_same(experiment):
    equal = {key: dict.fromkeys(seeds, 70.0) for key, seeds in some_scores(experiment).by_seed.items()}
    sentences = [row[2] for row in answers(answers_table(experiment, alike(equal)), "RQ3, tests")]
    assert sentences[0] == (
        "lapt + UPS + ALT + PFT scores the same as lapt + UPS + ALT, seed by seed: not tested (no variance)"
    )


@pytest.mark.parametrize("apart", [0.09, -0.09, 20.0])
def test_a_difference_that_does_not_vary_answers_nothing(apart):
    pair = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"], seeds=[1, 2, 3])
    values = {"lapt": [70.1, 72.3, 71.7], "tva": [70.1 + apart, 72.3 + apart, 71.7 + apart]}
    scores = alike({("wo", Method(name), "pos"): dict(enumerate(known, start=1)) for name, known in values.items()})
    table = answers_table(pair, scores)
    better, other = ("tva", "lapt") if apart > 0 else ("lapt", "tva")
    (best,) = answers(table, "Best")
    assert f": not tested against {other} (" in best[2]
    assert best[2].endswith(" (no variance)")
    assert best[3:] == [f"+{abs(apart):.2f}", "3", "–"]
    (counts, sentence) = (answers(table, question)[0][2] for question in ("RQ1:", "RQ1, tests"))
    assert "better in 0 of 1, significantly worse in 0, no significant difference in 0, not tested in 1" in counts
    assert sentence == f"{better} against {other}: not tested (no variance)"
    assert VARIANCE_NOTE in table.notes
    assert TWO_SEEDS not in table.notes


def test_verdicts_of_two_seeds_are_said_to_be_worth_little():
    pair = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"], seeds=[1, 2])
    values = {"lapt": [70.0, 72.0], "tva": [70.5, 72.51]}
    scores = alike({("wo", Method(name), "pos"): dict(enumerate(known, start=1)) for name, known in values.items()})
    table = answers_table(pair, scores)
    assert ": significantly better than the other one (two seeds only); next: lapt" in answers(table, "Best")[0][2]
    assert answers(table, "RQ1:")[0][2].endswith("no significant difference in 0; two seeds only")
    assert answers(table, "RQ1, tests")[0][2].endswith("%, two seeds only)")
    assert TWO_SEEDS in table.notes


# -- the best is chosen on development data, and tested on test data -----------------------------------------


def scores_of(values):
    """Scores of Wolof's tagging: by representation those of development and of test data, a list of seeds each."""
    parts = []
    for part in (0, 1):
        parts.append({("wo", Method(name), "pos"): dict(enumerate(known[part], 1)) for name, known in values.items()})
    return Scores(parts[1], development=parts[0])


def test_the_best_is_chosen_on_development_data_and_a_disagreement_is_said():
    pair = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"], seeds=[1, 2, 3])
    scores = scores_of({"lapt": ([80, 81, 82], [70, 71, 72]), "tva": ([80, 81, 81], [75.1, 76.3, 77.2])})
    ((_, _, answer, *numbers),) = answers(answers_table(pair, scores), "Best")
    assert answer == (
        "lapt (71.00 ± 1.00): the best on the development data, while on the test data tva (76.20) scored higher"
    )
    assert numbers == ["-5.20", "3", "1"]


def test_p_is_corrected_by_holm_and_by_all_that_might_have_been_the_best():
    three = small_experiment(languages=["wo"], representations=["mbert", "lapt", "tva"], regimes=["pos"])
    scores = some_scores(three, seed=3)
    table = answers_table(three, scores)
    ranked = sorted(scores.by_seed, key=lambda key: -sum(scores.by_seed[key].values()))
    best, *others = [list(scores.by_seed[key].values()) for key in ranked]
    ps = [stats.ttest_rel(best, other, alternative="greater").pvalue for other in others]
    stepwise = [2 * min(ps), max(*ps, 2 * min(ps))][:: 1 if ps[0] < ps[1] else -1]
    assert answers(table, "Best")[0][5] == f"{min(1, 3 * stepwise[0]):.2g}"
    assert "p of the best is corrected for so many comparisons: Wolof 6." in table.notes


def test_tasks_count_for_the_correction_as_far_as_they_compare_anything():
    grid = small_experiment(
        languages=["ug"],
        representations=["lapt", "tva"],
        exceptions=[{"representations": ["tva"], "regimes": ["ner"], "seeds": []}],
    )
    assert "p of the best is corrected for so many comparisons: Uyghur 4." in " ".join(
        answers_table(grid, some_scores(grid)).notes
    )


@pytest.mark.parametrize(("kinds", "seeds", "together"), [(30, 5, 0.9), (2, 3, 0.9), (2, 5, 0.0)])
def test_of_equal_methods_none_is_called_better_in_more_than_a_twentieth_of_answers(kinds, seeds, together):
    """Of Uyghur's three tasks, however much development and test scores of a training have in common."""
    config = {"method": "adapt", "pieces": 0}
    names = [f"m{number}" for number in range(kinds)]
    grid = small_experiment(
        languages=["ug"], representations=names, seeds=list(range(1, seeds + 1)),
        registry=dict.fromkeys(names, config),
    )  # fmt: skip
    generator = numpy.random.default_rng(1)
    language, answered = grid.languages["ug"], 20 if kinds > 2 else 100
    winners = claims = 0
    for _ in range(answered):
        parts = {"development": {}, "by_seed": {}}
        for task in language.tasks:
            of_seeds, own, rest = (generator.normal(size=(size, seeds)) for size in (1, kinds, kinds))
            drawn = {"development": of_seeds + own}
            drawn["by_seed"] = of_seeds + together * own + (1 - together**2) ** 0.5 * rest
            for part, values in drawn.items():
                for name, value in zip(names, 70 + values, strict=True):
                    parts[part]["ug", Method(name), task] = dict(enumerate(value.tolist(), start=1))
        found = best_methods(grid, Scores(**parts), language)
        winners += any(best.is_shown for best in found)
        claims += any(tested.significant for best in found for tested in best.tests)
    assert winners <= claims <= 0.05 * answered


def test_a_method_that_is_better_on_both_parts_is_called_so():
    pair = small_experiment(languages=["wo"], representations=["lapt", "tva"], regimes=["pos"])
    scores = scores_of({"lapt": ([70, 71, 70, 71, 73],) * 2, "tva": ([72, 74, 71, 73, 75],) * 2})
    answer = answers(answers_table(pair, scores), "Best")[0][2]
    assert answer == "tva (73.00 ± 1.58): significantly better than the other one; next: lapt (71.00)"


# -- several bases -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bases():
    """Three bases by three methods, of Uyghur and its twin."""
    registry = {}
    for base in ("mbert", "xlm-r", "mmbert"):
        named = {} if base == "mbert" else {"base_model": base}
        registry[base] = {"method": "base", **named}
        registry[f"{base}-lapt"] = {"method": "adapt", "pieces": 0, **named}
        registry[f"{base}-tva" if base != "mmbert" else "new"] = {"method": "adapt", "pieces": 99, **named}
    return small_experiment(
        languages=["ug", "ug-Latn"], representations=list(registry), regimes=["pos", "ud"], registry=registry,
        bases=["xlm-r", "mmbert"],
    )  # fmt: skip


def raised(experiment, names, mean):
    """Scores of about 70, those of some representations on Uyghur's tagging about another mean."""
    generator = numpy.random.default_rng(1)
    by_seed = {}
    for cell in experiment.cells:
        centre = mean if (cell.language, cell.regime) == ("ug", "pos") and cell.representation in names else 70.0
        by_seed.setdefault((cell.language, cell.method, cell.regime), {})[cell.seed] = centre + generator.normal(0, 0.1)
    return alike(by_seed)


def test_the_best_base_is_named_with_what_is_not_shown_of_it(bases):
    table = answers_table(bases, raised(bases, ("xlm-r-tva", "xlm-r-lapt", "new"), 80))
    level, *_ = [row[2] for row in answers(table, "Best base")]
    assert re.sub(r"[\d.]+", "…", level) == (
        "xlm-r: not shown to be better than mmbert, by new on mmbert (…); all methods of mbert are significantly worse"
    )
    assert "not significantly better than new on mmbert (" in answers(table, "Best")[0][2]
    shown, *_ = answers(answers_table(bases, raised(bases, ("xlm-r-tva", "xlm-r-lapt"), 90)), "Best base")
    assert shown[2] == "xlm-r: all methods of mmbert and mbert are significantly worse"
    assert shown[3].startswith("+19.") or shown[3].startswith("+20.")
    assert "xlm-r-tva (xlm-r): pretrained further" in table.notes[-1]


def test_gains_of_new_wordpieces_are_over_the_same_base(bases):
    table = answers_table(bases, some_scores(bases))
    kinds = [row[2].partition(",")[0] for row in answers(table, "RQ1:")]
    assert sorted(set(kinds)) == [
        "mbert-tva against mbert-lapt",
        "new against mmbert-lapt",
        "xlm-r-tva against xlm-r-lapt",
    ]
    assert not [row for row in answers(table, "RQ4, tests") if "xlm-r" in row[2] and "mbert" in row[2]]


def test_a_grid_of_one_base_says_nothing_of_bases(experiment):
    table = answers_table(experiment, some_scores(experiment))
    assert not answers(table, "Best base")
    assert " on " not in answers(table, "Best")[0][2]
