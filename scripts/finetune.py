import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.finetuning.finetune import finetune
    from specialize.training.devices import use_free_gpu

    use_free_gpu(snakemake.config["jobs_per_gpu"], snakemake.config["allow_cpu"])
    experiment = Experiment(snakemake.config)
    folder, start = Path(snakemake.output.metrics).parent, Path(snakemake.input.start)
    cell = dict(snakemake.wildcards.items())
    split = cell.pop("split").rstrip("/")
    divided = {"split": split} if split else {}
    finetune(
        start=start if start.is_dir() else start.parent,
        data={path.suffix[1:]: path.parent for path in map(Path, snakemake.input.data)},
        cell=cell | divided | {"seed": int(cell["seed"])},
        settings=experiment.finetuning(**cell),
        folder=folder,
        keep_model=hasattr(snakemake.output, "model"),
        transliteration=experiment.transliteration(cell["language"]),
        checkpoints=Path("checkpoints", *folder.parts[1:]),
        shared=Path("checkpoints/wordpieces"),
        scalars=Path("logs", *folder.parts[1:]) if snakemake.config["tensorboard"] else None,
    )
