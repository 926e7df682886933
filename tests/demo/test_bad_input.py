"""Bad input is refused with one clear line, before any long job starts, and nothing that was finished is lost."""

import shutil
import tarfile

import pytest
import yaml
from tests.conftest import DEMO_MIRROR, ROOT, copy_of_run, run_snakemake
from tokenizers import Tokenizer, models

from specialize.files import file_hash

LONG_RULES = ("pretrain_base", "adapt", "finetune", "finetune_ner", "finetune_multi_task", "finetune_multi_task_ner")
TREEBANK = "universal-dependencies/UD_Ondurese-Demo/r1"
DUMP = "wikipedia/{0}wiki/20200101/{0}wiki-20200101-pages-articles.xml.bz2"


@pytest.fixture
def mirror(demo, tmp_path):
    """A copy of the demo's mirror, on a path with spaces."""
    return shutil.copytree(DEMO_MIRROR, tmp_path / "a mirror, copied")


@pytest.fixture
def run(demo, tmp_path):
    """A run that has downloaded everything; a test takes away what it damages in the mirror."""
    return copy_of_run(demo, tmp_path / "run", "resources")


def overlay(tmp_path, **settings):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def refused(run, mirror, *overlays):
    """Run everything; the lines of its output, having made sure that it failed before any long job."""
    configs = ["--configfile", ROOT / "config/demo.yaml", *overlays]
    finished = run_snakemake(run, "all", *configs, "--config", f'mirror="{mirror}"')
    output = finished.stdout + finished.stderr
    assert finished.returncode != 0, output
    assert not any(f"rule {rule}:" in output for rule in LONG_RULES), output
    return output.splitlines()


def assert_one_line(lines, *parts):
    assert any(all(part in line for part in parts) for line in lines), "\n".join(lines)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"finetuning": {"epoch": 3}}, ["finetuning.epoch", "own.yaml", "line 2", "did you mean epochs"]),
        ({"experiment": {"languages": ["qat"]}}, ["experiment.languages", "unknown language 'qat'", "own.yaml"]),
        ({"experiment": {"regimes": ["pso"]}}, ["experiment.regimes", "unknown task or regime 'pso'", "pos"]),
        ({"mirror": "relative/path"}, ["mirror", "neither an absolute path nor a URL"]),
        ({"languages": {"qad": {"treebank": {"folder": "/nowhere"}}}}, ["languages.qad.treebank.folder", "/nowhere"]),
    ],
)
def test_a_wrong_configuration(tmp_path, settings, parts):
    run = tmp_path / "run"
    run.mkdir()
    finished = run_snakemake(run, "all", "--configfile", ROOT / "config/demo.yaml", overlay(tmp_path, **settings))
    assert finished.returncode != 0
    assert_one_line((finished.stdout + finished.stderr).splitlines(), *parts)
    assert not (run / "results").exists()


@pytest.mark.parametrize("damage", ["truncated", "corrupted"])
def test_a_damaged_dump(run, mirror, damage):
    dump, download = mirror / DUMP.format("qad"), run / "resources" / DUMP.format("qad")
    shutil.rmtree(download.parent)
    content = bytearray(dump.read_bytes())
    if damage == "truncated":
        content = content[:-1000]
    else:
        content[5000] ^= 255
    dump.write_bytes(content)
    assert_one_line(refused(run, mirror), dump.name, "sha256")
    assert not download.exists()


def with_new_hash(path):
    listing = path.with_name("sha256sums.txt")
    lines = [line for line in listing.read_text().splitlines() if not line.endswith(path.name)]
    listing.write_text("\n".join([*lines, f"{file_hash(path)}  {path.name}"]) + "\n")


@pytest.mark.parametrize(
    ("head_of_the_first_word", "problem"),
    [("_", "is not a word number"), ("1", "cycle"), ("99", "not in the sentence")],
)
def test_a_broken_treebank(run, mirror, head_of_the_first_word, problem):
    shutil.rmtree(run / "resources" / TREEBANK)
    path = mirror / TREEBANK / "qad_demo-ud-dev.conllu"
    lines = path.read_text(encoding="utf-8").split("\n")
    number = next(place for place, line in enumerate(lines) if line.startswith("1\t") and line.split("\t")[6] != "0")
    columns = lines[number].split("\t")
    columns[6] = head_of_the_first_word
    lines[number] = "\t".join(columns)
    path.write_text("\n".join(lines), encoding="utf-8")
    with_new_hash(path)
    assert_one_line(refused(run, mirror), path.name, f"line {number + 1}", problem)


def test_an_entity_line_without_a_label(run, tmp_path, mirror):
    archive = mirror / "wikiann/qad.tar.gz"
    shutil.rmtree(run / "resources/wikiann")
    unpacked = tmp_path / "wikiann"
    shutil.unpack_archive(archive, unpacked)
    dev = next(unpacked.rglob("dev"))
    lines = dev.read_text(encoding="utf-8").split("\n")
    lines[2] = lines[2].split("\t")[0]
    dev.write_text("\n".join(lines), encoding="utf-8")
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(unpacked.rglob("*")):
            tar.add(path, arcname=path.name)
    with_new_hash(archive)
    assert_one_line(refused(run, mirror), "qad.tar.gz", "dev", "line 3", "no label")


def test_a_base_model_without_wordpiece(run, tmp_path, demo):
    copy_of_run(demo, run, "results/corpora", "results/datasets")
    folder = shutil.copytree(demo / "results/pretraining/base/demo", tmp_path / "byte-level")
    Tokenizer(models.BPE()).save(str(folder / "tokenizer.json"))
    own = overlay(tmp_path, base_model="own", base_models={"own": {"folder": str(folder)}})
    assert_one_line(refused(run, DEMO_MIRROR, own), "tokenizer.json", "holds a BPE", "supported are")


def test_what_was_finished_stays_when_a_later_job_fails(run, mirror):
    shutil.rmtree((run / "resources" / DUMP.format("qae")).parent)
    options = ["--configfile", ROOT / "config/demo.yaml", "--config", f'mirror="{mirror}"']
    assert run_snakemake(run, "datasets", *options).returncode == 0
    finished = {path: path.read_bytes() for path in sorted((run / "results").rglob("*.*"))}
    assert finished
    dump = mirror / DUMP.format("qae")
    dump.write_bytes(dump.read_bytes()[:-1])
    assert run_snakemake(run, "corpora", *options).returncode != 0
    assert all(path.read_bytes() == content for path, content in finished.items())
