"""Figures of pretraining, of finetuning, and of a sweep over the number of new pieces and their rate."""

import re
import warnings
from dataclasses import replace
from itertools import pairwise

import numpy
import pytest
from matplotlib.colors import to_rgb
from tests.tables.test_tables import small_experiment

from specialize.experiment import Experiment
from specialize.files import read_json, write_json
from specialize.tables.contents import figure_inputs
from specialize.tables.figures.gains import _base_coverage, draw_gains
from specialize.tables.figures.learning_curves import draw_learning_curves
from specialize.tables.figures.pretraining import draw_losses
from specialize.tables.write import write_figure

KINDS = {
    f"n{number}-a{rate}": {"method": "adapt", "pieces": number, "multiplier": rate}
    for number in (10, 100)
    for rate in (1, 5)
}


@pytest.fixture
def sweep():
    config = small_experiment().config
    grid = {"languages": ["ug"], "representations": ["lapt", *KINDS], "regimes": ["pos", "ner"], "seeds": [1, 2]}
    return Experiment({**config, "representations": config["representations"] | KINDS, "experiment": grid})


def history(converged=True):
    epochs = [{"epoch": 0, "steps": 0, "validation_loss": 5.0}]
    for epoch, loss in ((1, 3.0), (2, 2.5), (3, 2.6)):
        epochs.append({"epoch": epoch, "steps": 10 * epoch, "training_loss": loss, "validation_loss": loss})
    marks = {"best_epoch": 2, "converged": converged} | ({} if converged else {"reason": "the loss became nan"})
    return {**marks, "epochs": epochs}


def write_run(run, experiment, failed=(), varied=False):
    for language, name in experiment.adaptations:
        write_json(run / f"results/pretraining/{language}/{name}/history.json", history(name not in failed))
        pieces = {f"##{number}": number for number in range(experiment.representations[name].pieces)}
        write_json(run / f"results/vocabularies/{language}/{name}/statistics.json", {"pieces": pieces})
    for number, cell in enumerate(experiment.cells):
        metric = {"pos": "accuracy", "ner": "f1"}[cell.regime]
        place = experiment.grid_representations.index(cell.representation)
        noise = (cell.seed * (1 + place) % 5 - 2) / 1000 if varied else 0  # an order of -0.2 to 0.2 points
        scores = {key: {cell.regime: {metric: 0.5 + number / 100 + noise}} for key in ("dev", "test")}
        converged = cell.representation not in failed
        write_json(run / cell.metrics, {"converged": converged, "scores": scores})
        epochs = [{"epoch": epoch, metric: 0.5 + 0.1 * epoch} for epoch in range(1, 3 if converged else 1)]
        write_json(run / cell.folder / "history.json", {"best_epoch": len(epochs), "epochs": epochs})


def test_a_sweep_has_a_line_for_each_rate_and_a_level_without_new_pieces(tmp_path, sweep):
    write_run(tmp_path, sweep)
    write_figure(sweep, tmp_path, "sweep")
    drawn = (tmp_path / "results/figures/sweep.svg").read_text(encoding="utf-8")
    for words in ("a = 1", "a = 5", "no new wordpieces", "POS (accuracy), %", "NER (F1), %", "New wordpieces n"):
        assert f"<!-- {words} -->" in drawn


def test_a_model_that_did_not_converge_is_left_out_of_a_sweep_and_named_in_the_curves(tmp_path, sweep):
    write_run(tmp_path, sweep, failed=["n10-a5", "n100-a5"])
    write_figure(sweep, tmp_path, "sweep")
    write_figure(sweep, tmp_path, "pretraining")
    assert "a = 5" not in (tmp_path / "results/figures/sweep.svg").read_text(encoding="utf-8")
    curves = (tmp_path / "results/figures/pretraining.svg").read_text(encoding="utf-8")
    assert "Uyghur: n10-a5, did not converge" in curves
    assert "Uyghur: n10-a1 -->" in curves


def test_learning_curves_have_a_panel_for_each_task_and_a_band_of_seeds(tmp_path, sweep):
    write_run(tmp_path, sweep, failed=["n10-a5"])  # trained for no epoch at all
    write_figure(sweep, tmp_path, "learning-curves")
    drawn = (tmp_path / "results/figures/learning-curves.svg").read_text(encoding="utf-8")
    for words in ("POS (accuracy), development, %", "NER (F1), development, %", "lapt", *KINDS):
        assert f"<!-- {words} -->" in drawn
    assert "<!-- Single-task finetuning: mean over seeds, band from the lowest to the highest seed -->" in drawn


def test_each_representation_has_a_marker_a_line_and_a_shade_of_its_own(tmp_path, sweep):
    write_run(tmp_path, sweep)
    (legend,) = draw_learning_curves(sweep, tmp_path).legends
    lines = {text.get_text(): line for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}
    luminance = {name: sum(to_rgb(line.get_color()) * numpy.array([0.3, 0.59, 0.11])) for name, line in lines.items()}
    assert len(lines) == len({line.get_marker() for line in lines.values()}) == 5
    ordered = sorted(luminance.values())
    assert min(high - low for low, high in pairwise(ordered)) > 0.04  # in grey too
    assert ordered[-1] < 0.75  # on white


@pytest.mark.slow
def test_figures_have_the_same_bytes_again(tmp_path, sweep):
    write_run(tmp_path, sweep)
    drawn = []
    for _ in range(2):
        write_figure(sweep, tmp_path, "sweep")
        write_figure(sweep, tmp_path, "pretraining")
        write_figure(sweep, tmp_path, "learning-curves")
        draw_losses(history(), tmp_path)
        paths = [*sorted((tmp_path / "results/figures").iterdir()), tmp_path / "loss.png"]
        drawn.append([path.read_bytes() for path in paths])
    assert len(drawn[0]) == 7
    assert drawn[0] == drawn[1]


@pytest.fixture
def transliterated():
    return small_experiment(
        languages=["be", "ug", "ug-Latn", "ur", "vi"], representations=["mbert", "lapt", "tva"], regimes=["pos", "ner"]
    )


def write_coverage(run, experiment):
    for place, (language, name) in enumerate(experiment.vocabularies):
        covered = {"unknown_token_rate": place / 40, "wordpieces_per_token": 1 + place / 10}
        coverage = {"corpus": {"base": covered, "augmented": covered}}
        path = run / f"results/vocabularies/{language}/{name}/statistics.json"
        write_json(path, {"pieces": {}, "coverage": coverage})


def test_gains_stand_over_coverage_with_their_correlation(tmp_path, transliterated):
    write_run(tmp_path, transliterated)
    write_coverage(tmp_path, transliterated)
    for cell in transliterated.cells:  # the gain of tva grows from language to language, as the unknown words do
        if cell.representation == "tva":
            base = read_json(tmp_path / replace(cell, representation="mbert").metrics)
            (scores,) = base["scores"]["test"].values()
            (metric,) = scores
            scores[metric] += 0.01 * transliterated.config["experiment"]["languages"].index(cell.language)
            write_json(tmp_path / cell.metrics, base)
    write_figure(transliterated, tmp_path, "gains")
    drawn = (tmp_path / "results/figures/gains.svg").read_text(encoding="utf-8")
    measures = ("Words unknown to the base vocabulary", "Wordpieces per word with the base vocabulary")
    gain = "POS (accuracy): gain over mbert, points"
    for words in (*measures, gain, "hollow: Latin letters", "Uyghur (transliterated), 15.0%", "Uyghur, 1.30"):
        assert f"<!-- {words} -->" in drawn
    places = [drawn.index(f"<!-- {name}, ") for name in ("Belarusian", "Uyghur", "Urdu", "Vietnamese")]
    assert places == sorted(places)  # from the best covered one below
    assert drawn.count("<!-- tva ρ = 1.00 -->") == 4  # of two tasks and two measures; the gain of lapt is always 5


def test_before_and_after_transliteration(tmp_path, transliterated):
    write_run(tmp_path, transliterated)
    write_figure(transliterated, tmp_path, "transliteration")
    drawn = (tmp_path / "results/figures/transliteration.svg").read_text(encoding="utf-8")
    for words in ("before", "after transliteration", "Uyghur", "NER (F1), test, %"):
        assert f"<!-- {words} -->" in drawn
    assert "<!-- Vietnamese -->" not in drawn


@pytest.mark.slow
def test_the_matrix_says_the_sign_and_what_is_significant_for_readers_without_colour_too(tmp_path, transliterated):
    write_run(tmp_path, transliterated, varied=True)  # each representation is about 5 points above the one before
    write_figure(transliterated, tmp_path, "significance")
    drawn = (tmp_path / "results/figures/significance.svg").read_text(encoding="utf-8")
    said = "Single-task test scores: points of the row above the column,"
    for words in (
        "Urdu: POS",
        "+10.0*",
        "-20.0*",
        "over the seeds of both (* and bold: significant, in either direction)",
        said,
    ):
        assert f"<!-- {words} -->" in drawn


def test_scores_mark_what_is_significantly_below_the_best(tmp_path, transliterated):
    write_run(tmp_path, transliterated, varied=True)  # each representation is about 5 points above the one before
    failed = replace(transliterated.cells[0], language="vi", representation="lapt", regime="ner")
    write_json(tmp_path / failed.metrics, {"converged": False})
    write_figure(transliterated, tmp_path, "scores")
    drawn = (tmp_path / "results/figures/scores.svg").read_text(encoding="utf-8")
    for words in ("best", "significantly below the best", "did not converge", "NER (F1), test, % (± 1 sd over seeds)"):
        assert f"<!-- {words} -->" in drawn
    assert "not tested" not in drawn, "no entry of the legend for what is not drawn"


@pytest.mark.parametrize(("name", "seeds"), [("significance", 2), ("scores", 2), ("significance", 3)])
def test_figures_test_nothing_without_variance_and_say_what_two_seeds_are_worth(tmp_path, name, seeds):
    grid = {"languages": ["ug"], "representations": ["mbert", "lapt"], "regimes": ["pos"]}
    experiment = small_experiment(**grid, seeds=list(range(1, 1 + seeds)))
    write_run(tmp_path, experiment)  # the differences of all seeds are the same
    write_figure(experiment, tmp_path, name)
    drawn = (tmp_path / f"results/figures/{name}.svg").read_text(encoding="utf-8")
    said = {
        "scores": ["not tested: no variance"],
        "significance": [f"+{seeds}.0†", "(† and grey: not tested, no variance)"],
    }
    for words in said[name]:
        assert f"<!-- {words} -->" in drawn
    assert "*" not in "".join(re.findall("<!-- (.*) -->", drawn)).replace("(* and bold", "")
    assert "significantly below" not in drawn
    write_run(tmp_path, experiment, varied=True)
    write_figure(experiment, tmp_path, name)
    drawn = (tmp_path / f"results/figures/{name}.svg").read_text(encoding="utf-8")
    assert "no variance" not in drawn
    said = {"scores": "significantly below the best (two seeds only)", "significance": "significant by two seeds only"}
    assert (said[name] in drawn) == (seeds == 2)


def test_gains_explain_no_marker_that_is_not_drawn(tmp_path):
    grid = {"languages": ["ug"], "representations": ["mbert", "lapt", "tva"], "regimes": ["pos"]}
    experiment = small_experiment(**grid, exceptions=[{"representations": ["lapt"], "seeds": []}])
    write_run(tmp_path, experiment)
    write_coverage(tmp_path, experiment)
    write_figure(experiment, tmp_path, "gains")
    drawn = (tmp_path / "results/figures/gains.svg").read_text(encoding="utf-8")
    assert "<!-- tva -->" in drawn
    assert "<!-- lapt -->" not in drawn
    assert "hollow" not in drawn


@pytest.mark.slow
def test_names_in_other_letters_are_rendered(tmp_path, transliterated):
    names = {"ug": "ئۇيغۇرچە", "be": "Беларуская", "vi": "Tiếng Việt", "ur": "ქართული"}
    for tag, name in names.items():
        transliterated.config["languages"][tag]["name"] = name
    write_run(tmp_path, transliterated)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that no font has
        write_figure(transliterated, tmp_path, "significance")
        write_figure(transliterated, tmp_path, "learning-curves")


def test_a_grid_has_the_figures_that_it_has_something_to_draw_for():
    def drawn(**grid):
        return set(figure_inputs(small_experiment(**grid))) - {
            "pretraining",
            "learning-curves",
            "replication",
            "scores",
        }

    assert drawn(languages=["ug", "ug-Latn"]) == {"gains", "significance", "transliteration"}
    assert drawn(languages=["ug"], representations=["fasttext", "bert"]) == {"significance"}
    assert drawn(languages=["ug"], representations=["lapt", "tva"]) == {"gains", "significance"}
    assert drawn(languages=["ug"], representations=["mbert"]) == set()


def test_two_kinds_of_new_pieces_are_no_sweep():
    config = small_experiment().config
    assert small_experiment(representations=["lapt", "va", "tva"]).sweep == ()
    assert small_experiment(representations=["lapt", "va", "tva", "embert"]).sweep == ("va", "tva", "embert")
    assert config["representations"]["va"]["pieces"] == config["representations"]["tva"]["pieces"]


# -- several bases -------------------------------------------------------------------------------------------


@pytest.fixture
def three_bases(tmp_path):
    """A run of three bases by three methods."""
    registry = {}
    for base in ("mbert", "xlm-r", "mmbert"):
        registry[base] = {"method": "base", "base_model": base}
        registry[f"{base}-lapt"] = {"method": "adapt", "pieces": 0, "base_model": base}
        registry[f"{base}-tva"] = {"method": "adapt", "pieces": 99, "base_model": base}
    experiment = small_experiment(
        languages=["ug"], representations=list(registry), regimes=["pos"], seeds=[1, 2, 3], registry=registry,
        bases=["xlm-r", "mmbert"],
    )  # fmt: skip
    write_run(tmp_path, experiment, varied=True)
    for tag, name in experiment.vocabularies:
        rate = {"mbert": 0.5, "xlm-r": 0.2, "mmbert": 0.1}[experiment.representations[name].base_model]
        covered = {"unknown_token_rate": rate, "wordpieces_per_token": 2.0}
        statistics = {"pieces": {"a": 1}, "coverage": {"corpus": {"base": covered, "augmented": covered}}}
        write_json(tmp_path / f"results/vocabularies/{tag}/{name}/statistics.json", statistics)
    return experiment


def test_names_and_marks_tell_several_bases_apart(tmp_path, three_bases):
    names = three_bases.grid_representations
    for figure, panels in (("scores", 1), ("significance", 2)):  # there on both axes
        write_figure(three_bases, tmp_path, figure)
        drawn = (tmp_path / f"results/figures/{figure}.svg").read_text(encoding="utf-8")
        assert [drawn.count(f"<!-- {name} -->") for name in names] == [panels] * len(names)
    (legend,) = draw_gains(three_bases, tmp_path).legends
    marks = {text.get_text(): line for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}
    methods = [line.get_marker() for text, line in marks.items() if text in names]
    assert len(methods) == len(set(methods)) == len(names) - 1


def test_gains_stand_over_the_coverage_of_the_base_that_they_are_measured_from(tmp_path, three_bases):
    axes = draw_gains(three_bases, tmp_path).axes[0]
    assert axes.get_title().startswith("Words unknown to the base vocabulary of mbert")
    assert {label.get_text() for label in axes.get_yticklabels()} == {"Uyghur, 50.0%"}


def test_what_a_model_was_trimmed_from_is_no_base_vocabulary():
    experiment = small_experiment(representations=["small", "tva"], registry={"small": {"method": "trim", "of": "tva"}})
    read = {name: {"coverage": {"corpus": {"base": {"rate": name}}}} for name in ("small", "tva")}
    statistics = {("ug", name): of for name, of in read.items()}
    assert _base_coverage(experiment, statistics, "ug", "mbert") == {"rate": "tva"}
    assert _base_coverage(experiment, {("ug", "small"): read["small"]}, "ug", "mbert") is None


def test_a_sweep_over_several_bases_has_lines_of_each(tmp_path, sweep):
    config = sweep.config
    more = {f"x-{name}": {**entry, "base_model": "xlm-r"} for name, entry in KINDS.items()}
    more["x-lapt"] = {"method": "adapt", "pieces": 0, "base_model": "xlm-r"}
    several = Experiment(
        {
            **config,
            "base_models": config["base_models"] | {"xlm-r": {"folder": str(tmp_path)}},
            "representations": config["representations"] | more,
            "experiment": config["experiment"] | {"representations": ["lapt", *KINDS, *more]},
        }
    )
    write_run(tmp_path, several)
    write_figure(several, tmp_path, "sweep")
    drawn = (tmp_path / "results/figures/sweep.svg").read_text(encoding="utf-8")
    for words in ("mbert, a = 1", "xlm-r, a = 5", "mbert, no new wordpieces", "xlm-r, no new wordpieces"):
        assert f"<!-- {words} -->" in drawn
