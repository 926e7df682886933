"""What a GPU makes of this package: how fast it trains beside `transformers.Trainer` and beside itself, and how right.

    python benchmarks/gpu.py FOLDER [--only PART ...] [--json FILE] [--before FOLDER/src]
    python benchmarks/gpu.py --dry

One command, on one GPU, of four minutes at most; it needs no network. The most important parts come first, and the
JSON is written after each. FOLDER has UD_Wolof-WTB/{train,dev,test}.conllu, wikiann-ug/{train,dev,test}, a Uyghur
*-pages-articles.xml.bz2 and mbert-vocabulary/tokenizer.json. With --dry every part runs on the CPU at toy sizes, on
words that mean nothing if no FOLDER is given, and nothing of it is a measurement. The exit status is 1 if a part
failed.
"""

import argparse
import contextlib
import datetime
import faulthandler
import json
import os
import platform
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

BEGAN = time.monotonic()
LIMIT = 236.0  # seconds in all; what is left of four minutes is for the end
DRY_LIMIT = 1800.0  # on a core that others use too
AFTER_LIMIT = 25.0  # a call that hangs in a library is ended so many seconds after its limit
# Each part with the seconds that it may take on a GPU, the most important first.
SECONDS = {
    "rate": 6,
    "pretraining": 56,
    "finetuning": 66,
    "seeds": 38,
    "agreement": 16,
    "deterministic": 28,
    "memory": 12,
    "resume": 10,
    "hours": 4,
}


class Bench:
    """What the parts share: sizes, data, processes, and what was found so far."""

    def __init__(self, arguments, work, deadline):
        from gpu_parts import adapter, material

        self.dry, self.work, self.deadline = arguments.dry, work, deadline
        self.source, self.before = adapter.SOURCE, arguments.before
        self.sizes = material.TOY if arguments.dry else material.Sizes()
        self.folder = arguments.folder
        if self.folder is None:
            self.folder = work / "made"
            material.made_folder(self.folder)
            self.before = self.before or self.source  # so that a dry run sees two packages
        self.material = material.Material(self.folder, work, self.sizes)
        self.matrix_rate = None
        self.parts, self.failures, self.workers, self.started = {}, [], {}, {}

    def left(self):
        """Seconds of the part that runs."""
        return self.deadline.left()

    def found(self, part):
        """What another part found, as far as it came."""
        return self.parts.get(part, {}).get("found", {})

    def fail(self, what):
        """A check failed; the part goes on."""
        self.failures.append(what)

    def worker(self, name, source, environment=None):
        """A process that works for several parts; it is starting if it was not there."""
        from gpu_parts.worker import Worker

        if name not in self.workers:
            self.workers[name] = Worker(source, self.work / f"{name}.log", environment)
        return self.workers[name]

    def ready(self, worker):
        """Wait until it has started; the seconds that it took."""
        if worker not in self.started:
            self.started[worker] = worker.answer(self.left())["ready"]
        return self.started[worker]

    def close(self, *names):
        """End processes; without names all."""
        for name in names or list(self.workers):
            self.workers.pop(name).close()

    def run(self, name, part):
        """Run a part, and keep what it found however it ends."""
        from gpu_parts.measuring import OutOfTimeError, free_memory, plain_torch

        began, record = time.monotonic(), {"found": {}}
        self.parts[name], self.failures = record, []
        try:
            with self.deadline.part(DRY_LIMIT if self.dry else SECONDS[name]):
                part(self, record["found"])
        except OutOfTimeError:
            self.fail(f"its time of {SECONDS[name]} s, or the time in all, was over")
        except Exception as error:
            self.fail(f"{type(error).__name__}: {error}")
            record["traceback"] = traceback.format_exc()
        record["ok"], record["errors"] = not self.failures, self.failures
        record["seconds"] = round(time.monotonic() - began, 2)
        if self.failures:
            self.close()  # one may still be at work on what was given up
        plain_torch()
        free_memory()


def parts():
    """The parts by name, in the order in which they run."""
    from gpu_parts import checks, finetuning, hours, pretraining

    found = {
        "rate": checks.matrix_rate,
        "pretraining": pretraining.measure,
        "finetuning": finetuning.measure,
        "seeds": finetuning.at_once,
        "agreement": checks.agreement,
        "deterministic": checks.deterministic,
        "memory": checks.memory,
        "resume": checks.resume,
        "hours": hours.measure,
    }
    assert list(found) == list(SECONDS)
    return found


# -- what is said of it ------------------------------------------------------------------------------------


def surroundings(arguments, stood_in):
    """Card, versions, date and command."""
    import torch
    import transformers

    card = "none: a CPU" if arguments.dry else torch.cuda.get_device_name()
    memory = None if arguments.dry else round(torch.cuda.get_device_properties(0).total_memory / 1e9, 1)
    return {
        "dry": arguments.dry,
        "card": card,
        "card's memory, GB": memory,
        "torch": torch.__version__,
        "CUDA": torch.version.cuda,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "before": str(arguments.before) if arguments.before else None,
        "stood in for": stood_in,
    }


def write(path, text):
    """Replace a file at once, so that it is whole whenever the call ends."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def rows_of(found, place=()):
    """What was found as rows of names and values, without lists of turns and losses."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from rows_of(value, (*place, name))
        elif not isinstance(value, list) or all(isinstance(one, int | float) for one in value):
            yield ", ".join([*place, name]), value


def shown(value, dry):
    """A value in the table; one of a dry run is no measurement, and is not shown."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    if value is None:
        return "–"
    if dry:
        return "toy"
    if isinstance(value, list):
        return " ".join(shown(one, dry) for one in value)
    return f"{value:,.0f}" if abs(value) >= 1000 or isinstance(value, int) else f"{value:.4g}"


def table(report):
    """All that was found, for people."""
    dry = report["dry"]
    title = f"{report['card']}, torch {report['torch']}, transformers {report['transformers']}, {report['date'][:10]}"
    lines = [title]
    if dry:
        lines.append("A dry run at toy sizes: it shows that every part runs, and no figure of it is a measurement.")
    for name, part in report["parts"].items():
        state = "ok" if part["ok"] else "FAILED"
        lines.append(f"\n{name}: {state}" + ("" if dry else f", {part['seconds']:.0f} s"))
        found = [(what, shown(value, dry)) for what, value in rows_of(part["found"])]
        short = [(what, value) for what, value in found if len(value) <= 40]
        width = max((len(what) for what, _ in short), default=0)
        lines += [f"  {what:<{width}}  {value:>12}" for what, value in short]
        lines += [f"  {what}: {value}" for what, value in found if len(value) > 40]
        lines += [f"  ! {error}" for error in part["errors"]]
    return "\n".join(lines)


# -- the command -------------------------------------------------------------------------------------------


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--dry", action="store_true", help="run every part on the CPU at toy sizes")
    parser.add_argument("--only", nargs="+", choices=list(SECONDS), metavar="PART", help=", ".join(SECONDS))
    parser.add_argument("--json", type=Path, help="the file that gets all that is found, after every part anew")
    parser.add_argument("--before", type=Path, help="src of an earlier package; by default FOLDER/../before/src")
    arguments = parser.parse_args()
    if arguments.folder is None and not arguments.dry:
        parser.error("FOLDER is needed, or --dry")
    if arguments.folder is not None:
        from gpu_parts.material import is_folder

        arguments.folder = arguments.folder.resolve()
        if not is_folder(arguments.folder):
            parser.error(f"{arguments.folder} lacks some of what the first lines of --help name")
        beside = arguments.folder.parent / "before" / "src"
        arguments.before = arguments.before or (beside if beside.is_dir() else None)
    if arguments.before is not None and not (arguments.before / "specialize").is_dir():
        parser.error(f"{arguments.before} holds no package specialize")
    arguments.before = arguments.before and arguments.before.resolve()
    return arguments


def main():
    quiet = {"TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true"}
    os.environ.update(quiet)
    # Before torch looks: one GPU, of which the Trainer too would else take all.
    one = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    os.environ["CUDA_VISIBLE_DEVICES"] = "" if "--dry" in sys.argv else one
    arguments = read_arguments()
    from gpu_parts import adapter
    from gpu_parts.measuring import Deadline

    stood_in = adapter.find_package()
    import torch

    if not arguments.dry and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} sees no GPU; --dry runs every part on the CPU at toy sizes")
    warnings.filterwarnings("ignore")
    limit = DRY_LIMIT if arguments.dry else LIMIT
    faulthandler.dump_traceback_later(limit + AFTER_LIMIT, exit=True)
    report = {**surroundings(arguments, stood_in), "parts": {}}
    print(f"{report['card']}, torch {report['torch']}, {time.monotonic() - BEGAN:.0f} s to start", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, Path(folder), Deadline(limit, BEGAN))
        report["parts"] = bench.parts
        try:
            for name, part in parts().items():
                if arguments.only and name not in arguments.only:
                    continue
                with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
                    bench.run(name, part)
                report["seconds"] = round(time.monotonic() - BEGAN, 1)
                if arguments.json:
                    write(arguments.json, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
                ended = "ok" if bench.parts[name]["ok"] else "FAILED"
                print(f"{name}: {ended}, {report['seconds']:.0f} s so far", flush=True)
        finally:
            bench.close()
    print(table(report), flush=True)
    faulthandler.cancel_dump_traceback_later()
    sys.exit(not all(part["ok"] for part in bench.parts.values()))


if __name__ == "__main__":
    main()
