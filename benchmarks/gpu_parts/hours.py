"""What one language of the paper's grid costs on this card, by arithmetic on what was measured."""

from pathlib import Path

from gpu_parts.finetuning import TASKS
from gpu_parts.material import TEXT_LANGUAGE

CONFIGURATION = Path(__file__).parents[2] / "config" / "config.yaml"
FORMULA = {
    "pretraining": "epochs × copies × wordpieces of the training part ÷ wordpieces/s at the paper's batch",
    "finetuning": "seeds × Σ over tasks of epochs × (training sentences ÷ sentences/s + development sentences ÷ "
    "decoded sentences/s)",
}


def measure(bench, found):
    """The part; it needs what `pretraining` and `finetuning` found in the same call."""
    import yaml

    rates = bench.found("pretraining").get(f"{bench.sizes.batches[-1]} sequences a step", {})
    rate, tasks = rates.get("ours, wordpieces/s"), bench.found("finetuning")
    if not rate or not all(task in tasks for task in TASKS):
        raise RuntimeError("needs what pretraining and finetuning find: --only pretraining finetuning hours")
    config = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    pretraining, finetuning, corpora = (config[name] for name in ("pretraining", "finetuning", "corpora"))
    _, _, pieces, words = bench.material.text
    tokens = config["languages"][TEXT_LANGUAGE]["tokens"]
    share = 1 - corpora["validation_share"] - corpora["test_share"]
    wordpieces = tokens * share * pieces / words
    adapted = pretraining["epochs"] * pretraining["copies"] * wordpieces / rate / 3600
    seconds = 0.0
    for task in TASKS:
        training, decoding = (tasks[task][f"ours, {kind}, sentences/s"] for kind in ("training", "decoding"))
        train, dev = (bench.material.sentences(task, part) for part in ("train", "dev"))
        seconds += finetuning["epochs"] * (train / training + dev / decoding)
    seeds = len(finetuning["seeds"])
    # Those that start from the base model's size: it, and what is pretrained further from it.
    chosen = [config["representations"][name]["method"] for name in config["experiment"]["representations"]]
    adapting, of_base = chosen.count("adapt"), chosen.count("adapt") + chosen.count("base")
    tuned = seeds * seconds / 3600
    found["wordpieces of the text (tokens × its part for training × pieces a word)"] = wordpieces
    found["pretraining, hours of one representation"] = adapted
    found["finetuning, hours of one representation at most (no early end, tasks singly)"] = tuned
    found[f"one language, hours ({adapting} pretrained, {of_base} finetuned)"] = adapting * adapted + of_base * tuned
    found["formula"] = FORMULA
    found["not counted"] = "static vectors, a monolingual model, tasks together, reading text, and the start of jobs"
