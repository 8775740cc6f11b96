"""Files as people have them, each built by hand as its program writes it: docs/how-to/files.md.

Their people are invented, and called +818012340001, +818012340002 and so on, in their order.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from support.workbooks import archive, row, sheet, workbook

N = "+8180123400"
CRLF = "\r\n"

_OUTLOOK = (
    "Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Phone,"
    "Business Phone 2,Company Main Phone,Home Phone,Mobile Phone,Other Phone,Primary Phone,"
    "E-mail Address,Keywords,Language,Notes,Priority,Private,Sensitivity,Web Page"
)
_OUTLOOK_DE = (
    "Anrede;Vorname;Nachname;Firma;Telefon geschäftlich;Telefon privat;Mobiltelefon;"
    "E-Mail-Adresse;Notizen;Priorität;Sprache;Vertraulichkeit"
)
_GOOGLE = (
    "First Name,Middle Name,Last Name,Nickname,Birthday,Notes,Labels,E-mail 1 - Label,"
    "E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value"
)
_SALESFORCE = (
    '"Id","LastName","FirstName","Phone","MobilePhone","HomePhone","OwnerId","Language__c"'
)


def csv(*lines: str, end: str = CRLF, encoding: str = "utf-8", last: str | None = None) -> bytes:
    """Return lines with their ends; `last` stands behind the last one instead."""
    text = end.join(lines) + (end if last is None else last)
    return text.encode(encoding)


def _texts(*rows: tuple[str, str]) -> list[str]:
    return [f"{phone},{text}" for phone, text in rows]


def _date(value: str) -> str:
    return f'<c s="1"><v>{value}</v></c>'


def _number(value: str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


_HEAD = row("Phone", "Text")
_ANN, _BOB = row(f"{N}01", "Hello Ann"), row(f"{N}02", "Hello Bob")
_LINES = ["Phone,Text", f"{N}01,Hello Ann", f"{N}02,Hello Bob"]
_PREFIXED = (
    sheet(_HEAD, _ANN, _BOB).replace("</", "<//").replace("<", "<x:").replace("<x://", "</x:")
).replace("xmlns=", "xmlns:x=")
_KANA = "<t>田中様</t><rPh sb='0' eb='2'><t>タナカサマ</t></rPh>"

FILES: dict[str, bytes | Callable[[Path], None]] = {
    # Excel
    "excel-utf8.csv": csv(
        "Phone,Text,Tags,Notes",
        f"{N}01,Hello José,visit,",
        f"{N}02,Hello Ann",
        f"{N}03,Hello Bob,,late",
        encoding="utf-8-sig",
    ),
    "excel-us.csv": csv("Phone,Text", f"{N}01,Hello José", encoding="cp1252"),
    "excel-de.csv": csv(
        "Name;Handy;Termin", f"Jörg Müller;{N}01;1.12.2026 09:00", encoding="cp1252"
    ),
    "excel-sep.csv": csv("sep=;", "Phone;Text", f"{N}01;Hello, Ann"),
    "excel-jp.csv": csv("電話番号,本文", f"{N}01,山田様、お荷物が届きました。", encoding="cp932"),
    "excel-unicode.txt": csv("電話番号\t本文", f"{N}01\tこんにちは", encoding="utf-16"),
    "excel-mac.csv": csv("Phone,Text", f"{N}01,Hello Zoë", end="\r", encoding="mac_roman"),
    "excel-mac.txt": csv("Phone\tText", f"{N}01\tHello Zoë", end="\r", encoding="mac_roman"),
    "excel-serial.csv": csv("Phone,Text,Send at", f"{N}01,Hello,46357.375", f"{N}02,Hello,46357.5"),
    "excel-plus-lost.csv": csv("Phone,Text", f"{N[1:]}01,Hello", f"{N[1:]}02,Hello"),
    "excel-zero-lost.csv": csv("Phone,Text", "8012340001,Hello", "8012340002,Hello"),
    "excel-digits-lost.csv": csv("Phone,Text", "8.18012E+11,Hello", f"{N}02,Hello"),
    "excel-us-dates.csv": csv(
        "Phone,Text,Send at", f"{N}01,A,12/3/2026 9:00 AM", f"{N}02,B,12/25/2026 9:00 AM"
    ),
    "excel-uk-dates.csv": csv("Phone,Text,Send at", f"{N}01,A,03/12/2026 09:00"),
    "excel.xlsx": workbook(
        sheet(
            row("電話番号", "本文", "送信日時"),
            row(f"{N}01", '<c t="s"><v>0</v></c>', _date("46357.375")),
            row(f"{N}02", '<c t="str"><f>"Dear "&amp;A1</f><v>Dear Bob</v></c>'),
        ),
        texts=[_KANA],
        formats=["yyyy/m/d\\ h:mm"],
    ),
    "excel-dates.xlsx": workbook(
        sheet(
            row("Phone", "Text", "Send at"),
            row(f"{N}01", "A", _date("46357.375")),
            row(f"{N}02", "B", "2h"),
        ),
        formats=["m/d/yyyy\\ h:mm"],
    ),
    "excel-1904.xlsx": workbook(
        sheet(row("Phone", "Text", "Send at"), row(f"{N}01", "A", _date("44895.375"))),
        formats=["d.m.yyyy\\ h:mm"],
        properties='<workbookPr date1904="1"/>',
    ),
    "excel-numbers.xlsx": workbook(
        sheet(_HEAD, row(_number("818012340001"), "A"), row(_number("8.18012340002E11"), "B"))
    ),
    "excel-formatted.xlsx": workbook(
        sheet(_HEAD, row(_number("818012340001", 1), "A"), row(_number("818012340002", 1), "B")),
        formats=["&quot;+&quot;0"],
    ),
    "excel-zeros.xlsx": workbook(
        sheet(_HEAD, row(_number("8012340001", 1), "A")), formats=["000\\-0000\\-0000"]
    ),
    "excel-merged.xlsx": workbook(
        sheet(
            _HEAD,
            _ANN,
            row(f"{N}02", "<c/>"),
            after='<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>',
        )
    ),
    "excel-filtered.xlsx": workbook(
        sheet(_HEAD, _ANN, row(f"{N}02", "Hello Bob", attributes='hidden="1"'))
    ),
    "excel-hidden-sheet.xlsx": workbook(sheet(_HEAD, _ANN), sheet(_HEAD, _BOB), hidden=["Sheet2"]),
    "excel-empty-sheets.xlsx": workbook(sheet(), sheet(_HEAD, _ANN), sheet()),
    "excel-sheets.xlsx": workbook(sheet(_HEAD, _BOB), sheet(_HEAD, _ANN), names=("March", "April")),
    "excel-errors.xlsx": workbook(
        sheet(_HEAD, _ANN, row(f"{N}02", '<c t="e"><f>A9</f><v>#REF!</v></c>'))
    ),
    "excel-styled.xlsx": workbook(
        sheet(
            _HEAD,
            _ANN,
            *(row('<c s="1"/>', attributes=f'r="{n}"') for n in range(3, 30_000)),
            row('<c s="1"/>', attributes='r="1048576"'),
            row(attributes='r="1048577"'),
        ),
        formats=["0"],
    ),
    "no-results.xlsx": workbook(sheet(_HEAD, _ANN, row(f"{N}02", "<c><f>A1&amp;B1</f></c>"))),
    "report.xlsx": workbook(_PREFIXED),
    # other programs
    "libreoffice.csv": csv(
        '"Phone","Text","Visit"', f'"{N}01","Hello ""Ann""","Monday"', f'"{N}02","a,b",', end="\n"
    ),
    "numbers.csv": csv("Phone;Text", f"{N}01;Hello, Ann", f"{N}02;Hello Bob"),
    "numbers-named.csv": csv("Table 1,", *_LINES),
    "sheets.csv": csv(*_LINES, last=""),
    "sheets.tsv": csv("Phone\tText", f"{N}01\tHello, Ann", f"{N}02\tHello Bob", last=""),
    "pandas.csv": csv(",phone,text", f"0,{N[1:]}01.0,A", f"1,{N[1:]}02.0,B", end="\n"),
    "protected.csv": csv("Phone,Text", f'"=""{N}01""",A', f"'{N}02,B", f'="{N}03",C'),
    "outlook.csv": csv(
        _OUTLOOK,
        f'"","Ann","","Lee","","Acme, Inc.","","","","","","+81312340009","{N}01","","",'
        '"ann@example.com","","","","Normal","False","Normal",""',
        f'"","Bob","","Jones","","","","","","","","","{N}02","","","","","","a\r\nb","Normal",'
        '"False","Normal",""',
    ),
    "outlook-de.csv": csv(
        _OUTLOOK_DE,
        f'"Herr";"Jörg";"Müller";"";"";"+493012340009";"{N}01";"";"";"Normal";"";"Normal"',
        encoding="cp1252",
    ),
    "google-contacts.csv": csv(
        _GOOGLE,
        f"Ann,,Lee,,,,* myContacts,,,Mobile,{N}01,Home,+81312340009",
        f"Bob,,Jones,,,,* myContacts,,,Mobile,,Home,{N}02",
        end="\n",
    ),
    "salesforce.csv": csv(
        _SALESFORCE,
        f'"0035g00000AbCdE","Lee","Ann","+81312340009","{N}01","","0055g00000AbCdEAAV",""',
        f'"0035g00000AbCdEAAZ","Jones","Bob","{N}02","","","0055g00000AbCdEAAV",""',
        end="\n",
    ),
    # what is in files
    "business.csv": csv(
        "id,Phone,Text,Status,Kind,Reason,Code,Region",
        f"17,{N}01,Hello,open,B2B,unpaid,AB-9,EMEA",
    ),
    "opted-out.csv": csv("Phone,Text,Do Not Call", f"{N}01,A,Yes", f"{N}02,B,No", f"{N}03,C,"),
    "business-priority.csv": csv("Phone,Text,Priority", f"{N}01,A,High", f"{N}02,B,Low"),
    "business-key.csv": csv("Phone,Text,Key", f"{N}01,A,gold", f"{N}02,B,gold", f"{N}03,C,gold"),
    "business-deadline.csv": csv("Phone,Text,Deadline", f"{N}01,Please pay,2026-12-31"),
    "two-phones.csv": csv("Phone,Mobile,Text", f"+81312340009,{N}01,Hello"),
    "cut-off.csv": csv("Phone,Text,Tags", f"{N}01,Hello,visit", f"{N}02,Your code is 12", last=""),
    "line-break.csv": csv("Phone,Text,Tags", f"{N}01,Hello Ann,", f"{N}02,Hello", "Bob,visit"),
    "no-names.csv": csv(f"{N}01,Hello Ann", f"{N}02,Hello Bob"),
    "bom-lost.txt": csv("Phone\tText", f"{N}01\tHello", encoding="utf-16-le"),
    # no tables
    "empty.csv": b"",
    "list.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "letter.docx": archive({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}),
    "letter.rtf": b"{\\rtf1\\ansi\\deff0 Hello}",
    "lists.zip": archive({"march.csv": "\n".join(_LINES), "april.csv": ""}),
    "list.csv.gz": gzip.compress(csv(*_LINES), mtime=0),
    "photo.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "photo.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "report.xls": b'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr><td>Phone',
    "report.xml": b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook>',
    "old.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    "binary.xlsb": archive({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": b"\x83\x01"}),
    "list.ods": archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
    "list.numbers": archive({"Index/Document.iwa": b"\0", "preview.jpg": b"\xff\xd8"}),
    "folder.numbers": lambda path: path.mkdir(),
    "folder": lambda path: path.mkdir(),
    "contacts.vcf": csv("BEGIN:VCARD", "VERSION:3.0", f"TEL:{N}01", "END:VCARD"),
    "database.sqlite": b"SQLite format 3\x00\x10\x00",
    "list.json": b'[{"recipient": "+818012340001", "say": "Hello"}]',
    "broken.xlsx": workbook(sheet(_HEAD, _ANN))[:-40],
}


def write(name: str, folder: Path) -> Path:
    """Put a file into a folder; return where it is."""
    path, made = folder / name, FILES[name]
    if isinstance(made, bytes):
        path.write_bytes(made)
    else:
        made(path)
    return path
