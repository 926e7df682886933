"""The demo's tables and report as a reader opens them: typeset by pdfLaTeX, and in a browser without network."""

import html
import re
import shutil
import subprocess
import sys

import pytest
from tests.conftest import ROOT, copy_of_run, demo_arguments, run_snakemake

from specialize import __version__
from specialize.tables.contents import TABLES

DOCUMENT = r"""\documentclass[a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[margin=2cm]{geometry}
\usepackage{array,booktabs,graphicx,xcolor}
\begin{document}
TABLES
\end{document}
"""


@pytest.fixture(scope="module")
def tables(demo):
    """Names of the demo's tables."""
    found = sorted(path.stem for path in (demo / "results/tables").glob("*.tex"))
    assert "answers" in found
    return found


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Open a page in headless Chromium, without network; the document that its scripts have made."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("needs Chromium")
    profile = tmp_path_factory.mktemp("chromium")
    command = [chromium, "--headless", "--no-sandbox", f"--user-data-dir={profile}"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files", "--dump-dom"]

    def show(page):
        finished = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
        return finished.stdout

    return show


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex")
def test_latex_tables_compile_and_stay_on_their_pages(demo, tables, tmp_path):
    for name in tables:
        shutil.copy(demo / f"results/tables/{name}.tex", tmp_path)
    inputs = "\n".join(rf"\input{{{name}.tex}}\clearpage" for name in tables)
    (tmp_path / "all.tex").write_text(DOCUMENT.replace("TABLES", inputs), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    log = (tmp_path / "all.log").read_text(encoding="utf-8", errors="replace")
    assert finished.returncode == 0, log
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
    assert not re.search(r"Overfull \\hbox \(\d{2,}|Float too large", log), log


def test_html_tables_open_in_a_browser(demo, tables, shown, tmp_path):
    """All in frames of one page, which then takes their contents in: a browser needs seconds to start."""
    frames = "".join(f'<iframe src="{name}.html"></iframe>' for name in tables)
    take_in = "for (const frame of document.querySelectorAll(`iframe`)) frame.replaceWith(frame.contentDocument.body)"
    page = tmp_path / "all.html"
    page.write_text(f'<!DOCTYPE html><body onload="{take_in}">{frames}</body>', encoding="utf-8")
    for name in tables:
        shutil.copy(demo / f"results/tables/{name}.html", tmp_path)
    document = shown(page)
    titles = {html.unescape(title) for title in re.findall("<h1>(.*?)</h1>", document)}
    captions = {(demo / f"results/tables/{name}.md").read_text(encoding="utf-8").split("**")[1] for name in tables}
    assert titles == captions
    assert document.count("</tbody>") == len(tables)


def printed(*arguments):
    command = [sys.executable, "-m", "specialize", "tables", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_demo_ends_with_its_answers_in_one_screen(demo):
    lines = printed(demo.relative_to(ROOT)).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    text = " ".join(" ".join(lines).split())
    for language, task in [("Ondurese", "POS (accuracy)"), ("Ondurese", "UD (LAS)"), ("Ondurese", "NER (F1)"),
                           ("Feldrish", "POS (accuracy)")]:  # fmt: skip
        assert f" {language}, {task}: " in text
    assert [text.count(f" RQ{number}: ") for number in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert "not in this grid" not in text
    model = re.search(r"predict --model \\ (\S+) < text.txt", text)[1]
    assert (ROOT / model / "model").is_dir()


def test_all_printed_tables_end_with_the_answers(demo):
    captions = re.findall(r"^\*\*(.*)\*\*$", printed(demo, "--all"), flags=re.MULTILINE)
    assert captions[-1].startswith("What this run says")
    assert captions[-2].startswith("Single-task scores")


def test_a_diagnosis_ends_with_its_answers(demo, tmp_path):
    run = copy_of_run(demo, tmp_path / "run")
    finished = run_snakemake(run, "diagnosis", *demo_arguments())
    assert finished.returncode == 0, finished.stderr
    assert re.search(r"^Ondurese\n  How much text is there\? [\d,]+ tokens", finished.stdout, re.MULTILINE)
    assert "What does that suggest? tva: new wordpieces should help much" in " ".join(finished.stdout.split())
    assert finished.stdout.rstrip().endswith("results/figures/coverage.png")


def test_the_report_opens_in_a_browser(demo, tables, shown, tmp_path):
    report = tmp_path / "report.html"
    run = copy_of_run(demo, tmp_path / "run")
    finished = run_snakemake(run, "all", "--report", report, *demo_arguments())
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert not re.search(r"""<(script|link|img)[^>]+(src|href)=["']https?:""", report.read_text(encoding="utf-8"))
    document = html.unescape(shown(report))
    menu = re.findall("<span>(.*?)</span>", document)  # which a script makes: the file has none
    assert {"Workflow", "Answers", "Tables"} <= set(menu)
    for name in tables:
        assert f"results/tables/{name}.html" in document
        assert TABLES[name].caption in document
    description = re.search('<div class="prose.*?</div>', document, flags=re.DOTALL)[0]
    said = " ".join(re.sub("<.*?>", "", description).split())
    assert f"specialize=={__version__}" in said
    assert "languages: qad, qad-Latn, qae" in said
    assert "exceptions" not in said
    for package in ("snakemake", "torch", "transformers"):
        assert re.search(rf"{package}==\d", said)
    if git := shutil.which("git"):
        head = subprocess.run([git, "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        assert head in said


def test_others_may_read_what_the_run_has_made_as_the_umask_says(demo):
    """Whichever it was: a table is a plain file, which no library has written in a way of its own."""
    usual = (demo / "results/tables/answers.md").stat().st_mode
    folders = [demo / name for name in ("resources", "results", "checkpoints", "logs", "timings")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.name == "model.safetensors" for path in files)
    assert [str(path) for path in files if path.stat().st_mode != usual] == []
