"""Wikipedias, as dumps in the format of MediaWiki."""

from __future__ import annotations

import bz2
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from specialize.demo_world.grammar import Node, linearize
from specialize.demo_world.languages import Language
from specialize.demo_world.speaker import Speaker
from specialize.demo_world.writing import tokens_of

NAMESPACES = {-2: "Media", -1: "Special", 0: "", 1: "Talk", 2: "User", 4: "Project", 6: "File", 10: "Template"}
NAMESPACES |= {14: "Category"}


@dataclass(frozen=True)
class Page:
    """A page of a wiki: its title, the number of its namespace, and its wiki text."""

    title: str
    namespace: int
    text: str


def dump(speaker: Speaker) -> bytes:
    """A MediaWiki export of articles, stubs, redirects and pages that are no articles; bzip2."""
    language = speaker.language
    pages = [
        Page("Template:Infobox", 10, "<includeonly>{| class=infobox\n| {{{name}}} || {{{kind}}}\n|}</includeonly>"),
        Page("Category:Demo", 14, "{{Infobox|name=Demo}}"),
    ]
    titles: set[str] = set()
    for number in range(language.articles):
        page = _article(speaker, titles)
        pages.append(page)
        if number % 12 == 3:
            pages.append(_stub(speaker, titles))
        if number % 15 == 7:
            pages.append(Page(_free_title(speaker, titles)[0], 0, f"#REDIRECT [[{page.title}]]"))
        if number % 40 == 11:
            pages.append(Page(f"Talk:{page.title}", 1, f"{_paragraph(speaker, 2)} ~~~~"))
    return bz2.compress(_export(language, pages).encode())


def _free_title(speaker: Speaker, titles: set[str]) -> tuple[str, Node]:
    """A title that is not taken yet, and the name or noun it is; numbered once the names run out."""
    subject = speaker.name("Nom", "nsubj")
    if speaker.chance(0.2):
        subject = speaker.declined(speaker.random.choice(speaker.lexicon.nouns), "Nom", "Sing", "nsubj")
    title = base = " ".join(speaker.spell(node.lemma, capital=True) for node in linearize(subject))
    number = 1
    while title in titles:
        number += 1
        title = f"{base} ({number})"
    titles.add(title)
    return title, subject


def _stub(speaker: Speaker, titles: set[str]) -> Page:
    title, subject = _free_title(speaker, titles)
    sentence = wiki_text(speaker, speaker.definition(subject), bold=subject)
    return Page(title, 0, f"{sentence}\n\n{{{{Stub}}}}\n")


def _article(speaker: Speaker, titles: set[str]) -> Page:
    title, subject = _free_title(speaker, titles)
    opening = wiki_text(speaker, speaker.definition(subject), bold=subject)
    blocks = [
        f"{{{{Infobox\n| name = {title}\n| kind = {_word(speaker)}\n}}}}\n{opening} {_paragraph(speaker, 2)}",
        f"== {_word(speaker, capital=True)} ==\n{_paragraph(speaker, speaker.random.randint(2, 4))}",
    ]
    if speaker.chance(0.3):
        blocks.append("\n".join(f"* {_paragraph(speaker, 1)}" for _ in range(3)))
    if speaker.chance(0.15):
        blocks.append(_table(speaker))
    if speaker.chance(0.6):
        paragraph = _paragraph(speaker, 2) + "<br>" + _paragraph(speaker, 1)
        blocks.append(f"=== {_word(speaker, capital=True)} ===\n{paragraph}")
    blocks.append(f"[[Category:{_word(speaker, capital=True)}]]")
    return Page(title, 0, "\n\n".join(blocks) + "\n")


def _word(speaker: Speaker, capital: bool = False) -> str:
    noun = speaker.pick(speaker.lexicon.nouns)
    return speaker.spell(speaker.declined(noun, "Nom", "Sing", "root").form, capital)


def _table(speaker: Speaker) -> str:
    rows = "".join(f"|-\n| {_word(speaker)} || {_word(speaker)}\n" for _ in range(3))
    return f'{{| class="wikitable"\n! {_word(speaker)} !! {_word(speaker)}\n{rows}|}}'


def _paragraph(speaker: Speaker, sentences: int) -> str:
    """Sentences in wiki text, some with a footnote or a template after them."""
    written = []
    for _ in range(sentences):
        text = wiki_text(speaker, speaker.sentence())
        if speaker.chance(0.05):
            text += f'<ref name="{_word(speaker)}">{_word(speaker, capital=True)}, 1999</ref>'
        elif speaker.chance(0.02):
            text += "{{Source}}"
        written.append(text)
    return " ".join(written)


def wiki_text(speaker: Speaker, nodes: Sequence[Node], bold: Node | None = None) -> str:
    """A sentence in wiki markup: some names are links, and the subject of the article is bold."""
    tokens = tokens_of(speaker, nodes)
    written: list[str] = []
    index = 0
    while index < len(tokens):
        end = index + 1
        while end < len(tokens) and tokens[end].nodes[0].entity.startswith("I-"):
            end += 1
        text = " ".join(token.text for token in tokens[index:end])
        first = tokens[index].nodes[0]
        if first is bold:
            text = f"'''{text}'''"
        elif first.entity != "O" and speaker.chance(0.5):
            title = " ".join(speaker.spell(token.nodes[0].lemma, capital=True) for token in tokens[index:end])
            text = f"[[{text}]]" if text == title else f"[[{title}|{text}]]"
        elif first.upos == "NOUN" and speaker.chance(0.01):
            text = f"''{text}''"
        written.append(text if tokens[index].is_mark else " " + text)
        index = end
    return "".join(written).strip()


def _export(language: Language, pages: Sequence[Page]) -> str:
    schema = "http://www.mediawiki.org/xml/export-0.10/"
    namespaces = "\n".join(
        f'      <namespace key="{key}" case="first-letter"' + (f">{name}</namespace>" if name else " />")
        for key, name in NAMESPACES.items()
    )
    head = f"""\
<mediawiki xmlns="{schema}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{schema} {schema[:-1]}.xsd" version="0.10" xml:lang="{language.code}">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>{language.code}wiki</dbname>
    <base>https://{language.code}.wikipedia.example/wiki/Demo</base>
    <generator>MediaWiki 1.35.0</generator>
    <case>first-letter</case>
    <namespaces>
{namespaces}
    </namespaces>
  </siteinfo>
"""
    return head + "".join(_page_xml(page, number) for number, page in enumerate(pages, start=1)) + "</mediawiki>\n"


def _page_xml(page: Page, number: int) -> str:
    prefix = "#REDIRECT [["
    target = page.text.removeprefix(prefix).removesuffix("]]") if page.text.startswith(prefix) else ""
    redirect = f'    <redirect title="{escape(target)}" />\n' if target else ""
    return f"""\
  <page>
    <title>{escape(page.title)}</title>
    <ns>{page.namespace}</ns>
    <id>{number}</id>
{redirect}    <revision>
      <id>{number + 10_000}</id>
      <timestamp>2019-{number % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z</timestamp>
      <contributor>
        <username>Demo</username>
        <id>1</id>
      </contributor>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text xml:space="preserve">{escape(page.text, {'"': "&quot;"})}</text>
    </revision>
  </page>
"""
