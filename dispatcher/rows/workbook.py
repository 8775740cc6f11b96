"""A workbook (.xlsx): its sheets, its texts and its formats, out of a ZIP archive."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, BinaryIO, NamedTuple

from dispatcher.rows.cell_formats import CellFormat, cell_format
from dispatcher.rows.no_tables import PACKED, packed
from dispatcher.rows.text import UnusableInput
from dispatcher.rows.xml_parts import BrokenXml, elements, steps, unescaped

MOST_TEXT = 1 << 28
"""Characters of all texts of a workbook at most: they are held in memory."""
_FAULTS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, BrokenXml)


class Sheet(NamedTuple):
    """A sheet: its name, its part of the archive, and whether people see it."""

    name: str
    part: str
    hidden: bool


class Workbook:
    """What a workbook says of all its sheets. Raises UnusableInput for what is none."""

    def __init__(self, file: BinaryIO) -> None:
        with _readable():
            self._archive = zipfile.ZipFile(file)
        self._names = set(self._archive.namelist())
        self._start = self._found_start()
        self.later = False
        self.sheets: list[Sheet] = []
        with _readable():
            self._read_sheets()
            styles, texts = self._part_of("/styles"), self._part_of("/sharedStrings")
            self.formats = self._read_formats(styles) if styles else []
            self.texts = self._read_texts(texts) if texts else []

    @contextmanager
    def open(self, part: str) -> Iterator[IO[bytes]]:
        """Open a part of the archive. Raises UnusableInput where it cannot be read."""
        with _readable(), self._archive.open(part) as stream:
            yield stream

    def _found_start(self) -> str:
        """Return the part that lists the sheets. It is mostly, and not always, xl/workbook.xml."""
        found = self._part_of("/officeDocument", "") if "_rels/.rels" in self._names else None
        if found is None or not found.startswith("xl/") or not found.endswith(".xml"):
            raise UnusableInput(0, f"it is not text, but {packed(self._names, self._kind())}")
        return found

    def _kind(self) -> str:
        if "mimetype" not in self._names:
            return ""
        with self.open("mimetype") as stream:
            return stream.read(100).decode("ascii", "replace")

    def _related(self, part: str) -> list[tuple[str, str, str]]:
        """Return what belongs to a part: id, kind and part of the archive; '' for the archive."""
        folder, name = posixpath.split(part)
        with self.open(posixpath.join(folder, "_rels", f"{name}.rels")) as stream:
            return [
                (found["Id"], found["Type"], posixpath.normpath(_path(folder, found["Target"])))
                for name, found in elements(stream)
                if name == "Relationship"
            ]

    def _part_of(self, kind: str, part: str | None = None) -> str | None:
        related = self._related(self._start if part is None else part)
        parts = (each for _, its, each in related if its.endswith(kind) and each in self._names)
        return next(parts, None)

    def _read_sheets(self) -> None:
        related = self._related(self._start)
        parts = {id_: part for id_, kind, part in related if kind.endswith("/worksheet")}
        with self.open(self._start) as stream:
            for name, found in elements(stream):
                if name == "workbookPr":
                    self.later = found.get("date1904") in {"1", "true"}
                elif name == "sheet" and found.get("id") in parts:
                    hidden = found.get("state", "visible") != "visible"
                    self.sheets.append(Sheet(found["name"], parts[found["id"]], hidden))

    def _read_formats(self, part: str) -> list[CellFormat]:
        codes: dict[int, str] = {}
        formats: list[CellFormat] = []
        within = False  # cellXfs: the same elements stand in cellStyleXfs, for other things
        with self.open(part) as stream:
            for name, found in elements(stream):
                if name == "numFmt":
                    codes[int(found["numFmtId"])] = found["formatCode"]
                elif name in {"cellXfs", "cellStyleXfs", "cellStyles", "dxfs"}:
                    within = name == "cellXfs"
                elif name == "xf" and within:
                    number = int(found.get("numFmtId", 0))
                    formats.append(cell_format(number, codes.get(number, "")))
        return formats

    def _read_texts(self, part: str) -> list[str]:
        reader = _Texts()
        with self.open(part) as stream:
            for _ in steps(stream, reader.start, reader.end, reader.text):
                if reader.size > MOST_TEXT:
                    raise UnusableInput(0, "its texts are too long: save the sheet as CSV in UTF-8")
        return reader.found


class _Texts:
    """Collects shared texts: of pieces of several styles, without their furigana (`rPh`)."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.size = 0
        self._pieces: list[str] = []
        self._in_text = self._in_reading = False

    def start(self, name: str, _: Mapping[str, str]) -> None:
        self._in_reading |= name == "rPh"
        self._in_text = name == "t" and not self._in_reading

    def text(self, data: str) -> None:
        if self._in_text:
            self._pieces.append(data)
            self.size += len(data)

    def end(self, name: str) -> None:
        self._in_text = False
        if name == "rPh":
            self._in_reading = False
        elif name == "si":
            self.found.append(unescaped("".join(self._pieces)))
            self._pieces.clear()


def _path(folder: str, target: str) -> str:
    return target[1:] if target.startswith("/") else posixpath.join(folder, target)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except zipfile.BadZipFile:
        raise UnusableInput(
            0, f"it is not text, but {PACKED} that is broken or not whole: save or copy it again"
        ) from None
    except (*_FAULTS, KeyError, ValueError) as error:
        if isinstance(error, UnusableInput):
            raise
        raise UnusableInput(
            0, f"the workbook cannot be read ({error}): open it, save it again as .xlsx or as CSV"
        ) from None
