import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.vocabularies import build_vocabulary, count_labeled_words, words_by_language

    experiment, representation = Experiment(snakemake.config), snakemake.wildcards.representation
    build_vocabulary(
        base_folder=Path(snakemake.input.base).parent,
        corpus=Path(snakemake.input.corpus[0]) if snakemake.input.corpus else None,
        number=snakemake.params.pieces,
        choice=experiment.piece_choice(representation),
        labeled=count_labeled_words(map(Path, snakemake.input.labeled)),
        folder=Path(snakemake.output.tokenizer).parent,
        normal_form=snakemake.params.normal_form,
        elsewhere=words_by_language(map(Path, snakemake.input.elsewhere)),
        growth=experiment.representations[representation].growth,
    )
