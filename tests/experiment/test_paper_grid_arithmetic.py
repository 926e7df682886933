"""The paper's grid, counted from what each language has, against what the configuration makes of it."""

from collections import Counter
from pathlib import Path

import pytest
from snakemake.utils import update_config
from tests.conftest import configuration

from specialize.experiment import Experiment

CONFIGURATIONS = Path(__file__).parents[2] / "config"
THREE_TASKS = ("be", "bg", "ga", "mt", "ug", "ur", "vi")
SEEDS = 5
REPRESENTATIONS = 5


def laid_over(*names):
    config = configuration()
    for name in names:
        update_config(config, configuration(name))
    return config


@pytest.fixture(scope="module")
def paper():
    return Experiment(configuration(), [CONFIGURATIONS / "config.yaml"])


def cells_of(experiment, regimes, languages):
    return [cell for cell in experiment.cells if cell.regime in regimes and cell.language in languages]


# Seven languages have all three tasks, Wolof has a treebank only, Meadow Mari named entities only.
ORIGINALS = (*THREE_TASKS, "wo", "mhr")
TWINS = ("ug-Latn", "mhr-Latn")
SINGLE = ("pos", "ud", "ner")
MULTI = ("mtl-int", "mtl-ups", "mtl-int-alt", "mtl-ups-alt")
PREFINETUNED = ("pft-mtl-ups-alt-pos", "pft-mtl-ups-alt-ud", "pft-mtl-ups-alt-ner")


def test_tasks_of_each_language(paper):
    tasks = {tag: set(language.tasks) for tag, language in paper.languages.items()}
    expected = {tag: {"pos", "ud", "ner"} for tag in (*THREE_TASKS, "ug-Latn")}
    expected |= {"wo": {"pos", "ud"}, "mhr": {"ner"}, "mhr-Latn": {"ner"}}
    assert tasks == expected


def test_single_task_cells(paper):
    language_tasks = 3 * len(THREE_TASKS) + 2 + 1
    assert len(cells_of(paper, SINGLE, ORIGINALS)) == language_tasks * REPRESENTATIONS * SEEDS == 600


def test_transliterated_cells(paper):
    language_tasks = 3 + 1  # Uyghur's three, Meadow Mari's one
    assert len(cells_of(paper, SINGLE, TWINS)) == language_tasks * REPRESENTATIONS * SEEDS == 100


def test_multi_task_cells(paper):
    # Four ways where there are three tasks; INT and UPS coincide for Wolof's treebank, so two; one task has none.
    ways = 4 * len(THREE_TASKS) + 2
    assert len(cells_of(paper, MULTI, ORIGINALS)) == ways * REPRESENTATIONS * SEEDS == 750


def test_prefinetuned_cells(paper):
    language_tasks = 3 * len(THREE_TASKS) + 2
    assert len(cells_of(paper, PREFINETUNED, ORIGINALS)) == language_tasks * REPRESENTATIONS * SEEDS == 575


def test_whole_grid(paper):
    assert len(paper.cells) == 600 + 100 + 750 + 575 == 2025
    assert len(paper.single_task_cells) == 600 + 100


def test_no_cell_twice_and_no_two_cells_in_one_folder(paper):
    assert len(set(paper.cells)) == len({cell.folder for cell in paper.cells}) == len(paper.cells)


def test_twins_have_no_multi_task_cells(paper):
    assert {cell.regime for cell in paper.cells if cell.language in TWINS} == set(SINGLE)


def test_wolof_has_upsampling_only_and_meadow_mari_neither(paper):
    regimes = {tag: {cell.regime for cell in paper.cells if cell.language == tag} for tag in ("wo", "mhr")}
    assert regimes["wo"] == {"pos", "ud", "mtl-ups", "mtl-ups-alt", "pft-mtl-ups-alt-pos", "pft-mtl-ups-alt-ud"}
    assert regimes["mhr"] == {"ner"}


def test_seeds_are_the_papers_triples(paper):
    triples = {seed: paper.finetuning("be", "tva", "pos", seed).seeds for seed in range(1, 6)}
    assert triples == {
        1: [1337, 133, 13370],
        2: [337, 33, 3370],
        3: [1537, 153, 15370],
        4: [2460, 246, 24601],
        5: [1279, 127, 12790],
    }


def test_tags_are_xpos_but_upos_for_belarusian(paper):
    with_treebank = [tag for tag, language in paper.languages.items() if "pos" in language.tasks]
    tags = {tag: paper.finetuning(tag, "lapt", "pos", 1).tags for tag in with_treebank}
    assert tags == {tag: "upos" if tag == "be" else "xpos" for tag in with_treebank}


# Batch sizes of mBERT, LAPT and TVA, and after the stroke of the monolingual model.
BATCH_SIZES = {
    "mtl-ups": "be 32/128 bg 32/64 ga 8/32 mt 64/128 ug 64/128 ur 32/16 vi 64/128 wo 64/128",
    "mtl-int-alt": "be 32/128 bg 32/64 ga 8/32 mt 64/128 ug 64/128 ur 32/16 vi 64/128",
    "ner": "be 64/128 bg 32/64 ga 64/128 mhr 128/128 mt 128/128 ug 64/128 ur 32/16 vi 128/128",
    "pos": "be 32/128 bg 64/128 ga 8/64 mt 64/128 ug 64/128 ur 32/128 vi 64/128 wo 64/128",
    "ud": "be 32/128 bg 64/128 ga 8/32 mt 64/128 ug 64/128 ur 32/128 vi 64/128 wo 64/128",
}
BATCH_SIZE_CASES = [
    (language, task, *map(int, pair.split("/")))
    for task, row in BATCH_SIZES.items()
    for language, pair in zip(row.split()[::2], row.split()[1::2], strict=True)
]


@pytest.mark.parametrize(("language", "task", "multilingual", "monolingual"), BATCH_SIZE_CASES)
def test_batch_sizes_are_the_papers(paper, language, task, multilingual, monolingual):
    sizes = {
        representation: paper.finetuning(language, representation, task, 1).batch_size
        for representation in ("mbert", "lapt", "tva", "bert")
    }
    special = 64 if (language, task) == ("be", "ud") else multilingual
    assert sizes == {"mbert": multilingual, "lapt": multilingual, "tva": special, "bert": monolingual}


@pytest.mark.parametrize("task", SINGLE)
@pytest.mark.parametrize("representation", ["mbert", "lapt", "tva", "bert"])
def test_twins_use_the_batch_sizes_of_their_originals(paper, representation, task):
    def sizes(*tags):
        return [paper.finetuning(tag, representation, task, 1).batch_size for tag in tags]

    assert sizes("ug-Latn") == sizes("ug")
    if task == "ner":
        assert sizes("mhr-Latn") == sizes("mhr") == [128]


def test_what_the_table_lacks_gets_the_general_batch_size():
    config = configuration()
    del config["finetuning"]["batch_sizes"]["vi"]["ud"]
    config["finetuning"]["batch_size"] = 17
    experiment = Experiment(config)
    assert experiment.finetuning("vi", "lapt", "ud", 1).batch_size == 17
    assert experiment.finetuning("vi", "lapt", "pos", 1).batch_size == 64


# -- overlays ------------------------------------------------------------------------------------------------

OVERLAYS = sorted(path.name for path in CONFIGURATIONS.glob("*.yaml") if path.name != "config.yaml")


@pytest.fixture
def somewhere(tmp_path):
    """A folder that stands for a mirror."""
    return str(tmp_path)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_is_valid_over_the_papers(overlay, somewhere):
    experiment = Experiment(laid_over(overlay) | {"mirror": somewhere}, [CONFIGURATIONS / overlay])
    assert experiment.cells


@pytest.mark.parametrize("overlay", [name for name in OVERLAYS if name != "as-run.yaml"])
def test_as_run_is_an_overlay_for_any_of_them(overlay, somewhere):
    plain = Experiment(laid_over(overlay) | {"mirror": somewhere})
    as_run = Experiment(laid_over(overlay, "as-run.yaml") | {"mirror": somewhere})
    assert as_run.cells == plain.cells
    settings = as_run.finetuning(as_run.cells[0].language, "lapt", "ner", as_run.cells[0].seed)
    assert settings.schedule == "constant"
    assert settings.heads["ner"]["loss"] == "sum"
    assert settings.order == "round-robin"
    assert not settings.bias_correction
    assert settings.layer_dropout_when_evaluating
    assert not settings.leading_space
    pretraining = as_run.pretraining("tva")
    assert not pretraining.bias_correction
    assert (pretraining.examples, pretraining.tiering) == ("sentence-pairs", "released")


def test_as_run_leaves_the_monolingual_model_its_own_optimizer():
    """Facts 20 and 24: it came from other code, with bias correction and one line an example."""
    as_run = Experiment(laid_over("as-run.yaml"))
    pretraining = as_run.pretraining("bert")
    assert (pretraining.examples, pretraining.bias_correction, pretraining.warmup_steps) == (
        "lines",
        True,
        "epoch",
    )
    assert as_run.finetuning("wo", "bert", "pos", 1).bias_correction
    assert not as_run.finetuning("wo", "mbert", "pos", 1).bias_correction


def test_the_demo_is_small_and_pretrains_its_own_base():
    demo = Experiment(laid_over("demo.yaml"))
    assert 0 < len(demo.cells) <= 36
    assert demo.base_models_used == ("demo",)
    assert demo.pretrained_here("demo")
    seeds = Counter((cell.language, cell.representation, cell.regime) for cell in demo.cells)
    assert seeds == dict.fromkeys(
        [
            ("qad", "mbert", "pos"),
            *(("qad", name, task) for name in ("lapt", "tva") for task in ("pos", "ud", "ner")),
            ("qad", "tva", "mtl-ups-alt"),
            ("qad", "tva", "pft-mtl-ups-alt-pos"),
            ("qad-Latn", "lapt", "pos"),
            ("qae", "lapt", "pos"),
            ("qae", "tva", "pos"),
        ],
        3,
    )
    assert [language.tag for language in demo.needed_languages] == ["qad", "qae", "qaa", "qab", "qac"]


def test_the_papers_grid_pretrains_no_base(paper):
    assert paper.base_models_used == ("mbert",)
    assert not paper.pretrained_here("mbert")
    assert [language.tag for language in paper.needed_languages] == sorted(ORIGINALS)


def test_a_later_exception_wins_over_an_earlier_one():
    config = configuration()
    config["experiment"] |= {
        "languages": ["ug", "wo"],
        "representations": ["mbert", "tva"],
        "regimes": ["pos", "ud"],
        "exceptions": [{"languages": ["ug"], "seeds": [2]}, {"regimes": ["ud"], "seeds": [3, 4]}],
    }
    seeds = {(cell.language, cell.regime): [] for cell in Experiment(config).cells}
    for cell in Experiment(config).cells:
        if cell.representation == "tva":
            seeds[cell.language, cell.regime].append(cell.seed)
    assert seeds == {
        ("ug", "pos"): [2],
        ("ug", "ud"): [3, 4],
        ("wo", "pos"): [1, 2, 3, 4, 5],
        ("wo", "ud"): [3, 4],
    }


def test_cleaning_of_a_twin_is_that_of_its_original():
    config = configuration()
    config["languages"]["ug"]["corpus"]["sample"] = 0.5
    experiment = Experiment(config)
    assert experiment.cleaning("ug-Latn") == experiment.cleaning("ug")
    assert experiment.cleaning("ug").sample == 0.5
    assert experiment.cleaning("ur").sentence_end == "۔ "
    assert experiment.cleaning("be").sentence_end == ""


def test_encoders_come_from_where_they_are_made(paper):
    assert paper.encoder_folder("ug", "mbert") == "results/pretraining/base/mbert"
    assert paper.encoder_folder("ug-Latn", "tva") == "results/pretraining/ug-Latn/tva"
