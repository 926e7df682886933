import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import (
        PARTS,
        mend_labels,
        read_own_entities,
        repair_entities,
        unpack_wikiann,
        write_entities,
        write_entity_folds,
    )
    from specialize.sources import listed_parts

    if hasattr(snakemake.input, "archive"):
        archive = Path(snakemake.input.archive)
        parts = unpack_wikiann(archive, snakemake.params.code)
        origins = {part: archive / part for part in PARTS}
    elif hasattr(snakemake.input, "files"):
        listed = listed_parts(Path(snakemake.input.files), all_parts=not hasattr(snakemake.params, "folds"))
        origins = {part: paths[0] for part, paths in listed.items()}
        parts = read_own_entities(origins)
    else:
        origins = {part: Path(snakemake.input[part]) for part in PARTS if hasattr(snakemake.input, part)}
        parts = read_own_entities(origins)
    parts = mend_labels(origins, parts, snakemake.params.broken_labels)
    for part in parts:
        parts[part] = repair_entities(origins[part], parts[part], snakemake.params.broken_labels)
    if hasattr(snakemake.params, "folds"):
        folder = Path("results/datasets", snakemake.wildcards.language)
        write_entity_folds(folder, parts, snakemake.params.folds, snakemake.params.seed)
    else:
        for part in PARTS:
            write_entities(Path(snakemake.output[part]), parts[part])
