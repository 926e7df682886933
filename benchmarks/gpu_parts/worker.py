"""A process of its own that does finetuning jobs and pretrainings as it is told, and the handle of one.

Each reads jobs as lines of JSON and answers in such lines; whatever else is printed goes to its log.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parents[1]
LOG_TAIL = 2000  # characters


class Worker:
    """The handle of a process; it is starting when this is made.

    Args:
        source: the folder of the package that it uses.
        log: the file of what it prints.
        environment: variables besides this process's own.
    """

    def __init__(self, source, log, environment=None):
        self.log, self.is_warm = log, False
        paths = [str(source), str(HERE), os.environ.get("PYTHONPATH", "")]
        variables = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | (environment or {})
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gpu_parts.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=variables,
                text=True,
            )
        self.answers = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.answers.put(json.loads(line))
        self.answers.put({"error": "the process has ended"})

    def ask(self, **job):
        """Give it a job."""
        with contextlib.suppress(BrokenPipeError):  # `answer` says why
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()

    def answer(self, timeout):
        """What it found, for the earliest job that is not answered yet (the first answer is to its start)."""
        try:
            found = self.answers.get(timeout=max(timeout, 0))
        except queue.Empty:
            found = {"error": f"no answer within {timeout:.0f} s"}
        if "error" in found:
            tail = self.log.read_text(errors="replace")[-LOG_TAIL:]
            raise RuntimeError(f"{found['error']}\n{tail}")
        return found

    def do(self, timeout, **job):
        """Give it a job, and wait for what it found."""
        self.ask(**job)
        return self.answer(timeout)

    def close(self):
        """End it, whatever it is doing."""
        self.process.kill()
        self.process.wait()


# -- within the process ------------------------------------------------------------------------------------


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a job prints is no answer
    began = time.perf_counter()
    from gpu_parts import adapter

    adapter.find_package()
    import torch

    from specialize.finetuning import finetune  # noqa: F401  # imports are no part of a job's time

    if torch.cuda.is_available():
        torch.ones(1, device="cuda").sum().item()  # starts CUDA
    seconds = time.perf_counter() - began
    print(json.dumps({"ready": seconds, "torch": torch.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            found = done(json.loads(line))
        except Exception:  # whoever asked is told
            found = {"error": traceback.format_exc()}
        print(json.dumps(found), file=answers, flush=True)


def done(job):
    """Do a job: `kind` says which."""
    from gpu_parts import adapter, measuring

    began = time.perf_counter()
    try:
        if job.pop("kind") == "finetuning":
            with tempfile.TemporaryDirectory() as folder:
                found = adapter.finetune(job, Path(folder))
        else:
            from gpu_parts.pretraining import pretraining_job

            found = pretraining_job(job)
    finally:
        measuring.free_memory()
    return found | {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    main()
