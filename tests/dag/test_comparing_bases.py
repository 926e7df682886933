"""A new user's comparison of base models: the file and the commands of docs/bases.md, up to a dry run."""

import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer

from tests.conftest import ROOT, run_snakemake
from tests.experiment.test_pinning import COMMITS, Hub

TREE = "1\tword\t_\tNOUN\tN\t_\t0\troot\t_\t_\n\n"


def test_xlm_r_mmbert_and_mbert_side_by_side_are_a_file_of_ten_lines(tmp_path):
    page = (ROOT / "docs/bases.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert text.count("\n") == 10
    treebank = tmp_path / "treebank"
    treebank.mkdir()
    for part in ("train", "dev", "test"):
        (treebank / f"{part}.conllu").write_text(TREE)
    own, bases = tmp_path / "my.yaml", tmp_path / "bases.yaml"
    own.write_text(text.replace("latest", '"20170101"').replace("/path/to/treebank", str(treebank)))
    shutil.copy(ROOT / "config/bases.yaml", bases)

    files = ["--configfile", bases, own, "--dry-run"]
    refused = run_snakemake(tmp_path, "all", *files)
    assert refused.returncode == 1
    line = 1 + bases.read_text().partition("hub: FacebookAI/xlm-roberta-base\n")[0].count("\n") + 1
    assert f"({bases}, line {line}): main stands for another model" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}).start()
        address = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-m", "specialize", "pin", str(bases)]
        pinned = subprocess.run(command, env=os.environ | address, capture_output=True, text=True, timeout=120)
        hub.shutdown()
    assert pinned.returncode == 0, pinned.stderr
    commit = COMMITS["FacebookAI/xlm-roberta-base", "main"]
    assert f"xlm-r: FacebookAI/xlm-roberta-base, main: {commit}" in pinned.stdout
    assert len(pinned.stdout.splitlines()) == 7

    planned = run_snakemake(tmp_path, "all", *files)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "60 finetuning jobs over 1 language\n" in planned.stderr
    for model in ("google-bert/bert-base-multilingual-cased", "FacebookAI/xlm-roberta-base", "jhu-clsp/mmBERT-base"):
        assert model in planned.stderr
    assert "glot500" not in planned.stderr
