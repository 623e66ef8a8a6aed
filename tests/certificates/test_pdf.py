"""The printed transcript: calm, complete, the same bytes each time, and comparable with its data."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pypdf
import pypdfium2
import pytest
import zxingcpp

from certificates import documents, fonts, pages, pdf
from certificates.formats.transcript import TranscriptData, TranscriptLine
from creditbank.ledger.statements import Result
from tests.certificates.bank import CODE, genuine
from tests.certificates.test_documents import FIXED

LONG = (
    "面向智能制造的工业机器人系统集成与现场维护综合实训（含安全操作规范、应急处置与设备全生命周期管理）",
    "Integrated practical training in industrial robot system integration and on-site maintenance",
)


def transcript(count: int, **changes: object) -> TranscriptData:
    """Return a transcript of `count` lines of every length and state."""
    first = FIXED.lines[0]
    lines: list[TranscriptLine] = []
    for number in range(count):
        title, title_en = LONG if number % 3 == 0 else (f"大学语文（第 {number} 期）", "")
        lines.append(
            replace(
                first,
                index=4_000_000 + number,
                outcome=replace(
                    first.outcome,
                    title=title,
                    title_en=title_en,
                    kind=("course", "x-certificate", "community")[number % 3],
                    body_name="示范智能制造职业教育培训评价组织有限责任公司",
                    credits=Decimal("10.50"),
                ),
                result=Result(grade="优秀", score="100.00", hours="1024"),
                state=("entered", "used", "reversed", "expired")[number % 4],
                institution_name="示例省开放大学第二学习中心",
            )
        )
    return replace(FIXED, code=CODE, lines=tuple(lines), **changes)  # type: ignore[arg-type]


def printed(data: TranscriptData) -> bytes:
    return pdf.render(documents.build(data), data)


def test_the_same_transcript_gives_the_same_bytes() -> None:
    data = transcript(3)

    assert printed(data) == printed(data)


def test_no_text_overlaps_another_or_leaves_the_page() -> None:
    for data in (
        transcript(1),
        transcript(10),
        transcript(60),
        transcript(2, holder_name="阿不都热西提·买买提吐尔逊·" * 3, issuer_name="示例" * 30),
    ):
        boxes = defaultdict(list)
        for run in pages.layout(data).runs:
            # Ideographs reach from 12 % of the size under the line to 88 % over it.
            box = (run.x, run.y - 0.12 * run.size, run.x + run.width, run.y + 0.85 * run.size)
            assert box[0] >= pages.LEFT - 0.1, run
            assert box[2] <= pages.RIGHT + 0.1, run
            assert box[1] > 20, run
            assert box[3] < pages.HEIGHT - 20, run
            boxes[run.page].append((box, run))
        for marks in boxes.values():
            for place, (one, run) in enumerate(marks):
                for other, neighbour in marks[place + 1 :]:
                    apart = (
                        one[2] <= other[0] + 0.3
                        or other[2] <= one[0] + 0.3
                        or one[3] <= other[1] + 0.3
                        or other[3] <= one[1] + 0.3
                    )
                    assert apart, (run.text, neighbour.text)


def test_a_row_is_never_cut_by_the_end_of_a_page() -> None:
    laid = pages.layout(transcript(60))
    places = defaultdict(set)
    for run in laid.runs:
        if run.line is not None:
            places[run.line].add(run.page)

    assert laid.count > 3
    assert set(places) == set(range(1, 61))
    assert {len(found) for found in places.values()} == {1}
    body = [run for run in laid.runs if run.line is not None]
    assert min(run.y for run in body) > pages.BOTTOM - 1


@pytest.mark.parametrize("count", range(1, 24))
def test_the_totals_never_stand_on_a_page_without_a_line(count: int) -> None:
    laid = pages.layout(transcript(count))
    total = next(run for run in laid.runs if run.field == "totals")

    assert total.page == laid.count - 1
    assert any(run.line == count for run in laid.runs if run.page == total.page)


def test_every_page_carries_header_number_code_and_its_own_place() -> None:
    data = transcript(60)
    reader = pypdf.PdfReader(io.BytesIO(printed(data)))
    count = len(reader.pages)

    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert data.issuer_name in text
        assert f"编号 No. {data.number}" in text
        assert "验证码 Code 1C06-TSPC-6Y87" in text
        assert f"第 {number} 页 / 共 {count} 页" in text
        assert f"Page {number} of {count}" in text


def test_the_qr_code_on_every_page_opens_the_verification_page() -> None:
    data = transcript(12)
    document = pypdfium2.PdfDocument(printed(data))
    try:
        for number in range(len(document)):
            picture = document[number].render(scale=3).to_pil()
            found = zxingcpp.read_barcodes(picture)
            assert [code.text for code in found] == [f"https://bank.example/v/{data.verify_token}"]
    finally:
        document.close()


def test_a_page_says_every_value_of_its_lines() -> None:
    data = replace(genuine().data, code=CODE)
    text = "\n".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(genuine().pdf)).pages
    )

    for line in data.lines:
        for value in (
            line.outcome.title,
            line.outcome.completed_on.isoformat(),
            f"{line.outcome.credits:.2f}",
            line.result.grade,
            line.result.score,
            f"登记簿第 {line.index} 号",
        ):
            assert value in text
    # One name in two faces is two pieces to a reader of the file, one to our own.
    assert "欧阳" in text
    assert "𬎆" in text
    assert "15.50" in text


def test_all_fonts_are_embedded() -> None:
    reader = pypdf.PdfReader(io.BytesIO(genuine().pdf))
    faces = {
        str(font.get_object()["/BaseFont"]): "/FontFile2" in font.get_object()["/FontDescriptor"]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }

    assert len(faces) >= 3
    assert all(faces.values()), faces


def test_a_name_that_cannot_be_printed_is_refused_with_all_its_characters() -> None:
    data = transcript(1, holder_name="王😀", issuer_name_en="Bank \U0001f3e6")

    with pytest.raises(fonts.GlyphMissing) as refused:
        printed(data)

    assert refused.value.characters == "😀\U0001f3e6"


def test_a_document_of_another_transcript_is_not_printed() -> None:
    data = transcript(2)

    with pytest.raises(pdf.PageTextDiffers) as refused:
        pdf.render(documents.build(replace(data, holder_name="王五")), data)

    assert refused.value.facts["fields"] == ["holder_name"]


def test_the_page_is_as_readable_in_grey() -> None:
    """WCAG contrast on white: every text has at least 4.5 to 1."""

    def luminance(name: str) -> float:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in pages.COLOURS[name]
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in (pages.INK, pages.GREY, pages.ACCENT):
        assert luminance(name) + 0.05 <= 1.05 / 4.5


def test_the_layout_has_the_version_it_says() -> None:
    """If this fails the pages look different from before: raise pages.VERSION with the figure."""
    laid = pages.layout(replace(FIXED, code=CODE))
    text = "\n".join(
        f"{run.page} {run.x} {run.y} {run.size} {run.face} {run.ink} {run.text}"
        for run in laid.runs
    ) + "\n".join(f"{box.page} {box.ink} {box.boxes}" for box in laid.boxes)

    assert (pages.VERSION, hashlib.sha256(text.encode()).hexdigest()) == (2, LAYOUT_DIGEST)


LAYOUT_DIGEST = "843aa292ac3f062a73d4d7525afbd8aa6738b5e93eff66c5a431f63400616b72"


# -- read back --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10, 60])
def test_pages_read_back_are_those_that_were_drawn(count: int) -> None:
    data = transcript(count)
    file = printed(data)

    assert pdf.compare_pages(pdf.open_pdf(file), data) == []
    assert pdf.compare_pages(pdf.open_pdf(file), replace(data, code="")) == []
    assert sorted((run.page, run.x, run.y, run.text) for run in pdf.read_runs(file)) == sorted(
        (run.page, run.x, run.y, run.text) for run in pdf.expected_runs(data)
    )


@pytest.mark.parametrize(
    ("changes", "field", "in_file"),
    [
        ({"holder_name": "李四"}, "holder_name", "欧阳𬎆"),
        ({"holder_identity_masked": "2224**********9999"}, "holder_identity_masked", "1234"),
        ({"account": "SA34-47YV-JX93", "other_accounts": ()}, "account", "4HMA"),
        ({"number": "ER92-7JDV-HKVQ"}, "number", "8ATA-PKYT-W68X"),
        ({"verify_token": "A" * 22}, "qr", ""),
        ({"code": "000000000000"}, "code", "1C06-TSPC-6Y87"),
    ],
)
def test_a_page_that_says_something_else_is_named_by_its_field(
    changes: dict[str, object], field: str, in_file: str
) -> None:
    data = transcript(2)
    file = printed(data)

    found = pdf.compare_pages(pdf.open_pdf(file), replace(data, **changes))  # type: ignore[arg-type]

    named = {item.field: item for item in found}
    assert field in named
    assert in_file in named[field].in_file


def test_a_longer_figure_is_still_named_by_its_field() -> None:
    data = transcript(3)
    line = data.lines[1]
    longer = replace(line, outcome=replace(line.outcome, credits=Decimal("110.50")))
    other = replace(data, lines=(data.lines[0], longer, data.lines[2]))

    found = pdf.compare_pages(pdf.open_pdf(printed(data)), other)

    assert ("credits", 2, "10.50", "110.50") in {
        (item.field, item.line, item.in_file, item.expected) for item in found
    }


def test_pages_of_another_layout_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    data = transcript(1)
    file = printed(data)
    monkeypatch.setattr(pages, "VERSION", pages.VERSION + 1)

    with pytest.raises(pdf.OtherLayout):
        pdf.compare_pages(pdf.open_pdf(file), data)


@pytest.mark.parametrize("file", [b"", b"%PDF-1.7", b"%PDF-1.7\n" + b"0" * 5000, b"\x00" * 100])
def test_what_is_no_pdf_is_refused_calmly(file: bytes) -> None:
    with pytest.raises(pdf.NotOurPdf):
        pdf.open_pdf(file)


def test_text_is_wrapped_without_losing_or_adding_a_character() -> None:
    for text in (*LONG, "a" * 200, "中文，标点。不在行首：对！", "x", "一 二  三"):
        for width in (20.0, 60.0, 180.0):
            lines = pages.wrap(text, width, 9)
            assert "".join("".join(lines).split()) == "".join(text.split())
            assert all(fonts.width(line, 9) <= width for line in lines if len(line) > 2)
            assert not any(line[0] in "，。：！）" for line in lines[1:] if width > 60)
