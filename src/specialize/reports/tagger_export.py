"""A finetuned tagger as a folder that `AutoModelForTokenClassification` loads, and the library's pipeline with it."""

from __future__ import annotations

from pathlib import Path

import torch

from specialize.bases.architectures import architecture_of
from specialize.errors import InputError
from specialize.files import atomic_path, atomic_text
from specialize.finetuning.encoder import WordEncoder
from specialize.finetuning.heads import EntityTagger, Tagger
from specialize.finetuning.model import TaskModel, load_model
from specialize.vocabularies import check_reload, copy_vocabulary, set_positions

CARD = """\
---
library_name: transformers
pipeline_tag: token-classification
tags: [specialize]
---

# {title}

Labels: {labels}.

```python
from transformers import AutoModelForTokenClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder", trust_remote_code=True)
model = AutoModelForTokenClassification.from_pretrained("path/to/this/folder", trust_remote_code=True)
```

It reads a weighted sum of all layers, which no class of the library does: `layer_mix.py` in this folder does, and
`trust_remote_code=True` runs it. `pipeline("token-classification", ...)` takes the same argument. The
tokenizer runs no such code; the argument spares the library's question.

A word's logits are the mean of its pieces' logits; words and punctuation stand apart (`is_split_into_words=True`). Then
they are those of the model in `specialize`, but for rounding. The pipeline's `aggregation_strategy="average"` takes the
mean of probabilities, and finds words by itself, so that its labels may differ now and then.
{more}
Made with `specialize`. Find out the licences of the base model and of the labeled data before you share it.
"""
WITHOUT_TRANSITIONS = """
**Without its transitions**: it was trained with a CRF, which scores labels that follow each other and forbids `I-`
where no entity of its type goes on. Here each word's label is the best one by itself, so scores may be lower, and
labels may be no valid IOB2. `python -m specialize predict` with the model itself keeps them.
"""
IN_LATIN = """
**This model reads Latin letters**: text has to be transliterated word by word first, by the scheme
`{scheme}`{language}; `python -m specialize transliterate` does it.
"""


def export_tagger(model_folder: Path, folder: Path, entities: bool = False) -> None:
    """Write the tagger of a finetuned model, or its entity tagger, with its tokenizer and a card.

    Args:
        model_folder: a finetuning folder with its model kept.
        folder: where the export appears; new, or empty.
        entities: of a model of several tasks, its entity tagger.

    Raises:
        InputError: if there is no model, the library's classes cannot read words as it does, or the folder is in use.
    """
    _require_new(folder, model_folder)
    model = load_model(model_folder).cpu()
    task = "ner" if entities or "pos" not in model.tasks else "pos"
    if task not in model.tasks:
        known = "knows no named entities" if entities else "parses only, and a parser labels pairs of words, not words"
        raise InputError(model_folder, known, remedy="export the tagger of another job")
    if not isinstance(model.encoder, WordEncoder):
        raise InputError(model_folder, "reads static vectors of words", remedy="export one of a pretrained encoder")
    if not model.pieces.description["leading_space"]:
        problem = "was finetuned with leading_space: false, as no tokenizer of the library reads words"
        raise InputError(model_folder, problem, remedy="train it with leading_space: true")
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        source = model_folder / "model" if (model_folder / "model").is_dir() else model_folder
        _write_weights(model, task, source, temporary)
        copy_vocabulary(source, temporary)
        set_positions(temporary, model.encoder.longest)
        check_reload(temporary, positions=model.encoder.longest)
        _write_card(model, task, temporary)


def _require_new(folder: Path, model_folder: Path) -> None:
    """Refuse to replace what is there."""
    remedy = "give --output a new folder, such as ltg-tagger"
    there = next(path for path in (folder, *folder.parents) if path.is_symlink() or path.exists())
    if folder.resolve().is_relative_to(model_folder.resolve()):
        raise InputError(folder, "is in the model's own folder", remedy=remedy)
    if not there.is_dir():
        raise InputError(there, "is a file", remedy=remedy)
    if there == folder and any(folder.iterdir()):
        raise InputError(folder, "is a folder that is not empty", remedy=remedy)
    if not folder.name:
        raise InputError(folder, "names no new folder", remedy=remedy)


def _write_weights(model: TaskModel, task: str, source: Path, folder: Path) -> None:
    from specialize.reports.layer_mix import LayerMixConfig, LayerMixForTokenClassification

    encoder, head = model.encoder, model.heads[task]
    assert isinstance(encoder, WordEncoder) and isinstance(head, Tagger | EntityTagger)
    labels = model.tasks[task].labels
    described = encoder.pretrained.config.to_dict()
    for of_no_use in ("_name_or_path", "id2label", "label2id"):  # a path of this machine, labels of another head
        described.pop(of_no_use, None)
    config = LayerMixConfig(
        encoder=described,
        encoder_options=dict(architecture_of(source).encoder_options),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    tagger = LayerMixForTokenClassification(config)
    tagger.encoder.load_state_dict(encoder.pretrained.state_dict())
    with torch.no_grad():
        tagger.layers.copy_(encoder.added.gamma * torch.softmax(encoder.added.weights, dim=0))
        tagger.classifier.weight.copy_(head.projection.weight)
        tagger.classifier.bias.copy_(head.projection.bias)
    LayerMixConfig.register_for_auto_class()  # type: ignore[no-untyped-call]
    auto_class = "AutoModelForTokenClassification"
    LayerMixForTokenClassification.register_for_auto_class(auto_class)  # type: ignore[no-untyped-call]
    tagger.save_pretrained(folder)


def _write_card(model: TaskModel, task: str, folder: Path) -> None:
    more = WITHOUT_TRANSITIONS if task == "ner" else ""
    if how := model.transliteration:
        language = f" for the language `{how['language']}`" if how["language"] else ""
        more += IN_LATIN.format(scheme=how["scheme"], language=language)
    labels = ", ".join(f"`{label}`" for label in model.tasks[task].labels)
    title = "A tagger of named entities" if task == "ner" else "A part-of-speech tagger"
    with atomic_text(folder / "README.md") as stream:
        stream.write(CARD.format(title=title, labels=labels, more=more))
