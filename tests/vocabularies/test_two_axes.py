"""A vocabulary's kind and a model's architecture are known in their own packages and nowhere else."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "specialize"
# Where they are known; a model card and the demo's text are prose.
EXEMPT = ("vocabularies/kinds/", "bases/", "pretraining/model_card.py", "demo_world")

MARKERS = (
    "[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", "[unused", "##", "Ġ", "▁",
    "<s>", "</s>", "<unk>", "<mask>", "<pad>",
    "model_type", "vocab.txt", "vocab.json", "merges.txt", "sentencepiece",
)  # fmt: skip
FAMILIES = ("Bert", "Roberta", "XLMRoberta", "ModernBert", "Deberta", "Distil", "Electra", "Albert")
KINDS = {"WordPiece", "BPE", "Unigram", "WordLevel", "ByteLevel", "Metaspace", "BertPreTokenizer"}
CHECKS = {"isinstance", "issubclass"}


def knowledge(source):
    """What a module knows of a kind or an architecture: the line and the thing."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        for thing in things(node, docstrings):
            yield node.lineno, thing


def things(node, docstrings):
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
        yield from (marker for marker in MARKERS if marker in node.value)
    elif isinstance(node, ast.Attribute) and (node.attr == "model_type" or node.attr.startswith(FAMILIES)):
        yield node.attr
    elif isinstance(node, ast.Name) and node.id.startswith(FAMILIES):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names]
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
        yield from (name for name in modules if name.startswith("transformers.models"))
        yield from (name for name in names if name.startswith(FAMILIES))
        if modules == ["transformers"]:
            yield from (name for name in names if name == "models")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CHECKS:
        for part in ast.walk(node.args[1]):
            name = part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "")
            if name in KINDS:
                yield f"{node.func.id} of {name}"


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith(EXEMPT):
            yield name, path.read_text(encoding="utf-8")


def test_no_other_module_knows_of_either():
    found = [f"{name}, line {line}: {thing}" for name, source in modules() for line, thing in knowledge(source)]
    assert not found, "\n".join(found)


def test_most_modules_are_looked_at():
    names = {name for name, _ in modules()}
    assert len(names) > 30
    assert any(name.startswith("pretraining/") for name in names)
    assert any(name.startswith("finetuning/") for name in names)
    assert "vocabularies/build.py" in names


@pytest.mark.parametrize(
    ("planted", "thing"),
    [
        ("UNKNOWN = '[UNK]'", "[UNK]"),
        ("def f(piece):\n    return piece.startswith('##')", "##"),
        ("name = f'[unused{1}]'", "[unused"),
        ("text = 'at <s> and on'", "<s>"),
        ("path = folder / 'vocab.txt'", "vocab.txt"),
        ("kind = read_json(path)['model_type']", "model_type"),
        ("roberta = config.model_type == 'roberta'", "model_type"),
        ("head = model.cls if isinstance(model, BertForMaskedLM) else model.lm_head", "BertForMaskedLM"),
        ("head = isinstance(model, transformers.RobertaForMaskedLM | None)", "RobertaForMaskedLM"),
        ("whole = isinstance(tokenizer.model, models.BPE)", "isinstance of BPE"),
        ("space = isinstance(tokenizer.pre_tokenizer, (Whitespace, ByteLevel))", "isinstance of ByteLevel"),
        ("from transformers import BertConfig as Sizes", "BertConfig"),
        ("def f():\n    from transformers.models.bert import modeling_bert", "transformers.models.bert"),
        ("import transformers.models.roberta", "transformers.models.roberta"),
        ("from transformers import models", "models"),
    ],
)
def test_what_is_planted_is_found(planted, thing):
    assert [found for _, found in knowledge(planted)] == [thing]


@pytest.mark.parametrize(
    "innocent",
    [
        '"""A module that speaks of [UNK]."""\n\ndef f():\n    """And of ##."""',
        "class Words:\n    '''BERT's [CLS] goes first.'''",
        "# the vocabulary's [PAD]\nnames = ['heading', '# heading']",
        "special = kind_of(tokenizer).special_ids(tokenizer)['pad']",
        "is_path = isinstance(path, Path)",
    ],
)
def test_what_is_innocent_is_not(innocent):
    assert list(knowledge(innocent)) == []
