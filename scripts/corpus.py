import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.corpora import build_corpus, labeled_sentences, read_dump, read_own_text
    from specialize.experiment import Experiment
    from specialize.sources import own_text

    experiment = Experiment(snakemake.config)
    language = experiment.languages[snakemake.wildcards.language]
    if language.has_own_text:
        corpus = language.entry["corpus"]
        files = own_text(corpus)
        source = next(iter(files)) if len(files) == 1 else Path(f"{next(iter(files))} and {len(files) - 1:,} more")
        articles = read_own_text(files, corpus.get("field", "text"))
    else:
        source = Path(snakemake.input.text)
        articles = read_dump(source)
    cleaning = experiment.cleaning(language.tag)
    labeled = labeled_sentences(map(Path, snakemake.input.labeled), cleaning.decontamination)
    build_corpus(source, articles, labeled, cleaning, Path(snakemake.output[0]).parent, snakemake.threads)
