"""Settings of the labeled data: where each data set comes from, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict

from specialize.settings import CODE, PATH, SHA256, Settings, setting

VERSION = 3  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again
TRANSLITERATE_LANGUAGES = ("bg", "el", "hy", "ka", "l1", "mk", "mn", "ru", "sr", "uk")  # of the package transliterate

# Above the shares that the paper's Uyghur keeps, far below those of a scheme for another language.
LARGEST_SHARE_LEFT = 0.05
# The normal form that each scheme brings text to first.
SCHEME_FORMS: dict[str, Literal["NFC", "NFKC"]] = {"uyghur": "NFKC", "transliterate": "NFC", "uroman": "NFC"}


def described_transliteration(entry: Mapping[str, Any], normal_form: str) -> dict[str, Any]:
    """How text becomes what the model of a twin reads, for its folder and its card.

    Args:
        entry: `transliteration` of the language.
        normal_form: that its tokenizer brings words to, as `vocabularies.normal_form`.

    Returns:
        `scheme` and `language` of the transliteration, `scheme_normal_form` that it brings text to first,
        `normal_form`, and the `command` that does it.
    """
    scheme, language = entry["scheme"], entry.get("language")
    if scheme == "uyghur":
        language = None  # it is for one
    options = f"--scheme {scheme}" + (f" --language {language}" if language else "")
    return {
        "scheme": scheme,
        "language": language,
        "scheme_normal_form": SCHEME_FORMS[scheme],
        "normal_form": normal_form,
        "command": f"python -m specialize transliterate {options}",
    }


class PartDigests(Settings):
    """The digests of a treebank's files."""

    train: str = setting("of the training part", default="", pattern=SHA256)
    dev: str = setting("of the development part", default="", pattern=SHA256)
    test: str = setting("of the test part", default="", pattern=SHA256)


class TreebankEntry(Settings):
    """A language's treebank: a UD release, or own files."""

    name: str = setting(
        "of the UD repository, such as UD_Uyghur-UDT", default="", pattern="^UD_[A-Za-z_]+-[A-Za-z0-9]+$"
    )
    release: str = setting(
        "its tag, such as r2.5, or master for what is not released yet", default="", pattern="^(r[0-9.]+|master)$"
    )
    prefix: str = setting("how its files' names begin, such as ug_udt", default="", pattern="^[a-z0-9_]+$")
    folder: str = setting(
        "own treebank in place of a release: train.conllu, dev.conllu, test.conllu", default="", pattern=PATH
    )
    masakhapos: str = setting("MasakhaPOS's language code, such as wol", default="", pattern=CODE)
    folds: int = setting("of a cross-validation over all parts", default=None, ge=2)
    tags: Literal["xpos", "upos"] = setting("the tags that POS tagging predicts", source="paper §2.2.1", default="xpos")
    sha256: PartDigests = setting("of the files, by part", default=None)


class EntitiesEntry(Settings):
    """A language's named entities: WikiAnn, or own files."""

    wikiann: str = setting("WikiAnn's language code", default="", pattern=CODE)
    masakhaner: str = setting("MasakhaNER's language code, such as wol", default="", pattern=CODE)
    universal: str = setting(
        "a treebank of Universal NER, such as UNER_Danish-DDT", default="", pattern="^UNER_[A-Za-z_]+-[A-Za-z0-9]+$"
    )
    prefix: str = setting("how the names of its files begin, such as da_ddt", default="", pattern="^[a-z0-9_]+$")
    folds: int = setting("of a cross-validation over all parts", default=None, ge=2)
    sha256: str = setting("of its archive", default="", pattern=SHA256)
    broken_labels: Literal["repair", "refuse"] = setting(
        "what becomes of an I- that continues nothing of its type, and of labels that are not written in IOB2: "
        "mended (the log says where), or an error",
        default="repair",
    )
    folder: str = setting(
        "own data in place of WikiAnn: train, dev and test, each one file ending in .tsv, .txt, .conll, .iob2, .iob or "
        ".bio, or as Universal NER names them (*-ud-train.iob2), of token, tab or blank, label",
        default="",
        pattern=PATH,
    )


# What the schema says of transliteration, besides its two keys: one scheme needs a language, and knows only these.
_LANGUAGE_OF_TRANSLITERATE: dict[str, Any] = {
    "if": {"properties": {"scheme": {"const": "transliterate"}}},
    "then": {
        "required": ["scheme", "language"],
        "properties": {"language": {"enum": list(TRANSLITERATE_LANGUAGES)}},
    },
}


class TransliterationEntry(Settings):
    """How a language's twin in Latin letters is made."""

    model_config = ConfigDict(json_schema_extra=_LANGUAGE_OF_TRANSLITERATE)

    scheme: Literal["uyghur", "transliterate", "uroman"] = setting(
        "`uyghur`, `transliterate` (with its language), or `uroman` for any other script", source="facts 8 to 10"
    )
    language: str = setting(
        "for transliterate such as ru or ka; for uroman one of ISO 639-3, optional",
        default="",
        pattern="^[a-z0-9]{2,3}$",
    )
    largest_share_left: float = setting(
        "of the twin's letters, those that may stay in another script than the Latin one; more is an error",
        default=LARGEST_SHARE_LEFT,
        ge=0,
        le=1,
    )
