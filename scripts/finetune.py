import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.finetuning.finetune import FinetuningSettings, finetune

    folder = Path(snakemake.output.metrics).parent
    cell = dict(snakemake.wildcards.items())
    finetune(
        encoder_folder=Path(snakemake.input.encoder).parent,
        data=Path(snakemake.input.data[0]).parent,
        cell=cell | {"seed": int(cell["seed"])},
        settings=FinetuningSettings(**snakemake.params.settings),
        folder=folder,
        keep_model=hasattr(snakemake.output, "model"),
        checkpoints=Path("checkpoints", *folder.parts[1:]),
        shared=Path("checkpoints/wordpieces"),
        scalars=Path("logs", *folder.parts[1:]) if snakemake.config["tensorboard"] else None,
    )
