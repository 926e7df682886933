"""Texts of other languages in a configuration: what is refused, what a run needs besides, and what it costs."""

from pathlib import Path

import pytest
import yaml
from tests.conftest import configuration
from tests.experiment.test_configuration_errors import PAPER, assert_refused, with_overlay

from specialize.errors import ConfigError
from specialize.experiment import Experiment
from specialize.experiment.costs import Costs
from specialize.experiment.resolved import model_description
from specialize.files import write_json

GRID = "experiment: {languages: [wo], representations: [lapt], regimes: [pos], seeds: [1], exceptions: []}\n"
OWN = "representations:\n  lapt:\n    training:\n      "


def read(folder, text):
    return with_overlay(folder, GRID + text)


@pytest.mark.parametrize(
    ("text", "key", "line", "expected"),
    [
        ("pretraining:\n  with: {xx: 0.2}\n", "pretraining.with", 3, "unknown language 'xx'"),
        ("pretraining:\n  with: [maltese]\n", "pretraining.with", 3, "did you mean mt?"),
        (OWN + "with: [nowhere]\n", "representations.lapt.training.with", 5, "unknown language"),
        ("pretraining:\n  with:\n    mt: 0\n", "pretraining.with.mt", 4, "minimum of 0"),
        ("pretraining:\n  with:\n    mt: 1.5\n", "pretraining.with.mt", 4, "maximum of 1"),
        ("pretraining:\n  with:\n    mt: much\n", "pretraining.with.mt", 4, "is not of type 'number'"),
        ("pretraining:\n  with: [mt, mt]\n", "pretraining.with", 3, "non-unique"),
        ("pretraining:\n  with: mt\n", "pretraining.with", 3, "is not of type 'object', 'array'"),
        ("pretraining:\n  sampling_exponent: 3\n", "pretraining.sampling_exponent", 3, "maximum of 1"),
        ("pretraining:\n  masked_unit: letters\n", "pretraining.masked_unit", 3, "words"),
        (
            OWN + "sampling_exponent: 0.5\n",
            "representations.lapt.training.sampling_exponent",
            5,
            "is of a list of languages, as in with: [tt, tr]; write one, or leave it out",
        ),
        (
            "representations:\n  mbert:\n    training:\n      masked_unit: words\n",
            "representations.mbert.training",
            4,
            "belongs to method adapt or scratch, and this one is base; leave it out",
        ),
        (
            "pretraining:\n  with: {mt: 0.5, ga: 0.5, wo: 0.1}\n",
            "pretraining.with",
            3,
            "the shares of ga, mt leave none to text of wo itself; lower them until their sum is below 1",
        ),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_its_place(tmp_path, text, key, line, expected):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert f"{key} ({tmp_path / 'mine.yaml'}, line {line})" in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_language_without_text_is_refused_only_where_it_is_read(tmp_path):
    registry = configuration()["languages"]
    bare = {key: value for key, value in registry["mt"].items() if key != "corpus"}
    labeled = yaml.safe_dump({"languages": {"xx": bare}})
    text = labeled + "pretraining:\n  with: [xx]\n"
    line = (GRID + text).splitlines().index("  with: [xx]") + 1
    remedy = "xx has no corpus to learn from; give it one, or leave it out"
    assert_refused(tmp_path, GRID + text, remedy, key="pretraining.with", line=line)
    assert read(tmp_path, text + OWN + "with: []\n")


def test_a_base_model_has_no_language_to_learn_others_with(tmp_path):
    sizes = "{hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8}"
    text = "base_models:\n  own:\n    pretrain:\n      languages: [mt]\n      vocabulary_size: 300\n"
    text += f"      architecture: {sizes}\n      training:\n        with: [wo]\n"
    remedy = "name them in base_models.own.pretrain.languages"
    key = "base_models.own.pretrain.training.with"
    assert_refused(tmp_path, GRID + text, "has no language of its own", remedy, key=key, line=9)


def test_a_section_serves_all_languages_and_a_base_reads_none_of_it(tmp_path):
    text = GRID.replace("[wo]", "[wo, ug, ug-Latn]").replace("[lapt]", "[lapt, tva, mbert, fasttext]")
    mapped = with_overlay(tmp_path, text + "pretraining: {with: {ug: 0.4, mt: 0.3}}\n" + OWN + "with: [wo, ug-Latn]\n")
    assert mapped.other_texts("wo", "tva") == ["mt", "ug"]
    assert mapped.other_texts("ug", "tva") == ["mt"]
    assert mapped.other_texts("ug-Latn", "tva") == ["mt", "ug"]
    assert mapped.other_texts("ug", "lapt") == ["ug-Latn", "wo"]
    assert mapped.other_texts("ug", "mbert") == mapped.other_texts("ug", "fasttext") == []
    assert [language.tag for language in mapped.needed_languages] == ["wo", "ug", "mt"]
    card = model_description(mapped, "ug", "lapt")["others"]
    assert [(one["language"], one["name"]) for one in card] == [("ug-Latn", "Uyghur (transliterated)"), ("wo", "Wolof")]
    assert "transliterated" in card[0]["text"] and "CC BY-SA" in card[0]["text_license"]
    assert "others" not in model_description(read(tmp_path, ""), "wo", "lapt")


def test_a_job_depends_on_what_it_reads(tmp_path):
    before, demo = read(tmp_path, ""), Experiment.read(PAPER.with_name("demo.yaml"))
    same = read(tmp_path, "pretraining: {with: [], sampling_exponent: 0.7, masked_unit: pieces}\n")
    assert before.pretraining("lapt").job_parameters() == same.pretraining("lapt").job_parameters()
    other = read(tmp_path, "pretraining: {with: [mt], sampling_exponent: 0.7, masked_unit: words}\n")
    changed = set(other.pretraining("lapt").job_parameters()) - set(before.pretraining("lapt").job_parameters())
    assert changed == {"with", "sampling_exponent", "masked_unit"}
    learning = Experiment.read(PAPER.with_name("demo.yaml"), {"pretraining": {"with": {"qae": 0.5}}})
    assert learning.base_pretraining("demo").job_parameters() == demo.base_pretraining("demo").job_parameters()


def test_a_forecast_counts_the_passes_over_all_texts_and_steps_cap_them(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    for tag, times in (("wo", 1), ("mt", 10)):
        part = {"tokens": 8000 * times, "letters": 40_000 * times, "sentences": 500 * times, "articles": 50 * times}
        write_json(Path(f"results/corpora/{tag}/statistics.json"), {"train": part, "valid": part})

    def job(text):
        (found,) = (job for job in Costs(read(tmp_path, text)).jobs if job.pretrains)
        return found

    alone, half = job(""), job("pretraining: {with: {mt: 0.5}}\n")
    assert half.works[0].training == pytest.approx(2 * alone.works[0].training)
    assert half.works[0].updates == pytest.approx(2 * alone.works[0].updates)
    assert half.works[0].evaluation == alone.works[0].evaluation
    assert half.letters == pytest.approx(2 * alone.letters)
    everything = job("pretraining: {with: [mt], sampling_exponent: 1}\n")
    assert everything.works[0].training == pytest.approx(11 * alone.works[0].training)
    equally = job("pretraining: {with: [mt], sampling_exponent: 0}\n")
    assert equally.works[0].training == pytest.approx(half.works[0].training)
    capped = job("pretraining: {with: [mt], steps_per_epoch: 3}\n")
    assert capped.works[0].updates == 3 * capped.works[0].shape.parameters()
    rate = {"coverage": {"corpus": {"augmented": {"wordpieces_per_letter": 0.1}}}}  # nearly all words are unknown
    write_json(Path("results/vocabularies/wo/lapt/statistics.json"), rate)
    few, with_others = job(""), job("pretraining: {with: {mt: 0.5}}\n")
    assert few.works[0].training < alone.works[0].training / 2
    assert with_others.works[0].training == pytest.approx(few.works[0].training + alone.works[0].training, rel=0.02)
