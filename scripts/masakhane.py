import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.sources import PARTS, fetch_parts, masakhaner_files, masakhapos_files

    published = {"masakhaner": masakhaner_files, "masakhapos": masakhapos_files}[snakemake.wildcards.collection]
    destinations = {part: Path(snakemake.output[part]) for part in PARTS}
    files = published(snakemake.wildcards.code, snakemake.params.sha256)
    fetch_parts(files, destinations, snakemake.config["mirror"])
