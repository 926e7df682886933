"""Importing this makes every job use the package of this checkout, whatever environment it runs in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
