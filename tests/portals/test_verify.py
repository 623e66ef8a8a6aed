"""A stranger verifies a transcript on the public pages: every answer, by link, by number, by file."""

from __future__ import annotations

import html
import io
import json
import re
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pypdf
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pypdf.generic import NameObject

from certificates import codes, documents, operations, queries, trustlist
from certificates.formats import clr
from certificates.models import Revoking, Transcript, Verification
from creditbank.clock import now
from creditbank.jobs import outbox
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.proofs import signatures
from creditbank.trust import verification_method
from learners.operations import forget_learner
from tests.certificates.forgeries import overwritten, saved, with_attachment
from tests.certificates.holders import Holder, code_of, make_holder, token_of

NAME = "金明·示例"
PERSONAL = (NAME, "新能源汽车技术基础", "良好")


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=2)


@pytest.fixture
def transcript(holder: Holder) -> Transcript:
    return holder.issue()


def publish() -> None:
    entries.wait_until_published(ledger.head_size())


def by_link(client: Client, transcript: Transcript) -> Any:
    return client.get(f"/v/{token_of(transcript)}")


def by_number(client: Client, number: str, code: str) -> Any:
    return client.post("/verify", {"number": number, "code": code})


def by_file(client: Client, data: bytes, name: str = "transcript.pdf") -> Any:
    return client.post("/verify", {"file": SimpleUploadedFile(name, data)})


def text_of(answer: Any) -> str:
    """The page's text as a reader sees it."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def code_in(answer: Any) -> str:
    """The result's code, as the band gives it."""
    match = re.search(r"结果代码 (V-[A-Z-]+)", text_of(answer))
    return match[1] if match else ""


def checks_in(answer: Any) -> dict[int, str]:
    """The seven checks and the word each is drawn with."""
    page = text_of(answer)
    start = page.index("七项核验", page.index("结果代码"))
    found = {}
    for number, mark in enumerate("①②③④⑤⑥⑦", start=1):
        at = page.index(mark, start)
        words = re.search("通过|请注意|未通过|未能检查|未评估|请您核对", page[at:])
        assert words is not None
        found[number] = words[0]
    return found


# -- genuine ----------------------------------------------------------------------------------
def test_a_genuine_transcript_is_valid_by_link_by_number_and_by_file(
    transcript: Transcript, client: Client
) -> None:
    answers = [
        by_link(client, transcript),
        by_number(client, transcript.number, code_of(transcript)),
        by_file(client, queries.pdf(transcript)),
        by_file(client, queries.json(transcript), "transcript.json"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert code_in(answer) == "V-OK"
        assert checks_in(answer) == dict.fromkeys(range(1, 7), "通过") | {7: "请您核对"}
        page = text_of(answer)
        for expected in (*PERSONAL, "请核对持证人本人", "6.00 学分"):
            assert expected in page
        assert "哪里不一致" not in page
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]
        assert not answer.cookies


def test_the_answer_comes_twice_and_is_the_same(transcript: Transcript, client: Client) -> None:
    first, second = by_link(client, transcript), by_link(client, transcript)
    assert checks_in(first) == checks_in(second)
    assert code_in(second) == "V-OK"


def test_the_number_may_be_typed_as_people_type(transcript: Transcript, client: Client) -> None:
    number = transcript.number.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    code = code_of(transcript).replace("-", "")
    assert code_in(by_number(client, number, f" {code} ")) == "V-OK"


def test_the_page_can_be_read_in_english(transcript: Transcript, client: Client) -> None:
    client.cookies["lang"] = "en"
    answer = by_link(client, transcript)
    page = text_of(answer)
    assert answer.content.decode().count('<html lang="en"') == 1
    assert "Valid" in page
    assert "The content is as it was signed." in page


# -- altered and forged -----------------------------------------------------------------------
def test_a_digit_changed_in_the_data_is_named_with_both_values(
    transcript: Transcript, client: Client
) -> None:
    document = queries.json(transcript)
    altered = document.replace(b'"86"', b'"96"', 1)
    assert altered != document
    answer = by_file(client, altered, "transcript.json")
    assert code_in(answer) == "V-TAMPERED"
    found = checks_in(answer)
    assert found[2] == "未通过"
    assert [found[number] for number in (3, 4, 5, 6)] == ["未评估"] * 4
    page = text_of(answer)
    assert re.search(r"第 1 项 分数 96 86", page)
    assert "登记簿上的内容" in page


def test_a_digit_changed_in_the_data_attached_to_the_pdf_is_named(
    transcript: Transcript, client: Client
) -> None:
    data = clr.read(queries.document(transcript))
    line = data.lines[1]
    lines = (data.lines[0], replace(line, result=replace(line.result, score="99")))
    document = clr.build(replace(data, lines=lines))
    genuine = queries.document(transcript)
    document["evidence"], document["proof"] = genuine["evidence"], genuine["proof"]
    file = with_attachment(queries.pdf(transcript), documents.encode(document))
    answer = by_file(client, file)
    assert code_in(answer) == "V-TAMPERED"
    assert re.search(r"第 2 项 分数 99 86", text_of(answer))


def test_a_digit_changed_on_the_page_is_named_with_both_values(
    transcript: Transcript, client: Client
) -> None:
    file = queries.pdf(transcript)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(file))
    page = writer.pages[0]
    stream = overwritten(pypdf.PdfReader(io.BytesIO(file)), page, "6.00", "0.60")
    page[NameObject("/Contents")] = writer._add_object(stream)
    answer = by_file(client, saved(writer))
    assert code_in(answer) == "V-TAMPERED"
    assert re.search(r"合计.*0\.60.*6\.00", text_of(answer))


def test_bytes_appended_to_the_file_are_named(transcript: Transcript, client: Client) -> None:
    answer = by_file(client, queries.pdf(transcript) + b"\nappended")
    assert code_in(answer) == "V-TAMPERED"
    assert "末尾" in text_of(answer)


def test_a_transcript_signed_with_a_strangers_key_is_forged(
    transcript: Transcript, client: Client, settings: Any
) -> None:
    genuine = queries.document(transcript)
    stranger = signatures.generate("Ed25519")
    prepared = documents.prepare(clr.read(genuine)).registered(genuine["evidence"][0]["narrative"])
    forged = prepared.signed(
        verification_method=verification_method(settings.BANK_DID, stranger.public),
        created=now(),
        sign=lambda options, document: stranger.sign(options + document),
    )
    answer = by_file(client, documents.encode(forged), "transcript.json")
    assert code_in(answer) == "V-FORGED"
    assert checks_in(answer)[3] == "未通过"
    assert "报告" in text_of(answer)


def test_a_transcript_without_its_signature_is_forged(
    transcript: Transcript, client: Client
) -> None:
    forged = deepcopy(queries.document(transcript))
    del forged["proof"]
    answer = by_file(client, documents.encode(forged), "transcript.json")
    assert code_in(answer) == "V-FORGED"
    assert checks_in(answer)[2] == "未通过"


def test_a_number_in_a_file_opens_nothing_of_the_register(
    holder: Holder, transcript: Transcript, client: Client
) -> None:
    """The log publishes numbers: who writes one into a file must not be shown the register."""
    other = make_holder(lines=1, college=holder.college, name="李样本").issue()
    data = clr.read(queries.document(other))
    forged = clr.build(replace(data, number=transcript.number, verify_token="A" * 22))
    genuine = queries.document(other)
    forged["evidence"], forged["proof"] = genuine["evidence"], genuine["proof"]
    answer = by_file(client, documents.encode(forged), "transcript.json")
    assert code_in(answer) == "V-TAMPERED"
    page = text_of(answer)
    assert NAME not in page
    assert "登记簿上的内容" not in page


# -- revoked, superseded, reversed ------------------------------------------------------------
def test_a_revoked_transcript_is_invalid_with_date_and_reason(
    transcript: Transcript, client: Client
) -> None:
    assert code_in(by_link(client, transcript)) == "V-OK"
    operations.revoke_transcript(transcript=transcript, reason=Revoking.CONTENT, acting_user=None)
    publish()
    for answer in (by_link(client, transcript), by_file(client, queries.pdf(transcript))):
        assert code_in(answer) == "V-REVOKED"
        assert checks_in(answer)[5] == "未通过"
        assert checks_in(answer)[2] == "通过"
        page = text_of(answer)
        assert "原因：内容有误" in page
        assert "content-error" not in page
        assert re.search(r"\d{4}年\d{1,2}月\d{1,2}日 撤销", page)


def test_a_superseded_transcript_is_genuine_and_names_its_successor(
    transcript: Transcript, client: Client
) -> None:
    newer = operations.supersede_transcript(transcript=transcript, acting_user=None)
    outbox.run_due()
    publish()
    transcript.refresh_from_db()
    assert transcript.state == "superseded"
    answer = by_file(client, queries.pdf(transcript))
    assert code_in(answer) == "V-NOTE-SUPERSEDED"
    assert checks_in(answer)[5] == "请注意"
    assert newer.number in text_of(answer)
    newer.refresh_from_db()
    assert code_in(by_link(client, newer)) == "V-OK"


def test_a_reversed_line_makes_it_invalid_and_is_named_and_a_successor_softens_it(
    holder: Holder, transcript: Transcript, client: Client
) -> None:
    assert code_in(by_link(client, transcript)) == "V-OK"
    ledger.reverse_entry(index=holder.indexes()[1], reason="成绩误录")
    publish()
    answer = by_link(client, transcript)
    assert code_in(answer) == "V-REVOKED"
    page = text_of(answer)
    assert re.search(r"第 2 项已被冲正（登记簿第 \d+ 号）：登记机构冲正", page)
    assert "成绩误录" not in page
    assert "reversed" not in page
    client.cookies["lang"] = "en"
    english = text_of(by_link(client, transcript))
    assert re.search(r"\(register entry \d+\): Reversed by the recording institution;", english)
    del client.cookies["lang"]
    operations.supersede_transcript(transcript=transcript, acting_user=None)
    outbox.run_due()
    publish()
    answer = by_link(client, transcript)
    assert code_in(answer) == "V-NOTE-SUPERSEDED"
    assert "第 2 项已被冲正" in text_of(answer)


# -- what cannot be judged --------------------------------------------------------------------
def test_a_slip_of_the_pen_is_told_with_its_field_and_group(
    transcript: Transcript, client: Client
) -> None:
    number, code = transcript.number, code_of(transcript)
    wrong = number[:5] + ("A" if number[5] != "A" else "B") + number[6:]
    answer = by_number(client, wrong, code)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "编号有误，请检查第 2 组" in page
    assert f'value="{wrong}"' in answer.content.decode()
    assert f'value="{code}"' in answer.content.decode()
    answer = by_number(client, number, code[:-1])
    assert "验证码应为 12 位" in text_of(answer)
    assert not Verification.objects.exists()


def test_an_unknown_number_and_a_wrong_code_get_one_and_the_same_answer(
    transcript: Transcript, client: Client
) -> None:
    def shape(answer: Any) -> tuple[Any, ...]:
        return (
            answer.status_code,
            sorted((name, value) for name, value in answer.items() if name != "Content-Length"),
            re.sub(r"\d{4}年.{0,20}?\d\d:\d\d", "", text_of(answer)),
        )

    unknown = by_number(client, codes.new_number(), code_of(transcript))
    wrong = by_number(client, transcript.number, codes.grouped(codes.new_code()))
    assert code_in(unknown) == "V-NOTFOUND"
    assert shape(unknown) == shape(wrong)
    assert NAME not in text_of(wrong)


def test_an_unknown_link_is_not_found(transcript: Transcript, client: Client) -> None:
    for token in ("A" * 22, token_of(transcript)[:-1], "x"):
        answer = client.get(f"/v/{token}")
        assert answer.status_code == 404
        assert code_in(answer) == "V-NOTFOUND"
        assert answer["Cache-Control"] == "no-store"


def test_other_files_are_told_apart_from_forgeries(transcript: Transcript, client: Client) -> None:
    blank = pypdf.PdfWriter()
    blank.add_blank_page(595, 842)
    for data, name in (
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "photo.png"),
        (saved(blank), "other.pdf"),
        (b'{"some": "json"}', "some.json"),
        (b"", "empty.pdf"),
        (b"%PDF-1.7\n" + b"[" * 200_000, "deep.pdf"),
        (b'{"a":' * 100_000, "deep.json"),
    ):
        answer = by_file(client, data, name)
        assert answer.status_code == 200
        assert code_in(answer) == "V-WRONGFILE", name
    answer = by_file(client, b"\x89PNG\r\n\x1a\n", "photo.png")
    assert "用编号和验证码核验" in text_of(answer)


def test_a_file_beyond_the_cap_is_refused_without_being_kept(
    transcript: Transcript, client: Client
) -> None:
    answer = by_file(client, bytes(10 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "10 MiB" in text_of(answer)


def test_without_number_code_or_file_the_form_comes_back(
    transcript: Transcript, client: Client
) -> None:
    answer = client.post("/verify", {})
    assert answer.status_code == 422
    assert "请输入编号和验证码" in text_of(answer)


def test_while_no_key_can_be_had_nothing_is_called_valid_or_invalid(
    transcript: Transcript, client: Client, bank: Any
) -> None:
    file = queries.pdf(transcript)
    bank.stop()
    trustlist.forget_material()
    cache.clear()
    for answer in (by_link(client, transcript), by_file(client, file)):
        assert answer.status_code == 503
        assert code_in(answer) == "V-UNAVAILABLE"
        assert answer["Retry-After"] == "30"
        assert "再试一次" in text_of(answer)


def test_while_the_signer_is_away_what_was_published_is_enough(
    transcript: Transcript, client: Client, bank: Any
) -> None:
    assert code_in(by_file(client, queries.pdf(transcript))) == "V-OK"
    bank.stop()
    assert code_in(by_link(client, transcript)) == "V-OK"
    assert code_in(by_file(client, queries.pdf(transcript))) == "V-OK"


def test_while_the_cache_is_down_verification_goes_on(
    transcript: Transcript, client: Client, settings: Any
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    settings.CACHE_URL = "redis://127.0.0.1:1/0"
    assert code_in(by_link(client, transcript)) == "V-OK"
    assert code_in(by_number(client, transcript.number, code_of(transcript))) == "V-OK"


# -- forgotten --------------------------------------------------------------------------------
def test_of_a_forgotten_person_the_register_says_so_and_shows_nothing(
    holder: Holder, transcript: Transcript, client: Client
) -> None:
    link = f"/v/{token_of(transcript)}"
    number, code, file = transcript.number, code_of(transcript), queries.pdf(transcript)
    assert code_in(client.get(link)) == "V-OK"
    forget_learner(holder.learner)
    for answer in (client.get(link), by_number(client, number, code)):
        assert answer.status_code == 200
        page = text_of(answer)
        assert "登记簿不再保存此人" in page
        for personal in PERSONAL:
            assert personal not in page
    own = by_file(client, file)
    assert code_in(own) == "V-OK"
    assert "登记簿上的内容" in text_of(own)
    assert NAME not in text_of(own)


# -- receipts, limits, privacy ----------------------------------------------------------------
def test_a_receipt_holds_the_result_and_nothing_of_the_holder(
    transcript: Transcript, client: Client
) -> None:
    by_file(client, queries.pdf(transcript))
    kept = Verification.objects.get()
    assert kept.code == "V-OK"
    assert kept.transcript == transcript
    page = client.get(f"/verify/receipts/{kept.number}")
    words = text_of(page)
    assert bytes(kept.file_sha256 or b"").hex() in words
    assert transcript.number in words
    for personal in PERSONAL:
        assert personal not in words
    assert client.get("/verify/receipts/AAAA-AAAA-AAAA").status_code == 404


def test_opening_a_link_keeps_no_receipt_unless_asked(
    transcript: Transcript, client: Client
) -> None:
    by_link(client, transcript)
    assert not Verification.objects.exists()
    answer = client.post(f"/v/{token_of(transcript)}/receipt")
    kept = Verification.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/verify/receipts/{kept.number}"


def test_sixty_a_minute_from_one_address_then_a_page_in_words(
    transcript: Transcript, client: Client
) -> None:
    number = codes.new_number()
    statuses = [by_number(client, number, "0").status_code for _ in range(60)]
    assert set(statuses) == {422}
    answer = by_number(client, number, "0")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "请稍等再试" in text_of(answer)
    spoofed = client.post(
        "/verify", {"number": number, "code": "0"}, headers={"X-Forwarded-For": "192.0.2.7"}
    )
    assert spoofed.status_code == 429
    elsewhere = client.post("/verify", {"number": number, "code": "0"}, REMOTE_ADDR="192.0.2.9")
    assert elsewhere.status_code == 422


def test_no_address_on_the_pages_holds_personal_data(
    transcript: Transcript, client: Client
) -> None:
    pages = [by_link(client, transcript), client.get("/verify"), client.get("/institutions")]
    for answer in pages:
        for address in re.findall(r'(?:href|src|action)="([^"]*)"', answer.content.decode()):
            assert str(transcript.account_id) not in address
            assert str(transcript.pk) not in address
            assert not any(ord(character) > 127 for character in address)


def test_nothing_personal_is_left_in_the_cache(transcript: Transcript, client: Client) -> None:
    by_link(client, transcript)
    by_file(client, queries.pdf(transcript))
    redis = cache._cache.get_client(None)  # type: ignore[attr-defined]
    held = b" ".join(
        redis.get(key) or b"" for key in redis.scan_iter() if redis.type(key) == b"string"
    )
    assert held
    assert json.dumps(NAME)[1:-1].encode() not in held
    assert NAME.encode() not in held
