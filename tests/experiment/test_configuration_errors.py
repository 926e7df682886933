"""A configuration that cannot be run is refused, with the key, the file and the line where it stands."""

import itertools
import json
import re
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from tests.conftest import configuration

from specialize.corpora.settings import CorpusEntry
from specialize.datasets.settings import TreebankEntry
from specialize.errors import ConfigError
from specialize.experiment import Experiment
from specialize.experiment.suggestions import nearest_language, rewritten
from specialize.experiment.treebanks import learned_tasks
from specialize.experiment.yaml_files import ConfigurationFiles
from specialize.settings import schema_of

PAPER = Path(__file__).parents[2] / "config" / "config.yaml"
PAPER_CONFIG = configuration()
SEEDS = PAPER_CONFIG["finetuning"]["seeds"]


def with_overlay(folder, text):
    """The paper's configuration with an overlay that was written to a file."""
    overlay = folder / "mine.yaml"
    overlay.write_text(text, encoding="utf-8")
    config = deepcopy(PAPER_CONFIG)
    update_config(config, yaml.safe_load(text))
    return Experiment(config, [PAPER, overlay])


def assert_refused(folder, text, *expected, key, line):
    with pytest.raises(ConfigError) as caught:
        with_overlay(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert f"{key} ({folder / 'mine.yaml'}, line {line})" in message
    for words in expected:
        assert words in message


@pytest.mark.parametrize(
    ("seeds", "line", "other"),
    [
        ("1: [1, 2, 3]\n    2: [1, 2, 3]", 4, r"finetuning\.seeds\.1 \(\S+mine\.yaml, line 3\)"),
        ("7: [1, 2, 3]\n    8: [3, 2, 1]\n    9: [1, 2, 4]", 5, "seeds.7 "),  # no training draws from the third
        ("7: [0, 1, 2]\n    1: [337, 33, 3370]", 4, r"finetuning\.seeds\.2 \(\S+config\.yaml, line \d+\)"),
        ("6: [1337, 133, 13370]", 3, r"finetuning\.seeds\.1 \(\S+config\.yaml, line \d+\)"),
    ],
)
def test_two_numbers_of_the_same_seeds_are_refused(tmp_path, seeds, line, other):
    number = seeds.split("\n")[line - 3].split(":")[0].strip()
    text = f"finetuning:\n  seeds:\n    {seeds}\n"
    assert_refused(tmp_path, text, "give one of them others", key=f"finetuning.seeds.{number}", line=line)
    with pytest.raises(ConfigError, match=other):
        with_overlay(tmp_path, text)


def test_seeds_that_share_a_number_are_not_the_same(tmp_path):
    with_overlay(tmp_path, "finetuning:\n  seeds: {6: [1, 2, 3], 7: [2, 1, 3], 8: [1, 1, 3], 9: [3, 3, 3]}\n")


def test_words_by_icu_need_its_package_and_are_refused_before_any_job(tmp_path, monkeypatch):
    text = "languages:\n  wo:\n    corpus: {words: icu}\nexperiment: {languages: [wo]}\n"
    assert with_overlay(tmp_path, text).cleaning("wo").words == "icu"
    monkeypatch.setitem(sys.modules, "icu4py", None)
    remedy = ".venv/bin/pip install --editable '.[words]'"
    assert_refused(tmp_path, text, "icu4py", remedy, key="languages.wo.corpus.words", line=3)
    text = text.replace("[wo]", "[mt]")  # what the run does not read is not asked for
    assert with_overlay(tmp_path, text)


MISSPELT = {
    "at the top": ("mirrow: null\n", "mirrow", 1, "mirror"),
    "in a section": ("finetuning:\n  epochs: 3\n  pacience: 4\n", "finetuning.pacience", 3, "patience"),
    "in a section of a section": (
        "finetuning:\n  ner:\n    dropuot: 0.2\n",
        "finetuning.ner.dropuot",
        3,
        "dropout",
    ),
    "in a language": (
        "languages:\n  ug:\n    transliteratoin: {scheme: uyghur}\n",
        "languages.ug.transliteratoin",
        3,
        "transliteration",
    ),
    "in a corpus": ("languages:\n  ug:\n    corpus:\n      sampel: 0.5\n", "languages.ug.corpus.sampel", 4, "sample"),
    "in a representation": (
        "representations:\n  tva: {multiplyer: 3}\n",
        "representations.tva.multiplyer",
        2,
        "multiplier",
    ),
    "in an exception": (
        "experiment:\n  exceptions:\n    - {seeds: []}\n    - seeds: [1]\n      regime: [pos]\n",
        "experiment.exceptions.1.regime",
        5,
        "regimes",
    ),
}


@pytest.mark.parametrize(("text", "key", "line", "meant"), MISSPELT.values(), ids=MISSPELT)
def test_misspelt_key(tmp_path, text, key, line, meant):
    assert_refused(tmp_path, text, "unknown key", f"did you mean {meant}?", key=key, line=line)


UNKNOWN = {
    "language": (
        "experiment:\n  languages: [ug, ug-Latin]\n",
        "experiment.languages",
        2,
        "unknown language 'ug-Latin'",
        "did you mean ug-Latn?",
    ),
    "representation": (
        "experiment:\n  representations: [lapd]\n",
        "experiment.representations",
        2,
        "unknown representation 'lapd'",
        "did you mean lapt?",
    ),
    "regime": (
        "experiment:\n  seeds: [1]\n  regimes: [mtl-usp]\n",
        "experiment.regimes",
        3,
        "unknown task or regime 'mtl-usp'",
        "did you mean mtl-ups?",
    ),
    "seed": (
        "experiment:\n  seeds: [1, 6]\n",
        "experiment.seeds",
        2,
        "unknown seed (finetuning.seeds) 6",
        "known: 1, 2, 3, 4, 5",
    ),
    "base model": (
        "representations:\n  tva:\n    base_model: mbret\n",
        "representations.tva.base_model",
        3,
        "unknown base model 'mbret'",
        "did you mean mbert?",
    ),
    "language of an exception": (
        "experiment:\n  exceptions:\n    - seeds: []\n      languages: [wol]\n",
        "experiment.exceptions.0.languages",
        4,
        "unknown language 'wol'",
        "did you mean wo?",
    ),
}


@pytest.mark.parametrize(("text", "key", "line", "what", "hint"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_name(tmp_path, text, key, line, what, hint):
    assert_refused(tmp_path, text, what, hint, key=key, line=line)


WRONG_TYPE = {
    "text for a number": ("finetuning:\n  epochs: many\n", "finetuning.epochs", 2, "'many'"),
    "number below its bound": ("finetuning:\n  patience: 0\n", "finetuning.patience", 2, "0 is less than"),
    "share above one": ("languages:\n  ug: {corpus: {sample: 1.5}}\n", "languages.ug.corpus.sample", 2, "1.5"),
    "one name for a list": ("experiment:\n  languages: ug\n", "experiment.languages", 2, "'ug'"),
    "unknown method": ("representations:\n  mine:\n    method: magic\n", "representations.mine.method", 3, "'magic'"),
    "two numbers for a triple": ("finetuning:\n  seeds:\n    1: [1, 2]\n", "finetuning.seeds.1", 3, "too short"),
    "text for a switch": ("allow_cpu: perhaps\n", "allow_cpu", 1, "'perhaps'"),
    "a date without quotes": (
        "languages:\n  ug:\n    corpus: {date: 20220301}\n",
        "languages.ug.corpus.date",
        3,
        "20220301 is not of type 'string'",
    ),
    "a date with dashes": (
        "languages:\n  ug:\n    corpus: {date: '2022-03-01'}\n",
        "languages.ug.corpus.date",
        3,
        "'2022-03-01'",
    ),
    "languages of nothing": ("languages:\n", "languages", 1, "None"),
    "a folder of a base model that is not there": (
        "base_models:\n  mine: {folder: /nowhere}\nbase_model: mine\n",
        "base_models.mine.folder",
        2,
        "there is no folder /nowhere",
    ),
    "an entry of nothing": ("languages:\n  xx:\n", "languages.xx", 2, "None"),
}


@pytest.mark.parametrize(("text", "key", "line", "words"), WRONG_TYPE.values(), ids=WRONG_TYPE)
def test_wrong_value(tmp_path, text, key, line, words):
    assert_refused(tmp_path, text, words, key=key, line=line)


def test_a_date_in_quotes_is_taken(tmp_path):
    experiment = with_overlay(tmp_path, 'languages:\n  ug:\n    corpus: {date: "20220301"}\n')
    assert experiment.languages["ug"].entry["corpus"]["date"] == "20220301"


def test_a_key_without_its_file_is_named_all_the_same():
    config = deepcopy(PAPER_CONFIG) | {"colour": "red"}
    with pytest.raises(ConfigError, match="unknown key colour"):
        Experiment(config)


def test_the_file_that_wins_is_the_one_that_is_named(tmp_path):
    first = tmp_path / "first.yaml"
    first.write_text("finetuning: {epochs: three}\n", encoding="utf-8")
    config = deepcopy(PAPER_CONFIG)
    config["finetuning"]["epochs"] = "three"
    with pytest.raises(ConfigError, match=re.escape(f"finetuning.epochs ({first}, line 1)")):
        Experiment(config, [PAPER, first])


def test_a_value_of_the_command_line_is_not_blamed_on_a_file():
    config = deepcopy(PAPER_CONFIG) | {"keep_models": "yes"}
    with pytest.raises(ConfigError, match=re.escape("keep_models (on the command line): 'yes'")):
        Experiment(config, [PAPER])


def test_a_grid_without_labeled_data_is_refused(tmp_path):
    assert_refused(
        tmp_path,
        "experiment:\n  languages: [mhr]\n  regimes: [pos]\n  exceptions: []\n",
        "leaves nothing to run",
        key="experiment",
        line=1,
    )


@pytest.mark.parametrize(("column", "tags"), [(3, "upos"), (4, "xpos")])
def test_a_treebank_without_the_tags_to_learn_is_refused(tmp_path, column, tags):
    columns = ["1", "word", "_", "NOUN", "N", "_", "0", "root", "_", "_"]
    columns[column] = "_"
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}.conllu").write_text("\t".join(columns) + "\n\n", encoding="utf-8")
    treebank = f"languages:\n  wo:\n    treebank: {{folder: '{tmp_path}', tags: TAGS}}\n"
    other = {"upos": "xpos", "xpos": "upos"}[tags]
    assert_refused(
        tmp_path,
        treebank.replace("TAGS", tags),
        f"has no {tags} tags",
        f"tags: {other}",
        key="languages.wo.treebank.folder",
        line=3,
    )
    assert with_overlay(tmp_path, treebank.replace("TAGS", other)).languages["wo"].tags == other


def write_treebank_without(folder, **values):
    """A treebank whose words have nothing in these columns."""
    places = {"form": 1, "upos": 3, "xpos": 4, "head": 6, "deprel": 7}
    columns = ["1", "word", "_", "NOUN", "N", "_", "0", "root", "_", "_"]
    for name, value in values.items():
        columns[places[name]] = value
    for part in ("train", "dev", "test"):
        (folder / f"{part}.conllu").write_text("# text = word\n" + "\t".join(columns) + "\n\n", encoding="utf-8")
    entry = f"languages: {{wo: {{treebank: {{folder: '{folder}'}}}}}}\n"
    return entry + "experiment: {languages: [wo], regimes: [REGIMES]}\n"


COLUMNS_TO_LEARN = {
    "text": ({"form": "_"}, "pos", "pos", "has _ in place of every form: the text is withheld"),
    "heads": ({"head": "_"}, "ud", "pos", "has no heads to learn or to measure on; annotate them, or leave out"),
    "relations": ({"deprel": "_"}, "ud", "pos", "has no relations to learn or to measure on"),
    "relations, empty": ({"deprel": ""}, "mtl-ups", "pos", "has no relations to learn or to measure on"),
    "tags": ({"xpos": "_"}, "mtl-ups-alt", "ud", "has no xpos tags to learn or to measure on; set tags: upos, or"),
    "all tags": ({"xpos": "_", "upos": "_"}, "pft-mtl-ups-ud", "ud", "measure on; leave the regimes that tag out"),
}


@pytest.mark.parametrize(("lacking", "wanting", "free", "problem"), COLUMNS_TO_LEARN.values(), ids=COLUMNS_TO_LEARN)
def test_a_column_is_needed_by_the_regimes_that_learn_it(tmp_path, lacking, wanting, free, problem):
    text = write_treebank_without(tmp_path, **lacking)
    assert_refused(tmp_path, text.replace("REGIMES", wanting), problem, key="languages.wo.treebank.folder", line=1)
    if "form" not in lacking:
        with_overlay(tmp_path, text.replace("REGIMES", free))


def test_an_exception_frees_a_language_from_a_regime(tmp_path):
    text = write_treebank_without(tmp_path, head="_", deprel="_").replace("REGIMES", "pos, ud")
    free = text.replace("regimes:", "exceptions: [{languages: [wo], regimes: [ud], seeds: []}], regimes:")
    assert learned_tasks(with_overlay(tmp_path, free), "wo") == ("pos",)


def test_words_without_tags_at_the_beginning_do_not_speak_for_the_rest(tmp_path):
    text = write_treebank_without(tmp_path, xpos="_").replace("REGIMES", "pos")
    for part in ("train", "dev", "test"):
        path = tmp_path / f"{part}.conllu"
        path.write_text(path.read_text() * 2000 + path.read_text().replace("NOUN\t_", "NOUN\tN"))
    with_overlay(tmp_path, text)


def test_the_tasks_of_a_language_are_those_of_its_twin_too(tmp_path):
    experiment = with_overlay(tmp_path, "experiment: {languages: [ug-Latn, mt], regimes: [pft-mtl-ups-pos]}\n")
    assert learned_tasks(experiment, "ug") == ("pos", "ud", "ner")
    assert learned_tasks(experiment, "wo") == ()


@pytest.mark.parametrize("word", ["true", "false"])
def test_switches_of_a_command_line_are_text(word):
    experiment = Experiment(deepcopy(PAPER_CONFIG) | {"allow_cpu": word})
    assert experiment.config["allow_cpu"] is (word == "true")


# -- mirrors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirror", ["relative/folder", "file:///a/folder", "ftp://host/folder", "~/mirror"])
def test_mirror_that_is_neither_a_path_nor_a_web_address(tmp_path, mirror):
    assert_refused(tmp_path, f"\nmirror: '{mirror}'\n", repr(mirror), "quote it whole", key="mirror", line=2)


def test_mirror_that_is_not_there(tmp_path):
    absent = tmp_path / "absent"
    assert_refused(tmp_path, f'mirror: "{absent}"\n', f"there is no folder {absent}", key="mirror", line=1)


def test_mirror_that_is_no_text(tmp_path):
    assert_refused(tmp_path, "mirror: [one, two]\n", "is not of type 'string'", key="mirror", line=1)


def test_mirrors_that_are_taken(tmp_path):
    for mirror in (str(tmp_path), "https://mirror.example/specialize"):
        assert with_overlay(tmp_path, f'mirror: "{mirror}"\n').config["mirror"] == mirror


# -- own data ----------------------------------------------------------------------------------------------

OWN_LANGUAGE = """\
languages:
  xx:
    name: Own
    corpus: {{text: "{folder}/text.txt"}}
    treebank:
      folder: "{folder}"
    ner:
      folder: "{folder}"
experiment:
  languages: [xx]
"""


def write_own_files(folder):
    for name in (
        "text.txt",
        *(f"{part}.{ending}" for part in ("train", "dev", "test") for ending in ("conllu", "tsv")),
    ):
        (folder / name).write_text("One. Two.\n" if name == "text.txt" else "")


def test_own_files_that_are_there(tmp_path):
    write_own_files(tmp_path)
    experiment = with_overlay(tmp_path, OWN_LANGUAGE.format(folder=tmp_path))
    assert experiment.languages["xx"].tasks == ("pos", "ud", "ner")


@pytest.mark.parametrize(
    ("absent", "key", "line"),
    [
        ("text.txt", "languages.xx.corpus.text", 4),
        ("dev.conllu", "languages.xx.treebank.folder", 6),
        ("test.tsv", "languages.xx.ner.folder", 8),
    ],
)
def test_own_file_that_is_missing(tmp_path, absent, key, line):
    write_own_files(tmp_path)
    (tmp_path / absent).unlink()
    problem = f"there is no file {tmp_path / absent}"
    assert_refused(tmp_path, OWN_LANGUAGE.format(folder=tmp_path), problem, key=key, line=line)


@pytest.mark.parametrize(
    ("there", "problem"),
    [
        ({"xx_own-ud-dev.conllu"}, "dev.conllu; name xx_own-ud-dev.conllu so"),
        (
            set(),
            "dev.conllu; give the treebank folds: 10 for cross-validation over what there is",
        ),
    ],
)
def test_a_part_that_is_missing_comes_with_what_to_do(tmp_path, there, problem):
    write_own_files(tmp_path)
    (tmp_path / "dev.conllu").unlink()
    for name in there:
        (tmp_path / name).touch()
    own = OWN_LANGUAGE.format(folder=tmp_path)
    assert_refused(tmp_path, own, problem, key="languages.xx.treebank.folder", line=6)


def test_two_files_of_one_part(tmp_path):
    write_own_files(tmp_path)
    (tmp_path / "x-ud-dev.iob2").touch()
    problem = f"{tmp_path} has dev.tsv and x-ud-dev.iob2 for dev; leave one of them there"
    assert_refused(tmp_path, OWN_LANGUAGE.format(folder=tmp_path), problem, key="languages.xx.ner.folder", line=8)


INCOMPLETE = {
    "nothing to measure on": (
        "languages:\n  xx: {name: X}\nexperiment: {languages: [xx]}\n",
        "languages.xx",
        2,
        "has no corpus, no treebank and no named entities",
    ),
    "a dump without a date": (
        "languages:\n  xx:\n    name: X\n    ner: {wikiann: xx}\n    corpus: {wikipedia: xx}\n"
        "experiment: {languages: [xx]}\n",
        "languages.xx.corpus",
        5,
        "give wikipedia with date, or text",
    ),
    "a treebank without a release": (
        "languages:\n  xx:\n    name: X\n    treebank: {name: UD_X-X, prefix: x}\nexperiment: {languages: [xx]}\n",
        "languages.xx.treebank",
        4,
        "give name, release and prefix, or masakhapos, or folder",
    ),
}


@pytest.mark.parametrize(("text", "key", "line", "words"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_language_that_lacks_something(tmp_path, text, key, line, words):
    assert_refused(tmp_path, text, words, key=key, line=line)


def test_language_without_a_name(tmp_path):
    assert_refused(tmp_path, "languages:\n  xx: {ner: {wikiann: xx}}\n", "'name'", key="languages.xx", line=2)


# -- base models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origins",
    [
        f"{{hub: some/model, revision: {'a' * 40}, folder: here}}",
        "{mirror: true, folder: here}",
        "{license: mit}",
        "{hub: some/model}",
        f"{{folder: here, revision: {'a' * 40}}}",
    ],
)
def test_base_model_needs_exactly_one_origin(tmp_path, origins):
    text = f"base_models:\n  mine: {origins}\n"
    assert_refused(tmp_path, text, "give one of hub (with revision)", key="base_models.mine", line=2)


def test_base_model_of_a_mirror_needs_a_mirror(tmp_path):
    text = "base_models:\n  mine: {mirror: true}\nbase_model: mine\n"
    assert_refused(tmp_path, text, "give --config mirror=", key="base_models.mine", line=2)
    assert with_overlay(tmp_path, text + f'mirror: "{tmp_path}"\n').cells


def test_base_model_of_a_mirror_that_no_cell_uses_needs_none(tmp_path):
    assert with_overlay(tmp_path, "base_models:\n  mine: {mirror: true}\n").config["mirror"] is None


SMALL_BASE = (
    "base_models: {small: {pretrain: {languages: [LANGUAGE], vocabulary_size: 500, unused_slots: 9, architecture: "
    "{hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 8}, training: {TRAINING: 3}}}}\n"
)


def small_base(**changes):
    entry = yaml.safe_load(SMALL_BASE.replace("LANGUAGE", "be").replace("TRAINING", "epochs"))
    entry["base_models"]["small"]["pretrain"] |= changes
    return {key: value for key, value in entry["base_models"]["small"]["pretrain"].items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tokenizer": "here"}, "give one of vocabulary_size, tokenizer"),
        ({"vocabulary_size": None}, "give one of vocabulary_size, tokenizer"),
        ({"vocabulary": "byte-level"}, "only a learned wordpiece vocabulary gets free slots"),
        ({"vocabulary_size": None, "tokenizer": "here"}, "only a learned wordpiece vocabulary gets free slots"),
        ({"model_type": "deberta-v2"}, "model_type"),
        ({"vocabulary_size": None, "unused_slots": 0, "tokenizer": "TMP/none"}, "there is no "),
        ({"vocabulary_size": None, "unused_slots": 0, "tokenizer": "TMP/list"}, "is not a tokenizer"),
        ({"vocabulary_size": None, "unused_slots": 0, "tokenizer": "TMP/words"}, "holds a WordLevel vocabulary"),
    ],
)
def test_a_base_model_made_here_has_one_vocabulary(tmp_path, changes, said):
    for name, content in (
        ("list", "[]"),
        ("words", '{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tokenizer.json").write_text(content)
    changes = {
        key: str(value).replace("TMP", str(tmp_path)) if key == "tokenizer" else value for key, value in changes.items()
    }
    text = yaml.safe_dump({"base_models": {"small": {"pretrain": small_base(**changes)}}, "base_model": "small"})
    with pytest.raises(ConfigError, match=said):
        with_overlay(tmp_path, text)


@pytest.mark.parametrize(
    ("config", "method", "said"),
    [
        ({"model_type": "t5"}, "adapt", "is of a t5 model; supported are the architectures BERT, "),
        ({"model_type": "bert", "is_decoder": True}, "base", "has is_decoder: true"),
        ({"model_type": "deberta-v2", "relative_attention": True}, "adapt", "DeBERTa-v3 was trained to tell"),
        ({"model_type": "deberta-v2", "relative_attention": True}, "base", None),
        ({"model_type": "xlm-roberta"}, "adapt", None),
        (
            {"model_type": "xlm-roberta", "tokenizer": False},
            "adapt",
            "by a Python that has transformers, sentencepiece",
        ),
    ],
)
@pytest.mark.parametrize("place", ["folder", "mirror"])
def test_a_base_model_here_that_is_not_supported_is_refused_at_the_start(tmp_path, place, config, method, said):
    folder = tmp_path / ("own" if place == "folder" else "models/mine")
    folder.mkdir(parents=True)
    if config.get("tokenizer", True):
        (folder / "tokenizer.json").touch()
    (folder / "config.json").write_text(json.dumps(config))
    origin = f"folder: {folder}" if place == "folder" else "mirror: true"
    text = f"mirror: {tmp_path}\nbase_models:\n  mine: {{{origin}}}\nbase_model: mine\n"
    text += f"representations: {{x: {{method: {method}}}}}\nexperiment: {{representations: [x]}}\n"
    if said is None:
        assert with_overlay(tmp_path, text).cells
    else:
        assert_refused(tmp_path, text, said, key="base_models.mine", line=3)


REFUSED_FOR_LATER_STAGES = {
    "a misspelt key of a base model's training": (
        SMALL_BASE.replace("LANGUAGE", "be").replace("TRAINING", "epocs"),
        "epocs",
    ),
    "a base model's language without text": (
        SMALL_BASE.replace("LANGUAGE", "ug-Latn").replace("TRAINING", "epochs"),
        "ug-Latn",
    ),
    "transliteration without its language": (
        "languages: {be: {transliteration: {scheme: transliterate}}}\n",
        "language",
    ),
    "a language that the package lacks": (
        "languages: {be: {transliteration: {scheme: transliterate, language: xx}}}\n",
        "xx",
    ),
    "an entry in place of a twin": ("languages: {ug-Latn: {name: Uyghur in Latin}}\n", "ug-Latn"),
    "shares that leave nothing": ("corpora: {validation_share: 0.5, test_share: 0.5}\n", "test_share"),
    "entities from nowhere": ("languages: {wo: {ner: {}}}\n", "languages.wo.ner"),
    "a tag that YAML reads as a truth value": ("languages: {no: {name: Norwegian}}\n", "quote"),
    "adaptation without text": (
        "experiment: {languages: [new], representations: [lapt], regimes: [pos]}\n"
        "languages: {new: {name: New, treebank: {name: UD_New-X, release: r1, prefix: new_x}}}\n",
        "lapt needs a corpus",
    ),
    "a switch that is a list": ("allow_cpu: [1]\n", "allow_cpu"),
    "sequences longer than the base model's": (
        SMALL_BASE.replace("LANGUAGE", "be")
        .replace("TRAINING", "epochs")
        .replace("_size: 8}", "_size: 8, max_position_embeddings: 64}")
        + "base_model: small\n",
        r"base_model \(.*mine.yaml, line 2\): sequence_length 128 is more than the 64 positions of base model small",
    ),
    "a date that was not resolved": ("languages: {ug: {corpus: {date: latest}}}\n", "resolve-dates"),
    "batch sizes of a language that there is not": (
        "finetuning: {batch_sizes: {gu: {pos: 8}}}\n",
        "finetuning.batch_sizes.*unknown language 'gu'; known: be",
    ),
    "a tag that leaves its folder": ("languages: {../up: {name: Up}}\n", r"languages\.\.\./up .*does not match"),
    "a tag that is the folder of base models": ("languages: {base: {name: Base}}\n", "base is taken"),
    "a representation that leaves its folder": ("representations: {a/b: {method: base}}\n", "does not match"),
    "a path that Snakemake would read as a pattern": (
        "languages: {ug: {treebank: {folder: '/a/{b}'}}}\n",
        "languages.ug.treebank.folder",
    ),
    "text in no file": ("languages: {ug: {corpus: {text: ''}}}\n", "languages.ug.corpus.text"),
}
STANDS_TWICE = {
    "a key": ("finetuning:\n  epochs: 3\n  patience: 4\n  epochs: 5\n", 4, "key epochs stands in line 2 already"),
    "a section": ("languages: {}\n\nlanguages: {}\n", 3, "key languages stands in line 1 already"),
    "a language": ("languages:\n  ug: {}\n  ug: {}\n", 3, "key ug stands in line 2 already"),
}


@pytest.mark.parametrize(("text", "line", "problem"), STANDS_TWICE.values(), ids=STANDS_TWICE)
def test_what_stands_twice_is_refused_with_both_lines(tmp_path, text, line, problem):
    with pytest.raises(ConfigError, match=rf"mine\.yaml, line {line}: {problem}; remove one"):
        with_overlay(tmp_path, text)


HINTS = {
    "a number in quotes": ("finetuning: {learning_rate: '5.0e-3'}\n", "a number stands without quotes"),
    "an exponent in quotes": ('pretraining: {warmup_steps: "1e3"}\n', r"mine.yaml, line 1\): .*without quotes"),
    "a date without quotes": ("languages: {ug: {corpus: {date: 20220301}}}\n", "put it in quotes"),
    "no number": ("finetuning: {learning_rate: .nan}\n", "nan is not a number to calculate with"),
    "a number without end": ("finetuning: {seeds: {1: [1, 2, .inf]}}\n", "inf is not a number"),
}


@pytest.mark.parametrize(("text", "hint"), HINTS.values(), ids=HINTS)
def test_what_yaml_reads_otherwise_gets_a_hint(tmp_path, text, hint):
    with pytest.raises(ConfigError, match=hint):
        with_overlay(tmp_path, text)


def test_files_are_read_as_the_workflow_merges_them(tmp_path):
    overlay = tmp_path / "mine.yaml"
    text = "experiment: {languages: [wo]}\nfinetuning:\n  epochs: 3\n  seeds: {1: [1, 2, 3]}\n"
    assert Experiment.read([PAPER]).config == Experiment(PAPER_CONFIG).config
    expected = with_overlay(tmp_path, text)
    assert Experiment.read([PAPER, overlay]).config == expected.config


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\n", "mine.yaml, line 2: is not YAML"),
        ("- a\n", "mine.yaml, line 1: is not a mapping"),
        ("a: &x [*x]\n", "line 1: an alias here refers to what holds it"),
        ("a: 1\n? [b]\n: 2\n", "line 2: a key is not plain text"),
        ("a: 2020-99-99\n", "line 1: cannot be read"),
        ("[" * 5000, "nested too deeply"),
        ("a: 1\nb: \x00\n", "line 2: has a character that YAML does not allow"),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_line(tmp_path, text, problem):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        Experiment.read([PAPER, path])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read"):
        Experiment.read([PAPER, tmp_path / "gone.yaml"])


def test_a_language_with_text_alone_is_adapted_and_nothing_else(tmp_path):
    text = (
        "experiment: {languages: [new, wo], representations: [mbert, lapt, fasttext], regimes: [pos], exceptions: []}\n"
        "languages: {new: {name: New, corpus: {text: PATH}}}\n"
    )
    (tmp_path / "text.txt").write_text("One. Two.\n")
    experiment = with_overlay(tmp_path, text.replace("PATH", str(tmp_path / "text.txt")))
    assert {cell.language for cell in experiment.cells} == {"wo"}
    assert experiment.vocabularies == (("wo", "mbert"), ("wo", "lapt"), ("new", "mbert"), ("new", "lapt"))
    assert experiment.adaptations == (("wo", "lapt"), ("new", "lapt"))
    assert experiment.base_models_used == ("mbert",)


def test_a_monolingual_model_needs_no_base_model(tmp_path):
    experiment = with_overlay(tmp_path, "experiment: {languages: [wo], representations: [bert], regimes: [pos]}\n")
    assert experiment.base_models_used == ()
    assert experiment.vocabularies == experiment.adaptations == (("wo", "bert"),)


@pytest.mark.parametrize("entry", ["{method: scratch}", "{method: adapt, vocabulary: {size: 500, min_frequency: 2}}"])
def test_vocabulary_and_architecture_belong_to_a_monolingual_model(tmp_path, entry):
    with pytest.raises(ConfigError, match=r"representations\.own.*line 1.*belong to method scratch"):
        with_overlay(tmp_path, f"representations: {{own: {entry}}}\n")


@pytest.mark.parametrize(
    ("text", "place", "positions"),
    [
        ("representations: {bert: {training: {sequence_length: 513}}}\n", "representations.bert.training", 512),
        ("pretraining: {sequence_length: 600}\n", "pretraining", 512),
    ],
)
def test_sequences_longer_than_a_monolingual_model_takes_are_refused(tmp_path, text, place, positions):
    grid = "experiment: {languages: [wo], representations: [bert], regimes: [pos]}\n"
    with pytest.raises(ConfigError, match=rf"^{place}\.sequence_length \(.*, line 2\).*{positions} positions"):
        with_overlay(tmp_path, grid + text)


@pytest.mark.parametrize(("text", "word"), REFUSED_FOR_LATER_STAGES.values(), ids=REFUSED_FOR_LATER_STAGES.keys())
def test_what_would_only_fail_in_a_job_is_refused_at_once(tmp_path, text, word):
    with pytest.raises(ConfigError, match=word):
        with_overlay(tmp_path, text)


@pytest.mark.parametrize("written", ["5e-3", "+5E-3", ".5e-2", "5.e-3", "0.005"])
@pytest.mark.parametrize(
    "key",
    [
        "pretraining: {learning_rate: NUMBER}",
        "finetuning: {ud: {dropout: NUMBER}}",
        "representations: {lapt: {training: {weight_decay: NUMBER}}}",
        "representations: {lapt: {finetuning: {learning_rate: NUMBER}}}",
        "representations: {tva: {multiplier: NUMBER}}",
        "languages: {ug: {corpus: {sample: NUMBER}}}",
        "corpora: {test_share: NUMBER}",
    ],
)
def test_a_number_with_an_exponent_is_a_number_in_every_field(tmp_path, key, written):
    def flat(value):
        return [item for inner in value.values() for item in flat(inner)] if isinstance(value, dict) else [value]

    config = with_overlay(tmp_path, key.replace("NUMBER", written)).config
    for name in yaml.safe_load(key):
        value = config[name]
    assert 0.005 in flat(value)


def test_a_whole_number_with_an_exponent_is_an_integer_where_one_is_wanted(tmp_path):
    experiment = with_overlay(tmp_path, "pretraining: {warmup_steps: 1e3, batch_size: 4e1}\n")
    settings = experiment.pretraining("tva")
    assert (settings.warmup_steps, settings.batch_size) == (1000, 40)
    settings = with_overlay(tmp_path, "pretraining: {warmup_steps: 1.0e+3, epochs: 3.0}\n").pretraining("tva")
    assert (settings.warmup_steps, settings.epochs) == (1000, 3)
    with pytest.raises(ConfigError, match=r"mine.yaml, line 1\): 4.5 is not of type 'integer'"):
        with_overlay(tmp_path, "pretraining: {batch_size: 45e-1}\n")


# -- who is to blame, and what was meant ---------------------------------------------------------------------


BLAMED = {
    "the model of all": ("base_model: mini\n", "base_model", 1, "unknown base model 'mini'"),
    "shares": ("corpora:\n  validation_share: 0.999\n", "corpora.validation_share", 2, "the shares leave no text"),
    "a language without text": (
        "experiment:\n  languages: [xx]\nlanguages:\n"
        "  xx: {name: X, treebank: {name: UD_X-Y, release: r2.5, prefix: x_y}}\n",
        "languages.xx",
        4,
        "needs a corpus, and xx has none",
    ),
}


@pytest.mark.parametrize(("text", "key", "line", "words"), BLAMED.values(), ids=BLAMED)
def test_a_mistake_of_ones_own_file_is_not_blamed_on_ours(tmp_path, text, key, line, words):
    assert_refused(tmp_path, text, words, key=key, line=line)


MEANT = [
    ("name", "UD_Wolof_WTB", "UD_Wolof-WTB"),
    ("name", "UD-Wolof-WTB", "UD_Wolof-WTB"),
    ("name", "ud_wolof-wtb", "UD_Wolof-WTB"),
    ("name", "Wolof-WTB", "UD_Wolof-WTB"),
    ("name", "UD_Old-East-Slavic-TOROT", "UD_Old_East_Slavic-TOROT"),
    ("name", "https://github.com/UniversalDependencies/UD_Wolof-WTB.git", "UD_Wolof-WTB"),
    ("name", "UD_Wolof", ""),
    ("prefix", "wo-wtb", "wo_wtb"),
    ("prefix", "WO_WTB", "wo_wtb"),
    ("prefix", "wo_wtb-ud", "wo_wtb"),
    ("prefix", "wo_wtb-ud-train.conllu", "wo_wtb"),
    ("release", "2.5", "r2.5"),
    ("release", "v2.5", "r2.5"),
    ("release", "UD 2.5", "r2.5"),
    ("date", "2022-03-01", "20220301"),
    ("date", "March", ""),
    ("wikipedia", "WO", "wo"),
    ("wikipedia", "zh_min_nan", "zh-min-nan"),
]


@pytest.mark.parametrize(("key", "value", "meant"), MEANT)
def test_a_name_that_is_written_otherwise_gets_a_suggestion(key, value, meant):
    section = CorpusEntry if key in ("date", "wikipedia") else TreebankEntry
    pattern = schema_of(section)["properties"][key]["pattern"]
    assert not re.search(pattern, value)
    assert rewritten(key, value, pattern) == (f"; did you mean {meant}?" if meant else "")


@pytest.mark.parametrize("word", ["wo-wtb", "UD_Wolof_WTB", "Wolof", "WO", "wo_wtb"])
def test_a_language_is_known_by_its_name_too(paper, word):
    assert nearest_language(word, paper.languages) == "; did you mean wo?"


def test_suggestions_stand_in_the_message(tmp_path):
    text = "languages:\n  wo:\n    treebank: {name: UD_Wolof_WTB, release: 2.5, prefix: wo-wtb}\n"
    for wrong, right in (("UD_Wolof_WTB", "UD_Wolof-WTB"), ("wo-wtb", "wo_wtb"), ("2.5", '"r2.5"')):
        with pytest.raises(ConfigError, match=rf"mine.yaml, line 3\): .*'?{wrong}.*{right}"):
            with_overlay(tmp_path, text)
        text = text.replace(wrong, right)
    with_overlay(tmp_path, text)
    text = "experiment:\n  languages: [wo-wtb]\n"
    assert_refused(tmp_path, text, "unknown language 'wo-wtb'; did you mean wo?", key="experiment.languages", line=2)


# -- keys that are equal after quoting, and the command line -------------------------------------------------


@pytest.fixture(scope="module")
def paper():
    return Experiment(deepcopy(PAPER_CONFIG))


def as_snakemake_merges(*files, command_line=None):
    """The configuration that Snakemake gives the workflow: the user's files first, the workflow's own, both again."""
    own = {}
    for file in files:
        update_config(own, yaml.safe_load(file.read_text()))
    update_config(own, command_line or {})
    config = deepcopy(own)
    update_config(config, deepcopy(PAPER_CONFIG))
    update_config(config, own)
    return config


@pytest.mark.parametrize("keys", [*itertools.product(["1", '"1"'], repeat=3), ("'1'", "1", "'1'")], ids=" ".join)
def test_a_quoted_number_is_the_same_key(tmp_path, keys):
    given = {"finetuning": {"seeds": {"1": ["4", "5", "6"]}}}  # text, as Snakemake reads it on the command line
    files = []
    for number, key in enumerate(keys, start=1):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(f"finetuning: {{seeds: {{{key}: [7, 8, {number}]}}}}\n")
    for command_line, expected in ((None, [7, 8, 3]), (given, ["4", "5", "6"])):
        merged = as_snakemake_merges(*files, command_line=command_line)
        seeds = ConfigurationFiles(files, command_line).with_text_keys(merged)["finetuning"]["seeds"]
        assert list(seeds.items()) == [("1", expected), *((str(number), SEEDS[number]) for number in range(2, 6))]


def test_entries_whose_names_are_numbers_are_merged(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("base_models: {2024: {license: mit, folder: /a}}\n")
    second.write_text("base_models: {'2024': {folder: /b}}\n")
    merged = ConfigurationFiles([first, second]).with_text_keys(as_snakemake_merges(first, second))
    assert merged["base_models"]["2024"] == {"license": "mit", "folder": "/b"}


def test_two_values_of_which_nobody_says_which_counts_are_refused():
    config = {"finetuning": {"seeds": {1: [1, 2, 3], "1": [7, 8, 9]}}}
    with pytest.raises(ConfigError, match=r"^finetuning.seeds.1: stands twice, as a number and as text in quotes"):
        Experiment(config)


COMMAND_LINES = {
    "a list": (
        {"experiment": {"seeds": "5"}},
        "experiment.seeds (on the command line): '5' is not of type 'array'; "
        "within a value of --config, Snakemake takes all for text: put this in a file",
    ),
    "a misspelt key": ({"finetuning": {"epoch": "5"}}, "finetuning.epoch (on the command line); did you mean epochs?"),
    "as in the file": ({"finetuning": {"epochs": "many"}}, "finetuning.epochs (on the command line): 'many'"),
    "a number for text": ({"base_model": 7}, "quote it for Snakemake too: --config 'base_model=\"7\"'"),
}


@pytest.mark.parametrize(("command_line", "said"), COMMAND_LINES.values(), ids=COMMAND_LINES)
def test_a_mistake_of_the_command_line_is_blamed_on_it(tmp_path, command_line, said):
    own = tmp_path / "mine.yaml"
    own.write_text("experiment: {seeds: [1]}\nfinetuning: {epochs: 3}\n")
    with pytest.raises(ConfigError, match=re.escape(said)):
        Experiment(as_snakemake_merges(own, command_line=command_line), [PAPER, own], command_line)


def test_values_within_a_value_of_the_command_line_count(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("experiment: {seeds: [1]}\nfinetuning: {epochs: 3}\n")
    command_line = {
        "experiment": {"seeds": ["1", "2"]},
        "finetuning": {"epochs": "4", "ud": {"dropout": "0.25", "single_root": "false"}},
    }
    config = Experiment(as_snakemake_merges(own, command_line=command_line), [PAPER, own], command_line).config
    assert config["experiment"]["seeds"] == [1, 2]
    assert (config["finetuning"]["epochs"], config["finetuning"]["ud"]["dropout"]) == (4, 0.25)
    assert config["finetuning"]["ud"]["single_root"] is False


@pytest.mark.parametrize("kind", [str, Path, lambda path: [path], lambda path: [str(PAPER), path]])
def test_one_file_is_read_over_the_papers(tmp_path, monkeypatch, kind):
    (tmp_path / "file.yaml").write_text("experiment: {languages: [wo]}\nfinetuning: {epochs: 3}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("specialize.experiment.experiment.checked", lambda config, files: config)  # takes long
    experiment = Experiment.read(kind("file.yaml"))
    assert experiment.config["finetuning"]["epochs"] == 3
    assert experiment.place(["finetuning", "epochs"]) == "finetuning.epochs (file.yaml, line 2)"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{method: adapt, growth: replace}", "belongs to method adapt with pieces"),
        ("{method: base, growth: augment}", "leave growth out"),
        ("{method: adapt, pieces: all, growth: replace}", "give pieces: 99, or growth: augment"),
    ],
)
def test_pieces_give_way_to_a_number_of_new_ones_only(tmp_path, entry, expected):
    assert_refused(
        tmp_path, f"representations:\n  other: {entry}\n", expected, key="representations.other.growth", line=2
    )
    given = with_overlay(tmp_path, "representations:\n  other: {method: adapt, pieces: 99, growth: replace}\n")
    assert given.representations["other"].growth == "replace"
    assert given.representations["tva"].growth == "augment"


@pytest.mark.parametrize(
    ("entry", "expected", "key"),
    [
        ("{method: base, pieces: 5}", "belongs to method adapt, and this one is base; leave it out", "pieces"),
        ("{method: base, multiplier: 5}", "belongs to method adapt", "multiplier"),
        ("{method: base, training: {epochs: 5}}", "belongs to method adapt or scratch", "training"),
        ("{method: adapt, multiplier: 5}", "other has none; give pieces, or leave it out", "multiplier"),
        (
            "{method: adapt, training: {tiering: rows}}",
            "pieces that learn faster, and other has none",
            "training.tiering",
        ),
    ],
)
def test_no_key_is_passed_over_in_silence(tmp_path, entry, expected, key):
    text = f"representations:\n  other: {entry}\n"
    assert_refused(tmp_path, text, expected, key=f"representations.other.{key}", line=2)


def test_what_says_that_nothing_is_added_is_no_error(tmp_path):
    with_overlay(tmp_path, "representations:\n  other: {method: base, pieces: 0, multiplier: 1, training: {}}\n")


TRIMMED = """\
representations:
  small: {method: trim, of: lapt}
  small-base: {method: trim, of: mbert}
  small-bert: {method: trim, of: bert, batch_size: 3}
"""


@pytest.mark.parametrize(
    ("entry", "expected", "key"),
    [
        ("{method: trim}", "of belongs to method trim, and to each of its representations", ""),
        ("{method: base, of: lapt}", "of belongs to method trim", ""),
        ("{method: trim, of: labt}", "unknown representation 'labt'; did you mean lapt?", ".of"),
        ("{method: trim, of: other}", "other is trimmed itself; name one of method base, adapt or scratch", ".of"),
        ("{method: trim, of: fasttext}", "fasttext has no wordpieces", ".of"),
        ("{method: trim, of: lapt, pieces: 5}", "which has its own pieces; leave pieces out", ".pieces"),
        ("{method: trim, of: lapt, base_model: mbert}", "leave base_model out", ".base_model"),
        ("{method: trim, of: lapt, multiplier: 5}", "leave multiplier out", ".multiplier"),
        ("{method: trim, of: tva, growth: replace}", "leave growth out", ".growth"),
        ("{method: trim, of: lapt, training: {epochs: 5}}", "leave training out", ".training"),
    ],
)
def test_a_trimmed_representation_is_the_model_of_another(tmp_path, entry, expected, key):
    text = f"representations:\n  other: {entry}\n"
    assert_refused(tmp_path, text, expected, key=f"representations.other{key}", line=2)


def test_what_a_trimmed_representation_needs_is_made(tmp_path):
    grid = "experiment: {languages: [mt], representations: [small, small-base, small-bert, va]}\n"
    given = with_overlay(tmp_path, TRIMMED + grid)
    names = ("small", "small-base", "small-bert", "va")
    assert given.vocabularies == tuple(("mt", name) for name in names)
    assert given.adaptations == (("mt", "lapt"), ("mt", "bert"), ("mt", "va"))
    assert given.own_models == (*given.adaptations, *(("mt", name) for name in names[:3]))
    assert given.base_models_used == ("mbert",) and given.is_adapted("mbert")
    assert [given.representations[name].base_model for name in names[:3]] == ["mbert", "mbert", ""]
    assert given.encoder_folder("mt", "small-base") == "results/pretraining/mt/small-base"
    both = [given.finetuning("mt", name, "pos", 1).job_parameters() for name in ("bert", "small-bert")]
    assert both[0] | {"batch_size": 3} == both[1] and both[0]["batch_size"] != 3
    assert given.finetuning("mt", "small", "ud", 1) == given.finetuning("mt", "lapt", "ud", 1)
    assert not given.sweep and given.piece_choice("small") is None
    asked = with_overlay(tmp_path, f"{TRIMMED}vocabularies: {{other_languages: [vi, mt]}}\n{grid}")
    assert asked.other_languages("mt", "small") == ["vi"] and asked.other_languages("mt", "lapt") == []
    assert "vi" in [language.tag for language in asked.needed_languages]


# -- what looks like something else ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected", "key", "line"),
    [
        ("experiment:\n  languages: wo\n", "write a list: [wo]", "experiment.languages", 2),
        ("experiment:\n  seeds: 2\n", "write a list: [2]", "experiment.seeds", 2),
        ("languages:\n  wo:\n    corpus: wo\n", "write its keys under it", "languages.wo.corpus", 3),
        ("languages:\n  wo:\n    corpus:\n", "write its keys under it", "languages.wo.corpus", 3),
        ("languages:\n  wo:\n    corpus: {date: 2022-03-01}\n", 'write "20220301"', "languages.wo.corpus.date", 3),
        ("languages:\n  qaa: {script: Latin}\n", "add name: …", "languages.qaa", 2),
        ("languages:\n  WO: {name: Wolof}\n", "write wo", "languages.WO", 2),
        (
            "languages:\n  wo:\n    corpus: {text: mine.txt, wikipedia: wo}\n",
            "text takes the place of the Wikipedia",
            "languages.wo.corpus.text",
            3,
        ),
    ],
)
def test_the_message_says_what_to_write(tmp_path, text, expected, key, line):
    assert_refused(tmp_path, text, expected, key=key, line=line)


def test_a_text_of_ones_own_does_not_have_the_number_of_tokens_of_another(tmp_path):
    (tmp_path / "mine.txt").write_text("a b\n", encoding="utf-8")
    text = f"languages:\n  wo:\n    corpus: {{text: {tmp_path / 'mine.txt'}}}\n"
    assert "tokens" not in with_overlay(tmp_path, text).languages["wo"].entry
    assert with_overlay(tmp_path, f"{text}    tokens: 5\n").languages["wo"].entry["tokens"] == 5
    dated = with_overlay(tmp_path, 'languages:\n  wo:\n    corpus: {date: "20220301"}\n')
    assert dated.languages["wo"].entry["tokens"] == PAPER_CONFIG["languages"]["wo"]["tokens"]
