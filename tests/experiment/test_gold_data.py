"""Published gold data as one entry each: what the grid has of it, where it comes from, and what is refused."""

import pytest
from tests.experiment.test_configuration_errors import with_overlay

from specialize.errors import ConfigError
from specialize.experiment.plan import sources_of
from specialize.experiment.treebanks import learned_tasks, listed_publication
from specialize.sources import Publication

GRID = """\
  regimes: [pos, ud, ner, mtl-int, mtl-ups, mtl-int-alt, mtl-ups-alt, pft-mtl-ups-alt-pos, pft-mtl-ups-ner]
  representations: [mbert]
  seeds: [1]
  exceptions: []
"""


def entry(text, tag="xx"):
    """A configuration of one language."""
    return f"languages:\n  {tag}:\n    name: X\n    {text}\nexperiment:\n  languages: [{tag}]\n{GRID}"


WORDS_AND_TAGS = {
    "alone": ("treebank: {masakhapos: wol}", ["pos"]),
    "with entities": (
        "treebank: {masakhapos: wol}\n    ner: {masakhaner: wol}",
        ["pos", "ner", "mtl-int", "mtl-ups", "pft-mtl-ups-ner"],
    ),
    "upos given": ("treebank: {masakhapos: wol, tags: upos}", ["pos"]),
}


@pytest.mark.parametrize("kind", WORDS_AND_TAGS)
def test_words_and_tags_without_trees_have_no_regime_that_parses(tmp_path, kind):
    text, regimes = WORDS_AND_TAGS[kind]
    experiment = with_overlay(tmp_path, entry(text))
    language = experiment.languages["xx"]
    assert [cell.regime for cell in experiment.cells] == regimes
    assert (language.tags, language.has_trees, "ud" in language.tasks) == ("upos", False, False)
    assert "ud" not in learned_tasks(experiment, "xx")


def test_files_of_ones_own_win_over_what_is_published(tmp_path):
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}.conllu").write_text("1\tword\t_\tNOUN\tN\t_\t0\troot\t_\t_\n\n")
        (tmp_path / f"{part}.tsv").write_text("word\tB-X\n\n")
    text = f"treebank: {{masakhapos: wol, folder: {tmp_path}}}\n    ner: {{masakhaner: wol, folder: {tmp_path}}}"
    language = with_overlay(tmp_path, entry(text)).languages["xx"]
    assert (language.tasks, language.tags, sources_of(language)) == (("pos", "ud", "ner"), "xpos", [])


PLACES = {
    "treebank: {masakhapos: wol}": ["masakhapos/wol/train.txt", "masakhapos/wol/dev.txt", "masakhapos/wol/test.txt"],
    "ner: {masakhaner: wol}": ["masakhaner/wol/train.txt", "masakhaner/wol/dev.txt", "masakhaner/wol/test.txt"],
    "ner: {universal: UNER_A-B}": ["universal-ner/UNER_A-B/ud-files.txt"],
    "treebank: {name: UD_A-B, release: r2.17, prefix: a_b}": ["universal-dependencies/UD_A-B/r2.17/a_b-ud-files.txt"],
    "treebank: {name: UD_A-B, release: dev, prefix: a_b}": ["universal-dependencies/UD_A-B/dev/a_b-ud-files.txt"],
    "treebank: {name: UD_A-B, release: r2.5, prefix: a_b}": [
        f"universal-dependencies/UD_A-B/r2.5/a_b-ud-{part}.conllu" for part in ("train", "dev", "test")
    ],
}


@pytest.mark.parametrize("text", PLACES)
def test_each_source_has_its_place_in_a_run(tmp_path, text):
    experiment = with_overlay(tmp_path, entry(text))
    assert [source.destination for source in sources_of(experiment.languages["xx"])] == [
        f"resources/{place}" for place in PLACES[text]
    ]
    for source in sources_of(experiment.languages["xx"]):
        if isinstance(source, Publication):
            section = text.partition(":")[0]
            assert listed_publication(experiment, section, source.destination) == (source, True)


def test_a_list_that_no_entry_means_is_refused(tmp_path):
    experiment = with_overlay(tmp_path, entry("treebank: {masakhapos: wol}"))
    with pytest.raises(ConfigError, match="no treebank is published as resources/x"):
        listed_publication(experiment, "treebank", "resources/x-ud-files.txt")


HASH = "0" * 64
REFUSED = {
    "ner of nothing": ("ner: {broken_labels: refuse}", "ner", "give wikiann, masakhaner, universal, or folder"),
    "ner of two": (
        "ner: {wikiann: wo, masakhaner: wol}",
        "ner.",
        "give one of wikiann, masakhaner",
    ),
    "ner of the two others": (
        "ner: {masakhaner: wol, universal: UNER_A-B}",
        "ner.",
        "give one of masakhaner, universal",
    ),
    "a treebank of two": (
        "treebank: {name: UD_A-B, release: r2.5, prefix: a_b, masakhapos: wol}",
        "treebank.",
        "give one of name, masakhapos",
    ),
    "a treebank of nothing": ("treebank: {tags: upos}", "treebank", "give name, release and prefix, or masakhapos, or"),
    "language-specific tags": ("treebank: {masakhapos: wol, tags: xpos}", "treebank.tags", "has UPOS tags only"),
    "one digest for three files": (
        f"ner: {{masakhaner: wol, sha256: '{HASH}'}}",
        "ner.sha256",
        "a digest for each part",
    ),
    "three digests for an archive": (f"ner: {{wikiann: wo, sha256: {{dev: '{HASH}'}}}}", "ner.sha256", "one digest"),
    "no repository": ("ner: {universal: Danish-DDT}", "ner.universal", "does not match"),
    "no release": ("treebank: {name: UD_A-B, release: main, prefix: a_b}", "treebank.release", "does not match"),
    "half a commit": ("treebank: {name: UD_A-B, release: 0e9f3b87, prefix: a_b}", "treebank.release", "does not match"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_entry_that_cannot_be_meant_is_refused(tmp_path, kind):
    text, key, said = REFUSED[kind]
    with pytest.raises(ConfigError) as caught:
        with_overlay(tmp_path, entry(text))
    message = str(caught.value)
    assert message.startswith(f"languages.xx.{key}")
    assert f"{tmp_path / 'mine.yaml'}, line 4)" in message
    assert said in message


def test_a_later_file_that_names_another_origin_replaces_the_papers(tmp_path):
    wolof, uyghur = "treebank: {masakhapos: wol}, ner: {masakhaner: wol}", "ner: {universal: UNER_A-B}"
    changed = with_overlay(tmp_path, f"languages:\n  wo: {{{wolof}}}\n  ug: {{{uyghur}}}\n")
    assert changed.languages["wo"].entry["treebank"] == {"masakhapos": "wol"}
    assert changed.languages["wo"].tasks == ("pos", "ner")
    assert changed.languages["ug"].entry["ner"] == {"universal": "UNER_A-B"}
    newer = "languages:\n  wo: {treebank: {name: UD_Wolof-WTB, release: r2.17, prefix: wo_wtb}}\n"
    assert with_overlay(tmp_path, newer).languages["wo"].entry["treebank"].keys() == {
        "name",
        "release",
        "prefix",
        "tags",
    }
    same = "languages:\n  wo: {treebank: {name: UD_Wolof-WTB, folds: 10}}\n"
    assert with_overlay(tmp_path, same).languages["wo"].entry["treebank"].keys() > {"sha256", "tags", "folds"}
    digest = "languages:\n  ug: {ner: {wikiann: ug, broken_labels: refuse}}\n"
    assert with_overlay(tmp_path, digest).languages["ug"].entry["ner"]["wikiann"] == "ug"


def test_own_files_win_and_keep_what_the_paper_says_of_tags(tmp_path):
    (tmp_path / "own").mkdir()
    for part in ("train", "dev", "test"):
        (tmp_path / "own" / f"{part}.conllu").write_text("1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n\n")
    own = with_overlay(tmp_path, f"languages:\n  wo: {{treebank: {{folder: {tmp_path / 'own'}}}}}\n")
    assert own.languages["wo"].entry["treebank"]["tags"] == "xpos"
