import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.vocabularies import build_trimmed_vocabulary, count_labeled_words, words_by_language

    build_trimmed_vocabulary(
        source=Path(snakemake.input.source).parent,
        corpus=Path(snakemake.input.corpus[0]) if snakemake.input.corpus else None,
        labeled=count_labeled_words(map(Path, snakemake.input.labeled)),
        elsewhere=words_by_language(map(Path, snakemake.input.elsewhere)),
        folder=Path(snakemake.output.tokenizer).parent,
        normal_form=snakemake.params.normal_form,
    )
