"""The upload page: bad files in words, every problem of every row, what is good handed on."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from creditbank.jobs import outbox
from creditbank.recording.models import Draft, Upload, UploadState
from tests.portals.institution_site import school, signed_in, text_of
from tests.recording import badfiles
from tests.recording.cast import School, line, make_school, somebody, text_table, workbook

__all__ = ["school"]


@pytest.fixture
def client(school: School) -> Client:
    return signed_in(school.clerk_member)


def hand_in(client: Client, school: School, data: bytes, name: str = "成绩.xlsx") -> Any:
    return client.post(
        f"/org/{school.slug}/imports", {"file": SimpleUploadedFile(name, data)}, follow=True
    )


def test_a_file_is_checked_while_the_page_tells_how_far_it_is(
    client: Client, school: School
) -> None:
    rows = [line(somebody(), school.items[0].code) for _ in range(3)]
    page = hand_in(client, school, workbook(rows))
    upload = Upload.objects.get()
    address = f"/org/{school.slug}/imports/{upload.pk}"
    assert page.redirect_chain == [(address, 302)]
    assert f'hx-get="{address}"' in page.content.decode()
    assert "http-equiv=" in page.content.decode()
    part = client.get(address, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert "HX-Refresh" not in part
    outbox.run_due()
    assert client.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    text = text_of(client.get(address))
    assert "文件共 3 行数据。检查没有存入任何东西。" in text
    sent = client.post(f"{address}/submit", follow=True)
    draft = Draft.objects.get()
    assert sent.redirect_chain[-1][0] == f"/org/{school.slug}/approvals/{draft.pk}"
    assert draft.rows == 3
    client.post(f"{address}/submit")
    assert Draft.objects.count() == 1
    assert "查看已提交的草稿" in text_of(client.get(address))


def test_problems_are_grouped_by_cause_with_first_and_last_row(
    client: Client, school: School
) -> None:
    code = school.items[0].code
    rows = [line(somebody(), code)]
    rows += [line(somebody(), "NO-SUCH") for _ in range(60)]
    rows += [line(somebody(), code, score="2000"), line(somebody(), code)]
    hand_in(client, school, text_table(rows), "成绩.csv")
    outbox.run_due()
    upload = Upload.objects.get()
    page = client.get(f"/org/{school.slug}/imports/{upload.pk}")
    causes = page.context["causes"]
    assert [(one.code, one.count, one.first, one.last) for one in causes] == [
        ("unknown-item", 60, 3, 62),
        ("score-out-of-range", 1, 63, 63),
    ]
    assert page.content.decode().count('data-testid="problem"') == 50
    second = client.get(f"/org/{school.slug}/imports/{upload.pk}?page=2")
    assert second.content.decode().count('data-testid="problem"') == 11
    assert "只提交没有问题的 2 行" in text_of(page)
    answer = client.get(f"/org/{school.slug}/imports/{upload.pk}/errors.xlsx")
    assert answer["Content-Disposition"].startswith("attachment")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet.max_row == 62


def test_the_same_page_in_english_has_english_sentences(client: Client, school: School) -> None:
    hand_in(client, school, text_table([line(somebody(), "NO-SUCH")]))
    outbox.run_due()
    page = client.get(
        f"/org/{school.slug}/imports/{Upload.objects.get().pk}",
        headers={"Accept-Language": "en"},
    )
    assert page.context["problems"][0].row == 2
    assert 'lang="en"' in page.content.decode()


BAD_FOR_PAGES = (
    badfiles.far_cell,
    badfiles.ratio_bomb,
    badfiles.billion_laughs,
    badfiles.macros,
    badfiles.external_link,
    badfiles.old_excel,
    badfiles.pdf_before,
    badfiles.nul_bytes,
    badfiles.something_after,
    badfiles.random_bytes,
    badfiles.column_missing,
)


def test_no_file_breaks_the_page(client: Client, school: School) -> None:
    """Each ends in words and a code, never in an error of the site."""
    for make in BAD_FOR_PAGES:
        page = hand_in(client, school, make())
        assert page.status_code == 200, make
        outbox.run_due()
        upload = Upload.objects.order_by("-created_at")[0]
        assert upload.state == UploadState.REFUSED, make
        told = text_of(client.get(f"/org/{school.slug}/imports/{upload.pk}"))
        assert upload.error_code in told
        assert "这个文件无法读取" in told
    assert client.get(f"/org/{school.slug}/imports").status_code == 200
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "请先选择一个文件"),
        ({"file": SimpleUploadedFile("a.xlsx", b" ")}, "没有数据行"),
        ({"file": "not a file"}, "请先选择一个文件"),
    ],
)
def test_nothing_handed_in_is_told_at_once(
    client: Client, school: School, files: dict[str, Any], sentence: str
) -> None:
    response = client.post(f"/org/{school.slug}/imports", files)
    assert response.status_code == 422
    assert sentence in text_of(response)


def test_a_file_beyond_the_cap_is_dropped_before_it_is_read(client: Client, school: School) -> None:
    response = client.post(
        f"/org/{school.slug}/imports",
        {"file": SimpleUploadedFile("a.xlsx", b"x" * ((10 << 20) + 1))},
    )
    assert response.status_code == 422
    assert "最多 10 MB" in text_of(response)
    assert not Upload.objects.exists()


def test_what_a_file_is_called_is_shown_as_text(client: Client, school: School) -> None:
    name = '<img src=x onerror="alert(1)">.csv'
    hand_in(client, school, text_table([line(somebody(), "=1+1")]), name)
    outbox.run_due()
    for address in ("imports", f"imports/{Upload.objects.get().pk}"):
        page = client.get(f"/org/{school.slug}/{address}").content.decode()
        assert "<img src=x" not in page


def test_another_institutions_upload_is_not_found(school: School, client: Client) -> None:
    hand_in(client, school, text_table([line(somebody(), "NO-SUCH")]))
    outbox.run_due()
    pk = Upload.objects.get().pk
    stranger = make_school()
    foreign = signed_in(stranger.clerk_member)
    for address in ("", "/errors.xlsx"):
        assert foreign.get(f"/org/{stranger.slug}/imports/{pk}{address}").status_code == 404
    for address in ("/submit", "/again"):
        assert foreign.post(f"/org/{stranger.slug}/imports/{pk}{address}").status_code == 404
