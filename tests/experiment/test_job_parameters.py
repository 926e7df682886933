"""What makes a job run again: the settings that it reads, and no other."""

from typing import ClassVar

import pytest
from tests.conftest import configuration

from specialize.experiment import Experiment
from specialize.experiment.resolved import model_description
from specialize.finetuning.settings import FinetuningOptions
from specialize.settings import Number, Settings, declared, named, overrides, setting, without_neutral

OTHER_VALUES = {
    "layer_dropout": 0.3, "layer_dropout_when_evaluating": True, "leading_space": False, "unknown_words": "shared",
    "vector_updates": "sparse", "order": "round-robin", "precision": "bfloat16", "deterministic": True,
    "development_punctuation": False, "alt_punctuation": "xpos",
    "threads": 3, "epochs": 7, "patience": 3, "frozen_epochs": 2, "schedule": "constant", "learning_rate": 0.5,
    "encoder_multiplier": 0.5, "weight_decay": 0.5, "gradient_norm": 0.5, "bias_correction": False,
}  # fmt: skip


def parameters(**changes):
    """The parameters of every cell's rule under the paper's configuration with changes of finetuning."""
    config = configuration()
    config["finetuning"] |= changes
    config["experiment"] |= {"languages": ["ug", "wo"], "seeds": [1], "exceptions": []}
    experiment = Experiment(config)
    return {
        cell: experiment.finetuning(cell.language, cell.representation, cell.regime, cell.seed).job_parameters()
        for cell in experiment.cells
    }


def test_twins_alone_say_how_their_text_is_made_and_no_job_depends_on_the_words_of_it():
    config = configuration()
    config["experiment"] |= {"languages": ["ug", "ug-Latn", "mhr-Latn"], "seeds": [1], "exceptions": []}
    experiment = Experiment(config)
    assert experiment.transliteration("ug") is None
    assert experiment.transliteration("ug-Latn")["command"].endswith("--scheme uyghur")
    assert experiment.transliteration("mhr-Latn")["command"].endswith("--scheme transliterate --language ru")
    assert "transliteration" not in model_description(experiment, "ug", "tva")
    described = model_description(experiment, "ug-Latn", "tva")["transliteration"]
    assert described == experiment.transliteration("ug-Latn")
    assert "transliteration" not in experiment.finetuning("ug-Latn", "tva", "pos", 1).job_parameters()


@pytest.fixture(scope="module")
def before():
    return parameters()


def rerun(before, **changes):
    after = parameters(**changes)
    return {cell for cell in before if before[cell] != after[cell]}


def test_every_setting_is_tried():
    assert OTHER_VALUES.keys() == FinetuningOptions.model_fields.keys()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_a_changed_setting_reruns_the_cells_that_read_it(before, name):
    overridden = {"schedule", "weight_decay", "encoder_multiplier", "frozen_epochs"}  # by fasttext's own entry
    readers = {
        **dict.fromkeys(("layer_dropout", "layer_dropout_when_evaluating", "precision"), "pretrained encoders"),
        "leading_space": "encoders of byte-level pieces",
        "unknown_words": "static vectors",
        "vector_updates": "static vectors",
        "order": "regimes of several data sets",
        "development_punctuation": "parsers",
        "alt_punctuation": "parsers under ALT whose development LAS leaves punctuation out",
    }
    reader = readers.get(name, "")
    assert declared(FinetuningOptions.model_fields[name])["read by"] == reader
    expected = {
        "": lambda cell: not (cell.representation == "fasttext" and name in overridden),
        "pretrained encoders": lambda cell: cell.representation != "fasttext",
        "static vectors": lambda cell: cell.representation == "fasttext",
        "encoders of byte-level pieces": lambda cell: cell.representation == "bert",
        # Wolof has no named entities, so that ALT leaves it one data set.
        "regimes of several data sets": lambda cell: (
            cell.regime.startswith("mtl-") and not (cell.language == "wo" and cell.regime.endswith("-alt"))
        ),
        "parsers": lambda cell: cell.regime.startswith("mtl-") or cell.regime.endswith("ud"),
        "parsers under ALT whose development LAS leaves punctuation out": lambda cell: False,
    }
    reads = expected[reader]
    assert rerun(before, **{name: OTHER_VALUES[name]}) == {cell for cell in before if reads(cell)}


def test_what_tells_punctuation_is_read_only_where_it_does_not_count():
    without = parameters(development_punctuation=False)
    changed = rerun(without, development_punctuation=False, alt_punctuation="xpos")
    assert changed == {cell for cell in without if cell.regime.startswith("mtl-") and cell.regime.endswith("-alt")}


def test_a_heads_setting_reruns_its_task(before):
    changed = rerun(before, ner={"dropout": 0.3, "loss": "mean"})
    assert changed == {cell for cell in before if cell.regime.endswith("ner") or (
        cell.regime.startswith("mtl-") and cell.language == "ug"
    )}  # fmt: skip


def test_parameters_are_plain(before):
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(inner) for key, inner in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or type(value) in (str, int, float, bool)

    assert all(map(plain, before.values()))


def test_what_a_representation_overrides_reaches_its_cells():
    config = configuration()
    config["representations"]["tva"]["finetuning"] = {"threads": 2}
    experiment = Experiment(config)
    assert experiment.finetuning("ug", "tva", "pos", 1).threads == 2
    assert experiment.finetuning("ug", "lapt", "pos", 1).threads == 4


@pytest.mark.parametrize(
    ("section", "name", "value", "readers"),
    [
        ("pretraining", "tiering", "released", ["tva"]),
        ("pretraining", "short_sequence_probability", 0.5, ["lapt", "va", "tva", "embert"]),  # bert reads lines
        ("pretraining", "weight_decay", 0.5, ["lapt", "va", "tva", "embert", "bert"]),
        ("pretraining", "steps_per_epoch", 7, ["lapt", "va", "tva", "embert", "bert"]),
    ],
)
def test_a_changed_setting_pretrains_those_again_that_read_it(section, name, value, readers):
    config = configuration()
    before = Experiment(config)
    config[section][name] = value
    after = Experiment(config)
    kinds = [kind for kind, entry in before.representations.items() if entry.method in ("adapt", "scratch")]
    changed = [
        kind for kind in kinds if before.pretraining(kind).job_parameters() != after.pretraining(kind).job_parameters()
    ]
    assert sorted(changed) == sorted(readers)


def test_how_is_sampled_matters_to_sampled_texts_only():
    config = configuration()
    before = Experiment(config)
    config["corpora"]["sampling"] = "files"
    after = Experiment(config)
    texts = [tag for tag, language in before.languages.items() if language.has_corpus]
    changed = {tag for tag in texts if before.cleaning(tag).job_parameters() != after.cleaning(tag).job_parameters()}
    assert changed == {"be", "bg", "ur", "vi"}


class Made(Settings):
    """Settings of a job that has a heater, perhaps."""

    readers: ClassVar = {"heated jobs": lambda job: job.heated}

    warmth: Number = setting("degrees", neutral=0, read_by="heated jobs", ge=0)
    rounds: int | None = setting("at most", neutral=None, ge=1)
    heated: bool = setting("whether it has a heater", default=True, derived=True)


def test_a_setting_at_its_neutral_value_is_as_if_it_did_not_exist():
    assert Made(warmth=0, rounds=None).job_parameters() == {}
    assert Made(warmth=1.5, rounds=3).job_parameters() == {"warmth": 1.5, "rounds": 3}
    assert Made(warmth=1.5, rounds=3, heated=False).job_parameters() == {"rounds": 3}
    assert Made(warmth=0, rounds=None).as_dict() == {"warmth": 0, "rounds": None}
    assert without_neutral(Made, {"warmth": 0, "rounds": 2}) == {"rounds": 2}


class House(Settings):
    """Settings by name, and some that override others."""

    rooms: named(Made, "") = setting("by name")  # type: ignore[valid-type]
    guests: overrides(Made) = setting("overrides any key of a room")  # type: ignore[valid-type]


def test_neutral_values_go_from_named_entries_but_not_from_overrides():
    house = {"rooms": {"hall": {"warmth": 0, "rounds": 2}, "attic": {}}, "guests": {"warmth": 0}}
    assert without_neutral(House, house) == {"rooms": {"hall": {"rounds": 2}, "attic": {}}, "guests": {"warmth": 0}}


@pytest.mark.parametrize("wrong", [{"warmth": "1"}, {"warmth": True}, {"warmth": -1}, {"rounds": 1.0}, {"other": 1}])
def test_settings_are_strict(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Made(**{"warmth": 0, "rounds": None} | wrong)
