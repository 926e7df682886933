"""How many seeds an hour one device finetunes, one after the other and several at once.

    .venv/bin/python benchmarks/seeds_together.py runs/demo config/demo.yaml qad tva pos [--together 1 2 5]

RUN has the data and the pretrained encoder; its configuration files are those given. Each number is of whole jobs, with
imports, in processes of their own as the workflow starts them. With several GPUs set CUDA_VISIBLE_DEVICES to one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from specialize.experiment import Experiment

ROOT = Path(__file__).parents[1]
JOB = """
import json, sys
from pathlib import Path
from specialize.finetuning.finetune import finetune
from specialize.finetuning.settings import FinetuningSettings
from specialize.training.devices import device

start, data, settings, folder = sys.argv[1:]
finetune(
    Path(start), {kind: Path(path) for kind, path in json.loads(data).items()}, {},
    FinetuningSettings(**json.loads(settings), method="base"), Path(folder), keep_model=False,
)
print("device:", device().type)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("configuration", type=Path, nargs="+")
    parser.add_argument("language")
    parser.add_argument("representation")
    parser.add_argument("regime")
    parser.add_argument("--together", type=int, nargs="+", default=[1, 2, 5])
    arguments = parser.parse_args()
    experiment = Experiment.read([ROOT / "config/config.yaml", *arguments.configuration])
    start = arguments.run / experiment.encoder_folder(arguments.language, arguments.representation)
    datasets = arguments.run / "results/datasets" / arguments.language
    data = {"conllu": str(datasets), "tsv": str(datasets / "ner")}
    alone = None
    for together in arguments.together:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            jobs = [
                subprocess.Popen(
                    [
                        *(sys.executable, "-c", JOB, str(start), json.dumps(data)),
                        json.dumps(
                            experiment.finetuning(
                                arguments.language, arguments.representation, arguments.regime, 1 + number % 5
                            ).as_dict()
                        ),
                        str(Path(folder) / str(number)),
                    ],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                for number in range(together)
            ]
            printed = [job.communicate()[0] for job in jobs]
            assert not any(job.returncode for job in jobs), printed
            rate = together / (time.monotonic() - started) * 3600
        alone = alone or rate
        print(f"{together} at once on {printed[0].split()[-1]}: {rate:,.0f} seeds an hour, {rate / alone:.2f} times")


if __name__ == "__main__":
    main()
