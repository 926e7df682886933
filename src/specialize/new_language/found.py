"""What there is for a language, and what of it a configuration takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from specialize.errors import SpecializeError
from specialize.new_language import entities, text, treebanks
from specialize.new_language.entities import Entities
from specialize.new_language.places import Places
from specialize.new_language.registry import TaggedLanguage, paper_base_model, paper_languages
from specialize.new_language.text import Text, script_of
from specialize.new_language.treebanks import Treebank
from specialize.sources import published

MIXED = 0.9  # of the letters, below which a text is of more than one script


@dataclass
class Found:
    """What there is for a language.

    Attributes:
        language: by its tag.
        places: that were asked.
        text: its text; None if there is none.
        guessed_wikipedia: the code of the one that it should have, where that could not be asked; else empty.
        treebank: the one that is taken; None if there is none.
        other_treebanks: with why each is not taken.
        entities, other_entities: the same of named entities, gold before silver.
        family: as Universal Dependencies has it; empty if unknown.
        base_models: that a mirror has; None if it has no list of them, or there is no mirror.
        paper: the language's entry in the paper's configuration, with which a file's entry merges, if any.
    """

    language: TaggedLanguage
    places: Places
    text: Text | None = None
    guessed_wikipedia: str = ""
    treebank: Treebank | None = None
    other_treebanks: list[tuple[Treebank, str]] = field(default_factory=list)
    entities: Entities | None = None
    other_entities: list[Entities] = field(default_factory=list)
    family: str = ""
    base_models: list[str] | None = None
    paper: dict[str, Any] = field(default_factory=dict)

    @property
    def script(self) -> tuple[str, str]:
        """The language's script, and where it is known from."""
        for letters, source in self._letters():
            name, share = script_of(letters)
            if name:
                return name, f"{share:.1%} of {letters.total():,} letters of {source}"
        return self.language.script, "as the registry has it, since there is no text"

    @property
    def warnings(self) -> list[str]:
        """What is likely to be wrong."""
        found = []
        scripts = {source: script_of(letters) for letters, source in self._letters()}
        known = {source: (name, share) for source, (name, share) in scripts.items() if name}
        if known:
            source, (name, share) = next(iter(known.items()))
            if self.language.script and name != self.language.script:
                found.append(f"{source} is {name}, but the registry has {self.language.tag} as {self.language.script}")
            if share < MIXED:
                found.append(f"of the letters of {source} only {share:.0%} are {name}; is it in several scripts?")
            for other, (other_name, _) in list(known.items())[1:]:
                if other_name != name:
                    found.append(
                        f"{other} is {other_name}, but {source} is {name}; a model of one cannot read the other"
                    )
        if self.base_models and paper_base_model() not in self.base_models:
            found.append(
                f"base models come from the mirror too, and it has no {paper_base_model()} in models (what there is: "
                f"{', '.join(self.base_models)}); name one at the top level of this file: base_model: NAME, "
                "base_models: {NAME: {mirror: true}}"
            )
        return found

    def _letters(self) -> Iterator[tuple[Counter[str], str]]:
        if self.text and self.text.letters:
            yield self.text.letters, "its Wikipedia" if "wikipedia" in self.text.corpus else "the text"
        if self.treebank and self.treebank.letters:
            yield self.treebank.letters, self.treebank.title
        if self.entities and self.entities.parts:
            yield self.entities.letters, self.entities.title


def find(language: TaggedLanguage, places: Places, own: Path | None = None) -> Found:
    """Ask for all that there may be for a language.

    Args:
        language: by its tag.
        places: to be asked.
        own: a text of one's own, in place of the Wikipedia.

    Raises:
        SpecializeError: if there is nothing at all, although all could be asked; or if the text cannot be read.
    """
    found = Found(language, places, paper=paper_languages().get(language.tag, {}))
    found.text = text.own(own) if own else None
    if language.private:
        if not own:
            raise SpecializeError(
                f"{language.tag} is for private use, so that nothing is published under it; give --text"
            )
        return found
    places.require_mirror()
    if places.mirror:
        found.base_models = places.names("models", "its base models")
    if not own:
        found.text = text.find_wikipedia(language, places)
        host = urlsplit(places.mirror or published.WIKIMEDIA).netloc
        if found.text is None and host in places.silent:
            found.guessed_wikipedia = next(iter(language.wikipedias), "")
    _take_treebank(found)
    _take_entities(found)
    if not (found.text or found.guessed_wikipedia or found.treebank or found.entities):
        asked = f"the mirror {places.mirror} has" if places.mirror else "there is"
        if places.silent or places.useless:
            without = [*sorted(places.silent), *sorted(places.useless)]
            asked = f"{' and '.join(without)} gave no answer that can be used, and elsewhere there is"
        raise SpecializeError(
            f"{asked} no Wikipedia, treebank or named entities for {language.name} ({language.tag}) that can be used; "
            "give a text of your own by --text, or write the file by hand (docs/tutorial.md)"
        )
    return found


def _take_treebank(found: Found) -> None:
    published, found.family = treebanks.find_treebanks(found.language, found.places)
    for treebank in published:
        if found.treebank:
            found.other_treebanks.append((treebank, ""))
            continue
        treebank = treebanks.read(treebank, found.places)
        if treebank.problem:
            found.other_treebanks.append((treebank, treebank.problem))
        else:
            found.treebank = treebank


def _take_entities(found: Found) -> None:
    published = entities.find_entities(found.language, found.places)
    if published:
        found.entities = entities.read(published[0], found.places)
        found.other_entities = published[1:]
