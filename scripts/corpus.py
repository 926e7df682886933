import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.corpora import Cleaning, build_corpus, extract_dump, labeled_sentences, read_articles

    text = Path(snakemake.input.text)
    articles = extract_dump(text, snakemake.threads) if snakemake.params.dump else read_articles(text)
    labeled = labeled_sentences(Path("results/datasets", snakemake.wildcards.language))
    build_corpus(articles, labeled, Cleaning(**snakemake.params.cleaning), Path(snakemake.output[0]).parent)
