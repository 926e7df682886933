"""A new language: asks what there is for it, and writes a configuration file that can be run."""

from __future__ import annotations

from pathlib import Path

from specialize.errors import SpecializeError
from specialize.new_language.registry import TaggedLanguage, tagged

__all__ = ["TaggedLanguage", "new_language", "tagged"]

ANY_DATE = "20200101"  # in place of `latest`, to check the rest of a file


def new_language(
    tag: str,
    output: Path | None = None,
    mirror: str | None = None,
    text: Path | None = None,
    name: str = "",
    overwrite: bool = False,
) -> str:
    """Write a configuration file for a language.

    Args:
        tag: in BCP 47.
        output: the file; by default `{tag}.yaml`.
        mirror: a folder or URL to ask in place of the hosts.
        text: of one's own, in place of a Wikipedia.
        name: of the language, in place of the registry's.
        overwrite: whether a file that is there is replaced.

    Returns:
        What was found and what was not, and the next command.

    Raises:
        SpecializeError: if the tag is none, the file is there, or there is nothing to write into it.
    """
    from specialize.new_language.configuration import configuration, next_command, summary
    from specialize.new_language.found import find
    from specialize.new_language.places import Places
    from specialize.sources.transfer import is_url

    language = tagged(tag, " ".join(name.split()))
    path = output or Path(f"{tag}.yaml")
    if path.is_dir():
        raise SpecializeError(f"{path} is a folder; give --output a file in it")
    if path.exists() and not overwrite:
        raise SpecializeError(f"{path} is there already; give another file by --output, or --overwrite to replace it")
    if mirror and not is_url(mirror):
        mirror = str(Path(mirror).resolve())
    found = find(language, Places(mirror), text)
    _write(path, configuration(found), mirror)
    written = [f"Written: {path}. Look through it, then:", f"  {next_command(found, path)}"]
    return "\n".join([*summary(found), *written])


def _write(path: Path, content: str, mirror: str | None) -> None:
    """Write a file that is complete, and known to be a valid configuration, once it has its name."""
    from specialize.experiment import Experiment
    from specialize.files import atomic_path

    with atomic_path(path) as temporary:
        temporary.write_text(content.replace("date: latest", f'date: "{ANY_DATE}"'), encoding="utf-8", newline="\n")
        Experiment.read(temporary, {"mirror": mirror} if mirror else {})
        temporary.write_text(content, encoding="utf-8", newline="\n")
