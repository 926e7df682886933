import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.experiment.plan import measure_speeds
    from specialize.reports.diagnosis import write_diagnosis

    experiment = Experiment(snakemake.config)
    measure_speeds(experiment)
    write_diagnosis(experiment, Path())
