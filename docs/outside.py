"""Takes files that lie outside docs/ into the site, so that links to them work there as they do in the repository."""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

PAGES = {
    "README.md": "index.md",
    "config/README.md": "config.md",
    "benchmarks/README.md": "benchmarks.md",
    "CITATION.cff": "CITATION.cff",
    "LICENSE": "LICENSE",
}
LINK = re.compile(r"(\]\()([^)#:\s]+\.?\w*)(?=[)#])")


def on_files(files, config):
    """Add them to the files of the site."""
    root = Path(config.config_file_path).resolve().parent
    for path, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(root / path)))
    return files


def on_page_markdown(markdown, page, **_):
    """Turn links that are relative to the place in the repository into such that are relative to that in the site."""
    here = page.file.src_uri
    source = next((path for path, name in PAGES.items() if name == here), f"docs/{here}")

    def moved(link):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        place = PAGES.get(target, target.removeprefix("docs/"))
        return link[1] + posixpath.relpath(place, posixpath.dirname(here) or ".")

    return LINK.sub(moved, markdown)
