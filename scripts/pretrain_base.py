import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.pretraining.pretrain import pretrain_base
    from specialize.pretraining.settings import PretrainingSettings
    from specialize.training.devices import use_free_gpu
    from specialize.vocabularies import WordPieceTraining

    use_free_gpu(snakemake.config["jobs_per_gpu"], snakemake.config["allow_cpu"])
    pretrain = snakemake.params.pretrain
    pretrain_base(
        corpora=[Path("results/corpora", language) for language in pretrain["languages"]],
        vocabulary_size=pretrain["vocabulary_size"],
        unused_slots=pretrain["unused_slots"],
        training=WordPieceTraining(**snakemake.params.vocabulary),
        architecture=pretrain["architecture"],
        settings=PretrainingSettings(**snakemake.params.settings),
        folder=Path(snakemake.output.config).parent,
        checkpoints=Path("checkpoints", *Path(snakemake.output.config).parts[1:-1]),
    )
