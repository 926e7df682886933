import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.experiment.resolved import model_description
    from specialize.pretraining.model_card import ModelDescription
    from specialize.pretraining.pretrain import adapt
    from specialize.training.processes import run_on_gpus

    # No parameter of the rule: another licence is no reason to train again. `export` writes its card anew.
    experiment = Experiment(snakemake.config)
    description = model_description(experiment, **snakemake.wildcards)
    settings = experiment.pretraining(snakemake.wildcards.representation)
    word_list = snakemake.input.get("word_list")
    run_on_gpus(
        settings.gpus,
        snakemake.config["jobs_per_gpu"],
        snakemake.config["allow_cpu"],
        adapt,
        base_folder=Path(snakemake.input.config).parent,
        vocabulary=Path(snakemake.input.tokenizer).parent,
        corpus=Path(snakemake.input.corpus).parent,
        multiplier=snakemake.params.multiplier,
        settings=settings,
        description=ModelDescription(**description),
        folder=Path(snakemake.output.config).parent,
        checkpoints=Path("checkpoints", *Path(snakemake.output.config).parts[1:-1]),
        word_list=Path(word_list) if word_list else None,
        gpu_memory=Path("timings/pretraining/{language}/{representation}.json".format(**snakemake.wildcards)),
        others={tag: Path("results/corpora", tag) for tag in experiment.other_texts(**snakemake.wildcards)},
    )
