"""Where the parts of one's own named entities lie: the names that published sets of files have."""

from __future__ import annotations

import re
from pathlib import Path

from specialize.sources.published import PARTS

# WikiAnn's and our own files, MasakhaNER's (.txt), CoNLL's and Universal NER's.
ENTITY_ENDINGS = ("tsv", "txt", "conll", "iob2", "iob", "bio")


def entity_files(folder: Path) -> dict[str, list[Path]]:
    """For each of train, dev and test the files of a folder that may be it; there should be one each.

    They are named `{part}` with one of `ENTITY_ENDINGS`, or as Universal NER's, `{prefix}-ud-{part}.iob2`.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    endings = "|".join(ENTITY_ENDINGS)
    return {
        part: [folder / name for name in names if re.fullmatch(rf"{part}\.({endings})|[\w.-]+-ud-{part}\.iob2", name)]
        for part in PARTS
    }
