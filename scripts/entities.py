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

    folds, broken = getattr(snakemake.params, "folds", 0), snakemake.params.broken_labels
    if hasattr(snakemake.input, "archive"):
        archive = Path(snakemake.input.archive)
        parts = unpack_wikiann(archive, snakemake.params.code)
        origins = {part: archive / part for part in PARTS}
    elif hasattr(snakemake.input, "files"):
        listed = listed_parts(Path(snakemake.input.files), all_parts=not folds)
        origins = {part: paths[0] for part, paths in listed.items()}
        parts = read_own_entities(origins)
    else:
        origins = {part: Path(snakemake.input[part]) for part in PARTS if hasattr(snakemake.input, part)}
        parts = read_own_entities(origins)
    parts = mend_labels(origins, parts, broken, in_folds=bool(folds))
    parts = {part: repair_entities(origins[part], parts[part], broken, in_folds=bool(folds)) for part in parts}
    if folds:
        folder, treebank = Path(snakemake.output.statistics).parents[1], map(Path, snakemake.input.treebank)
        write_entity_folds(folder, parts, folds, snakemake.params.seed, list(treebank))
    else:
        for part in PARTS:
            write_entities(Path(snakemake.output[part]), parts[part])
