"""Workbooks (.xlsx) written by hand: the parts of the archive, each as a test wants it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def archive(parts: dict[str, str | bytes]) -> bytes:
    """Return a ZIP archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return out.getvalue()


def text(value: str) -> str:
    """Return a cell with a text of its own."""
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if value else "<c/>"


def row(*cells: str, attributes: str = "") -> str:
    """Return a row of cells: XML, or else texts."""
    inner = "".join(each if each.startswith("<") else text(each) for each in cells)
    return f"<row {attributes}>{inner}</row>"


def sheet(*rows: str, after: str = "") -> str:
    """Return a sheet; `after` is what stands behind its data, such as merged cells."""
    data = "".join(rows)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData>{after}</worksheet>'


def workbook(
    *sheets: str,
    names: Sequence[str] = ("Sheet1", "Sheet2", "Sheet3"),
    hidden: Sequence[str] = (),
    formats: Sequence[str] = (),
    texts: Sequence[str] = (),
    properties: str = "",
) -> bytes:
    """Return a workbook. `formats`: codes of the styles 1, 2, …; `texts`: of shared texts, XML."""
    numbers = range(1, len(sheets) + 1)
    named = "".join(
        f'<sheet name="{names[n - 1]}" sheetId="{n}" r:id="rId{n}"'
        f"{' state=' + chr(34) + 'hidden' + chr(34) if names[n - 1] in hidden else ''}/>"
        for n in numbers
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    others = "".join(
        f'<Relationship Id="rId9{part}" Type="{OFFICE}/{part}" Target="{part}.xml"/>'
        for part in ("styles", "sharedStrings")
    )
    codes = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{code}"/>' for n, code in enumerate(formats)
    )
    styles = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(formats)))
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1"'
            f' Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}'
            f"<sheets>{named}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{related}{others}'
            "</Relationships>",
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts>'
            f'<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
            f'<cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">'
            + "".join(f"<si>{each}</si>" for each in texts)
            + "</sst>",
            **{f"xl/worksheets/sheet{n}.xml": each for n, each in enumerate(sheets, 1)},
        }
    )
