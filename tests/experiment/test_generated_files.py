"""Schemas and reference follow from the declared settings by one command, and nothing else."""

from pathlib import Path

import pytest

from specialize.experiment.reference import generated_files

CHECKOUT = Path(__file__).parents[2]
FILES = generated_files(CHECKOUT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_generated_file_is_fresh(path):
    assert path.read_text(encoding="utf-8") == FILES[path], "run `python -m specialize reference`"
