"""A little synthetic world in the formats of the real one: what the demo downloads.

`write_world` writes Wikipedia dumps, treebanks and WikiAnn archives of six invented languages in the layout of a
mirror. They descend from one ancestor by regular sound changes and share one grammar:

    ancestor ─┬─ west ─┬─ qaa  Talvaric   Latin     high-resource
              │        ├─ qad  Ondurese   Georgian  target: its script is unknown to a base trained on qaa, qab, qac
              │        └─ qaf  Imdurese   Georgian  high-resource; for the control in which the script is known
              ├─ east ─┬─ qab  Brennish   Latin     high-resource
              │        └─ qae  Feldrish   Latin     target: its script is known
              └─────────── qac  Vostremic  Cyrillic  high-resource

Word order is free around the verb and most modifiers are optional, so that the order of the words alone says little.
Endings say most of it: case tells subject, object and oblique apart, verbs agree with their subject, adjectives with
their noun. Some endings and some function words are ambiguous. A model to which every word is `[UNK]` is therefore
left with little, and one that sees letters and endings can do well. Words follow Zipf's law. Ondurese in Latin letters
(`transliterate`, language `ka`, reversed) is close to Talvaric: its words are the same but for three sound changes and
a few words of its own. The codes are private-use ones of BCP-47; none of the names is that of a real language.

The same seed gives the same bytes.
"""

from specialize.demo_world.entities import ENTITY_SIZES, wikiann_archive
from specialize.demo_world.languages import LANGUAGES, Language
from specialize.demo_world.lexicon import build_lexicon
from specialize.demo_world.mirror import DUMP_DATE, write_world
from specialize.demo_world.speaker import Speaker
from specialize.demo_world.treebank import TREEBANK_SIZES, treebank_files
from specialize.demo_world.wikipedia import dump

__all__ = [
    "DUMP_DATE",
    "ENTITY_SIZES",
    "LANGUAGES",
    "TREEBANK_SIZES",
    "Language",
    "Speaker",
    "build_lexicon",
    "dump",
    "treebank_files",
    "wikiann_archive",
    "write_world",
]
