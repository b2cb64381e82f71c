"""How is a table written?  One table, three formats: Markdown, CSV, LaTeX (booktabs)."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.run.files import open_run_folder
from experiments.show.proof_cells import UNCERTIFIED
from polytope.errors import InputError
from polytope.files import write_text

FOLDER = "tables"

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": r"$\pm$",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of text cells.

    Attributes:
        name: of its files.
        title: one line.
        columns: headings.
        rows: cells, as many as columns in each row; "" where there is nothing to show.
        proofs: for each row the certificates of its exact numbers (`proof_cell`), or "uncertified".
        notes: sentences that belong below it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    proofs: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the length of every row, and that each says what proves it."""
        if len(self.proofs) != len(self.rows) or not all(self.proofs):
            raise InputError(
                f"proofs: expected for each of {len(self.rows)} rows of {self.name} a certificate "
                f"or the word {UNCERTIFIED}, got {len(self.proofs)}: {self.proofs!r:.80}"
            )
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"rows: expected {len(self.columns)} cells in row {number} of {self.name}, "
                    f"got {len(row)}"
                )

    @property
    def remark(self) -> str:
        """What stands above a table without any certificate, instead of a column of one word."""
        alike = bool(self.rows) and set(self.proofs) == {UNCERTIFIED}
        return f"{UNCERTIFIED}: no row of this table has a certificate" if alike else ""

    @property
    def grid(self) -> list[tuple[str, ...]]:
        """Headings and rows as they are shown: with the certificates, unless `remark` says all."""
        if self.remark or not self.rows:
            return [self.columns, *self.rows]
        return self.full_grid

    @property
    def full_grid(self) -> list[tuple[str, ...]]:
        """Headings and rows, each with its certificates or "uncertified" as the last cell."""
        rows = zip(self.rows, self.proofs, strict=True)
        return [(*self.columns, "certificate"), *((*row, proof) for row, proof in rows)]

    def markdown(self) -> str:
        """Returns the table as Markdown, title above and notes below."""
        cells = [[cell.replace("|", "\\|") for cell in row] for row in self.grid]
        widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(cells[0]))]

        def line(row: Sequence[str]) -> str:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            return "| " + " | ".join(padded) + " |"

        rule = "| " + " | ".join("-" * width for width in widths) + " |"
        body = [line(cells[0]), rule, *(line(row) for row in cells[1:])]
        notes = [f"* {note}" for note in self.notes]
        above = [f"**{self.title}**", "", *([self.remark, ""] if self.remark else [])]
        return "\n".join([*above, *body, "", *notes]).rstrip() + "\n"

    def csv(self) -> str:
        """Returns the table as CSV, headings first, certificates last, no title and notes."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows(self.full_grid)
        return stream.getvalue()

    def latex(self) -> str:
        r"""Returns the table as LaTeX; the document needs \usepackage{booktabs}."""
        head, *body = (" & ".join(_latex(cell) for cell in row) + r" \\" for row in self.grid)
        title = f"{self.title} ({self.remark})" if self.remark else self.title
        notes = [f"% {note}" for note in self.notes]
        lines = [
            r"\begin{table}",
            rf"\caption{{{_latex(title)}}}",
            rf"\begin{{tabular}}{{{'l' * len(self.grid[0])}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *notes,
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def write_tables(folder: Path, tables: Sequence[Table]) -> list[Path]:
    """Writes each table in the three formats into `folder/tables`.

    Raises:
        OutputError: a file cannot be written.
    """
    place = open_run_folder(Path(folder) / FOLDER)
    written = []
    for table in tables:
        for suffix, text in (
            ("md", table.markdown()),
            ("csv", table.csv()),
            ("tex", table.latex()),
        ):
            path = place / f"{table.name}.{suffix}"
            write_text(path, text)
            written.append(path)
    return written
