"""What tables make of representations with fewer wordpieces: no second kind of new ones, and no second base."""

from specialize.experiment import Experiment
from specialize.experiment.costs import Costs
from specialize.experiment.resolved import model_description
from specialize.pretraining.model_card import ModelDescription
from specialize.tables.answers import _with_new_wordpieces, answers_table
from specialize.tables.baselines import baseline, stand_in, unaugmented
from specialize.tables.inputs import _coverage_rows
from specialize.tables.names import bases_of, key_of_names
from specialize.tables.parameters import hyperparameters, table_parameters
from specialize.tables.scores import Scores

OVERLAY = """\
experiment: {languages: [mt], representations: [REPRESENTATIONS], regimes: [pos], seeds: [1, 2]}
representations:
  small: {method: trim, of: tva}
  small-base: {method: trim, of: mbert}
  small-bert: {method: trim, of: bert}
  in-place: {method: adapt, pieces: 99, multiplier: 5, growth: replace}
  n300: {method: adapt, pieces: 300, multiplier: 5}
  n300-slow: {method: adapt, pieces: 300}
  lapt-lora: {method: adapt, adapt: {lora: {rank: 4}}}
  lora: {method: adapt, pieces: 99, multiplier: 5, adapt: {lora: {rank: 4}}}
  wide: {method: adapt, pieces: 99, multiplier: 5, adapt: {lora: {rank: 4, targets: all-linear}}}
  decayed: {method: adapt, pieces: 99, multiplier: 5, adapt: {layer_decay: 0.9, freeze: [embeddings]}}
  words: {method: adapt, pieces: 99, multiplier: 5, training: {masked_unit: words}}
  both: {method: adapt, pieces: 99, multiplier: 5, training: {with: {mhr: 0.25, ug: 0.5}}}
  random: {method: adapt, pieces: 300, multiplier: 5, training: {initialisation: random}}
  lapt-short: {method: adapt, training: {epochs: 1}}
  long: {method: adapt, pieces: 99, multiplier: 5, training: {epochs: 60, learning_rate: 0.001}}
  tuned: {method: adapt, pieces: 99, multiplier: 5, finetuning: {epochs: 3}, batch_size: 8}
  again: {method: adapt, pieces: 99, multiplier: 5, training: {seed: 2, threads: 3}}
  plain: {method: adapt, pieces: 99, multiplier: 5, training: {threads: 3, with: {}}}
"""


def experiment_of(folder, names):
    (folder / "own.yaml").write_text(OVERLAY.replace("REPRESENTATIONS", names))
    return Experiment.read(folder / "own.yaml")


def test_a_trimmed_representation_is_neither_augmented_nor_plain(tmp_path):
    known = experiment_of(tmp_path, "small, small-base, small-bert, mbert, lapt, tva, in-place")
    assert [kind.name for kind in _with_new_wordpieces(known)] == ["tva", "in-place"]
    assert (unaugmented(known), baseline(known)) == ("lapt", "mbert")
    assert bases_of(known) == ["mbert"]
    assert stand_in(known, "small") is None and stand_in(known, "small-bert") is None
    key = key_of_names(known)
    assert "small: the model of tva with those of its wordpieces that the language needs" in key
    assert "in-place: pretrained further with up to 99 new wordpieces in place of the least used ones, which" in key
    named = table_parameters(known, "single-task")["representations"]
    assert named["small"] == {"method": "trim", "of": "tva"} and named["in-place"]["growth"] == "replace"


def test_the_sweep_is_of_pieces_that_come_to_the_base_s(tmp_path):
    assert not experiment_of(tmp_path, "small, tva, n300, in-place").sweep
    three = experiment_of(tmp_path, "small, tva, n300, n300-slow, in-place, random, lora").sweep
    assert three == ("tva", "n300", "n300-slow")


def test_questions_about_new_pieces_are_of_what_differs_by_them(tmp_path):
    names = "lapt-lora, lapt, tva, random, in-place, lora, decayed, words, both"
    known = experiment_of(tmp_path, names)
    assert unaugmented(known) == "lapt"
    assert [kind.name for kind in _with_new_wordpieces(known)] == ["tva", "random", "in-place"]
    said = "RQ1 and RQ4 leave out lora, decayed, words, both: more than new wordpieces differs"
    assert any(note.startswith(said) for note in answers_table(known, Scores({})).notes)
    plain = experiment_of(tmp_path, "lapt, tva, random, in-place")
    assert not any("leave out" in note for note in answers_table(plain, Scores({})).notes)
    without = experiment_of(tmp_path, names.replace(" lapt,", ""))
    assert unaugmented(without) == "lapt-lora"
    assert [kind.name for kind in _with_new_wordpieces(without)] == ["lora"]


def test_what_is_trained_otherwise_is_no_answer_about_new_pieces(tmp_path):
    known = experiment_of(tmp_path, "lapt-short, lapt, tva, long, tuned, again, plain")
    assert unaugmented(known) == "lapt"
    assert [kind.name for kind in _with_new_wordpieces(known)] == ["tva", "plain"]
    said = "RQ1 and RQ4 leave out long, tuned, again: more than new wordpieces differs"
    assert any(note.startswith(said) for note in answers_table(known, Scores({})).notes)
    key = key_of_names(known)
    assert "as fast as the rest (epochs 60, learning_rate 0.001)" in key
    assert "as fast as the rest (finetuned by hyperparameters of its own)" in key
    assert "as fast as the rest (seed 2)" in key
    named = table_parameters(known, "answers")["representations"]
    assert named["long"]["training"] == {"epochs": 60, "learning_rate": 0.001}
    assert named["plain"] == named["tva"]
    short = experiment_of(tmp_path, "lapt-short, tva")
    assert unaugmented(short) == "lapt-short"
    assert _with_new_wordpieces(short) == []


def test_the_key_to_names_tells_methods_apart(tmp_path):
    known = experiment_of(tmp_path, "tva, lora, wide, decayed, words, both, random, lapt-lora")
    key = key_of_names(known)
    tva = "pretrained further with up to 99 new wordpieces, which learn 5 times as fast as the rest"
    for name, more in {
        "tva": "",
        "lora": " (low-rank updates: rank 4)",
        "wide": " (low-rank updates: rank 4, targets all-linear)",
        "decayed": " (embeddings stay, layer_decay 0.9)",
        "words": " (masked_unit words)",
        "both": " (with text of mhr 0.25, ug 0.5)",
    }.items():
        assert f" {name}: {tva}{more};" in key
    assert "random: pretrained further with up to 300 new wordpieces, which learn 5 times as fast as the rest " in key
    assert "(initialisation random); lapt-lora: the base model, pretrained further on the language (low-rank" in key
    parameters = table_parameters(known, "single-task")["representations"]
    assert parameters["tva"] == {"method": "adapt", "pieces": 99, "multiplier": 5}
    assert parameters["lora"]["adapt"]["lora"]["rank"] == 4
    assert parameters["words"] == parameters["tva"] | {"masked_unit": "words"}


def test_hyperparameters_have_the_model_that_another_is_trimmed_of(tmp_path):
    of_the_grid = hyperparameters(experiment_of(tmp_path, "small, lapt"))["representations"]
    assert list(of_the_grid) == ["tva", "small", "lapt"]
    assert list(hyperparameters(experiment_of(tmp_path, "lapt, tva, small"))["representations"]) == [
        "lapt",
        "tva",
        "small",
    ]


def test_coverage_of_a_trimmed_vocabulary_is_its_own_row(tmp_path):
    known = experiment_of(tmp_path, "small, small-base, tva")
    covered = {"tokens": 9, "wordpieces_per_token": 2.0, "unknown_token_rate": 0.0}
    covered |= {"unknown_wordpiece_rate": 0.0, "continuation_rate": 0.1}
    better = covered | {"wordpieces_per_token": 1.5}
    of_tva = {"sentences": 3, "base": covered, "augmented": better}
    trimmed = {"pieces": {}, "trimmed": {"pieces": 1000, "of": 119547}}
    statistics = {
        "tva": {"pieces": {"x": 1}, "coverage": {"corpus": of_tva}},
        "small": trimmed | {"coverage": {"corpus": of_tva | {"base": better}}},
        "small-base": trimmed | {"coverage": {"corpus": of_tva | {"augmented": covered}}},
    }
    rows = [row[3] for row in _coverage_rows(known, statistics)]
    assert rows == ["base (mbert)", "tva (1 new), small (1,000 of 119,547)", "small-base (1,000 of 119,547)"]


def test_a_forecast_takes_a_trimmed_model_for_the_one_that_it_is_of(tmp_path):
    known = experiment_of(tmp_path, "small, small-bert")
    costs = Costs(known, tmp_path)
    folders = [job.folder for job in costs.jobs]
    assert folders[:2] == ["results/pretraining/mt/tva", "results/pretraining/mt/bert"]
    of_small, of_bert = (costs._task_model(cell, "pos", 1, "float32") for cell in known.cells[::2])
    assert of_small.pieces == 119547 and of_bert.pieces == known.config["representations"]["bert"]["vocabulary"]["size"]


def test_a_trimmed_model_is_described_as_its_own(tmp_path):
    known = experiment_of(tmp_path, "small, small-base, small-bert")
    small, base, bert = (
        ModelDescription(**model_description(known, "mt", name)) for name in known.grid_representations
    )
    assert (small.method, small.representation, small.license) == ("adapt", "small", "apache-2.0")
    assert (base.method, base.base_model, base.on_hub) == ("base", "google-bert/bert-base-multilingual-cased", True)
    assert (bert.method, bert.base_model, bert.on_hub) == ("scratch", None, False)
