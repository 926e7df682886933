"""The house in order: modules of a readable size, imports that only point to earlier stages, and light packages."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
LONGEST_FILE = 400  # lines
LONGEST_CLASS = 250  # lines

# From early to late. What shares a line may import each other, as long as it is in no circle.
ORDER = (
    ("specialize", "errors", "files", "run_command", "settings", "unicode"),
    ("sources",),
    ("datasets",),
    ("corpora",),
    ("vocabularies",),
    ("bases",),
    ("training",),
    ("pretraining",),
    ("finetuning",),
    ("experiment",),
    ("new_language",),
    ("tables",),
    ("reports",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
# They know no stage, and no stage knows them.
BESIDE = ("cluster", "demo_world")
# Stages of which the experiment reads nothing but their settings.
HEAVY = ("datasets", "corpora", "vocabularies", "training", "pretraining", "finetuning")
# What a module of settings may import that is neither Python's nor the package's.
FOR_SETTINGS = {"annotated_types", "pydantic", "pydantic_core", "typing_extensions"}


# -- sizes -------------------------------------------------------------------------------------------------


def too_large(source):
    """What of a module's source is too large, in words."""
    found = []
    lines = source.count("\n")
    if lines > LONGEST_FILE:
        found.append(f"{lines} lines")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            first = min(part.lineno for part in (node, *node.decorator_list))
            if node.end_lineno - first + 1 > LONGEST_CLASS:
                found.append(f"class {node.name} of {node.end_lineno - first + 1} lines")
    return found


def test_no_file_and_no_class_is_too_large():
    files = {str(path.relative_to(SRC)): path.read_text(encoding="utf-8") for path in SRC.rglob("*.py")}
    assert files
    large = {name: too_large(source) for name, source in files.items()}
    assert not {name: found for name, found in large.items() if found}


def test_a_large_file_and_a_large_class_are_found():
    attributes = "".join(f"    a{number}: int = 0\n" for number in range(LONGEST_CLASS - 1))
    assert too_large(f"class Fits:\n{attributes}") == []
    assert too_large(f"@final\nclass Large:\n{attributes}") == ["class Large of 251 lines"]
    assert too_large("x = 0\n" * LONGEST_FILE) == []
    assert too_large("x = 0\n" * (LONGEST_FILE + 1)) == ["401 lines"]


# -- imports -----------------------------------------------------------------------------------------------


def module_name(path):
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_sources():
    """Every module of the package by its name, packages by the name of the folder."""
    return {module_name(path): path.read_text(encoding="utf-8") for path in (SRC / "specialize").rglob("*.py")}


def imports_of(source, modules):
    """The modules that a module imports anywhere, in functions too, but for those that only a type checker reads.

    Args:
        source: of the module.
        modules: names of all modules of the package; `from package import name` is resolved to the module of that
            name if there is one, else to the package.
    """
    found = set()

    def visit(node):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for part in node.orelse:
                visit(part)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: name the package in full"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in modules else node.module)
        for part in ast.iter_child_nodes(node):
            visit(part)

    visit(ast.parse(source))
    return found


def import_graph(sources):
    """All imports between the package's modules, and from outside."""
    return {name: imports_of(source, sources.keys()) for name, source in sources.items()}


def packages_around(name):
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def circles(graph):
    """Sorted groups of modules that import each other, directly or by way of others.

    An import of a module runs the packages around it as well; those that the importing module is in itself run already.
    """
    edges = {}
    for name, imported in graph.items():
        running = {name, *packages_around(name)}
        run = {package for target in imported for package in packages_around(target)} - running
        edges[name] = {target for target in imported | run if target in graph}

    def reachable(start):
        seen, waiting = set(), [start]
        while waiting:
            for target in edges[waiting.pop()] - seen:
                seen.add(target)
                waiting.append(target)
        return seen

    reached = {name: reachable(name) for name in edges}
    groups = {
        tuple(sorted({name} | {other for other in reached[name] if name in reached[other]}))
        for name in edges
        if name in reached[name]
    }
    return sorted(groups)


def room(name):
    """The part of the package that a module is in, by its first name below `specialize`."""
    return name.split(".")[1] if "." in name else name


def is_settings(name):
    return name.endswith(".settings")


def out_of_order(graph):
    """Imports that point to a later stage, or to what is beside the stages; settings have rules of their own."""
    found = []
    for name, imported in sorted(graph.items()):
        for target in sorted(target for target in imported if target in graph):
            here, there = room(name), room(target)
            if here == there or is_settings(target) or is_settings(name):
                continue
            if here in BESIDE:
                right = RANK.get(there) == 0
            elif there in BESIDE:
                right = here == "__main__"
            elif here == "experiment" and there in HEAVY:
                right = False
            else:
                right = here in RANK and there in RANK and RANK[there] <= RANK[here]
            if not right:
                found.append(f"{name} imports {target}")
    return found


def heavy_settings(graph):
    """What modules of settings import besides Python's own modules, pydantic and `specialize.settings`.

    Those of the experiment put the stages' together.
    """
    allowed = FOR_SETTINGS | sys.stdlib_module_names
    found = []
    for name, imported in sorted(graph.items()):
        if is_settings(name) and name != "specialize.settings":
            stages = set(filter(is_settings, imported)) if room(name) == "experiment" else set()
            others = sorted(imported - {"specialize.settings"} - stages)
            found += [f"{name} imports {target}" for target in others if target.split(".")[0] not in allowed]
    return found


@pytest.fixture(scope="module")
def graph():
    found = import_graph(package_sources())
    assert "specialize.corpora.dump" in found["specialize.corpora.cleaning"]
    return found


def test_every_room_has_its_place_in_the_order(graph):
    assert {room(name) for name in graph} <= {*RANK, *BESIDE}


def test_no_modules_import_each_other(graph):
    assert circles(graph) == []


def test_imports_point_to_earlier_stages(graph):
    assert out_of_order(graph) == []


def test_settings_import_next_to_nothing(graph):
    assert heavy_settings(graph) == []


SOUND = {
    "specialize": "",
    "specialize.files": "import os",
    "specialize.corpora": "from specialize.corpora.dump import read",
    "specialize.corpora.dump": "from specialize.files import write",
    "specialize.corpora.settings": "from pydantic import BaseModel",
    "specialize.training": "from specialize.corpora import read",
    "specialize.experiment": "from specialize.corpora.settings import Cleaning",
}


def planted(**sources):
    """A sound package with other sources planted, `__` for a dot."""
    names = {f"specialize.{name.replace('__', '.')}": source for name, source in sources.items()}
    return import_graph(SOUND | names)


def test_nothing_is_found_in_a_sound_package():
    assert circles(planted()) == out_of_order(planted()) == heavy_settings(planted()) == []


def test_imports_are_resolved():
    source = "\n".join(
        [
            "import a.b, c",
            "from specialize import corpora, __version__",
            "from specialize.corpora import dump, read",
            "if TYPE_CHECKING:",
            "    from specialize import training",
            "else:",
            "    import d",
            "def late():",
            "    from specialize.files import write",
        ]
    )
    assert imports_of(source, SOUND.keys()) == {
        *("a.b", "c", "d", "specialize", "specialize.files"),
        *("specialize.corpora", "specialize.corpora.dump"),
    }
    with pytest.raises(AssertionError, match="line 1: name the package in full"):
        imports_of("from . import dump", SOUND.keys())


@pytest.mark.parametrize(
    "source", ["from specialize import training", "def late():\n    from specialize.training import fit"]
)
def test_a_circle_is_found(source):
    assert circles(planted(files=source)) == [
        ("specialize.corpora", "specialize.corpora.dump", "specialize.files", "specialize.training")
    ]


def test_a_circle_within_a_package_is_found():
    graph = planted(corpora__dump="from specialize.corpora import read")
    assert circles(graph) == [("specialize.corpora", "specialize.corpora.dump")]


def test_a_circle_by_way_of_a_package_around_a_module_is_found():
    graph = planted(
        datasets="from specialize.corpora import dump",
        datasets__parts="",
        corpora__dump="from specialize.datasets.parts import PARTS",  # which runs `specialize.datasets` first
    )
    assert circles(graph) == [("specialize.corpora", "specialize.corpora.dump", "specialize.datasets")]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("corpora.dump", "training"),  # a later stage
        ("files", "corpora"),
        ("experiment", "corpora"),  # not its settings
        ("unheard_of", "files"),
        ("corpora", "unheard_of"),
        ("cluster", "corpora"),  # beside the stages
        ("training", "cluster"),
    ],
)
def test_an_import_out_of_order_is_found(name, target):
    sources = {"unheard_of": "", "cluster": ""} | {name.replace(".", "__"): f"def f():\n import specialize.{target}"}
    assert out_of_order(planted(**sources)) == [f"specialize.{name} imports specialize.{target}"]


def test_settings_are_read_by_all_and_read_nothing():
    assert out_of_order(planted(sources="from specialize.corpora.settings import Cleaning")) == []
    assert heavy_settings(planted(corpora__settings="import torch, re\nimport specialize.files")) == [
        "specialize.corpora.settings imports specialize.files",
        "specialize.corpora.settings imports torch",
    ]
    assert heavy_settings(planted(settings="", corpora__settings="from specialize.settings import Setting")) == []


# -- weight ------------------------------------------------------------------------------------------------

WEIGH = """\
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    for heavy in {"torch", "transformers"} & set(sys.modules):
        print(f"{name} imports {heavy}")
        sys.exit()
"""


def first_heavy_package(names, folder):
    """Which of these packages, imported in order from a folder, is the first to import torch or transformers."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", WEIGH, *names]
    finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return finished.stdout.strip()


def test_no_package_imports_torch():
    packages = sorted(module_name(path) for path in SRC.rglob("__init__.py"))
    assert {"specialize", "specialize.corpora", "specialize.tables"} <= set(packages)
    assert first_heavy_package(packages, SRC) == ""


def test_a_package_that_imports_torch_is_found(tmp_path):
    sources = {"torch": "", "light": "import json", "light/later": "import torch", "heavy": "import light.later"}
    for name in ("light", "heavy"):
        (tmp_path / name).mkdir()
    for name, source in sources.items():
        path = tmp_path / name
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        path.write_text(source)
    assert first_heavy_package(["light"], tmp_path) == ""
    assert first_heavy_package(["light", "heavy"], tmp_path) == "heavy imports torch"


def test_no_two_test_files_have_one_name():
    """Pytest imports them by their names alone, and refuses the second of two when both are collected."""
    names = [path.name for path in Path(__file__).parents[1].rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
