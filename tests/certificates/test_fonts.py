"""A name is printed whole or not at all."""

from __future__ import annotations

import io

import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from certificates import fonts

RARE = "𬎆𠮷𪟝㛃䶮龑䲟昇堃喆頔㑇䴉𫖯𬭩𬬱𫘦𬱖𬀩𣲗"


def test_rare_characters_of_names_are_covered() -> None:
    assert fonts.missing(RARE) == ""


def test_all_common_ideographs_and_all_hangul_are_covered() -> None:
    common = "".join(map(chr, range(0x4E00, 0x9FA6)))
    extension_a = "".join(map(chr, range(0x3400, 0x4DB6)))
    hangul = "".join(map(chr, range(0xAC00, 0xD7A4)))

    assert fonts.missing(common + extension_a + hangul) == ""


def test_the_marks_that_documents_use_are_covered() -> None:
    assert fonts.missing("·—–…“”‘’《》〈〉（）【】、。，；：？！％℃①②ⅠⅡ½éàüñ€＋－／") == ""


def test_a_name_in_several_scripts_is_split_where_the_face_changes() -> None:
    pieces = fonts.segments("欧阳𬎆 김철수 Kim", 10)

    assert [(piece.face, piece.text) for piece in pieces] == [
        (fonts.REGULAR, "欧阳"),
        (fonts.FALLBACK, "𬎆"),
        (fonts.REGULAR, " "),
        (fonts.KOREAN, "김철수"),
        (fonts.REGULAR, " Kim"),
    ]
    assert sum(piece.width for piece in pieces) == pytest.approx(
        fonts.width("欧阳𬎆 김철수 Kim", 10)
    )


def test_characters_that_no_face_has_are_named_and_nothing_is_printed() -> None:
    with pytest.raises(fonts.GlyphMissing) as refused:
        fonts.segments("王😀𪸩😀", 10)

    assert refused.value.characters == "😀𪸩"
    assert "U+1F600" in str(refused.value)


def test_bold_is_for_the_whole_text_or_not_used() -> None:
    assert [piece.face for piece in fonts.segments("王堃", 10, bold=True)] == [fonts.BOLD]
    assert fonts.BOLD not in {piece.face for piece in fonts.segments("王𬎆", 10, bold=True)}


def test_text_can_be_copied_out_of_the_pdf_beyond_the_basic_plane() -> None:
    fonts.faces()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1, initialFontName=fonts.REGULAR)
    canvas.setFont(fonts.FALLBACK, 12)
    canvas.drawString(72, 700, "𬎆𠮷")
    canvas.save()

    assert pypdf.PdfReader(buffer).pages[0].extract_text().strip() == "𬎆𠮷"


def test_the_font_files_are_small_enough_to_live_with_the_source() -> None:
    sizes = [path.stat().st_size for path in fonts.FOLDER.glob("*.ttf")]

    assert len(sizes) == 4
    assert sum(sizes) < 25 << 20


def test_the_fonts_licence_is_beside_them() -> None:
    text = (fonts.FOLDER / "OFL.txt").read_text()

    assert "SIL OPEN FONT LICENSE Version 1.1" in text
