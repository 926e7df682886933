"""How long a dry run of the paper's grid takes, before a run and after a completed one.

    .venv/bin/python benchmarks/dry_run.py

The run is completed by a copy of the workflow whose jobs only touch their outputs, so that Snakemake has the provenance
of every job to compare.
"""

import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def seconds(*arguments: str, cwd: Path) -> float:
    """Wall-clock seconds of one Snakemake command."""
    started = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "all", "--directory", "run", *arguments]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return time.monotonic() - started


def main() -> None:
    """Print three timings of each."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        for name in ("Snakefile", "workflow", "config", "src", "profiles", "envs"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
            else:
                copy.mkdir(exist_ok=True)
                shutil.copy(source, copy / name)
        for path in (copy / "workflow/rules").glob("*.smk"):
            rules = re.sub(r'script:\n\s+f"\{SCRIPTS\}/\w+\.py"', 'shell:\n        "touch {output}"', path.read_text())
            path.write_text(rules)
        before = [seconds("--dry-run", cwd=copy) for _ in range(3)]
        seconds("--cores", "8", "--config", "allow_cpu=true", cwd=copy)
        after = [seconds("--dry-run", cwd=copy) for _ in range(3)]
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for label, timings in (("before a run", before), ("after a completed run", after)):
        print(f"dry run {label}: {', '.join(f'{timing:.1f}' for timing in sorted(timings))} s")


if __name__ == "__main__":
    main()
