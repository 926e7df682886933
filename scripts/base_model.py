import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from functools import partial
    from pathlib import Path

    from specialize.bases.architectures import architecture_of
    from specialize.bases.folder import description_files, model_files, take_base_model
    from specialize.bases.supported import check_description
    from specialize.experiment import Experiment
    from specialize.files import read_json
    from specialize.sources import copy_model, fetch_model, fetch_model_from_mirror
    from specialize.vocabularies import settle_base

    name, destination = snakemake.wildcards.base_model, Path(snakemake.output.config).parent
    origin, mirror = snakemake.params.origin, snakemake.config["mirror"]
    # No parameter of the rule: the model is the same if another representation uses it.
    adapted = Experiment(snakemake.config).is_adapted(name)
    take = partial(take_base_model, adapted=adapted)
    checked = {"described": description_files(), "check": partial(check_description, adapted=adapted)}
    if origin["folder"]:
        copy_model(Path(origin["folder"]), destination, take)
    elif mirror:
        fetch_model_from_mirror(name, mirror, destination, model_files(), take, **checked)
    else:
        fetch_model(origin["hub"], origin["revision"], destination, model_files(), take, **checked)
    positions = architecture_of(destination).positions(read_json(destination / "config.json"))
    settle_base(destination, snakemake.params.normal_form, positions)
