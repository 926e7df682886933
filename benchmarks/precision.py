"""Scores after training in float32 and in bfloat16: finetuning on what was adapted in the same precision, seed by seed.

    python benchmarks/precision.py runs/demo config/demo.yaml qad --folder DIR [--representations lapt tva]
        [--regimes pos ud] [--seeds 1 2 3 4 5] [--one-pretraining] [--jobs 2]
    python benchmarks/precision.py --check

RUN has the corpora, vocabularies, datasets and the base model, and is only read; its configuration files are those
given. Every seed pretrains a model of its own with that seed, unless --one-pretraining is given. What has ended is kept
in DIR, so that a second start goes on. Differences are tested as in the tables: a paired t-test over seeds.

A CPU without instructions for bfloat16 multiplies it so slowly that its products are emulated: torch's autocast is the
real one, so that types, and what is rounded to bfloat16, are those of a GPU, and only the products themselves, forwards
and backwards, are computed in float32 from factors that are rounded to bfloat16 already, and then rounded. Attention is
computed as a GPU's fused kernel does it: scores and softmax in float32, both factors of both products rounded. --check
compares this with real products in bfloat16.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import nn

from specialize.experiment import Experiment
from specialize.experiment.resolved import model_description
from specialize.files import read_json
from specialize.finetuning.finetune import finetune
from specialize.pretraining.model_card import ModelDescription
from specialize.pretraining.pretrain import adapt
from specialize.tables.scores import PRIMARY_METRIC
from specialize.tables.statistics import compare
from specialize.training.devices import device

ROOT = Path(__file__).parents[1]
PRECISIONS = ("float32", "bfloat16")
PRODUCTS = ("mm", "bmm", "addmm", "baddbmm")


# -- emulation ---------------------------------------------------------------------------------------------


class Emulation:
    """A context manager: products of bfloat16 matrices are computed in float32 and rounded, and so is attention."""

    def __enter__(self):
        self.library = torch.library.Library("aten", "IMPL")
        with warnings.catch_warnings(action="ignore"):  # of taking the place of torch's own
            for name in PRODUCTS:
                self.library.impl(name, _product(name), "CPU", allow_override=True)
        self.attention = nn.functional.scaled_dot_product_attention
        nn.functional.scaled_dot_product_attention = _attention(self.attention)

    def __exit__(self, *_):
        self.library._destroy()
        nn.functional.scaled_dot_product_attention = self.attention


def _product(name):
    into = getattr(torch.ops.aten, name).out  # another operation for torch, which stays as it is

    def product(*factors, **scales):
        if factors[0].dtype != torch.bfloat16:
            return into(*factors, **scales, out=factors[0].new_empty(0))
        exact = [one.float() for one in factors]
        return into(*exact, **scales, out=exact[0].new_empty(0)).bfloat16()

    return product


class _RoundGradient(torch.autograd.Function):
    """The gradient of attention's scores is a factor of two products."""

    @staticmethod
    def forward(context, scores):
        return scores

    @staticmethod
    def backward(context, gradient):
        return gradient.bfloat16().float()


class _RoundValue(torch.autograd.Function):
    """Attention's weights are a factor, and their gradient is a sum in float32."""

    @staticmethod
    def forward(context, weights):
        return weights.bfloat16().float()

    @staticmethod
    def backward(context, gradient):
        return gradient


def _attention(in_float32):
    def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **more):
        if not torch.is_autocast_enabled("cpu"):
            return in_float32(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **more)
        assert not is_causal and not more
        with torch.autocast("cpu", enabled=False):
            query, key, value = (one.bfloat16().float() for one in (query, key, value))
            scores = _RoundGradient.apply(query @ key.transpose(-2, -1)) * (scale or query.shape[-1] ** -0.5)
            if attn_mask is not None and attn_mask.dtype == torch.bool:
                scores = scores.masked_fill(~attn_mask, -torch.inf)
            elif attn_mask is not None:
                scores = scores + attn_mask
            weights = nn.functional.dropout(torch.softmax(scores, -1), dropout_p)
            return (_RoundValue.apply(weights) @ value).bfloat16()

    return attention


def multiplies_bfloat16():
    """Whether this machine has instructions for it."""
    if device().type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


# -- check -------------------------------------------------------------------------------------------------


def check():
    """Compare the emulation with real bfloat16: outputs and gradients of single operations and of a BERT."""
    import transformers

    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=200, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96,
        initializer_range=0.2,
    )  # fmt: skip
    config._attn_implementation = "eager"  # of products and a softmax, which are the same in both
    bert = transformers.BertForMaskedLM(config).eval()
    ids = torch.randint(0, 200, (4, 20))
    attention = (torch.arange(20) < torch.tensor([[20], [15], [9], [20]])).long()
    states = [torch.randn(4, 2, 20, 12, requires_grad=True) for _ in range(3)]
    weights = [torch.randn(30, 48, requires_grad=True), torch.randn(30, requires_grad=True)]
    vectors, more = torch.randn(4, 20, 48, requires_grad=True), torch.randn(4, 48, 20, requires_grad=True)

    def language_model():
        logits = bert(input_ids=ids, attention_mask=attention).logits
        return nn.functional.cross_entropy(logits.float().flatten(0, 1), ids.flatten())

    cases = {
        "linear": (lambda: nn.functional.linear(vectors, *weights), [vectors, *weights]),
        "linear, no bias": (lambda: nn.functional.linear(vectors, weights[0]), [vectors, weights[0]]),
        "batched product": (lambda: vectors @ more, [vectors, more]),
        "attention": (lambda: nn.functional.scaled_dot_product_attention(*states), states),
        "BERT's loss": (language_model, list(bert.parameters())),
    }
    print("relative distance from real bfloat16 (share of equal numbers), outputs and gradients together")
    for name, (function, inputs) in cases.items():
        exact, real = _with_gradients(function, inputs, False), _with_gradients(function, inputs, True)
        with Emulation():
            emulated = _with_gradients(function, inputs, True)
        assert emulated[0].dtype == real[0].dtype, name
        near, far = (_distance(one, real) for one in (emulated, exact))
        equal = sum(int((a == b).sum()) for a, b in zip(emulated, real, strict=True)) / sum(one.numel() for one in real)
        print(f"{name}: emulated {near:.1e} ({equal:.1%}), float32 {far:.1e}")
        # Torch's own attention on a CPU rounds its weights before they are normalised.
        assert near < (far if name == "attention" else far / 5), name


def _with_gradients(function, inputs, half):
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        result = function()
    generator = torch.Generator().manual_seed(2)
    upper = torch.randn(result.shape, generator=generator).to(result.dtype)
    gradients = torch.autograd.grad(result, inputs, upper, allow_unused=True)
    return [result.detach(), *(one for one in gradients if one is not None)]


def _distance(tensors, others):
    one, other = (torch.cat([tensor.flatten().float() for tensor in each]) for each in (tensors, others))
    return float((one - other).norm() / other.norm())


# -- jobs --------------------------------------------------------------------------------------------------


def chain(run, configuration, language, representation, precision, seed, threads, regimes, model, own_model, folder):
    """Pretraining, unless the model is there, then each finetuning that is not; in a process of its own."""
    # What the run has needs no mirror any more, but a base model that lies in one asks for the key.
    experiment = Experiment.read([ROOT / "config/config.yaml", *configuration], {"mirror": run})
    run, folder, model = Path(run), Path(folder), Path(model)
    changes = {"precision": precision, "threads": threads}
    entry = experiment.representations[representation]
    if precision == "bfloat16" and not multiplies_bfloat16():
        Emulation().__enter__()
    if not (model / "model.safetensors").is_file():
        settings = experiment.pretraining(representation)
        adapt(
            run / experiment.base_folder(entry.base_model),
            run / "results/vocabularies" / language / representation,
            run / "results/corpora" / language,
            entry.multiplier,
            settings.model_copy(update={**changes, "seed": seed if own_model else settings.seed}),
            ModelDescription(**model_description(experiment, language, representation)),
            model,
            folder / "checkpoint",
        )
    data = run / "results/datasets" / language
    for regime in regimes:
        if (folder / regime / "metrics.json").is_file():
            continue
        (folder / regime).mkdir(parents=True, exist_ok=True)
        finetune(
            model,
            {"conllu": data, "tsv": data / "ner"},
            {"language": language, "representation": representation, "regime": regime, "seed": seed},
            experiment.finetuning(language, representation, regime, seed).model_copy(update=changes),
            folder / regime,
            keep_model=False,
            checkpoints=folder / regime / "checkpoint",
        )


def start(arguments, representation, precision, seed):
    """Run a chain of jobs, unless all have ended."""
    folder = place(arguments, representation, precision, seed)
    if all((folder / regime / "metrics.json").is_file() for regime in arguments.regimes):
        return
    settings = {
        "run": str(arguments.run.absolute()),
        "configuration": [str(path.absolute()) for path in arguments.configuration],
        "language": arguments.language,
        "representation": representation,
        "precision": precision,
        "seed": seed,
        "threads": arguments.threads,
        "regimes": arguments.regimes,
        "model": str((folder.parent if arguments.one_pretraining else folder) / "model"),
        "own_model": not arguments.one_pretraining,
        "folder": str(folder),
    }
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads)}
    started = time.monotonic()
    with (folder / "log").open("a", encoding="utf-8") as log:
        command = [sys.executable, __file__, "--chain", json.dumps(settings)]
        code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment).returncode
    if code:
        raise SystemExit(f"{folder / 'log'}: failed")
    print(f"{representation}, {precision}, seed {seed}: {time.monotonic() - started:.0f} s", flush=True)


def place(arguments, representation, precision, seed):
    """Where the jobs of a seed write."""
    return arguments.folder.absolute() / arguments.language / representation / precision / f"seed{seed}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("configuration", type=Path, nargs="+")
    parser.add_argument("language")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--representations", nargs="+", default=["lapt", "tva"])
    parser.add_argument("--regimes", nargs="+", choices=list(PRIMARY_METRIC), default=["pos", "ud"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--one-pretraining", action="store_true", help="all seeds finetune one model a precision")
    parser.add_argument("--threads", type=int, default=1, help="of each job")
    parser.add_argument("--jobs", type=int, default=1, help="chains of jobs at once")
    if sys.argv[1:] == ["--check"]:
        return check()
    if sys.argv[1:2] == ["--chain"]:
        return chain(**json.loads(sys.argv[2]))
    arguments = parser.parse_args()
    how = "the hardware's" if multiplies_bfloat16() else "emulated, since this processor has no instructions for it"
    print(f"bfloat16 on {device().type}: {how}", flush=True)
    chains = [
        (representation, precision, seed)
        for seed in arguments.seeds
        for representation in arguments.representations
        for precision in PRECISIONS
    ]
    # The first seed's chains alone, if theirs are the models of all.
    alone = len(PRECISIONS) * len(arguments.representations) if arguments.one_pretraining else 0
    for together in (chains[:alone], chains[alone:]):
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(lambda one: start(arguments, *one), together))
    print(f"\n| {arguments.language}, {len(arguments.seeds)} seeds | float32 | bfloat16 | difference | p |")
    print("|---|---|---|---|---|")
    for representation in arguments.representations:
        for regime in arguments.regimes:
            print(row(arguments, representation, regime), flush=True)


def row(arguments, representation, regime):
    """Means ± standard deviations, the mean of the differences ± theirs, and p of float32 being the better one."""
    scores, step = {}, 0.0
    for precision in PRECISIONS:
        folders = {seed: place(arguments, representation, precision, seed) / regime for seed in arguments.seeds}
        metrics = {seed: read_json(folder / "metrics.json") for seed, folder in folders.items()}
        assert all(one["converged"] for one in metrics.values()), folders
        metric = PRIMARY_METRIC[regime]
        scores[precision] = {seed: 100 * one["scores"]["test"][regime][metric] for seed, one in metrics.items()}
        step = 100 / read_json(next(iter(folders.values())) / "history.json")["test_items"][regime]
    exact, half = (scores[precision] for precision in PRECISIONS)
    _, _, _, p = compare(exact, half, step)
    differences = [half[seed] - exact[seed] for seed in arguments.seeds]
    cells = [spread(list(exact.values())), spread(list(half.values())), spread(differences, "+"), f"{p:.2f}"]
    return f"| {representation}, {regime} ({metric}) | " + " | ".join(cells) + " |"


def spread(values, sign=""):
    deviation = statistics.stdev(values) if len(values) > 1 else float("nan")
    return f"{statistics.mean(values):{sign}.2f} ± {deviation:.2f}"


if __name__ == "__main__":
    main()
