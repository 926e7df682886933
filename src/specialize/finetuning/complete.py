"""CoNLL-U in full: what `udvalidate --level 2` asks of any file, whatever it was made from and by whatever model.

What a column cannot hold goes to MISC under the column's name, a comment that is none of UD's behind `# not valid:`;
both are counted. Words that no model has given a tag or a tree get placeholders, which a comment names.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection

from specialize.datasets import DEPREL, FORM, HEAD, NO_HEAD, UPOS, UPOS_TAGS
from specialize.datasets.trees import tree_problem
from specialize.finetuning.drafts import (
    BREAK,
    FEATS,
    LEMMA,
    MISC,
    NAMES,
    NO_RELATION,
    NO_TAG,
    RELATIONS,
    ROOT,
    Draft,
    attribute,
    marks_of,
    spaces_after,
    text_of,
)
from specialize.finetuning.enhanced import PARALLEL_ID
from specialize.unicode import ZERO_WIDTH_SPACE

NOT_PREDICTED, NOT_VALID = "# not_predicted = ", "# not valid: "
# No text has them but by mistake: what stands for bytes that were no text, and halves of characters.
NO_TEXT, IN_ITS_PLACE = re.compile("[\ufffd\ud800-\udfff]"), "\u25a1"
FEATURE = re.compile(r"[A-Z][A-Za-z0-9]*(\[[a-z0-9]+\])?=[A-Z0-9][A-Za-z0-9]*(,[A-Z0-9][A-Za-z0-9]*)*")
RELATION = re.compile("[a-z]+(:[a-z]+)?")
TEXT = re.compile(r"#\s*text\s*=\s*(.*)")
SENTENCE_ID = re.compile(r"#\s*sent_id\s*=\s*(\S+)")
JSON = re.compile(r"# (doc_)?json_([^ =]+)\s*=\s*(.+)")  # data for udvalidate's reader, which stumbles over others
ONCE_IN_MISC = ("SpaceAfter", "Lang", "Translit", "LTranslit", "Gloss", "LId", "LDeriv", "Ref")


class Completer:
    """Makes sentences complete, one after another; what it mends is counted.

    Attributes:
        mended: what was mended, in words, and how often.

    Args:
        taken: identifiers of sentences that the file has already.
        parallel: whether the identifiers of parallel sentences, if there are any, hold; see `parallel_ids_hold`.
    """

    def __init__(self, taken: Collection[str] = (), parallel: bool = True) -> None:
        self.mended: Counter[str] = Counter()
        self._taken, self._parallel = set(taken), parallel
        self._used: set[str] = set()
        self._number = 0

    def complete(self, draft: Draft, predicted: Collection[int], ends_part: bool = False) -> None:
        """Mend a sentence and fill in what is missing, but for DEPS; see `enhance`.

        Args:
            draft: the sentence, with what models have predicted in its rows.
            predicted: the columns that they predict, by their places in a row.
            ends_part: whether a document or paragraph begins after it.
        """
        self._number += 1
        _forget_placeholders(draft, predicted)
        draft.comments = [self._plain(comment) for comment in draft.comments]
        for row in draft.rows:
            row[:] = [self._cell(column, value) for column, value in enumerate(row)]
        _order(draft)
        missing = self._tags(draft) | self._tree(draft, DEPREL in predicted)
        for row in draft.rows:
            self._other_columns(row)
        self._text(draft, ends_part)
        self._comments(draft)
        if missing:
            draft.comments.append(NOT_PREDICTED + " ".join(name for name in NAMES.values() if name in missing))

    def _plain(self, value: str) -> str:
        """In NFC, as UD has all text, without what no text has."""
        plain, number = NO_TEXT.subn(IN_ITS_PLACE, value)
        if number:
            self.mended[f"characters that stand for no text, now {IN_ITS_PLACE}"] += number
        return unicodedata.normalize("NFC", plain)

    def _cell(self, column: int, value: str) -> str:
        plain = self._plain(value)
        if column not in (FORM, LEMMA, MISC):
            mended = "_".join(plain.split())
        elif plain != plain.strip() or re.search(r"\s\s", plain):
            mended = " ".join(plain.split())
        else:
            mended = plain
        if mended != plain:
            self.mended["columns with white space where there is none"] += 1
        return mended or "_"

    def _tags(self, draft: Draft) -> set[str]:
        """Give every word one of the universal tags; the column's name if there are placeholders in it."""
        missing = set()
        for row in draft.rows:
            if "-" in row[0] or row[UPOS] in UPOS_TAGS:
                continue
            if row[UPOS] != "_":
                self._move(row, UPOS, "tags that are none of UD's")
            elif row[0].isdigit():
                missing.add(NAMES[UPOS])
            row[UPOS] = "_" if "." in row[0] else NO_TAG
        return missing

    def _tree(self, draft: Draft, predicted: bool) -> set[str]:
        """Make sure of a tree of one root; the names of the columns that have placeholders.

        Only the word below the root has the relation `root`; a parser chooses a relation for each word by itself.
        """
        words = draft.words()
        heads = [int(row[HEAD]) if re.fullmatch("[0-9]{1,6}", row[HEAD]) else NO_HEAD for row in words]
        if tree_problem(heads):
            for row, arc in zip(words, _placeholder_tree(len(words)), strict=True):
                for column in (HEAD, DEPREL):
                    if row[column] != "_":
                        self._move(row, column, "heads and relations that are no tree of one root")
                row[HEAD], row[DEPREL] = arc
            return {NAMES[HEAD], NAMES[DEPREL]}
        missing = set()
        for row, head in zip(words, heads, strict=True):
            row[HEAD] = str(head)
            relation, right = row[DEPREL].partition(":")[0], RELATION.fullmatch(row[DEPREL])
            at_root = relation == ROOT
            if row[DEPREL] == "_":
                missing.update([NAMES[DEPREL]] if head else [])
            elif relation not in RELATIONS or not right or (at_root != (head == 0) and not predicted):
                self._move(row, DEPREL, "relations that are none of UD's, or root at another word")
            elif at_root == (head == 0):
                continue
            known = relation in RELATIONS and not at_root
            row[DEPREL] = ROOT if head == 0 else relation if known else NO_RELATION
        return missing

    def _other_columns(self, row: list[str]) -> None:
        """Keep to what each kind of row may have in the columns that no model predicts."""
        if "-" in row[0]:
            if row[FORM] != (joined := "_".join(row[FORM].split())):
                row[FORM] = joined
                self.mended["columns with white space where there is none"] += 1
            for column in NAMES:
                if row[column] != "_" and (column, row[column]) != (FEATS, "Typo=Yes"):
                    self._move(row, column, "columns that a multiword token has not")
            return
        features = _features(row[FEATS])
        if features is None:
            self._move(row, FEATS, "features that are not UD's in form")
        else:
            row[FEATS] = features
        if "." in row[0]:
            for column in (HEAD, DEPREL):
                if row[column] != "_":
                    self._move(row, column, "columns that an empty node has not")

    def _move(self, row: list[str], column: int, what: str) -> None:
        """Move a value to MISC, under its column's name."""
        kept = [part for part in marks_of(row) if not part.startswith(NAMES[column] + "=")]
        row[MISC] = "|".join([*kept, attribute(NAMES[column], row[column])])
        row[column] = "_"
        self.mended[f"{what}, now in MISC"] += 1

    def _text(self, draft: Draft, ends_part: bool) -> None:
        """Make text, forms and SpaceAfter agree: marks follow the text; a new one is made if it has other words."""
        tokens = draft.tokens()
        forms = [row[FORM] for row in tokens]
        marked = [not {"SpaceAfter=No", "NoSpaceAfter=Yes"} & set(marks_of(row)) for row in tokens]
        places = [place for place, comment in enumerate(draft.comments) if TEXT.fullmatch(comment)]
        spaced = None
        for place in places:
            match = TEXT.fullmatch(draft.comments[place])
            text = match[1].strip() if match else ""
            for one in (text, text.replace(ZERO_WIDTH_SPACE, "")):
                if spaced is None and (spaced := spaces_after(one, forms)) is not None:
                    text_place, draft.comments[place] = place, f"# text = {one}"
        if spaced is None:
            text, spaced = text_of(forms, marked)
            text_place = places[0] if places else len(draft.comments)
            draft.comments.insert(text_place, f"# text = {text}")
            places = [place + 1 for place in places]
            if places:
                self.mended["texts that the words are not, now made of them"] += 1
        for place in places:
            if place != text_place:
                self._disarm(draft, place)
        spaced[-1] = marked[-1] or ends_part
        after = {row[0]: space for row, space in zip(tokens, spaced, strict=True)}
        for row in draft.rows:
            row[MISC] = "|".join(self._misc(row, after.get(row[0], True))) or "_"

    def _misc(self, row: list[str], spaced: bool) -> list[str]:
        """The attributes of MISC, with SpaceAfter where it belongs only."""
        kept: list[str] = []
        seen: Counter[str] = Counter()
        for part in map(str.strip, marks_of(row)):
            key = part.partition("=")[0]
            if part == "NoSpaceAfter=Yes" or key == "SpaceAfter":
                if not spaced and "SpaceAfter=No" not in kept:
                    kept.append("SpaceAfter=No")
                continue
            if "SpaceAfter=" in part:  # udvalidate looks for it anywhere
                part = part.replace("SpaceAfter=", "SpaceAfter:")
            seen[key] += 1
            if key in ONCE_IN_MISC and seen[key] > 1:
                part = part.replace(key, f"{key}[{seen[key]}]", 1)
                self.mended["attributes of MISC that stand twice, now numbered"] += 1
            kept.append(part)
        return kept if spaced or "SpaceAfter=No" in kept else [*kept, "SpaceAfter=No"]

    def _comments(self, draft: Draft) -> None:
        """One identifier that no other sentence has, and no comment that udvalidate would stumble over."""
        identified, parts = False, set()
        for place, comment in enumerate(draft.comments):
            identifier, part = SENTENCE_ID.fullmatch(comment), BREAK.fullmatch(comment)
            if identifier and not identified and identifier[1] not in self._used and identifier[1].count("/") < 2:
                identified = True
                self._used.add(identifier[1])
            elif part and part[1] not in parts:
                parts.add(part[1])
            elif identifier or part or self._is_broken(comment):
                self._disarm(draft, place)
        if not identified:
            place = next(place for place, comment in enumerate(draft.comments) if TEXT.fullmatch(comment))
            draft.comments.insert(place, f"# sent_id = {self._new_identifier()}")

    def _is_broken(self, comment: str) -> bool:
        """Whether udvalidate takes a comment for data that it is not."""
        if comment.startswith(("# sent_id", "#sent_id")):
            return not SENTENCE_ID.fullmatch(comment)
        return (bool(PARALLEL_ID.fullmatch(comment)) and not self._parallel) or _is_broken_json(comment)

    def _new_identifier(self) -> str:
        """The sentence's number in the file, and one more where another sentence is called by it."""
        identifier, more = str(self._number), 1
        while identifier in self._used or identifier in self._taken:
            more += 1
            identifier = f"{self._number}-{more}"
        self._used.add(identifier)
        return identifier

    def _disarm(self, draft: Draft, place: int) -> None:
        draft.comments[place] = NOT_VALID + draft.comments[place].lstrip("#").strip()
        self.mended[f"comments that are not as UD has them, now behind `{NOT_VALID.strip()}`"] += 1


def _forget_placeholders(draft: Draft, predicted: Collection[int]) -> None:
    """Take out what an earlier analysis has put in place of what it did not predict, unless it was corrected since."""
    named = {
        name
        for comment in draft.comments
        if comment.startswith(NOT_PREDICTED)
        for name in comment.removeprefix(NOT_PREDICTED).split()
    }
    draft.comments = [comment for comment in draft.comments if not comment.startswith(NOT_PREDICTED)]
    named -= {NAMES[column] for column in predicted}
    words = draft.words()
    if NAMES[HEAD] in named and [(row[HEAD], row[DEPREL]) for row in words] == _placeholder_tree(len(words)):
        for row in words:
            row[HEAD] = row[DEPREL] = "_"
    for row in words:
        for column, placeholder in ((UPOS, NO_TAG), (DEPREL, NO_RELATION)):
            if NAMES[column] in named and row[column] == placeholder:
                row[column] = "_"


def _placeholder_tree(words: int) -> list[tuple[str, str]]:
    """Heads and relations that stand where no tree is known: the first word is the root of all others."""
    return [("0", ROOT), *[("1", NO_RELATION)] * (words - 1)]


def _order(draft: Draft) -> None:
    """Write numbers of multiword tokens without zeros before them, and empty nodes before a multiword token."""
    rows: list[list[str]] = []
    for row in draft.rows:
        if "-" in row[0]:
            row[0] = "-".join(str(int(number)) for number in row[0].split("-"))
        before = "." in row[0] and bool(rows) and "-" in rows[-1][0]
        rows.insert(len(rows) - before, row)
    draft.rows = rows


def _features(value: str) -> str | None:
    """Features in order; None if they are none."""
    if value == "_":
        return value
    ordered = []
    for feature in value.split("|"):
        if not FEATURE.fullmatch(feature):
            return None
        name, _, values = feature.partition("=")
        ordered.append(f"{name}={','.join(sorted(set(values.split(',')), key=str.lower))}")
    names = {feature.partition("=")[0] for feature in ordered}
    return "|".join(sorted(ordered, key=str.lower)) if len(names) == len(ordered) else None


def _is_broken_json(comment: str) -> bool:
    match = JSON.match(comment)
    if not match:
        return False
    try:
        json.loads(match[3])
    except (ValueError, RecursionError):
        return True
    return match[2] == "__doc__"
