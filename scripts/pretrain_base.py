import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.pretraining.base_model import pretrain_base
    from specialize.training.processes import run_on_gpus

    experiment, base_model = Experiment(snakemake.config), snakemake.wildcards.base_model
    settings, made_as = experiment.base_pretraining(base_model), dict(snakemake.params.architecture)
    tokenizer = made_as.pop("tokenizer", None)
    run_on_gpus(
        settings.gpus,
        snakemake.config["jobs_per_gpu"],
        snakemake.config["allow_cpu"],
        pretrain_base,
        corpora=[Path("results/corpora", language) for language in snakemake.params.languages],
        unused_slots=snakemake.params.unused_slots,
        training=experiment.base_vocabulary_training(base_model),
        normal_form=snakemake.params.normal_form,
        kind=made_as.pop("vocabulary", "wordpiece"),
        tokenizer=Path(tokenizer) if tokenizer else None,
        architecture=made_as,
        settings=settings,
        folder=Path(snakemake.output.config).parent,
        checkpoints=Path("checkpoints", *Path(snakemake.output.config).parts[1:-1]),
    )
