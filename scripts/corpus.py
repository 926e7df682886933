import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.corpora import build_corpus, labeled_sentences, read_articles, read_dump
    from specialize.experiment import Experiment

    text = Path(snakemake.input.text)
    articles = read_dump(text) if snakemake.params.dump else read_articles(text)
    cleaning = Experiment(snakemake.config).cleaning(snakemake.wildcards.language)
    labeled = labeled_sentences(Path("results/datasets", snakemake.wildcards.language), cleaning.decontamination)
    build_corpus(text, articles, labeled, cleaning, Path(snakemake.output[0]).parent, snakemake.threads)
