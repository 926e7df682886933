"""Pairs of wiki markup: templates, tables, links, language variants and elements, and what to do with half of one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

# Elements whose content is no running text: those that WikiExtractor drops, and their kin.
DROPPED = frozenset(
    "noinclude includeonly table tr td th caption form input select option textarea ul li ol dl dt dd menu dir ref "
    "references img small indicator phonos rt rp video audio".split()
)
# The same, and braces or brackets in it are not markup.
VERBATIM = frozenset(
    "math chem ce score hiero graph mapframe maplink mapdata syntaxhighlight source pre timeline gallery imagemap "
    "inputbox categorytree templatedata templatestyles style script rss quiz choose".split()
)
# Elements of which only the tags go, and WikiExtractor does not know it.
UNWRAPPED = frozenset(
    "onlyinclude translate tvar languages ins del dfn q mark samp ruby rb rtc rbc bdo wbr time data acronym thead "
    "tbody tfoot col colgroup figure figcaption article aside header footer nav main details summary address nobr "
    "h5 h6 ipa lang label tabber".split()
)
# Elements of which WikiExtractor drops the tags, if they are whole.
EXTRACTED = frozenset(
    "abbr b bdi big blockquote cite div em font i kbd nowiki plaintext poem s section span strike strong sub sup tt u "
    "var br hr p center h1 h2 h3 h4".split()
)
KNOWN = DROPPED | VERBATIM | UNWRAPPED | EXTRACTED | {"code"}

# Stand for characters that WikiExtractor must not take for markup; no XML file can hold them.
LESS, BRACKET = "\x01", "\x02"

_MARK = re.compile(r"\{\{+|\}\}+|\{\||\|\}(?!\})|\[\[(?:[^\[\]{}<\n]*\]\])?|\]\]|-\{(?!\{)|\}-|<|\n[ \t\r]*\n")
_TAG = re.compile(r"<(?P<space>\s{0,4})(?P<close>[/\\]{0,2})\s{0,4}(?P<name>[a-zA-Z][a-zA-Z0-9]{0,20})(?![\w-])")
_TAGS_OF = {
    name: re.compile(rf"<\s{{0,4}}(?P<close>[/\\]?)\s{{0,4}}{name}(?![\w-])", re.IGNORECASE) for name in VERBATIM
}
_INNER = r"\n(?![ \t]*\n)"  # a line end: no tag goes on behind a blank line
_TAG_END = re.compile(rf"""(?:[^<>"'\n]|{_INNER}|"[^"<\n]*"|'[^'<\n]*')*+>|(?:[^<>\n]|{_INNER})*+>""")
_ATTRIBUTE = r"""[ \t]+[\w:-]{1,30}[ \t]{0,4}=[ \t]{0,4}(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'|[^\s<>"']{1,200})"""
_ATTRIBUTES = re.compile(rf"(?:{_ATTRIBUTE}){{0,20}}[ \t]{{0,4}}/?>?")
_TEMPLATE_NAME = re.compile(r"[^{}\[\]<>|\n.!?]{0,80}(?:\||(?=\n\s*[|}]))")
_UNCLOSED_LINK = re.compile(
    r"\[\[(?P<target>[^\[\]|\n]{0,300})(?P<pipe>\|(?P<label>[^\[\]\n]{0,300}(?P<bracket>\])?))?"
)
_BARE_UNCLOSED_LINK = re.compile(r"\[\[[^\[\]|\n]{1,300}\](?!\])")
_LONGEST_LINK = 400  # characters, if it goes over paragraphs
_NAMESPACED = re.compile(r"\s*:?[^:|\[\]\n{}<>]{1,60}:[^\s/]")
_WORD = re.compile(r"[^\W\d_]{2}")
_OPTIONS = re.compile(r"(?:[^\[\]|\n]{0,100}\|){1,10}")
_VARIANT_FLAGS = re.compile(r"\s*(?P<flags>[A-Za-z+-](?:;[A-Za-z+-]){0,4}|[a-z]{2,3}(?:-[a-z]{2,8}){0,2})\s*\|")
_VARIANT = re.compile(r"\s*[a-z]{2,3}(?:-[a-z]{2,8}){0,2}\s*:")
_NEXT_VARIANT = re.compile(r";\s*(?=[a-z]{2,3}(?:-[a-z]{2,8}){0,2}\s*:|$)")
_LONGEST_VARIANT = 2000  # characters; longer ones are kept whole
_HIDDEN_VARIANTS = frozenset("HTDN-")  # flags of rules and titles, which show nothing


def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    """The text with pieces replaced; of pieces that overlap, the one that starts first."""
    pieces, place = [], 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start >= place:
            pieces += [text[place:start], new]
            place = end
    return "".join(pieces) + text[place:]


def with_whole_pairs(text: str) -> str:
    """A page without the pairs whose content is no text, and without halves of pairs."""
    return _Pairs(text).edited()


@dataclass(slots=True)
class _Open:
    """A mark that waits for its other half.

    Attributes:
        kind: `{{`, `{|`, `[[`, `-{`, or an element's name.
        start, end: of the mark.
        paragraph: how many blank lines stood before it.
        inner: where the first link in a link starts.
    """

    kind: str
    start: int
    end: int
    paragraph: int
    inner: int = -1


class _Pairs:
    """Finds the pairs of a page, and what is to be replaced."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edits: list[tuple[int, int, str]] = []
        self._open: list[_Open] = []
        self._count: Counter[str] = Counter()  # of open marks, by kind
        self._paragraph = 0

    def edited(self) -> str:
        """The page with every pair and every unclosed mark seen to."""
        text, place = self._text, 0
        take = {"{": self._opened, "}": self._closed, "[": self._link, "]": self._link_end, "<": self._tag}
        take |= {"|": self._table_end, "-": self._opened, "\n": self._blank_line}
        while mark := _MARK.search(text, place):
            place = take[mark[0][0]](mark)
        while self._open:
            self._unclosed(self._open.pop())
        return edited(text, self._edits) if self._edits else text

    def _drop(self, start: int, end: int, new: str = "") -> None:
        self._edits.append((start, end, new))

    def _push(self, kind: str, start: int, end: int) -> int:
        self._open.append(_Open(kind, start, end, self._paragraph))
        self._count[kind] += 1
        return end

    def _pop(self, kind: str) -> _Open | None:
        """The nearest open mark of a kind; those that stand open in it are unclosed."""
        if not self._count[kind]:
            return None
        while True:
            opened = self._open.pop()
            self._count[opened.kind] -= 1
            if opened.kind == kind:
                return opened
            self._unclosed(opened)

    def _opened(self, mark: re.Match[str]) -> int:
        return self._push(mark[0][:2], mark.start(), mark.end())

    def _closed(self, mark: re.Match[str]) -> int:
        if mark[0] == "}-":
            return self._variant_end(mark)
        start, width = mark.span()[0], len(mark[0])
        opened = self._pop("{{")
        is_text = opened and opened.paragraph != self._paragraph and not _TEMPLATE_NAME.match(self._text, opened.end)
        if opened is None or is_text:  # no template goes over paragraphs without a name
            if opened:
                self._unclosed(opened)
            self._drop(start, start + width // 2 * 2, " ")
            return start + width // 2 * 2
        used = min(opened.end - opened.start, width, 3)
        first, end = opened.end - used, start + used
        self._paragraph = opened.paragraph
        if first - opened.start >= 2:
            self._push("{{", opened.start, first)
        bar = self._text.find("|", opened.end, min(start, opened.end + 100)) if used == 3 else -1
        if bar < 0:
            self._drop(first, end)
        else:  # a parameter shows what stands for it
            self._drop(first, bar + 1)
            self._drop(start, end)
        return end

    def _table_end(self, mark: re.Match[str]) -> int:
        opened = self._pop("{|")
        if opened:
            self._paragraph = opened.paragraph
            self._drop(opened.start, mark.end())
        return mark.end()

    def _link(self, mark: re.Match[str]) -> int:
        start, end = mark.span()
        if end - start > 2:  # a whole link with nothing in it
            if self._open and self._open[-1].kind == "[[" and self._open[-1].inner < 0:
                self._open[-1].inner = start
            return end
        extra = self._text.startswith("[", start + 2) and not self._text.startswith("[[", start + 2)
        return self._push("[[", start + extra, start + 2 + extra)

    def _link_end(self, mark: re.Match[str]) -> int:
        text, start, end = self._text, *mark.span()
        opened = self._pop("[[")
        if opened and opened.paragraph != self._paragraph and end - opened.start > _LONGEST_LINK:
            self._unclosed(opened)
            opened = None
        if opened is None:
            self._stray_link_end(start, end)
            return end
        if opened.start and text[opened.start - 1] == "[":  # WikiExtractor takes time for three in a row
            both = text.startswith("]", end) and not text.startswith("]]", end)
            self._drop(opened.start - 1, opened.start, "" if both else BRACKET)
            if both:
                self._drop(end, end + 1)
        around = self._open[-1] if self._open else None
        if around and around.kind == "[[" and around.inner < 0:
            around.inner = opened.start
        if opened.inner >= 0 and not _NAMESPACED.match(text, opened.end):
            bar = text.find("|", opened.end, min(opened.inner, opened.end + 300))
            self._drop(opened.start, bar + 1 if bar >= 0 else opened.end)
            self._drop(start, end)
        return end

    def _stray_link_end(self, start: int, end: int) -> None:
        """Two brackets that close nothing: the second of `[7]]` goes; `[target|label]]` lacks one."""
        bracket = self._text.rfind("[", max(0, start - 200), start)
        half = self._text[bracket:start] if bracket >= 0 else "]"
        if "\n" in half or "]" in half:
            self._drop(start, end)
        elif _WORD.search(half):
            self._drop(bracket, end if _NAMESPACED.match(half, 1) else bracket + max(half.find("|"), 0) + 1)
            self._drop(start, end)
        else:
            self._drop(start + 1, end)

    def _variant_end(self, mark: re.Match[str]) -> int:
        """Of several writings, the first is kept."""
        opened = self._pop("-{")
        if opened is None:
            return mark.end()
        self._paragraph = opened.paragraph
        start, end = opened.end, mark.start()
        flags = _VARIANT_FLAGS.match(self._text, start, end)
        if flags:
            start = flags.end()
        if flags and not _HIDDEN_VARIANTS.isdisjoint(flags["flags"].split(";")):
            start = end
        elif end - start <= _LONGEST_VARIANT and _VARIANT.match(self._text, start, end):
            between = [separator.span() for separator in _NEXT_VARIANT.finditer(self._text, start, end)]
            starts, ends = [start, *(after for _, after in between)], [*(before for before, _ in between), end]
            for first, last in zip(starts, ends, strict=True):
                name = _VARIANT.match(self._text, first, last)
                start, end = name.end() if name else first, last
                if self._text[start:end].strip():
                    break
        self._drop(opened.start, start)
        self._drop(end, mark.end())
        return mark.end()

    def _tag(self, mark: re.Match[str]) -> int:
        text, start = self._text, mark.start()
        tag = _TAG.match(text, start)
        name = tag["name"].lower() if tag else ""
        if tag is None or name not in KNOWN or (tag["space"] and len(name) == 1):
            return start + 1
        closing = _TAG_END.match(text, tag.end())
        if len(name) == 1 and not _ATTRIBUTES.fullmatch(text, tag.end(), closing.end() if closing else tag.end() - 1):
            self._drop(start, start + 1, LESS)  # as in `a<b`
            return start + 1
        end = closing.end() if closing else tag.end()
        if name in EXTRACTED:
            attributes = None if closing else _ATTRIBUTES.match(text, end)
            if attributes:  # WikiExtractor does not know half a tag
                self._drop(start, attributes.end())
        elif name in UNWRAPPED:
            self._drop(start, end)
        elif tag["close"]:
            self._element_end(name, start, end)
        elif closing and text[end - 2] != "/":
            if name not in VERBATIM:
                return self._push(name, start, end)
            end = self._verbatim(name, start, end)
        else:
            self._drop(start, end)
        return end

    def _verbatim(self, name: str, start: int, end: int) -> int:
        """Drop such an element with its content; only its tag if another of its name starts before it is closed."""
        following = _TAGS_OF[name].search(self._text, end)
        if following and following["close"]:
            closing = _TAG_END.match(self._text, following.end())
            end = closing.end() if closing else following.end()
        self._drop(start, end)
        return end

    def _element_end(self, name: str, start: int, end: int) -> None:
        opened = self._pop(name) or (self._pop("{|") if name == "table" else None)
        if opened is None:
            self._drop(start, end)
            return
        self._paragraph = opened.paragraph
        if name == "code" and "\n" not in self._text[opened.end : min(start, opened.end + 1000)]:
            self._drop(opened.start, opened.end)  # a word or two of a sentence
            self._drop(start, end)
        else:
            self._drop(opened.start, end)

    def _blank_line(self, mark: re.Match[str]) -> int:
        self._paragraph += 1
        return mark.end() - 1  # its last line end may start another

    def _unclosed(self, opened: _Open) -> None:
        """Drop a mark without its other half, and what belongs to it and is no text."""
        text, start, end = self._text, opened.start, opened.end
        if opened.kind == "{{":
            name = _TEMPLATE_NAME.match(text, end)
            end = name.end() if name else end
        elif opened.kind == "{|":
            line_end = text.find("\n", end, end + 1000)
            if "=" in text[end:line_end] or not text[end:line_end].strip():
                end = max(end, line_end)
        elif opened.kind == "-{":
            rule = _VARIANT_FLAGS.match(text, end) or _VARIANT.match(text, end)
            if rule is None:
                return
            end = rule.end()
        elif opened.kind == "[[":
            self._unclosed_link(opened)
            return
        self._drop(start, end, " ")  # what follows is of another word

    def _unclosed_link(self, opened: _Open) -> None:
        """Its label is text, whether a single bracket closes it or none; so is a picture's caption where none does."""
        text, start, end = self._text, opened.start, opened.end
        bare = _BARE_UNCLOSED_LINK.match(text, start)
        link = _UNCLOSED_LINK.match(text, start)
        assert link
        namespaced = _NAMESPACED.match(text, end)
        if bare:
            self._drop(start, bare.end() if namespaced else end)
            self._drop(bare.end() - 1, bare.end())
        elif link["bracket"]:
            self._drop(start, link.end() if namespaced else link.start("label"))
            self._drop(link.end() - 1, link.end())
        elif namespaced:
            options = _OPTIONS.match(text, end)
            self._drop(start, options.end() if options else end)
        else:
            self._drop(start, link.start("label") if link["pipe"] else end)
