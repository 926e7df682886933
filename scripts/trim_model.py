import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.experiment.resolved import model_description
    from specialize.pretraining.fewer_rows import trim_model
    from specialize.pretraining.model_card import ModelDescription

    description = model_description(Experiment(snakemake.config), **snakemake.wildcards)
    trim_model(
        source=Path(snakemake.input.config).parent,
        vocabulary=Path(snakemake.input.tokenizer).parent,
        description=ModelDescription(**description),
        folder=Path(snakemake.output.config).parent,
    )
