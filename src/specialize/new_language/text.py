"""A language's text: its Wikipedia's newest dump or a text of one's own, and the script of its letters."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize.errors import DownloadError, InputError, SpecializeError
from specialize.new_language.places import Places
from specialize.new_language.registry import TaggedLanguage
from specialize.sources import latest_dump, wikipedia_dump
from specialize.sources.own_files import own_text, recognised
from specialize.sources.published import dumps_folder, place_in_mirror
from specialize.sources.transfer import UnansweredError, is_url

LETTERS = 200_000  # of a text, from which its script is told
SAMPLE_BYTES = 1_500_000  # of a dump, packed, that hold as many
NO_SCRIPTS = ("Common", "Inherited", "Unknown")


@dataclass(frozen=True)
class Text:
    """Unlabeled text.

    Attributes:
        corpus: its entry in the configuration.
        size: bytes of a Wikipedia's packed dump; None if unknown, and of a text of one's own.
        letters: of its beginning.
    """

    corpus: dict[str, Any]
    size: int | None
    letters: Counter[str]


def find_wikipedia(language: TaggedLanguage, places: Places) -> Text | None:
    """The language's Wikipedia with its newest finished dump; None if it has none, or that cannot be asked."""
    for code in language.wikipedias:
        folder = dumps_folder(code, places.mirror)
        if is_url(folder):
            if places.get(f"{folder}/", "its Wikipedia", most=1) is None:
                continue
        elif not Path(folder).is_dir():
            continue
        try:
            with _quiet():
                date = latest_dump(code, places.mirror)
        except DownloadError as error:
            unanswered = isinstance(error, UnansweredError) or isinstance(error.__cause__, UnansweredError)
            (places.note_silent if unanswered else places.note_useless)(folder, "its Wikipedia", str(error))
            continue
        dump = wikipedia_dump(code, date)
        place = place_in_mirror(dump.mirror_path, places.mirror) if places.mirror else dump.urls[0]
        return Text({"wikipedia": code, "date": date}, places.size(place, "its Wikipedia"), _of_dump(place, places))
    return None


def own(path: Path) -> Text:
    """A text of one's own.

    Raises:
        SpecializeError: if it is not there or cannot be read, with what to do.
    """
    given = str(path.absolute())
    key = "dump" if {known.name for known in recognised(given).values()} == {"mediawiki"} else "text"
    corpus = {key: given}
    with _quiet():
        from specialize.corpora import Page, extract, read_own_text

        articles = (extract(one) if isinstance(one, Page) else one for one in read_own_text(own_text(corpus)))
        letters = _letters(line for article in articles for line in article.lines)
    if not letters:
        raise InputError(path, "has no letters", remedy="give a text of the language")
    return Text(corpus, None, letters)


def script_of(letters: Counter[str]) -> tuple[str, float]:
    """The script that most letters are of, and their share; an empty name for no letters."""
    from specialize.vocabularies.words import script_shares

    shares = {name: share for name, share in script_shares(letters).items() if name not in NO_SCRIPTS}
    return next(iter(shares.items()), ("", 0.0)) if letters else ("", 0.0)


def _of_dump(place: str, places: Places) -> Counter[str]:
    """Letters of the first articles of a dump, of which a host is asked for no more than the beginning."""
    from specialize.corpora import extract, read_dump

    content = places.get(place, "its Wikipedia", most=SAMPLE_BYTES)
    if content is None:
        return Counter()

    def lines() -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            beginning = Path(folder, "beginning.xml.bz2")
            beginning.write_bytes(content)
            try:
                for page in read_dump(beginning):
                    with contextlib.suppress(
                        SpecializeError
                    ):  # a page that cannot be read is for its own job to report
                        yield from extract(page).lines
            except InputError:  # it breaks off
                return

    with _quiet():
        return _letters(lines())


def _letters(lines: Iterator[str]) -> Counter[str]:
    letters: Counter[str] = Counter()
    for line in lines:
        letters.update(filter(str.isalpha, line))
        if letters.total() >= LETTERS:
            break
    return letters


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars and notes of jobs."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
