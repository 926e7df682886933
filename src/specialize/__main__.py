"""Command line: `python -m specialize` with `predict`, `transliterate`, `convert-weights`, `measure` and others."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from specialize.errors import SpecializeError

DESCRIPTION = """\
Look at a run of the workflow, use the models that it has made, and prepare its
configuration. Runs themselves are started by Snakemake:

  snakemake all --cores 4 --directory runs/latgalian --configfile latgalian.yaml
"""
EXAMPLES = """\
examples:
  python -m specialize new ltg
  python -m specialize tables runs/latgalian
  python -m specialize predict \\
      --model runs/latgalian/results/finetuning/ltg/tva/ud/seed1 < text.txt

`python -m specialize COMMAND --help` explains one command.
"""
NEW = """\
Write a configuration file for a language: its name and script, its Wikipedia and
newest dump, its treebanks and named entities, as far as they are published (or
in the mirror), with comments on what to check by eye. Private-use tags such as
qaa need --name and --text.
"""
NEW_EXAMPLE = """\
example:
  python -m specialize new ltg
  python -m specialize new kk --output kazakh.yaml --mirror /path/to/mirror
"""
PREDICT = """\
Tag or parse text, UTF-8: one sentence a line, raw text (a paragraph a line), or
CoNLL-U, of which multiword tokens, comments and other columns stay.

CoNLL-U is written that `udvalidate --level 2` passes, with the predictions of all
models that are given; an entity tagger alone writes one token, tab and label a
line. Models are kept where the run was started with --config keep_models=true.
The model of a transliterated twin transliterates text as its training did; text
that is Latin already stays.
"""
PREDICT_EXAMPLE = """\
example:
  python -m specialize predict \\
      --model runs/latgalian/results/finetuning/ltg/tva/ud/seed1 \\
      < text.txt > text.conllu
  python -m specialize predict --format text --input text.txt --output text.conllu \\
      --model runs/latgalian/results/finetuning/ltg/tva/ud/seed1 \\
      --model runs/latgalian/results/finetuning/ltg/tva/ner/seed1
"""
EXPORT = """\
Write the tagger or the entity tagger of a finetuned model as a folder that the
library transformers loads without this package: AutoModelForTokenClassification
with trust_remote_code=True. Its card says what differs.
"""
EXPORT_EXAMPLE = """\
example:
  python -m specialize export-tagger --output ltg-tagger \\
      --model runs/latgalian/results/finetuning/ltg/tva/pos/seed1
"""
TRANSLITERATE = """\
Write text in Latin letters, as the workflow writes the corpus of a transliterated
twin: standard input, UTF-8, line for line, words parted by blanks. --model reads
the scheme from a model's folder (finetuned, pretrained or exported).
"""
TRANSLITERATE_EXAMPLE = """\
example:
  python -m specialize transliterate --scheme transliterate --language ru \\
      < text.txt > latin.txt
  python -m specialize transliterate \\
      --model runs/uyghur/results/export/ug-Latn/tva < text.txt > latin.txt
"""
TRIM = """\
Write a copy of a model without the wordpieces that your texts do not need, nor
any letter of their scripts: often a tenth of the size. Of sentences that need
none of those it gives the same tags and trees, to the bit. Name all texts that
it is to go on reading as before, other languages' too: plain text, .conllu, or
the run's .tsv.
"""
TRIM_EXAMPLE = """\
example:
  python -m specialize trim \\
      runs/latgalian/results/finetuning/ltg/tva/ud/seed1 ltg-small \\
      --text runs/latgalian/results/corpora/ltg/train.txt
"""
TABLES = """\
Print what a run says, in one screen if it is small: which method is best for
which language and task and whether that is significant, or, where nothing has
been trained yet, the diagnosis.
"""
DATES = """\
Write the date of the newest finished Wikipedia dump into a configuration file,
wherever it says `date: latest`, so that the run can be repeated. Nothing else
in the file changes.
"""
DATES_EXAMPLE = """\
example:
  python -m specialize resolve-dates latgalian.yaml
  python -m specialize resolve-dates latgalian.yaml --mirror /path/to/mirror
"""
PIN = """\
Write the commits of base models on the Hugging Face hub into a configuration
file, wherever it has a branch or tag such as `revision: main`, so that the run
can be repeated. Nothing else in the file changes. HF_ENDPOINT may name another
hub.
"""
PIN_EXAMPLE = """\
example:
  python -m specialize pin config/bases.yaml
"""
WEIGHTS = """\
Write model.safetensors of the pytorch_model.bin in a base model's folder, which
is not read, since a pickled file may run any code; it is opened here as tensors
only. Or take a prefix off the names of the tensors in its safetensors.
"""
WEIGHTS_EXAMPLE = """\
example:
  python -m specialize convert-weights my-bert
  python -m specialize convert-weights my-bert --without-prefix module.
"""
MEASURE = """\
Measure how fast this machine trains the models of a configuration, keep it for
the forecasts of all runs, and print this one's. It takes seconds for each kind
of model. A start of a run does the same, if it has to train.
"""
MEASURE_EXAMPLE = """\
example:
  python -m specialize measure config/config.yaml latgalian.yaml
"""
WORLD = """\
Write the demo's invented languages, texts, treebanks and named entities, laid
out as a mirror. `make demo` does this, then runs the workflow on them.
"""
REFERENCE = """\
For developers: write workflow/schemas/, docs/reference/configuration.md and the
table of docs/as-run.md, which follow from the settings that src/ declares.
"""

Command = Callable[[argparse.Namespace], None]


def argument_parser() -> argparse.ArgumentParser:
    """The commands with their help."""
    parser = argparse.ArgumentParser(
        prog="python -m specialize",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")

    def add(name: str, run: Command, summary: str, description: str, example: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=example,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run_command=run)
        return command

    new = add("new", new_language, "write a configuration file for a language", NEW, NEW_EXAMPLE)
    new.add_argument("tag", metavar="TAG", help="of the language in BCP 47, such as ltg or kk")
    new.add_argument("--output", type=Path, metavar="FILE", help="by default TAG.yaml")
    new.add_argument("--overwrite", action="store_true", help="replace the file if it is there")
    new.add_argument("--mirror", metavar="PATH_OR_URL", help="look there instead of at the hosts that publish")
    new.add_argument("--text", type=Path, metavar="PATH", help="a text of your own in place of a Wikipedia")
    new.add_argument("--name", default="", help="of the language in tables, in place of the registry's")
    tagger = add("predict", predict, "tag or parse text with a finetuned model", PREDICT, PREDICT_EXAMPLE)
    kept = "of a job whose model was kept; several may predict different things"
    tagger.add_argument("--model", type=Path, required=True, action="append", metavar="FOLDER", help=kept)
    shapes = "of the input: lines (one sentence each), text (a paragraph a line), conllu; by default what FILE ends in"
    tagger.add_argument("--format", choices=("lines", "text", "conllu"), help=shapes)
    tagger.add_argument("--input", type=Path, metavar="FILE", help="in place of standard input")
    tagger.add_argument("--output", type=Path, metavar="FILE", help="in place of standard output; .conllu is CoNLL-U")
    tagger.add_argument("--tokenized", action="store_true", help="words and punctuation stand apart already")
    tagger.add_argument("--entities", action="store_true", help="write named entities, not tags and trees")
    summary = "write a finetuned tagger as a folder for transformers"
    exported = add("export-tagger", export_tagger, summary, EXPORT, EXPORT_EXAMPLE)
    exported.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="of a job whose model was kept")
    exported.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where it appears")
    exported.add_argument("--entities", action="store_true", help="of a model of several tasks, its entity tagger")
    summary = "write a model without wordpieces that texts do not need"
    smaller = add("trim", trim, summary, TRIM, TRIM_EXAMPLE)
    smaller.add_argument("model", type=Path, metavar="MODEL", help="finetuned and kept, pretrained, or exported")
    smaller.add_argument("output", type=Path, metavar="OUT", help="where it appears")
    smaller.add_argument("--text", type=Path, nargs="+", required=True, metavar="FILE", help="that it is to read")
    summary = "write text as a transliterated twin reads it"
    latin = add("transliterate", transliterate, summary, TRANSLITERATE, TRANSLITERATE_EXAMPLE)
    chosen = latin.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--model", type=Path, metavar="FOLDER", help="of a twin's model, which says how")
    chosen.add_argument("--scheme", metavar="NAME", help="uyghur, transliterate or uroman, as in a configuration")
    latin.add_argument("--language", metavar="CODE", help="of the scheme transliterate; optional for uroman")
    example = "example:\n  python -m specialize tables runs/demo\n"
    tables = add("tables", print_tables, "print the answers of a run, or all its tables", TABLES, example)
    tables.add_argument("run", type=Path, metavar="RUN", help="the run's directory")
    tables.add_argument("--all", action="store_true", help="the other tables that fit a terminal too, the answers last")
    summary = "write the newest dump's date in place of `latest`"
    dates = add("resolve-dates", resolve_dates, summary, DATES, DATES_EXAMPLE)
    dates.add_argument("file", type=Path, metavar="FILE", help="your configuration file")
    dates.add_argument("--mirror", help="look there instead of at Wikimedia's dumps")
    summary = "write commits in place of `revision: main`"
    pinned = add("pin", pin, summary, PIN, PIN_EXAMPLE)
    pinned.add_argument("file", type=Path, metavar="FILE", help="a configuration file")
    summary = "write safetensors of a base model's other weights"
    weights = add("convert-weights", convert_weights, summary, WEIGHTS, WEIGHTS_EXAMPLE)
    weights.add_argument("folder", type=Path, metavar="FOLDER", help="of the base model")
    weights.add_argument("--without-prefix", default="", metavar="PREFIX", help="taken off the names that have it")
    summary = "measure how fast this machine trains"
    speeds = add("measure", measure, summary, MEASURE, MEASURE_EXAMPLE)
    speeds.add_argument("files", type=Path, nargs="+", metavar="FILE", help="configuration files, the last one winning")
    speeds.add_argument("--mirror", help="as in --config mirror=…")
    example = "example:\n  python -m specialize demo-world runs/demo-mirror\n"
    world = add("demo-world", demo_world, "write the demo's invented world", WORLD, example)
    world.add_argument("folder", type=Path, metavar="FOLDER", help="where it appears")
    example = "example:\n  python -m specialize reference\n"
    generated = add("reference", reference, "write schemas and reference of the settings", REFERENCE, example)
    generated.add_argument("checkout", type=Path, nargs="?", default=Path(), metavar="CHECKOUT", help="by default here")
    return parser


def new_language(arguments: argparse.Namespace) -> None:
    """Write a configuration file."""
    from specialize.new_language import new_language as write

    print(write(arguments.tag, arguments.output, arguments.mirror, arguments.text, arguments.name, arguments.overwrite))


def predict(arguments: argparse.Namespace) -> None:
    """Tag or parse text."""
    from specialize.files import atomic_text, read_text
    from specialize.finetuning.prediction import STANDARD_INPUT
    from specialize.finetuning.prediction import predict as predict_text

    given, wanted = arguments.input, arguments.output
    if wanted and wanted.is_dir():
        raise SpecializeError(f"{wanted} is a folder; give --output a file in it")
    known = arguments.format or ("conllu" if given and given.suffix == ".conllu" else "lines")
    lines: Iterable[str] = sys.stdin
    if given:
        lines = list(io.StringIO(read_text(given), newline="" if known == "conllu" else None))
    else:
        newline = "" if known == "conllu" else None
        sys.stdin.reconfigure(encoding="utf-8-sig", newline=newline)  # type: ignore[union-attr]
    with atomic_text(wanted) if wanted else contextlib.nullcontext(sys.stdout) as output:
        predict_text(
            arguments.model,
            lines,
            output,
            split_words=not arguments.tokenized,
            entities=arguments.entities,
            text_format=known,
            source=given or STANDARD_INPUT,
            conllu=bool(wanted) and wanted.suffix == ".conllu",
        )


def export_tagger(arguments: argparse.Namespace) -> None:
    """Export a tagger."""
    from specialize.reports.tagger_export import export_tagger as export

    export(arguments.model, arguments.output, arguments.entities)


def trim(arguments: argparse.Namespace) -> None:
    """Trim a model."""
    from specialize.finetuning.trimming import trim_finished

    before, after = trim_finished(arguments.model, arguments.output, arguments.text)
    print(f"{arguments.output}: {after:,} of {before:,} wordpieces stay")


def transliterate(arguments: argparse.Namespace) -> None:
    """Transliterate standard input."""
    from specialize.datasets import read_transliteration, transliterate_text

    scheme, language = arguments.scheme, arguments.language
    if arguments.model:
        if language:
            raise SpecializeError("--language goes with --scheme; the model says its own")
        known = read_transliteration(arguments.model)
        scheme, language = known["scheme"], known["language"]
    # Carriage returns and the like stay where they are.
    sys.stdin.reconfigure(encoding="utf-8-sig", newline="\n")  # type: ignore[union-attr]
    if warning := transliterate_text(sys.stdin, sys.stdout, scheme, language):
        print(warning, file=sys.stderr)


def print_tables(arguments: argparse.Namespace) -> None:
    """Print a run's answers or its diagnosis, or all its tables."""
    from specialize.tables.screen import all_tables, summary

    print(all_tables(arguments.run) if arguments.all else summary(arguments.run))


def resolve_dates(arguments: argparse.Namespace) -> None:
    """Write dates in place of `latest`."""
    from specialize.experiment.plan import resolve_dates as resolve

    resolved = resolve(arguments.file, arguments.mirror)
    for tag, date in resolved.items():
        print(f"{tag}: {date}")
    if not resolved:
        print(f"{arguments.file} has no date: latest")


def pin(arguments: argparse.Namespace) -> None:
    """Write commits in place of branches and tags."""
    from specialize.experiment.plan import pin_revisions

    pinned = pin_revisions(arguments.file)
    for one, commit in pinned:
        print(f"{one.name}: {one.hub}, {one.revision}: {commit}")
    if not pinned:
        print(f"{arguments.file} has no revision that is not a commit")


def convert_weights(arguments: argparse.Namespace) -> None:
    """Write model.safetensors."""
    from specialize.bases.weights import convert_weights as convert

    print(convert(arguments.folder, arguments.without_prefix))


def measure(arguments: argparse.Namespace) -> None:
    """Measure and keep what no start has measured yet, and print a forecast of the whole grid."""
    from specialize.experiment import Experiment
    from specialize.experiment.plan import forecast, measure_speeds

    overrides = {"mirror": arguments.mirror} if arguments.mirror else {}
    experiment = Experiment.read(arguments.files, overrides)
    measure_speeds(experiment)
    print(forecast(experiment, on_cluster=False, dry_run=True))


def demo_world(arguments: argparse.Namespace) -> None:
    """Write the demo's world."""
    from specialize.demo_world import write_world

    write_world(arguments.folder)


def reference(arguments: argparse.Namespace) -> None:
    """Write what follows from the declared settings."""
    from specialize.experiment.reference import write_reference

    for path in write_reference(arguments.checkout):
        print(path)


def main() -> None:
    """Run one command; an error that the user can mend is one line on standard error."""
    arguments = argument_parser().parse_args()
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        arguments.run_command(arguments)
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
