import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.vocabularies import WordPieceTraining, build_vocabulary, count_labeled_words

    build_vocabulary(
        base_folder=Path(snakemake.input.base).parent,
        corpus=Path(snakemake.input.corpus[0]) if snakemake.input.corpus else None,
        number=snakemake.params.pieces,
        training=WordPieceTraining(**snakemake.params.training),
        labeled=count_labeled_words(map(Path, snakemake.input.labeled)),
        folder=Path(snakemake.output.tokenizer).parent,
    )
