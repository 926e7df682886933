"""Command line: `python -m specialize predict`, `tables`, `resolve-dates`, `demo-world`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from specialize.errors import InputError, SpecializeError

SHOWN_TABLES = (
    "diagnosis",
    "corpora",
    "comparisons",
    "transliteration",
    "multi-task",
    "single-task",
    "answers",
)  # what the run says last, where eyes are


def main() -> None:
    """Run one command; an error that the user can mend is one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m specialize", description="Use a finetuned model, or make the demo's data."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="tag or parse standard input, one sentence a line")
    predict.add_argument("--model", type=Path, required=True, help="folder of a finetuning job with its model kept")
    predict.add_argument("--tokenized", action="store_true", help="words and punctuation stand apart already")
    predict.add_argument("--entities", action="store_true", help="of a model of several tasks, its named entities")
    tables = commands.add_parser("tables", help="print the tables of a run")
    tables.add_argument("run", type=Path, help="the run's directory")
    dates = commands.add_parser("resolve-dates", help="write the newest dump's date in place of `latest` into a file")
    dates.add_argument("file", type=Path, help="your configuration file")
    dates.add_argument("--mirror", help="look there instead of at Wikimedia's")
    world = commands.add_parser("demo-world", help="write the demo's little world, laid out as a mirror")
    world.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        if arguments.command == "predict":
            from specialize.finetuning.prediction import predict as predict_text

            sys.stdin.reconfigure(encoding="utf-8-sig")  # type: ignore[union-attr]
            predict_text(arguments.model, sys.stdin, sys.stdout, not arguments.tokenized, arguments.entities)
        elif arguments.command == "tables":
            paths = [arguments.run / f"results/tables/{name}.md" for name in SHOWN_TABLES]
            found = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
            if not found:
                raise InputError(arguments.run, "has no tables yet", remedy="run `snakemake all` there")
            print("\n\n".join(found))
            print(f"\nThese and others, in four formats: {arguments.run / 'results/tables'}")
        elif arguments.command == "resolve-dates":
            from specialize.experiment.plan import resolve_dates

            resolved = resolve_dates(arguments.file, arguments.mirror)
            for tag, date in resolved.items():
                print(f"{tag}: {date}")
            if not resolved:
                print(f"{arguments.file} has no date: latest")
        else:
            from specialize.demo_world import write_world

            write_world(arguments.folder)
    except SpecializeError as error:
        sys.exit(f"Error: {error}")
    except UnicodeDecodeError as error:
        sys.exit(f"Error: standard input is not UTF-8 ({error}); convert it")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
    except OSError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
