"""Estimates: what jobs compute follows from sizes, data and settings; speeds are measured and kept, or assumed."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import configuration

from specialize.errors import ConfigError
from specialize.experiment import Experiment, Language, machine, plan
from specialize.experiment.costs import BEST_EPOCH, EXPECTED_BASE, Costs, jobs_to_do
from specialize.experiment.data_sizes import DataSizes, Labeled, count_labeled
from specialize.experiment.machine import Machine
from specialize.experiment.plan import bytes_to_be_written, forecast
from specialize.experiment.speeds import (
    START_SECONDS,
    Shape,
    Speed,
    assumed_speed,
    keep_speeds,
    kept_file,
    kept_speeds,
    key_of,
)
from specialize.files import write_json

ROOT = Path(__file__).parents[2]
MBERT = Shape("pos", "transformer", 12, 768, 3072, 119_547, 4, "float32")
SMALL = {"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 256, "vocab_size": 1000}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Speeds of this test's own, and a run of its own to be in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for folder in ("run", "m"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "run")


def experiment(languages=("wo",), representations=("lapt",), regimes=("pos",), **changes):
    config = configuration()
    lists = {"languages": list(languages), "representations": list(representations), "regimes": list(regimes)}
    config["experiment"] = {**lists, "seeds": [1]}
    for section, values in changes.items():
        config[section] = {**config[section], **values} if isinstance(values, dict) else values
    return Experiment(config)


def job_of(pretrains, *arguments, **changes):
    (job,) = (job for job in Costs(experiment(*arguments, **changes)).jobs if job.pretrains == pretrains)
    return job


# -- operations --------------------------------------------------------------------------------------------


def test_a_training_step_takes_six_operations_for_each_parameter_in_the_layers():
    in_layers = 12 * 12 * 768**2
    short = MBERT.operations(32, 1)
    assert short == pytest.approx(2 * 32 * in_layers, rel=0.001)
    assert MBERT.operations(1, 128) == pytest.approx(128 * 2 * in_layers, rel=0.03)  # and a little of attention
    assert MBERT.operations(1, 128, 20) - MBERT.operations(1, 128) == 20 * 2 * 768 * (768 + 119_547)
    assert MBERT.parameters() == pytest.approx(177e6, rel=0.01)  # 178 million with positions, norms and biases


@pytest.mark.parametrize("kind", ["bilstm", "highway"])
def test_a_recurrent_encoder_has_four_gates_in_two_directions(kind):
    from torch import nn

    lstm = nn.LSTM(100, 200, 2, bidirectional=True)
    weights = sum(one.numel() for name, one in lstm.named_parameters() if "weight" in name)
    shape = Shape("pos", kind, 2, 200, 100, 0, 1, "float32")
    assert shape.parameters() == weights
    assert shape.operations(3, 5) == 3 * 5 * 2 * weights


# -- sizes of base models ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["run", "own", "mirror"])
def test_sizes_come_from_the_bases_config_wherever_it_lies(place, tmp_path):
    entry = {"run": {"hub": "a/b", "revision": "a" * 40}, "own": {"folder": str(tmp_path / "own")}}.get(place)
    folder = {"run": Path("results/pretraining/base/mine"), "own": tmp_path / "own"}.get(place)
    folder = folder or tmp_path / "m/models/mine"
    write_json(folder / "config.json", SMALL | {"model_type": "bert"})
    (folder / "tokenizer.json").touch()
    changes = {"base_models": {"mine": entry or {"mirror": True}}, "base_model": "mine", "mirror": str(tmp_path / "m")}
    shapes = Costs(experiment(**changes)).shapes()
    assert {(shape.layers, shape.width, shape.inner, shape.pieces) for shape in shapes} == {(2, 64, 256, 1000)}


@pytest.mark.parametrize(("model_type", "inner"), [("xlm-roberta", 3072), ("modernbert", 4608), ("unheard-of", 3072)])
def test_other_architectures_count_by_what_they_have(model_type, inner):
    sizes = {"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072, "vocab_size": 250_002}
    write_json(Path("results/pretraining/base/mine") / "config.json", sizes | {"model_type": model_type})
    entry = {"hub": "a/b", "revision": "a" * 40}
    shapes = Costs(experiment(base_models={"mine": entry}, base_model="mine")).shapes()
    assert {(shape.width, shape.inner, shape.pieces) for shape in shapes} == {(768, inner, 250_002)}


def test_a_base_that_is_not_here_yet_is_as_large_as_its_entry_says():
    assert Costs(Experiment.read(ROOT / "config/bases.yaml")).base_sizes("mmbert") == {
        "num_hidden_layers": 22, "hidden_size": 768, "intermediate_size": 1152, "vocab_size": 256000
    }  # fmt: skip


@pytest.mark.parametrize("content", ["", "[]", "{", '"x"', '{"hidden_size": "wide"}', '{"hidden_size": null}', "\x00"])
def test_a_base_that_is_not_here_or_broken_counts_as_large_as_mbert(content):
    path = Path("results/pretraining/base/mbert/config.json")
    if content:
        path.parent.mkdir(parents=True)
        path.write_text(content, encoding="utf-8")
    assert Costs(experiment()).base_sizes("mbert") == EXPECTED_BASE
    assert "estimated on" in forecast(experiment(), on_cluster=False, dry_run=True)


def test_a_base_that_is_pretrained_here_is_a_job_of_its_sizes():
    sizes = {**SMALL, "num_attention_heads": 2}
    pretrain = {"languages": ["wo", "mt"], "vocabulary_size": sizes.pop("vocab_size"), "unused_slots": 9}
    pretrain |= {"architecture": sizes, "training": {"epochs": 2}}
    small = experiment(base_models={"mine": {"pretrain": pretrain}}, base_model="mine")
    base, adapted, _ = Costs(small).jobs
    assert (base.folder, base.epochs, len(base.works)) == ("results/pretraining/base/mine", 2, 2)
    assert base.works[0].shape == adapted.works[0].shape


# -- steps -------------------------------------------------------------------------------------------------


def statistics(train, valid):
    names = ("tokens", "letters", "sentences", "articles")
    return {"train": dict(zip(names, train, strict=True)), "valid": dict(zip(names, valid, strict=True))}


def test_pretraining_follows_the_text_once_it_is_there():
    expected = job_of(True).works[0]
    write_json(Path("results/corpora/wo/statistics.json"), statistics((800, 4000, 50, 5), (100, 500, 7, 1)))
    counted = job_of(True).works[0]
    assert counted.training < expected.training / 100  # the registry expects 396,000 tokens
    write_json(
        Path("results/vocabularies/wo/lapt/statistics.json"),
        {"coverage": {"corpus": {"augmented": {"wordpieces_per_letter": 0.8, "wordpieces_per_token": 4}}}},
    )
    # Twice the wordpieces; each article ends in half an example all the same.
    assert 1.7 * counted.training < job_of(True).works[0].training < 2.1 * counted.training


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"train": 3, "coverage": []}', '{"train": {"tokens": 3}}', "\x00"]
)
def test_what_another_version_counted_or_a_broken_file_is_expected_anew(content):
    expected = Costs(experiment()).jobs
    for name in ("corpora/wo", "vocabularies/wo/lapt", "finetuning/wo/lapt/pos/seed2"):
        for file in ("statistics.json", "timing.json"):
            path = Path("results", name, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    Path("results/datasets/wo/train.conllu").mkdir(parents=True)
    assert Costs(experiment()).jobs == expected


def test_a_cap_of_steps_caps_the_operations_and_epochs_and_copies_multiply_them():
    whole = job_of(True)
    capped = job_of(True, pretraining={"steps_per_epoch": 10, "validation_sentences": 50})
    assert capped.works[0].updates == 10 * capped.works[0].shape.parameters()
    assert capped.works[0].training < whole.works[0].training / 50
    assert capped.works[0].evaluation < whole.works[0].evaluation / 10
    assert job_of(True, pretraining={"copies": 1}).works[0].training == pytest.approx(whole.works[0].training / 5)
    assert (whole.epochs, whole.most_epochs, job_of(True, pretraining={"epochs": 3}).epochs) == (20, 20, 3)


@pytest.mark.parametrize("examples", ["articles", "sentence-pairs", "lines"])
def test_every_way_of_cutting_text_is_about_as_long(examples):
    longest, shortest = (
        job_of(True).works[0].training,
        job_of(True, pretraining={"examples": examples}).works[0].training,
    )
    assert 0.7 * longest < shortest < 1.5 * longest


def test_text_of_ones_own_and_dumps_count_by_their_size(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_bytes(b"x" * 8000)
    (tmp_path / "text/b.txt.gz").write_bytes(b"x" * 4000)
    dump = tmp_path / "m/wikipedia/yywiki/20200101/yywiki-20200101-pages-articles.xml.bz2"
    dump.parent.mkdir(parents=True)
    dump.write_bytes(b"x" * 40_000)
    wiki = {"wikipedia": "yy", "date": "20200101", "sample": 0.5}
    languages = {
        "xx": {"name": "X", "corpus": {"text": str(tmp_path / "text")}},
        "yy": {"name": "Y", "corpus": wiki},
        "zz": {"name": "Z", "corpus": {**wiki, "wikipedia": "zz"}},
        "uu": {"name": "U", "corpus": {"text": str(tmp_path / "nothing.txt")}},
        "vv": {"name": "V", "corpus": wiki, "tokens": 7},
        "ww": {"name": "W", "ner": {"wikiann": "ww"}},
    }
    one = experiment(mirror=str(tmp_path / "m"))
    tokens = {tag: DataSizes(one).expected_tokens(Language(tag, entry)) for tag, entry in languages.items()}
    assert tokens == {"xx": 2000, "yy": 5000, "zz": 500_000, "uu": 1_000_000, "vv": 7, "ww": 0}


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("a.conllu", "# text = x\n1-2\tx\n1\tx\n2\ty\n2.1\tz\n\n# c\n1\tx\n\n", (2, 3)),
        ("a.conllu", "1\tx\r\n2\ty\r\n\r\n\r\n1\tx\r\n", (2, 3)),
        ("a.conllu", "# only a comment\n\n\n", (0, 0)),
        ("a.tsv", "x\tO\ny\tB-X\n\n\nz\tO", (2, 3)),
        ("a.tsv", "", (0, 0)),
    ],
)
def test_labeled_sentences_and_words_are_counted(name, text, counts, tmp_path):
    (tmp_path / name).write_bytes(text.encode())
    assert count_labeled(tmp_path / name) == Labeled(*counts)


def test_finetuning_follows_the_labeled_files_of_run_mirror_or_folder(tmp_path):
    sentence = "1\ta\n2\tb\n\n"
    language = experiment().languages["wo"]
    assert DataSizes(experiment()).labeled(language, "pos", "train").sentences == 1500
    mirrored = tmp_path / "m/universal-dependencies/UD_Wolof-WTB/r2.5/wo_wtb-ud-train.conllu"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_text(3 * sentence)
    one = experiment(mirror=str(tmp_path / "m"))
    assert DataSizes(one).labeled(language, "ud", "train") == (3, 6)
    Path("results/datasets/wo").mkdir(parents=True)
    Path("results/datasets/wo/train.conllu").write_text(2 * sentence)
    assert DataSizes(one).labeled(language, "ud", "train") == (2, 4)
    assert DataSizes(one).labeled(language, "ner", "train").sentences == 1500


def test_finetuning_takes_patience_into_account_and_says_what_it_takes_at_most():
    job = job_of(False)
    assert (job.epochs, job.most_epochs) == (BEST_EPOCH + 20, 200)
    assert job_of(False, finetuning={"epochs": 15}).epochs == 15
    assert job_of(False, finetuning={"epochs": 50, "patience": 5}).epochs == BEST_EPOCH + 5
    for seed, epochs in ((2, 30), (3, 40)):
        write_json(Path(f"results/finetuning/wo/lapt/pos/seed{seed}/timing.json"), {"epochs": epochs})
    assert job_of(False).epochs == 35  # as those that have finished
    assert job_of(False, finetuning={"epochs": 10}).epochs == 10
    words = forecast(experiment(), on_cluster=True, dry_run=True)
    assert "of finetuning (at most" in words and "if patience ends no job" in words


def test_a_frozen_encoder_costs_a_forward_pass_and_smaller_data_sets_are_repeated():
    (job,) = (job for job in Costs(experiment(["mt"], ["mbert"], ["mtl-ups"])).jobs)
    assert len(job.works) == 3 and len({work.updates for work in job.works}) == 1
    speed = assumed_speed(job.works[0].shape, on_gpu=True)
    times = [job.seconds(lambda shape: speed, epochs) for epochs in (1, 2, 3)]
    assert times[1] - times[0] == pytest.approx(times[2] - times[1])
    assert times[0] - START_SECONDS < times[1] - times[0]


def test_several_gpus_divide_the_hours_of_a_pretraining_where_a_machine_has_them(monkeypatch):
    one, two = job_of(True), job_of(True, pretraining={"gpus": 2})
    assert (one.gpus, two.gpus) == (1, 2)
    alone = Machine.with_a_gpu().hours([one])
    assert [Machine(8, gpus, "gpu", {}).hours([two]) for gpus in (1, 2, 4)] == [alone, alone / 2, alone / 2]
    assert Machine(8, 4, "gpu", {}).hours([two] * 4) == pytest.approx(alone)
    assert Machine(8, 0, "cpu", {}).hours([two]) == Machine(8, 0, "cpu", {}).hours([one])
    several = experiment(representations=["lapt"], pretraining={"gpus": 2})
    assert "estimated on 2 GPUs" in forecast(several, on_cluster=True, dry_run=True)
    for module in (plan, machine):
        monkeypatch.setattr(module, "gpu_names", lambda: ["A", "A", "A"])
        monkeypatch.setattr(module, "torch_is_for_cpus", lambda: True)
    assert Machine.here().gpus == 0, "jobs would train on the CPU"
    assert "without a GPU (there is one, but this torch is built for CPUs" in forecast(several, False, dry_run=True)
    for module in (plan, machine):
        monkeypatch.setattr(module, "torch_is_for_cpus", lambda: False)
    assert Machine.here().gpus == 3
    assert "estimated on 2 GPUs" in forecast(several, on_cluster=False, dry_run=True, gpus=2)
    with pytest.raises(ConfigError, match=r"pretraining\.gpus is 2, but this machine has 1 GPU for it: lower it"):
        forecast(several, on_cluster=False, outputs=["results/pretraining/wo/lapt/config.json"], gpus=1)


def test_jobs_are_those_that_make_the_outputs():
    costs = Costs(experiment(["wo", "mt"], ["mbert", "lapt"], ["pos", "ud"]))
    assert len(jobs_to_do(costs, None)) == 2 + 8
    assert jobs_to_do(costs, []) == []
    outputs = ["results/pretraining/wo/lapt/config.json", "results/finetuning/wo/lapt/pos/seed1/metrics.json", "x"]
    assert [job.folder for job in jobs_to_do(costs, outputs)] == [str(Path(one).parent) for one in outputs[:2]]


def test_a_language_that_nothing_runs_of_is_told(tmp_path):
    own = "languages:\n  yo: {name: Yoruba, corpus: {wikipedia: yo, date: '20220301'}}\n"
    small = "experiment: {languages: [wo], representations: [lapt], regimes: [pos], exceptions: []}\n"
    (tmp_path / "mine.yaml").write_text(small + own, encoding="utf-8")
    place = f"languages.yo ({tmp_path / 'mine.yaml'}, line 3)"
    told = f"Warning: {place} is not in experiment.languages, so nothing of it runs"
    assert told in forecast(Experiment.read(tmp_path / "mine.yaml"), on_cluster=True, dry_run=True).splitlines()
    (tmp_path / "mine.yaml").write_text(small.replace("wo", "yo") + own, encoding="utf-8")
    said = forecast(Experiment.read(tmp_path / "mine.yaml"), on_cluster=True, dry_run=True)
    assert "is not in experiment.languages" not in said


def test_a_grid_that_measures_nothing_is_told():
    told = "Warning: nothing will test the models of wo: there are no labeled data there for ner"
    assert told in forecast(experiment(["wo", "mt"], regimes=["ner"]), on_cluster=True, dry_run=True).splitlines()
    assert "Warning" not in forecast(experiment(["wo", "mt"]), on_cluster=True, dry_run=True)


def test_a_mirror_without_the_base_model_is_refused_at_the_start(tmp_path):
    (tmp_path / "models/mini").mkdir(parents=True)
    one = experiment(mirror=str(tmp_path))
    assert "base model mbert (about" in forecast(one, on_cluster=True, dry_run=True)
    with pytest.raises(
        ConfigError, match=r"base_models\.mbert.* no mbert in models; what there is: mini; put mbert there"
    ):
        forecast(one, on_cluster=True)
    (tmp_path / "models/mbert").mkdir()
    forecast(one, on_cluster=True)


# -- speeds ------------------------------------------------------------------------------------------------


def test_speeds_are_kept_by_machine_device_and_shape():
    speed = Speed(1e9, 2e9, 3e8, 9.0)
    assert kept_speeds() == {}
    keep_speeds({key_of(MBERT, "cpu"): speed})
    other = replace(MBERT, threads=2)
    keep_speeds({key_of(other, "cpu"): replace(speed, start=1.0)})
    assert kept_speeds()[key_of(MBERT, "cpu")] == speed
    machine = Machine(2, 0, "cpu", kept_speeds())
    assert machine.speed(MBERT) == speed
    assert machine.unmeasured([MBERT, other, replace(MBERT, task="ud")]) == [replace(MBERT, task="ud")]
    assert Machine(2, 1, "Some GPU", kept_speeds()).unmeasured([MBERT]) == [MBERT]
    keys = {key_of(replace(MBERT, **{name: "x"}), "cpu") for name in MBERT.__dataclass_fields__}
    assert len(keys) == len(MBERT.__dataclass_fields__)


def test_a_precision_that_is_float32_on_a_cpu_has_its_speed_there_and_not_on_a_gpu():
    for setting in ("auto", "tf32"):
        other = replace(MBERT, precision=setting)
        assert key_of(other, "cpu") == key_of(MBERT, "cpu")
        assert key_of(other, "Some GPU") != key_of(MBERT, "Some GPU")
    assert key_of(replace(MBERT, precision="bfloat16"), "cpu") != key_of(MBERT, "cpu")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": {}}', '{"a": {"training": 1}}', '{"a": 3}', "\xff"])
def test_a_broken_file_of_speeds_is_no_speeds_and_is_written_anew(content):
    kept_file().parent.mkdir(parents=True)
    kept_file().write_bytes(content.encode("latin-1"))
    assert kept_speeds() == {}
    keep_speeds({"a": Speed(1, 2, 3, 4)})
    assert kept_speeds() == {"a": Speed(1, 2, 3, 4)}


def test_jobs_run_side_by_side_but_none_is_shorter_than_itself():
    job = replace(job_of(False), threads=1)
    alone = Machine(1, 0, "cpu", {}).hours([job])
    assert Machine(4, 0, "cpu", {}).hours([job]) == pytest.approx(alone, rel=0.9)
    assert Machine(1, 0, "cpu", {}).hours([job] * 6) == pytest.approx(6 * alone)
    assert Machine(2, 1, "gpu", {}).hours([job] * 6) == pytest.approx(2 * Machine(2, 2, "gpu", {}).hours([job] * 6))
    assert Machine(8, 0, "cpu", {}).hours([]) == 0


def test_what_is_assumed_is_said_with_the_command_that_measures_it():
    said = forecast(experiment(), on_cluster=False, dry_run=True)
    assert "assumed" in said and "python -m specialize measure" in said
    assert "assumed speed of one data-centre GPU" in forecast(experiment(), on_cluster=True, dry_run=True)
    measured = {
        key_of(shape, Machine.here().device): Speed(1e12, 1e12, 1e12, 1) for shape in Costs(experiment()).shapes()
    }
    keep_speeds(measured)
    assert "at speeds measured here" in forecast(experiment(), on_cluster=False, dry_run=True)


@pytest.mark.parametrize(
    "shape",
    [
        Shape("masked", "transformer", 1, 16, 32, 100, 1, "float32"),
        Shape("pos", "transformer", 2, 24, 32, 100, 1, "bfloat16"),
        Shape("ud", "transformer", 1, 16, 32, 100, 1, "auto"),
        Shape("ner", "transformer", 1, 20, 32, 100, 1, "float32"),
        Shape("pos", "bilstm", 1, 8, 10, 0, 1, "float32"),
        Shape("ud", "highway", 2, 8, 10, 0, 1, "float32"),
    ],
    ids=str,
)
def test_every_kind_of_model_can_be_measured(shape, monkeypatch):
    from specialize.reports import measurement

    monkeypatch.setattr(measurement, "SECONDS", 0)
    measured = measurement.measure([shape])
    assert kept_speeds() == measured
    (speed,) = measured.values()
    assert all(0 < value < math.inf for value in (speed.training, speed.evaluation, speed.updates))


def test_a_large_model_is_measured_in_a_part_of_it():
    from specialize.reports import measurement

    large = replace(MBERT, layers=48, width=1600, inner=6400, pieces=250_000)
    part = measurement._smaller(large)
    assert part.parameters() < 1.5 * measurement.MOST_PARAMETERS
    assert replace(part, layers=48, pieces=250_000) == large
    assert measurement._smaller(MBERT).layers == 12


# -- bytes -------------------------------------------------------------------------------------------------


def test_bytes_to_be_written_count_models_checkpoints_and_texts():
    one = experiment(["wo"], ["mbert", "lapt"], ["pos"])
    written = bytes_to_be_written(one)
    weights = MBERT.parameters() * 4
    assert written["results/pretraining/base/mbert"] == pytest.approx(weights, rel=0.01)
    assert written["results/pretraining/wo/lapt"] == pytest.approx(weights, rel=0.01)
    assert written["results/corpora/wo"] == 10 * 396_000
    assert written["results/finetuning/wo/lapt/pos/seed1"] < 10_000_000
    assert written["checkpoints"] == pytest.approx(4 * weights, rel=0.01)
    one.config["keep_models"] = True
    assert bytes_to_be_written(one)["results/finetuning/wo/lapt/pos/seed1"] > weights * 0.99
    for folder in ("results/pretraining/base/mbert", "results/pretraining/wo/lapt", "results/corpora/wo"):
        Path(folder).mkdir(parents=True)
    left = bytes_to_be_written(one)
    assert not left.keys() & {"results/pretraining/base/mbert", "results/pretraining/wo/lapt", "results/corpora/wo"}
    again = bytes_to_be_written(one, ["results/pretraining/wo/lapt/config.json"])
    assert set(again) == {"results/pretraining/wo/lapt", "checkpoints"}
    json.dumps(written)
