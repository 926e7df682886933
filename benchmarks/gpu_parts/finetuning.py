"""Finetuning of three tasks, ours beside an earlier package's, in turns; and several jobs on one GPU at once."""

import statistics
import time

from gpu_parts import adapter

TASKS = ("ud", "ner", "pos")  # the most important one first
MOST_TURNS = 4
JOB_EPOCHS = 2  # of a job among several


def job(bench, task, **changes):
    """A job as a worker takes it."""
    values = {
        "kind": "finetuning",
        "batch": bench.sizes.batch,
        "seed": 1,
        "precision": "default",
        "deterministic": False,
        "profiled": False,
        "epochs": adapter.FINETUNING_EPOCHS,
    }
    return bench.material.task(task) | values | changes


def measure(bench, found):
    """The part: turn by turn all tasks and both packages, the first turn timed alone, the second with its kernels."""
    bench.material.encoder  # noqa: B018  # written before anything is timed
    peers = {"ours": bench.worker("ours", bench.source)}
    if bench.before:
        peers["before"] = bench.worker("before", bench.before)
    else:
        found["before"] = "no earlier package was given: --before"
    for name, worker in list(peers.items()):
        try:
            found[f"{name}, s to start a process"] = bench.ready(worker)
        except RuntimeError as error:
            bench.fail(f"{name} did not start: {error}")
            del peers[name]
    results = {task: {name: [] for name in peers} for task in TASKS}
    slowest = dict.fromkeys(TASKS, 0.0)
    for number in range(2 if bench.dry else MOST_TURNS):
        for task in TASKS:
            if number and slowest[task] > bench.left():
                continue
            began = time.monotonic()
            for name in [*results[task]] if number % 2 == 0 else [*reversed(results[task])]:
                try:
                    answer = peers[name].do(bench.left(), **job(bench, task, profiled=number == 1))
                except RuntimeError as error:  # the others go on
                    bench.fail(f"{task}, {name}: {error}")
                    del results[task][name]
                    continue
                peers[name].is_warm = True
                results[task][name].append(answer)
                found[task] = summary(results[task])
            slowest[task] = max(time.monotonic() - began, slowest[task])
    if "before" in peers:
        bench.close("before")


def summary(turns):
    """What the turns so far say of a task."""
    figures = {}
    for name, done in turns.items():
        for kind in ("training", "decoding"):
            if done:
                figures[f"{name}, {kind}, sentences/s"] = statistics.median(one[kind] for one in done)
        if len(done) > 1:  # the same steps, once timed and once with their kernels
            busy = done[1]["kernel seconds"] / done[0]["part seconds"]
            figures[f"{name}, share of time that the GPU was busy"] = busy
        if done:
            figures[f"{name}, precision"] = done[0]["precision"]
        figures[f"{name}, turns"] = done
    for kind in ("training", "decoding"):
        both = [figures.get(f"{name}, {kind}, sentences/s") for name in ("ours", "before")]
        if all(both):
            figures[f"ours / before, {kind}"] = both[0] / both[1]
    return figures


def at_once(bench, found):
    """The part: as many jobs at once as given, each in a process that is warm, against one after the other."""
    bench.material.encoder  # noqa: B018
    names = ["ours", *(f"ours {number}" for number in range(2, max(bench.sizes.together) + 1))]
    workers = [bench.worker(name, bench.source) for name in names]
    for worker in workers:
        bench.ready(worker)
    cold = [worker for worker in workers if not worker.is_warm]
    for worker in cold:
        worker.ask(**job(bench, "ud", epochs=1))
    for worker in cold:
        worker.answer(bench.left())
    alone = None
    for number in bench.sizes.together:
        if alone and 2 * 60 / alone > bench.left():  # two at once take twice as long as one, at worst
            found[f"{number} at once"] = "no time was left"
            continue
        began = time.monotonic()
        for place, worker in enumerate(workers[:number]):
            worker.ask(**job(bench, "ud", seed=1 + place, epochs=JOB_EPOCHS))
        answers = [worker.answer(bench.left()) for worker in workers[:number]]
        rate = 60 * number / (time.monotonic() - began)
        alone = alone or rate
        together = f"{number} at once"
        found[together] = {
            "jobs a minute": rate,
            "to one after the other": rate / alone,
            "training, sentences/s, all together": sum(one["training"] for one in answers),
        }
    found["a job"] = f"parser and {JOB_EPOCHS} epochs, the loading of the model and the scores included"
    for name in names:
        bench.close(name)
