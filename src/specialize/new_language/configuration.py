"""The configuration file for a language, with comments on what to check by eye, and the summary on the screen."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from specialize.datasets.settings import TRANSLITERATE_LANGUAGES
from specialize.experiment.data_sizes import DUMP_BYTES_PER_TOKEN
from specialize.new_language.entities import Entities
from specialize.new_language.found import Found
from specialize.new_language.labeled import Part
from specialize.new_language.treebanks import UNRELEASED, Treebank
from specialize.sources import PARTS
from specialize.unicode import ICU_SCRIPTS

# The scripts that the tables of the package transliterate are for.
TRANSLITERATED_SCRIPTS = {"el": "Greek", "hy": "Armenian", "ka": "Georgian"}  # of all others Cyrillic
SEEDS = [1, 2, 3, 4, 5]
SEEDS_OF_FOLDS = [1, 2, 3]  # folds repeat each run ten times
# Of the paper's batches, the largest that its GPU held, none is smaller or, of its adapted models, much larger.
SMALLEST_BATCH, LARGEST_BATCH = 8, 64
BATCHES = 30  # that an epoch should have at least, so that it makes as many updates
TRAINING_SHARE = 0.8  # of the sentences that are in folds


@dataclass(frozen=True)
class Key:
    """A key of the file.

    Attributes:
        name: the key.
        value: its value; a mapping is written in one line.
        comment: after it.
    """

    name: str
    value: Any
    comment: str = ""

    def lines(self, indent: int) -> list[str]:
        """The key with its comment; one that would be too long stands above it."""
        line = f"{' ' * indent}{_scalar(self.name)}: {_flow(self.value)}"
        if not self.comment:
            return [line]
        both = f"{line}  {_comment(self.comment)}"
        return [both] if len(both) <= 120 else [f"{' ' * indent}{_comment(self.comment)}", line]


def configuration(found: Found) -> str:
    """The file's text."""
    tag, name = found.language.tag, found.language.name
    heads = [f"{name}. Look at each line that says `check` before you run it; docs/tutorial.md goes on from here."]
    if found.places.mirror:
        heads.append(f"Found in the mirror {found.places.mirror}")
    heads += [f"Could not be asked: {one}" for one in _in_words(found.places.silent)]
    heads += [f"Could not be used: {one}" for one in _in_words(found.places.useless)]
    heads += [f"check: {warning}" for warning in found.warnings]
    if found.paper:
        heads.append("The paper's configuration has this language, too: what this file does not say is as there.")
    lines = list(map(_comment, heads))
    lines += ["experiment:", *_lines(_grid(found), 2), "languages:", f"  {_scalar(tag)}:"]
    lines += [*_lines(_entry(found), 4), *_entry_hints(found), *_treebank_lines(found), *_entities_lines(found)]
    if sizes := batch_sizes(found):
        comment = f"powers of two that leave an epoch {BATCHES} batches, within {SMALLEST_BATCH} and {LARGEST_BATCH}"
        lines += ["finetuning:", "  batch_sizes:", *Key(tag, sizes, comment).lines(4)]
    return "\n".join(lines) + "\n"


def batch_sizes(found: Found) -> dict[str, int]:
    """Sentences in a batch by task, as far as the number of training sentences is known."""
    sizes = {}
    if found.treebank:
        size = _batch_size(found.treebank.parts, found.treebank.folds)
        sizes = dict.fromkeys(_treebank_tasks(found.treebank), size)
    if found.entities and found.entities.parts:
        sizes["ner"] = _batch_size(found.entities.parts, found.entities.folds)
    return sizes


def summary(found: Found) -> list[str]:
    """What was found and what was not, for the screen."""
    script, known_from = found.script
    lines = [f"{found.language.name} ({found.language.tag}), script {script or 'unknown'}: {known_from}"]
    lines.append(f"text: {_text_title(found)}")
    treebanks = [(found.treebank, "taken")] if found.treebank else []
    described = [f"{_treebank_title(one)}{_because(why)}" for one, why in [*treebanks, *found.other_treebanks]]
    lines += [f"treebank: {one}" for one in described or [_none(found, "treebank")]]
    sets = [(found.entities, "taken")] if found.entities else []
    sets += [(one, "") for one in found.other_entities]
    described = [f"{_entities_title(one)}{_because(why)}" for one, why in sets]
    lines += [f"named entities: {one}" for one in described or [_none(found, "ner")]]
    lines += [f"Warning: {warning}" for warning in found.warnings]
    lines += [f"Could not ask {one}" for one in _in_words(found.places.silent)]
    lines += [f"Could not use {one}" for one in _in_words(found.places.useless)]
    if found.places.silent:
        lines.append("When they answer, run it again with --overwrite, or add by hand what is missing.")
    elif found.places.useless:
        lines.append("Look at what is there, and add by hand what is missing.")
    return lines


def _none(found: Found, key: str) -> str:
    """What stands in place of labeled data that were not found."""
    if key in found.paper:
        return "that of the paper's configuration, with which the file merges"
    return "none known" if found.places.silent or found.places.useless else "none"


def _in_words(places: dict[str, tuple[str, list[str]]]) -> list[str]:
    """Places that told nothing, why, and what they were to be asked for."""
    return [f"{place} ({problem}) for {', '.join(what)}" for place, (problem, what) in sorted(places.items())]


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _grid(found: Found) -> list[Key]:
    transliterated = _transliteration(found)
    twin = f"add {found.language.tag}-Latn to compare the twin in Latin letters" if transliterated else ""
    has_text = bool(found.text or found.guessed_wikipedia)
    papers = ["pos", "ud"] if "treebank" in found.paper else []
    regimes = _treebank_tasks(found.treebank) if found.treebank else papers
    regimes += ["ner"] if found.entities or "ner" in found.paper else []
    folds = (found.treebank and found.treebank.folds) or (found.entities and found.entities.folds)
    return [
        Key("languages", [found.language.tag], twin),
        Key("representations", ["mbert", "lapt", "tva"] if has_text else ["mbert"]),
        Key(
            "regimes",
            regimes or ["pos", "ud", "ner"],
            "" if regimes else "without labeled data, models are only adapted",
        ),
        Key("seeds", SEEDS_OF_FOLDS if folds else SEEDS, "for each fold" if folds else ""),
        Key("exceptions", []),
    ]


def _entry(found: Found) -> list[Key]:
    script, known_from = found.script
    keys = [Key("name", found.language.name)]
    if script:
        keys.append(Key("script", script, f"check: {known_from}"))
    if found.family:
        keys.append(Key("family", found.family, "as Universal Dependencies has it"))
    whole = {"sample": 1} if "sample" in found.paper.get("corpus", {}) else {}
    if found.text:
        is_wikipedia = "wikipedia" in found.text.corpus
        if is_wikipedia and found.text.size:
            tokens = float(f"{found.text.size / DUMP_BYTES_PER_TOKEN:.1e}")
            keys.append(Key("tokens", max(1, int(tokens)), "guessed from the dump's size, for forecasts"))
        license = "check: the newest finished dump; its text is CC BY-SA" if is_wikipedia else ""
        keys.append(Key("corpus", found.text.corpus | whole, license))
    elif found.guessed_wikipedia:
        guess = "check: whether there is this Wikipedia; it could not be asked"
        keys.append(Key("corpus", {"wikipedia": found.guessed_wikipedia, "date": "latest"} | whole, guess))
    if scheme := _transliteration(found):
        keys.append(Key("transliteration", scheme))
    return keys


def _entry_hints(found: Found) -> list[str]:
    """Comments on keys that only a person can give."""
    hints = []
    if "type" not in found.paper:
        hints.append("# type: 2  # for the tables: 2 if the base model has not seen the language, 1 if hardly")
    if not (found.text or found.guessed_wikipedia):
        hints.append("# corpus: {text: /path/to/text.txt}  # with text of your own, add lapt and tva above")
    if found.text and found.script[0] in ICU_SCRIPTS:
        hints.append("# add `words: icu` to the corpus: this script has no spaces between words (docs/diagnosis.md)")
    if found.script[0] not in ("Latin", "") and not _transliteration(found):
        hints.append("# transliteration: {scheme: uroman}  # makes a twin in Latin letters")
    return [f"    {hint}" for hint in hints]


def _transliteration(found: Found) -> dict[str, str]:
    """The scheme whose tables are for this language in this script; none for others, which uroman may serve."""
    script, codes = found.script[0], found.language.codes
    if script == "Arabic" and "ug" in codes:
        return {"scheme": "uyghur"}
    for code in codes:
        if code in TRANSLITERATE_LANGUAGES and script == TRANSLITERATED_SCRIPTS.get(code, "Cyrillic"):
            return {"scheme": "transliterate", "language": code}
    return {}


def _treebank_lines(found: Found) -> list[str]:
    lines = []
    if treebank := found.treebank:
        lines.append(f"    {_comment(f'check: {_treebank_title(treebank)}')}")
        if treebank.license:
            lines.append(f"    {_comment(f'check: {textwrap.shorten(treebank.license, 107)}')}")
        lines += ["    treebank:", *_lines(_treebank_keys(treebank), 6)]
    for other, why in found.other_treebanks:
        value = _flow({key.name: key.value for key in _treebank_keys(other) if key.name != "sha256"})
        lines.append(f"    {_comment(f'treebank: {value}  # {why or _treebank_title(other)}')}")
    return lines


def _treebank_keys(treebank: Treebank) -> list[Key]:
    if treebank.is_masakhapos:
        keys = [Key("masakhapos", treebank.name)]
    else:
        changing = (
            "check: not a release; whoever comes later may find other files" if treebank.release == UNRELEASED else ""
        )
        keys = [Key("name", treebank.name), Key("release", treebank.release, changing), Key("prefix", treebank.prefix)]
    if treebank.parts and treebank.tags:
        keys.append(Key("tags", treebank.tags))
    if treebank.parts and treebank.folds:
        keys.append(Key("folds", treebank.folds, _why_folds(treebank)))
    if treebank.parts:
        keys.append(Key("sha256", {part: counts.sha256 for part, counts in treebank.parts.items()}))
    return keys


def _why_folds(treebank: Treebank) -> str:
    missing = [part for part in PARTS if part not in treebank.parts]
    reason = f"it has no {' and no '.join(missing)} part" if missing else f"it has {treebank.words:,} words only"
    return f"cross-validation, since {reason}"


def _entities_lines(found: Found) -> list[str]:
    lines = []
    if found.entities:
        lines.append(f"    {_comment(f'check: {_entities_title(found.entities)}')}")
        lines += ["    ner:", *_lines(_entities_keys(found.entities), 6)]
    for other in found.other_entities:
        value = _flow({key.name: key.value for key in _entities_keys(other)})
        lines.append(f"    {_comment(f'ner: {value}  # {_entities_title(other)}')}")
    return lines


def _entities_keys(entities: Entities) -> list[Key]:
    keys = [Key(entities.kind, entities.value)]
    if entities.prefix:
        keys.append(Key("prefix", entities.prefix))
    if entities.folds:
        missing = " and no ".join(part for part in PARTS if part not in entities.files)
        keys.append(Key("folds", entities.folds, f"cross-validation, since it has no {missing} part"))
    if entities.parts and entities.is_gold:
        keys.append(Key("sha256", {part: counts.sha256 for part, counts in entities.parts.items()}))
    return keys


def _treebank_tasks(treebank: Treebank) -> list[str]:
    return (["pos"] if treebank.tags else []) + (["ud"] if treebank.has_trees else [])


def _text_title(found: Found) -> str:
    if not found.text:
        return f"Wikipedia {found.guessed_wikipedia}, not asked" if found.guessed_wikipedia else "none"
    corpus = found.text.corpus
    if "wikipedia" not in corpus:
        return str(next(iter(corpus.values())))
    size = f", {found.text.size / 1e6:,.1f} MB packed" if found.text.size else ""
    return f"Wikipedia {corpus['wikipedia']}, dump of {corpus['date']}{size}"


def _treebank_title(treebank: Treebank) -> str:
    release = f", {treebank.release}" if treebank.release else ""
    if not treebank.parts:
        size = sum(treebank.sizes.values())
        return f"{treebank.title}{release}" + (f", {size / 1e6:.1f} MB" if size else "")
    documents = sum(part.documents for part in treebank.parts.values())
    named = f", in {documents:,} documents" if documents else ""
    return f"{treebank.title}{release}: {_counts(treebank.parts)}{named}"


def _entities_title(entities: Entities) -> str:
    kind = "gold" if entities.is_gold else "silver, made from Wikipedia's links"
    counts = f": {_counts(entities.parts)}" if entities.parts else ""
    return f"{entities.title} {entities.value}{counts}; {kind}"


def _counts(parts: dict[str, Part]) -> str:
    each = ", ".join(f"{name} {parts[name].sentences:,}" for name in PARTS if name in parts)
    return f"{each} sentences"


def _batch_size(parts: dict[str, Part], folds: int) -> int:
    sentences = sum(part.sentences for part in parts.values()) * TRAINING_SHARE if folds else parts["train"].sentences
    size = LARGEST_BATCH
    while size > SMALLEST_BATCH and sentences / size < BATCHES:
        size //= 2
    return size


def _lines(keys: Iterable[Key], indent: int) -> list[str]:
    return [line for key in keys for line in key.lines(indent)]


def _comment(text: str) -> str:
    """A comment of one line, whatever stands in a licence, a path or a server's answer."""
    return "# " + "".join(letter if letter.isprintable() else " " for letter in text)


def _flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A value as YAML reads it back, in quotes where it would be taken for something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        if yaml.safe_load(f"[{value}]") == [value]:
            return value
    except yaml.YAMLError:
        pass
    return json.dumps(value, ensure_ascii=False)


def next_command(found: Found, path: Path) -> str:
    """What to run next."""
    file, mirror = shlex.quote(str(path)), found.places.mirror
    if found.guessed_wikipedia:
        option = f" --mirror {shlex.quote(mirror)}" if mirror else ""
        return f".venv/bin/python -m specialize resolve-dates {file}{option}"
    options = f" --config {shlex.quote(f'mirror={json.dumps(mirror, ensure_ascii=False)}')}" if mirror else ""
    where = f"--cores 4 --directory runs/{found.language.tag} --configfile {file}"
    return f".venv/bin/snakemake diagnosis {where}{options}"
