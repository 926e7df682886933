"""Wiki markup made whole: what of a page WikiExtractor would misread is mended before it reads the page.

It drops what it takes for markup up to a mark that closes it, and so loses sentences where that mark is missing, or
leaves the rest of the article raw. Here every pair is found first, of whatever kind, in one pass with one stack: a mark
closes the nearest open one of its kind, and what stands open in between is unclosed. Pairs whose content is no text are
dropped with it; of an unclosed mark, only the mark goes. Every step is linear in the page's length.
"""

from __future__ import annotations

import html
import re

from specialize.corpora.markup_pairs import BRACKET, LESS, edited, with_whole_pairs

# Stand for what a page shows as < and > rather than has as a tag; no XML file can hold them.
_LT, _GT = "\x03", "\x04"

_COMMENT = re.compile("<!--|-->")
_SWITCH = re.compile(r"(?<!_)__(?:[^\W\d_]|[\u0900-\u0dff\u200c\u200d]){2,40}(?:_[^\W\d_]{1,40}){0,5}__(?!_)")
_ADDRESS = re.compile(
    r"\[(?=(?:[a-z]{2,12}:)?//|(?:bitcoin|geo|magnet|mailto|news|sips?|sms|tel|urn|xmpp):)", re.IGNORECASE
)
_LABELED = re.compile(r"\[[^\s\[\]<>|]{1,1000}[ \t]+(?=\w)")
# Of white space that WikiExtractor does not join, which takes it cubic time behind `==`.
_ENTITY_SPACE = r"&(?:nbsp|[et][mnh]\w{0,5}sp|#\w{1,8});"
_WIDE_SPACE = [
    re.compile(rf"{start}(?:[^\S\n]|{_ENTITY_SPACE}){{8,}}+")
    for start in (r"[\x0b\x0c\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]", _ENTITY_SPACE)
]
_ROW_ATTRIBUTES = re.compile(r"!\s*(?:\w+\s*=|.*!!)")


def mended(text: str) -> str:
    """A page's markup with nothing in it that WikiExtractor misreads; what it makes of it needs `restored`."""
    for mark in (LESS, BRACKET, _LT, _GT):
        text = text.replace(mark, "")
    text = with_whole_pairs(_without_comments(text))
    text = _without_rows(text)
    text = _without_unclosed_addresses(text)
    if "__" in text:
        text = _SWITCH.sub(lambda switch: "" if switch[0] == switch[0].upper() else switch[0], text)
    for wide_space in _WIDE_SPACE:
        text = wide_space.sub(lambda wide: " " if html.unescape(wide[0]).isspace() else wide[0], text)
    # else it would see tags where a page shows them as text
    return text.replace("&lt;", _LT).replace("&gt;", _GT)


def restored(text: str) -> str:
    """Extracted text with the characters that `mended` kept from WikiExtractor."""
    text = text.replace(_LT * 2, "«").replace(_GT * 2, "»")  # as WikiExtractor does
    return text.replace(LESS, "<").replace(BRACKET, "[").replace(_LT, "<").replace(_GT, ">")


def _without_comments(text: str) -> str:
    """A comment goes; of one that is not closed in its paragraph before another starts, or at all, only the mark."""
    if "<!--" not in text and "-->" not in text:
        return text
    edits: list[tuple[int, int, str]] = []
    opened: list[tuple[int, int]] = []  # where marks of one paragraph are that wait for the end of a comment
    for mark in _COMMENT.finditer(text):
        start, end = mark.span()
        if mark[0] == "-->":
            if opened or not _is_amid(text, mark):
                edits.append((opened[0][0] if opened else start, end, ""))
            opened = []
            continue
        if opened and text.find("\n\n", opened[-1][1], start) >= 0:
            edits += [(*place, "") for place in opened]
            opened = []
        opened.append((start, end))
    return edited(text, edits + [(*place, "") for place in opened])


def _is_amid(text: str, mark: re.Match[str]) -> bool:
    """Whether there is text before and behind a mark in its line: as an arrow, rather than the end of a comment."""
    start, end = mark.span()
    return not text[max(0, start - 100) : start].rstrip(" ").endswith("\n") and bool(
        text[end : end + 100].split("\n")[0].strip()
    )


def _without_rows(text: str) -> str:
    """Without rows and heads of tables whose start or end is a template's, or missing; lines that start with a bar are
    WikiExtractor's.
    """
    if not any(start in text for start in ("\n|", "\n!", "\n |", "\n !")):
        return text
    kept: list[str] = []
    in_table = False
    lines = text.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        start = line.lstrip()[:2]
        head = start[:1] == "!" and (
            in_table or following.lstrip().startswith("|") or bool(_ROW_ATTRIBUTES.match(line.lstrip()[:300]))
        )
        indented_row = in_table and start[:1] == "|" and line[:1] != "|"
        in_table = head or indented_row or line[:1] == "|" or start == "{|"
        if not head and not indented_row:
            kept.append(line)
    return "\n".join(kept)


def _without_unclosed_addresses(text: str) -> str:
    """Without the start of external links that no bracket of their line closes, over which WikiExtractor takes long."""
    edits: list[tuple[int, int, str]] = []
    bracket = line_end = -1  # the next ones, where known
    for mark in _ADDRESS.finditer(text):
        start = mark.start()
        if bracket < start:
            bracket = text.find("]", start) % (len(text) + 1)
        if line_end < start:
            line_end = text.find("\n", start) % (len(text) + 1)
        if line_end <= bracket:
            address = _LABELED.match(text, start)
            edits.append((start, address.end() if address else start + 1, ""))
    return edited(text, edits) if edits else text
