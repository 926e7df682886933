"""The card of an adapted model: what it is, what it learned from, how well, and under which licence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from specialize.datasets import TRANSLITERATION
from specialize.files import atomic_text, read_json, write_json

METHODS = {
    "base": "`{base}` as it is",
    "adapt": "`{base}`, pretrained further on text in {name}",
    "scratch": "a RoBERTa pretrained from scratch on text in {name}",
}
LICENSE_UNKNOWN = "not stated; find it out before you share the model"


@dataclass(frozen=True)
class ModelDescription:
    """What a model card says besides the figures of the training.

    Attributes:
        language: BCP-47 tag.
        name: the language's name.
        representation: the model's name within the run.
        method: `adapt` or `scratch`; `base` of a trimmed base model.
        base_model: name of the base model, on the hub if it is from there; None for `scratch`.
        on_hub: whether the base model is known to the hub by that name.
        license: the base model's, as the hub names licences; None if not known.
        text: where the text is from.
        text_license: the text's; None if not known.
        transliteration: how text becomes what the model of a transliterated twin reads; see
            `datasets.described_transliteration`.
        others: the other languages whose text it learned from: the `language`, `name`, `text` and `text_license` of
            each, as above.
    """

    language: str
    name: str
    representation: str
    method: str
    base_model: str | None
    on_hub: bool
    license: str | None
    text: str
    text_license: str | None
    transliteration: dict[str, Any] | None = None
    others: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class TaskScore:
    """Test scores of one task, as they shall stand in a card.

    Attributes:
        task, metric: for people.
        mean: in percent.
        text: mean ± standard deviation, or that training did not converge.
        seeds: how many.
    """

    task: str
    metric: str
    mean: float | None
    text: str
    seeds: int


def write_card(folder: Path, description: ModelDescription, scores: Sequence[TaskScore] = (), curve: str = "") -> None:
    """Write README.md into a model folder, from its history.json; for a transliterated twin transliteration.json too.

    Args:
        folder: has history.json.
        description: of the model.
        scores: of finetuned models, where there are any.
        curve: name of a picture of the loss in the folder, if there is one.
    """
    history = read_json(folder / "history.json")
    description = replace(description, others=_learned_from(history, description))
    encoder_only = bool(history.get("trimmed", {}).get("encoder_only"))
    loader = "AutoModel" if encoder_only else "AutoModelForMaskedLM"
    metadata = ModelCardData(
        language=[description.language, *(other["language"] for other in description.others)]
        if description.others
        else description.language,
        license=description.license,
        library_name="transformers",
        pipeline_tag="feature-extraction" if encoder_only else "fill-mask",
        base_model=description.base_model if description.on_hub else None,
        tags=["specialize", description.representation],
        model_name=f"{description.language}-{description.representation}",
        eval_results=[
            EvalResult(
                task_type="token-classification",
                task_name=score.task,
                dataset_type=score.task.lower(),  # results on one data set would be listed under one task
                dataset_name=f"test data for {score.task}",
                metric_type=score.metric,
                metric_value=round(score.mean, 2),
            )
            for score in scores
            if score.mean is not None
        ]
        or None,
    )
    parts = [
        f"---\n{metadata.to_yaml()}\n---",
        f"# {description.name}: `{description.representation}`",
        f"{'An encoder' if encoder_only else 'A masked language model'}: "
        + METHODS[description.method].format(base=description.base_model, name=_names(description))
        + _pieces(history.get("hyperparameters", {}))
        + ".",
        *_trimmed(history),
    ]
    if not history["converged"]:
        parts.append(f"**The training did not converge** ({history['reason']}): do not use this model.")
    trained = "epochs" in history
    if trained and history["hyperparameters"].get("head_drawn"):
        parts.append(
            "The base model has no head that predicts masked pieces. This one's was drawn at random, by the seed "
            "below, and has learned in this training alone."
        )
    parts += [
        f"```python\nfrom transformers import {loader}, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")\n'
        f'model = {loader}.from_pretrained("path/to/this/folder")\n```',
        *_input(description),
    ]
    if trained:
        parts += [
            "## Training",
            _table(_training_rows(history, description)),
            "Validation losses of models with different vocabularies do not compare.",
        ]
    if curve:
        parts.append(f"![Loss by epoch]({curve})")
    if scores:
        rows = [(score.task, score.metric, score.text, str(score.seeds)) for score in scores]
        parts += ["## Test scores after finetuning", _table([("Task", "Metric", "Percent", "Seeds"), *rows])]
    parts += [
        "## Licence",
        f"The base model's licence: {description.license or LICENSE_UNKNOWN}."
        if description.base_model
        else "The weights are your own to license.",
        *([f"The text's licence: {description.text_license or LICENSE_UNKNOWN}."] if trained else []),
        *(
            f"That of the text in {other['name']}: {other['text_license'] or LICENSE_UNKNOWN}."
            for other in description.others
            if trained
        ),
        "## Made with",
        "`specialize`, after Ethan C. Chau and Noah A. Smith (2021), *Specializing Multilingual Language Models: An "
        "Empirical Study*.",
    ]
    if description.transliteration:
        write_json(folder / TRANSLITERATION, description.transliteration)
    with atomic_text(folder / "README.md") as stream:
        stream.write("\n\n".join(parts) + "\n")


def _learned_from(history: dict[str, Any], description: ModelDescription) -> list[dict[str, Any]]:
    """The other languages that the training had, whatever the configuration says by now."""
    known = {other["language"]: other for other in description.others}
    return [
        known.get(tag, {"language": tag, "name": tag, "text": "text", "text_license": None})
        for tag in history.get("texts", {})
        if tag != description.language
    ]


def _names(description: ModelDescription) -> str:
    """The languages of its text."""
    *first, last = [description.name, *(other["name"] for other in description.others)]
    return f"{', '.join(first)} and {last}" if first else last


def _input(description: ModelDescription) -> list[str]:
    """What has to be done to text before the model can read it."""
    how = description.transliteration
    if how is None:
        return []
    scheme = f"scheme `{how['scheme']}`" + (f", language `{how['language']}`" if how["language"] else "")
    words = f"Words are then read in {how['normal_form']}, which `tokenizer.json` sees to."
    if how["normal_form"] == "none":
        words = "Words are then read as they are, in whatever normal form."
    return [
        "## Input",
        f"**This model reads Latin letters**: its text was transliterated word by word by `specialize` ({scheme}), "
        f"which brings it to {how['scheme_normal_form']} first. Text in the language's own script has to be "
        f"transliterated in the same way, or it is unknown to the model. {words}",
        f"```\n{how['command']} < text.txt > latin.txt\n```",
        f"`{TRANSLITERATION}` says the same for programs.",
    ]


def smaller_section(before: int, after: int) -> str:
    """What a card says, at its end, of a model that was trimmed after all else.

    Args:
        before: how many wordpieces it had.
        after: how many are left.
    """
    return (
        f"\n## Smaller vocabulary\n\nOf its {before:,} wordpieces {after:,} are left: those that the texts it was "
        "trimmed to are cut into, and all letters of their scripts. Words of other texts may be cut into smaller "
        "pieces, or be unknown.\n"
    )


def _trimmed(history: dict[str, Any]) -> list[str]:
    """That a model has lost pieces which its language does not need."""
    if "trimmed" not in history:
        return []
    left, before = history["trimmed"]["pieces"], history["trimmed"]["of"]
    return [
        f"Of its {before:,} wordpieces {left:,} are left: those that its language's text and labeled data and those of "
        "the languages that were to stay are cut into, and the letters of their scripts. Words of other languages are "
        "cut into smaller pieces, or are unknown."
    ]


def _pieces(hyperparameters: dict[str, Any]) -> str:
    number, multiplier = hyperparameters.get("new_pieces", 0), hyperparameters.get("multiplier", 1)
    if not number:
        return ""
    if hyperparameters.get("tiering") == "released":  # which had them learn at the common rate
        multiplier = 1
    rate = f", whose embeddings learned at {multiplier:g} times the rate of the rest" if multiplier != 1 else ""
    return f", with {number} new wordpieces{rate}"


def _training_rows(history: dict[str, Any], description: ModelDescription) -> list[tuple[str, str]]:
    settings, epochs = history["hyperparameters"], history["epochs"]
    chosen = next(record for record in epochs if record["epoch"] == history["best_epoch"])
    text = history["text"]
    return [
        ("", ""),
        ("Language", f"{description.name} (`{description.language}`)"),
        ("Text", description.text),
        ("Size of its training part", f"{text['sentences']:,} sentences, {text['tokens']:,} tokens"),
        *_rows_of_others(history, description),
        (
            "Steps",
            f"{chosen['steps']:,} of {settings['batch_size']} examples of up to {settings['sequence_length']} pieces",
        ),
        ("Epoch", f"{chosen['epoch']}, the one of the lowest validation loss of {epochs[-1]['epoch']}"),
        ("Validation loss", f"{chosen['validation_loss']:.4f} (before training: {epochs[0]['validation_loss']:.4f})"),
        ("Learning rate", f"{settings['learning_rate']:g}"),
        *_learned(history),
        ("Precision of matrix products", _precision(history)),
        ("Seed", str(settings["seed"])),
    ]


def _learned(history: dict[str, Any]) -> list[tuple[str, str]]:
    """What learned, if not all of the base model did, or not all of it at one rate."""
    adapt = history["hyperparameters"].get("adapt")
    if not adapt:
        return []
    parts = []
    if lora := adapt.get("lora"):
        parts.append(f"updates of rank {lora['rank']} (LoRA, {lora['targets']}), merged since")
    if frozen := adapt.get("freeze"):
        parts.append(f"all but {' and '.join(frozen)} of the base")
    if decay := adapt.get("layer_decay"):
        parts.append(f"each layer at {decay:g} times the rate of the one above it")
    return [("What learned", f"{'; '.join(parts)}: {history['learning_parameters']:,} numbers")]


def _rows_of_others(history: dict[str, Any], description: ModelDescription) -> list[tuple[str, str]]:
    """What it learned from of other languages, and how much of all that is."""
    if not description.others:
        return []
    rows = [("Share of what it learned from", f"{history['texts'][description.language]['share']:.1%} of the tokens")]
    for other in description.others:
        used = history["texts"][other["language"]]
        often = " or ".join(used["repeated"])
        rows.append(
            (
                f"Text in {other['name']} (`{other['language']}`)",
                f"{other['text']}: {used['articles']:,} articles, {used['tokens']:,} tokens; each article "
                + ("once" if often == "1" else f"{often} times")
                + f"; {used['share']:.1%} of the tokens",
            )
        )
    return rows


def _precision(history: dict[str, Any]) -> str:
    """As it was done; models of earlier versions say only what was asked for, which was done."""
    if "device" not in history:
        return str(history["hyperparameters"]["precision"])
    device = "a CPU" if history["device"] == "cpu" else history["device"]
    return f"{history['precision']}, on {device}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
