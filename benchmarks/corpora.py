"""The corpora stage beside WikiExtractor alone, in MB of XML a second, and transliteration in tokens a second.

    python benchmarks/corpora.py DUMP [--copies 25] [--processes 2] [--rounds 3]

Each round runs WikiExtractor's own command, which extracts, and our whole stage, which also cleans, splits, takes out
labeled sentences and counts, one after the other; both write files. The 20,000 labeled sentences are the dump's own,
each with one more word at its end: all are looked at, none is found. More copies make a longer dump of the same pages,
to see that memory does not grow. Memory is the sum over all processes, so what they share counts more than once. Where
other jobs keep the machine busy, compare processor seconds, which are of all processes too.
"""

import argparse
import bz2
import itertools
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from specialize.corpora import read_dump
from specialize.datasets import transliterator

EXTRACTOR = ["-m", "wikiextractor.WikiExtractor", "--json", "--no-templates", "--quiet"]
STAGE = """
import sys
from pathlib import Path
from specialize.corpora import LabeledSentence, build_corpus, read_dump
from specialize.experiment import Experiment
dump, folder, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sentences = Path(sys.argv[5]).read_text(encoding="utf-8").split("\\n")
labeled = {"dev.conllu": [LabeledSentence((sentence,), 4) for sentence in sentences]}
build_corpus(dump, read_dump(dump), labeled, Experiment.read([Path(sys.argv[4])]).cleaning("wo"), folder, processes)
"""
CONFIGURATION = Path(__file__).parents[1] / "config" / "config.yaml"
TOKENS = 100_000
LABELED = 20_000


def labeled_sentences(dump):
    """Beginnings of lines that the dump has, each with one more word, so that none stands in it."""
    lines = (line for page in read_dump(dump) for line in page.text.split("\n") if len(line.split()) > 3)
    return [" ".join([*line.split()[:12], "altered"]) for line in itertools.islice(lines, LABELED)]


def longer_dump(dump, copies, folder):
    """The same pages several times over; compressed streams may be joined, so they are compressed once."""
    export = bz2.decompress(dump.read_bytes())
    start, end = export.index(b"<page>"), export.rindex(b"</mediawiki>")
    pages = bz2.compress(export[start:end])
    path = folder / "dump.xml.bz2"
    with path.open("wb") as stream:
        stream.write(bz2.compress(export[:start]))
        for _ in range(copies):
            stream.write(pages)
        stream.write(bz2.compress(export[end:]))
    return path, len(export) + (copies - 1) * (end - start)


def measure(arguments):
    """Seconds, processor seconds and megabytes of a command with all its processes."""
    began, used = time.perf_counter(), processor_seconds()
    process = psutil.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments[:2])} failed")
    return seconds, processor_seconds() - used, peak / 1e6


def processor_seconds():
    """Of all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        dump, size = longer_dump(arguments.dump, arguments.copies, folder)
        (folder / "labeled.txt").write_text("\n".join(labeled_sentences(arguments.dump)), encoding="utf-8")
        commands = {
            "WikiExtractor alone": [
                *EXTRACTOR,
                "--processes",
                str(arguments.processes),
                "--output",
                str(folder / "extracted"),
                str(dump),
            ],
            "our whole stage": [
                "-c",
                STAGE,
                str(dump),
                str(folder / "corpus"),
                str(arguments.processes),
                str(CONFIGURATION),
                str(folder / "labeled.txt"),
            ],
        }
        measured = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                measured[name].append(measure(command))
        rates = {name: [size / 1e6 / seconds for seconds, _, _ in runs] for name, runs in measured.items()}
        processor = {name: statistics.median(used for _, used, _ in runs) for name, runs in measured.items()}
        for name, runs in measured.items():
            low, middle, high = min(rates[name]), statistics.median(rates[name]), max(rates[name])
            memory = max(peak for _, _, peak in runs)
            print(
                f"{name}: {middle:.1f} MB of XML a second ({low:.1f} to {high:.1f}), {processor[name]:.1f} s of the "
                f"processors, at most {memory:,.0f} MB of memory"
            )
        ours, theirs = (statistics.median(rates[name]) for name in ("our whole stage", "WikiExtractor alone"))
        used = processor["WikiExtractor alone"] / processor["our whole stage"]
        print(
            f"ratio: {ours / theirs:.2f}, by processor seconds {used:.2f} "
            f"({size / 1e6:,.0f} MB of XML, {arguments.processes} processes)"
        )
        words = []
        for page in read_dump(arguments.dump):
            words += re.findall(r"\w+|[^\w\s]", page.text)
            if len(words) >= TOKENS:
                break
        words = words[:TOKENS]
        text = " ".join(words)
        for scheme, language in (("uyghur", None), ("transliterate", "ru"), ("uroman", None)):
            began = time.perf_counter()
            convert = transliterator(scheme, language)
            ready = time.perf_counter()
            convert(text)
            done = time.perf_counter() - ready
            print(
                f"transliteration by {scheme}: {len(words):,} tokens ({len(set(words)):,} distinct) in {done:.2f} s, "
                f"{ready - began:.2f} s to load"
            )


if __name__ == "__main__":
    main()
