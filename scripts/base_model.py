import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.bases.architectures import architecture_of
    from specialize.bases.folder import model_files, take_base_model
    from specialize.files import read_json
    from specialize.sources import copy_model, fetch_model, fetch_model_from_mirror
    from specialize.vocabularies import settle_base

    destination = Path(snakemake.output.config).parent
    origin, mirror = snakemake.params.origin, snakemake.config["mirror"]
    if origin["folder"]:
        copy_model(Path(origin["folder"]), destination, take_base_model)
    elif mirror:
        fetch_model_from_mirror(snakemake.wildcards.base_model, mirror, destination, model_files(), take_base_model)
    else:
        fetch_model(origin["hub"], origin["revision"], destination, model_files(), take_base_model)
    positions = architecture_of(destination).positions(read_json(destination / "config.json"))
    settle_base(destination, snakemake.params.normal_form, positions)
