"""Tables as Markdown, CSV, LaTeX and HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas

from specialize.files import atomic_text

NOTHING = "–"


@dataclass(frozen=True)
class Entry:
    """A table's cell: its text, whether it is the best of its group, not significantly worse than the best, or not
    tested against it although it has seeds enough."""

    text: str
    best: bool = False
    not_worse: bool = False
    untested: bool = False


@dataclass
class Table:
    """A table with its name (of its files), caption, column titles, rows and notes."""

    name: str
    caption: str
    columns: list[str]
    rows: list[list[Entry]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *texts: str) -> None:
        """Add a row of cells without marks."""
        self.rows.append([Entry(text) for text in texts])


def number(value: float, form: str) -> str:
    """A number for a table, or that there is none."""
    return NOTHING if math.isnan(value) else format(value, form)


STYLE = """
body { font-family: sans-serif; margin: 2em; } table { border-collapse: collapse; }
th, td { padding: 0.3em 0.8em; text-align: left; border-bottom: 1px solid #ccc; }
thead th { border-bottom: 2px solid black; } .not-worse { color: #666; }
"""
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "→": r"$\rightarrow$",
        "≈": r"$\approx$", "†": r"$\dagger$", "‡": r"$\ddagger$", "–": "--", "−": "$-$", "<": "$<$", ">": "$>$",
        "|": r"\textbar{}",
    }
)  # fmt: skip
LATEX_COMMENT = r"""% Needs \usepackage{array,booktabs,graphicx,xcolor} and \usepackage[T1]{fontenc}.
% Letters that pdfLaTeX does not know, as in names of languages in other scripts, need LuaLaTeX or XeLaTeX and a font.
"""
LATEX_FLOAT = r"""\begin{table}
CAPTION
\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%
TABULAR}
\end{table}
"""
PAGE_LINES = 44  # of a longer table, each page is a float of its own
CAPTION_LETTERS = 90  # in one line
LINE_LETTERS = 40  # a longer cell is broken into lines


def write_table(table: Table, folder: Path) -> None:
    """Write {name}.md, .csv, .tex and .html."""
    for ending, text in {
        "md": to_markdown(table),
        "csv": _frame(table).to_csv(index=False, lineterminator="\n"),
        "tex": to_latex(table),
        "html": to_html(table),
    }.items():
        with atomic_text(folder / f"{table.name}.{ending}") as stream:
            stream.write(text)


def _frame(
    table: Table,
    escape: Callable[[str], str] = str,
    best: str = "TEXT",
    not_worse: str = "TEXT",
    untested: str = "TEXT",
) -> pandas.DataFrame:
    """The cells as escaped text, put in place of TEXT for those that are marked."""

    def render(entry: Entry) -> str:
        form = best if entry.best else not_worse if entry.not_worse else untested if entry.untested else "TEXT"
        return form.replace("TEXT", escape(entry.text))

    rows = [[render(entry) for entry in row] for row in table.rows]
    return pandas.DataFrame(rows, columns=[escape(title) for title in table.columns], dtype=str)


def to_markdown(table: Table) -> str:
    """As a Markdown table, the best in bold, ≈ after what is not significantly worse, † after what is not tested."""
    frame = _frame(table, lambda text: text.replace("|", r"\|"), "**TEXT**", "TEXT ≈", "TEXT †")
    body = str(frame.to_markdown(index=False, disable_numparse=True))
    return "\n\n".join([f"**{table.caption}**", body, *table.notes]) + "\n"


def to_latex(table: Table) -> str:
    """As LaTeX floats no wider than the text: one, or as many as the table needs pages."""
    marks = r"\textbf{TEXT}", r"\textcolor{gray}{TEXT $\approx$}", r"TEXT $\dagger$"
    frame = _frame(table, lambda text: text.translate(LATEX), *marks)
    texts = [table.columns, *([entry.text for entry in row] for row in table.rows)]
    columns = "".join(_latex_column(*column) for column in zip(*texts, strict=True))
    caption = " ".join([table.caption, *table.notes]).translate(LATEX)
    starts = _page_starts(table, len(caption) // CAPTION_LETTERS)
    floats = []
    for start, stop in zip(starts, [*starts[1:], len(frame)], strict=True):
        part = frame[start:stop].to_latex(index=False, escape=False, column_format=columns)
        title = f"\\caption{{{caption}}}\n\\label{{tab:{table.name}}}"
        if start:
            title = f"\\addtocounter{{table}}{{-1}}\n\\caption[]{{{table.caption.translate(LATEX)} (continued)}}"
        floats.append(LATEX_FLOAT.replace("CAPTION", title).replace("TABULAR", part))
    return LATEX_COMMENT + "".join(floats)


def _page_starts(table: Table, lines: int) -> list[int]:
    """The row that each page begins with, if so many lines stand above the first one."""
    starts = [0]
    for place, row in enumerate(table.rows):
        height = max(math.ceil(len(entry.text) / LINE_LETTERS) for entry in row)
        if lines + height > PAGE_LINES and place > starts[-1]:
            starts.append(place)
            lines = 0
        lines += height
    return starts


def _latex_column(title: str, *cells: str) -> str:
    """A column as wide as its cells; where that is less than the title needs, or more than a line, text is broken."""
    longest = max(map(len, [*cells, *title.split()]), default=1)
    if len(title) <= longest <= LINE_LETTERS:
        return "l"
    return f">{{\\raggedright\\arraybackslash}}p{{{0.55 * min(longest, LINE_LETTERS):.1f}em}}"


def to_html(table: Table) -> str:
    """As a page of its own."""
    frame = _frame(table, html.escape, "<b>TEXT</b>", '<span class="not-worse">TEXT ≈</span>', "TEXT †")
    notes = "".join(f"<p>{html.escape(note)}</p>\n" for note in table.notes)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(table.name)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{html.escape(table.caption)}</h1>\n"
        f"{frame.to_html(index=False, escape=False, border=0)}\n{notes}</body></html>\n"
    )
