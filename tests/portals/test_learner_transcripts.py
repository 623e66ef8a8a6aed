"""A learner's own transcripts: what strangers are told stands there too; correcting, revoking."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from certificates import queries
from certificates.models import Revoking, Transcript
from creditbank.jobs import outbox
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from learners import operations as learners
from tests.certificates.holders import Holder, make_holder, token_of
from tests.institutions.cast import make_user
from tests.portals.institution_site import signed_in_as, text_of


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=2)


@pytest.fixture
def client(holder: Holder) -> Client:
    """The holder's browser."""
    user = make_user()
    code = learners.issue_claim_code(holder.learner, make_user())
    learners.claim(user=user, code=code)
    holder.learner.refresh_from_db()
    return signed_in_as(user)


@pytest.fixture
def transcript(holder: Holder, client: Client) -> Transcript:
    return holder.issue()


def publish() -> None:
    entries.wait_until_published(ledger.head_size())


def stranger_sees(transcript: Transcript) -> str:
    return text_of(Client().get(f"/v/{token_of(transcript)}"))


def state_in(client: Client, address: str, transcript: Transcript) -> str:
    """The word that a list draws beside a transcript's number."""
    day = r"\d+年\d+月\d+日 \d\d:\d\d"
    found = re.search(rf"{transcript.number} (?:{day} )?(\S+)", text_of(client.get(address)))
    assert found is not None
    return found[1]


def test_a_transcript_in_force_is_shown_as_valid(client: Client, transcript: Transcript) -> None:
    for address in ("/me", "/me/transcripts", f"/me/transcripts/{transcript.number}"):
        assert 'class="state state-ok"' in client.get(address).content.decode()
    assert state_in(client, "/me", transcript) == "有效"


def test_the_holder_sees_the_code_and_the_page_that_strangers_see(
    client: Client, transcript: Transcript
) -> None:
    page = client.get(f"/me/transcripts/{transcript.number}")
    assert queries.printed_code(transcript) in text_of(page)
    assert f'href="/v/{token_of(transcript)}"' in page.content.decode()


def test_a_transcript_with_a_reversed_line_is_not_shown_as_valid(
    client: Client, holder: Holder, transcript: Transcript
) -> None:
    ledger.reverse_entry(index=holder.indexes()[0], reason="录入有误")
    publish()
    assert "签发机构已撤销" in stranger_sees(transcript)
    for address in ("/me", "/me/transcripts"):
        assert state_in(client, address, transcript) == "有成果已冲正"
    page = text_of(client.get(f"/me/transcripts/{transcript.number}"))
    assert "这份证明需要更正" in page
    assert "第 1 项已被冲正" in page
    assert "可以下载了" not in page


def test_a_corrected_version_takes_the_place_of_one_with_a_reversed_line(
    client: Client, holder: Holder, transcript: Transcript
) -> None:
    ledger.reverse_entry(index=holder.indexes()[0], reason="录入有误")
    publish()
    answer = client.post(f"/me/transcripts/{transcript.number}/correct")
    assert answer.status_code == 302
    outbox.run_due()
    publish()
    newer = answer["Location"].rsplit("/", 1)[1]
    assert newer != transcript.number
    assert "真实，但已有更正版本" in stranger_sees(transcript)
    listed = text_of(client.get("/me/transcripts"))
    assert f"{newer} " in listed
    old = text_of(client.get(f"/me/transcripts/{transcript.number}"))
    assert "已有更正版本" in old
    assert f"打开更正版本 {newer}" in old
    assert "可以下载了" in text_of(client.get(f"/me/transcripts/{newer}"))


def test_a_holder_revokes_a_transcript_and_every_stranger_sees_it(
    client: Client, transcript: Transcript
) -> None:
    address = f"/me/transcripts/{transcript.number}/revoke"
    assert "撤销不能恢复" in text_of(client.get(address))
    answer = client.post(address, {"reason": Revoking.HOLDER.value, "sure": "on"}, follow=True)
    assert "已撤销。从现在起" in text_of(answer)
    transcript.refresh_from_db()
    assert (transcript.state, transcript.revoked_for) == ("revoked", "holder-request")
    page = stranger_sees(transcript)
    assert "V-REVOKED" in page
    assert "原因：持证人申请" in page
    own = text_of(client.get(f"/me/transcripts/{transcript.number}"))
    assert "这份证明已撤销" in own
    assert "撤销这份证明" not in own
    assert state_in(client, "/me", transcript) == "已撤销"
    entry = Client().get(f"/log/{transcript.revoked_index}")
    assert "持证人申请" in text_of(entry)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"reason": "holder-request"}, "请勾选"),
        ({"sure": "on"}, "撤销的原因"),
        ({"reason": "authority-order", "sure": "on"}, "authority-order"),
        ({"reason": "superseded", "sure": "on"}, "superseded"),
    ],
)
def test_nothing_is_revoked_without_a_reason_of_the_holders_and_a_yes(
    client: Client, transcript: Transcript, sent: dict[str, str], told: str
) -> None:
    answer = client.post(f"/me/transcripts/{transcript.number}/revoke", sent)
    assert answer.status_code == 422
    assert told in text_of(answer)
    transcript.refresh_from_db()
    assert transcript.state == "issued"


def test_a_revoked_transcript_is_neither_revoked_again_nor_corrected(
    client: Client, transcript: Transcript
) -> None:
    address = f"/me/transcripts/{transcript.number}"
    client.post(f"{address}/revoke", {"reason": "holder-request", "sure": "on"})
    size = ledger.head_size()
    again = client.post(f"{address}/revoke", {"reason": "content-error", "sure": "on"}, follow=True)
    assert "这份证明已撤销或已有更正版本" in text_of(again)
    corrected = client.post(f"{address}/correct", follow=True)
    assert "这份证明已撤销或已有更正版本" in text_of(corrected)
    assert ledger.head_size() == size


def test_anothers_transcript_can_be_neither_revoked_nor_corrected(
    client: Client, transcript: Transcript, bank: Any
) -> None:
    other = make_holder(lines=1, college=None, name="张伟")
    user = make_user()
    learners.claim(user=user, code=learners.issue_claim_code(other.learner, make_user()))
    stranger = signed_in_as(user)
    address = f"/me/transcripts/{transcript.number}"
    sent = {"reason": "holder-request", "sure": "on"}
    assert stranger.post(f"{address}/revoke", sent).status_code == 404
    assert stranger.post(f"{address}/correct").status_code == 404
    assert Client().post(f"{address}/revoke", sent).status_code == 302
    transcript.refresh_from_db()
    assert transcript.state == "issued"


def test_who_has_no_outcome_is_told_so_instead_of_an_error(
    client: Client, holder: Holder, bank: Any
) -> None:
    for index in holder.indexes():
        ledger.reverse_entry(index=index, reason="录入有误")
    publish()
    assert 'data-testid="request-transcript"' not in client.get("/me").content.decode()
    answer = client.post("/me/transcripts", follow=True)
    assert answer.status_code == 200
    assert "账户里还没有可以出具证明的成果" in text_of(answer)
