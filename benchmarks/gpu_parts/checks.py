"""The card's matrix rate; what is right on a GPU: losses, same bytes, a batch too large, a checkpoint; and hours."""

import os
import signal
import statistics
import time
from unittest import mock

import torch

from gpu_parts import adapter
from gpu_parts.finetuning import TASKS, job
from gpu_parts.measuring import free_memory, on, plain_torch

# Relative differences of losses that are allowed.
FLOAT32_TOLERANCE, BFLOAT16_TOLERANCE, SPLIT_TOLERANCE, RESUMED_TOLERANCE = 1e-4, 2e-2, 2e-2, 2e-3

TWO_JOBS_SECONDS = 8.0  # what two short finetuning jobs take on a GPU, before one was timed


# -- the card ----------------------------------------------------------------------------------------------


def matrix_rate(bench, found):
    """The part: the fastest of several sizes and rounds, on random numbers (zeros take less power and go faster)."""
    for name, dtype, precision in (
        ("bfloat16", torch.bfloat16, "highest"),
        ("tf32", torch.float32, "high"),
        ("float32", torch.float32, "highest"),
    ):
        torch.set_float32_matmul_precision(precision)
        rates = {}
        for side in bench.sizes.sides:
            # 16,384 in float32 takes a fifth of a second; the largest matters where products are fast.
            if name == "float32" and side > 8192:
                continue
            rates[side] = _best_product(side, dtype, 2 if name == "float32" else 4)
        side = max(rates, key=rates.get)
        found[f"{name}, TFLOP/s"] = rates[side] / 1e12
        found[f"{name}, side of the matrices"] = side
        free_memory()
    plain_torch()
    bench.matrix_rate = found["bfloat16, TFLOP/s"] * 1e12


def _best_product(side, dtype, rounds):
    """Operations a second of the fastest round."""
    left, right = (torch.randn(side, side, device=on()).to(dtype) for _ in range(2))
    out = torch.empty_like(left)
    for _ in range(3):
        torch.matmul(left, right, out=out)
    times = max(2, min(20, int(5e13 / (2 * side**3))))
    best = float("inf")
    for _ in range(rounds):
        best = min(best, _seconds(lambda: torch.matmul(left, right, out=out), times))
    return 2 * side**3 / best


def _seconds(call, times):
    """Of one of so many calls that follow each other."""
    if not torch.cuda.is_available():
        began = time.perf_counter()
        for _ in range(times):
            call()
        return (time.perf_counter() - began) / times
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    for _ in range(times):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000 / times


# -- losses ------------------------------------------------------------------------------------------------


SMALL = {"num_hidden_layers": 2, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024}


def losses_of(bench, settings, *, dropout=0.0, weights=None, seed=1, **more):
    """The losses of a pretraining, and into how many parts its batches were split.

    Args:
        bench: the benchmark.
        settings: of the pretraining.
        dropout: of the model.
        weights: that it starts with; without them it is a small one, and its weights are drawn.
        seed: of dropout.
        more: see `adapter.pretrain`.
    """
    sizes = SMALL if weights is None and not bench.dry else {}
    model = bench.material.model(on(), dropout, **sizes)
    if weights is not None:
        model.load_state_dict(weights)
    adapter.seed(seed, settings.threads)
    train, valid, *_ = bench.material.text
    try:
        return adapter.pretrain(model, bench.material.tokenizer, train, valid, settings, **more)
    finally:
        plain_torch()
        del model
        free_memory()


def weights_of(bench):
    """Drawn weights of the whole model, kept on the CPU."""
    return {name: tensor.cpu() for name, tensor in bench.material.model(on()).state_dict().items()}


def difference(losses, others):
    """The largest relative one."""
    return max(abs(one - other) / abs(other) for one, other in zip(losses, others, strict=True))


def agreement(bench, found):
    """The part: the same steps, without dropout, on the CPU and on the GPU."""
    batch, steps = bench.sizes.agreement
    weights, runs = weights_of(bench), {}
    for name in ("float32", "bfloat16"):
        runs[name], _ = losses_of(bench, bench.material.pretraining(batch, steps, precision=name), weights=weights)
    exact = bench.material.pretraining(batch, steps, precision="float32", threads=bench.sizes.threads)
    with mock.patch("torch.cuda.is_available", lambda: False):
        runs["CPU"], _ = losses_of(bench, exact, weights=weights)
    found["steps"] = steps
    found["losses"] = runs
    for name, tolerance in (("float32", FLOAT32_TOLERANCE), ("bfloat16", BFLOAT16_TOLERANCE)):
        found[f"{name}, largest relative difference from the CPU"] = difference(runs[name], runs["CPU"])
        agrees = found[f"{name} agrees (within {tolerance:g})"] = difference(runs[name], runs["CPU"]) <= tolerance
        if not agrees:
            bench.fail(f"losses in {name} differ from the CPU's by more than {tolerance:g}")


def deterministic(bench, found):
    """The part: two runs with the option, and two without, in a process that has cuBLAS's workspace set."""
    worker = bench.worker("deterministic", bench.source, {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"})
    bench.ready(worker)
    batch, steps = bench.sizes.batches[0] // 4, 8
    pretraining = {"kind": "pretraining", "batch": batch, "steps": steps, "toy": bench.dry}
    pretraining |= {"folder": str(bench.folder), "work": str(bench.work)}
    runs = {True: [], False: []}
    for option in (False, True, True, False):
        runs[option].append(worker.do(bench.left(), **pretraining, deterministic=option))
    for option, name in ((True, "with it"), (False, "without it")):
        found[f"pretraining, {name}, same bytes twice"] = len({one["digest"] for one in runs[option]}) == 1
    costs = [statistics.median(one["seconds a step"] for one in runs[option]) for option in (True, False)]
    found["pretraining, time with it to time without"] = costs[0] / costs[1]
    if not found["pretraining, with it, same bytes twice"]:
        bench.fail("pretraining with the option gave other bytes")
    slowest = 0 if bench.dry else TWO_JOBS_SECONDS
    for task in TASKS:
        if slowest * 1.2 > bench.left():
            found[f"{task}, with it, same bytes twice"] = "no time was left"
            continue
        began = time.monotonic()
        two = [worker.do(bench.left(), **job(bench, task, deterministic=True, epochs=1)) for _ in range(2)]
        slowest = max(slowest, time.monotonic() - began)
        found[f"{task}, with it, same bytes twice"] = len({one["digest"] for one in two}) == 1
        if not found[f"{task}, with it, same bytes twice"]:
            bench.fail(f"finetuning of {task} with the option gave other bytes")
    bench.close("deterministic")


# -- memory and checkpoints --------------------------------------------------------------------------------


def memory(bench, found):
    """The part: batches that do not fit the memory that the process may have are split, and the losses stay."""
    batch, steps = bench.sizes.batches[0], 4
    weights, reserved = weights_of(bench), {}
    free_memory()
    for size in (batch // 4, batch):
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        whole, _ = losses_of(bench, bench.material.pretraining(size, steps), weights=weights)
        reserved[size] = torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0
    limit = (reserved[batch // 4] + reserved[batch]) / 2
    if torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(limit / torch.cuda.get_device_properties(0).total_memory)
        refuse = None
    else:

        def refuse(ids):
            if len(ids) > batch // 2:
                raise torch.OutOfMemoryError("as if it did not fit")

    try:
        settings = bench.material.pretraining(batch, steps)
        split, parts = losses_of(bench, settings, weights=weights, before=refuse)
    finally:
        if torch.cuda.is_available():
            torch.cuda.set_per_process_memory_fraction(1.0)
    found["sequences a step"] = batch
    found["GB that they take, and that they may"] = [reserved[batch] / 1e9, limit / 1e9]
    found["parts of a batch"] = parts
    # The adapter sees the loss of each part, and not its weight, which is near one of all alike.
    found["relative difference of the last loss"] = difference([statistics.mean(split[-parts:])], whole[-1:])
    if parts == 1:
        bench.fail("a batch that was not to fit was not split")
    if found["relative difference of the last loss"] > SPLIT_TOLERANCE:
        bench.fail("the losses of split batches are others")


def resume(bench, found):
    """The part: a signal stops a training between two checkpoints, and the next start goes on within the epoch."""
    steps, stopped_at = 12, 6
    batch = bench.sizes.batches[-1]
    settings = bench.material.pretraining(batch, steps, precision="float32")
    whole, _ = losses_of(bench, settings, dropout=0.1)
    folder, losses = bench.work / "checkpoint", []

    def stop(_ids):
        if len(losses) == stopped_at - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    first, stopped = adapter.checkpoint_in(folder, settings)
    began = time.perf_counter()
    try:
        with first as checkpoint:
            losses_of(bench, settings, dropout=0.1, before=stop, losses=losses, checkpoint=checkpoint)
        bench.fail("the signal did not stop the training")
    except stopped:
        pass
    found["s until it had stopped, its state saved"] = time.perf_counter() - began
    found["stopped after step"] = len(losses)
    second, _ = adapter.checkpoint_in(folder, settings)
    with second as checkpoint:
        rest, _ = losses_of(bench, settings, dropout=0.1, seed=2, checkpoint=checkpoint)
    found["steps after it went on"] = len(rest)
    found["losses"] = {"whole": whole, "in two": [*map(float, losses), *rest]}
    if len(losses) + len(rest) != steps:
        bench.fail(f"{len(losses)} steps and then {len(rest)} are not {steps}")
        return
    found["largest relative difference of a loss"] = difference([*map(float, losses), *rest], whole)
    if found["largest relative difference of a loss"] > RESUMED_TOLERANCE:
        bench.fail("the losses after it went on are others")
