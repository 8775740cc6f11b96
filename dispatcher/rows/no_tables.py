"""What is no table at all, told by how it begins: each is one sentence with the cure."""

from __future__ import annotations

from collections.abc import Iterable

HEAD = 4096
"""Bytes that are looked at."""
ZIP = b"PK\x03\x04"

_SAVE = "open it and save the sheet as .xlsx, or as CSV in UTF-8"
_EXPORT = "export the list as CSV or .xlsx from the program that has it"
_PICTURE = f"a picture: {_EXPORT}"
_STARTS = {
    b"\xd0\xcf\x11\xe0": f"a workbook of an old format (.xls) or one with a password: {_SAVE}"
    ", without a password",
    b"\x1f\x8b": "compressed: gunzip -c FILE | voice-dispatcher import -",
    b"BZh": "compressed: bunzip2 -c FILE | voice-dispatcher import -",
    b"\xfd7zXZ": "compressed: xz -dc FILE | voice-dispatcher import -",
    b"\x28\xb5\x2f\xfd": "compressed: zstd -dc FILE | voice-dispatcher import -",
    b"7z\xbc\xaf\x27\x1c": "an archive: unpack it and name the file in it",
    b"Rar!": "an archive: unpack it and name the file in it",
    b"%PDF": f"a PDF: {_EXPORT}",
    b"{\\rtf": f"a text of a word processor: {_EXPORT}",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"SQLite format 3": f"a database: {_EXPORT}",
    b"PAR1": f"a Parquet file: {_EXPORT}",
    b"ID;P": f"a sheet in SYLK: {_SAVE}",
}
_WORDS = {
    "begin:vcard": "address cards (vCard): export the contacts as CSV",
    "begin:vcalendar": f"a calendar: {_EXPORT}",
    "mime-version:": f"a web page that is named as a spreadsheet: {_SAVE}",
    "<?xml": f"XML: {_SAVE}",
    "<": f"a web page (HTML), whatever its name says: {_SAVE}",
}
_SHEETS = {
    "application/vnd.oasis.opendocument.spreadsheet": f"a sheet of LibreOffice (.ods): {_SAVE}",
    "xl/workbook.bin": f"a binary workbook (.xlsb): {_SAVE}",
    "Index/": "a Numbers document: File, Export To, CSV (or Excel)",
    "Index.zip": "a Numbers document: File, Export To, CSV (or Excel)",
    "word/": f"a text of a word processor: {_EXPORT}",
    "ppt/": f"a presentation: {_EXPORT}",
    "mimetype": f"a document of LibreOffice: {_EXPORT}",
}
PACKED = "a spreadsheet or ZIP archive"
"""What a ZIP archive is of which nobody knows more."""
_ARCHIVE = "a ZIP archive: unpack it and name the file in it"


def told(head: bytes) -> str | None:
    """Return what a file is that begins so, and what to do; None where it may be a table."""
    for start, what in _STARTS.items():
        if head.startswith(start):
            return what
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].decode("ascii", "replace").lower()
    return next((what for start, what in _WORDS.items() if text.startswith(start)), None)


def packed(names: Iterable[str], kind: str = "") -> str:
    """Return what a ZIP archive is that is no workbook we read, by the names of what is in it.

    `kind`: what it says of itself, in its entry `mimetype`.
    """
    names = [kind, *names]
    for start, what in _SHEETS.items():
        if any(name.startswith(start) for name in names):
            return what
    return _ARCHIVE


def folder(name: str) -> str:
    """Return what a folder is: Numbers keeps some of its documents so."""
    if name.rstrip("/").endswith(".numbers"):
        return f"it is {_SHEETS['Index/']}"
    return "it is a directory: name the file in it"
