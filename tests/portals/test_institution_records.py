"""What an institution recorded: receipts, entries with their proof, looking up, taking back."""

from __future__ import annotations

import re

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.ledger import queries as entries
from creditbank.portals import institution_frame, institution_records
from creditbank.proofs.bundles import ProofBundle
from learners import operations as learners
from learners import queries as people
from tests.institutions.cast import make_member
from tests.ledger.cast import College, make_own_stream
from tests.portals.institution_site import school, signed_in, text_of
from tests.recording.cast import School, make_school, somebody

__all__ = ["school"]


def test_a_receipt_says_in_plain_words_what_stands_where(school: School) -> None:
    receipt = school.record(*school.rows(3))
    client = signed_in(school.clerk_member)
    assert str(receipt.manifest_index) in text_of(client.get(f"/org/{school.slug}/records"))
    page = client.get(f"/org/{school.slug}/receipts/{receipt.manifest_index}")
    text = text_of(page)
    first, last = receipt.first_index, receipt.first_index + 2
    assert f"3 条记录，登记簿第 {first} 号到第 {last} 号，由贵机构签名。" in text
    assert "任何人都可以核对" in text
    assert "llcb/manifest/v1" in text
    assert page.content.decode().count('data-testid="line"') == 3


def test_a_long_receipt_is_shown_page_by_page(school: School, monkeypatch: object) -> None:
    for module in (institution_frame, institution_records):
        monkeypatch.setattr(module, "PAGE_SIZE", 4)  # type: ignore[attr-defined]
    receipt = school.record(*school.rows(10))
    client = signed_in(school.clerk_member)
    seen: list[str] = []
    for number in (1, 2, 3):
        page = client.get(
            f"/org/{school.slug}/receipts/{receipt.manifest_index}?page={number}"
        ).content.decode()
        seen += re.findall(rf'href="/org/{school.slug}/records/(\d+)"', page)
    assert [int(index) for index in seen] == list(
        range(receipt.first_index, receipt.first_index + 10)
    )


def test_an_entry_shows_what_it_says_and_its_proof_can_be_saved(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document, grade="良好"))
    client = signed_in(make_member(school.institution, Role.VIEWER, serial=12))
    address = f"/org/{school.slug}/records/{receipt.first_index}"
    page = client.get(address)
    text = text_of(page)
    assert school.items[0].title in text
    assert "良好" in text
    assert document.masked in text
    assert document.number not in page.content.decode()
    assert "待认领" in text
    assert school.clerk.get_full_name() in text
    assert 'data-testid="reverse"' not in page.content.decode()
    proof = client.get(f"{address}/proof")
    bundle = ProofBundle.parse(proof.content)
    assert bundle.index == receipt.first_index
    assert proof["Content-Disposition"].startswith("attachment")


def test_a_person_is_looked_up_without_a_number_in_the_address(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    stranger = make_school()
    other = stranger.record(
        stranger.row(document=document, item=stranger.items[0].code)
    ).first_index
    client = signed_in(school.clerk_member)
    query = {"document_type": "resident-id", "number": document.number}
    page = client.post(f"/org/{school.slug}/records", query)
    assert f"/records/{receipt.first_index}" in page.content.decode()
    assert f"/records/{other}" not in page.content.decode()
    query["number"] = somebody().number
    assert "没有此人的记录" in text_of(client.post(f"/org/{school.slug}/records", query))
    query["number"] = "1"
    assert client.post(f"/org/{school.slug}/records", query).status_code == 422


def test_a_reviewer_takes_an_entry_back_with_a_reason(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    address = f"/org/{school.slug}/records/{receipt.first_index}"
    clerk, reviewer = signed_in(school.clerk_member), signed_in(school.reviewer_member)
    assert 'data-testid="reverse"' not in clerk.get(address).content.decode()
    assert clerk.post(f"{address}/reverse", {"reason": "r"}).status_code == 403
    assert 'data-testid="reverse"' in reviewer.get(address).content.decode()
    assert reviewer.post(f"{address}/reverse", {"reason": " "}).status_code == 422
    answer = reviewer.post(f"{address}/reverse", {"reason": "成绩登记有误"}, follow=True)
    assert "已冲正。原记录仍在登记簿上，不再计入学分。" in text_of(answer)
    learner = people.by_identity(document)
    assert learner is not None
    (line,) = entries.statement([learner.account_id])
    assert (line.state, line.acted_reason) == ("reversed", "成绩登记有误")
    assert 'data-testid="reverse"' not in reviewer.get(address).content.decode()
    assert line.acted_by_index is not None
    undoing = text_of(reviewer.get(f"/org/{school.slug}/records/{line.acted_by_index}"))
    assert "成绩登记有误" in undoing
    again = reviewer.post(f"{address}/reverse", {"reason": "r"}, follow=True)
    assert again.status_code == 200


def test_what_was_signed_with_an_own_key_is_reversed_with_it(school: School) -> None:
    college = College(institution=school.institution, hosted=school.stream.name, items=school.items)
    own = make_own_stream(college)
    from creditbank.ledger import operations as ledger

    receipt = own.submit(own.prepare(college.award(ledger.open_account())))
    entries.wait_until_published(receipt.size)
    client = signed_in(school.reviewer_member)
    address = f"/org/{school.slug}/records/{receipt.first_index}"
    assert "也须由贵机构签名报送" in text_of(client.get(address))
    answer = client.post(f"{address}/reverse", {"reason": "r"}, follow=True)
    assert "冲正也须由贵机构签名报送" in text_of(answer)
    assert str(receipt.manifest_index) in text_of(client.get(f"/org/{school.slug}/records"))


def test_a_forgotten_persons_entry_shows_that_the_register_holds_nobody(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document, name="欧阳示例"))
    learner = people.by_identity(document)
    assert learner is not None
    learners.forget_learner(learner)
    client = signed_in(school.reviewer_member)
    for address in (f"records/{receipt.first_index}", f"receipts/{receipt.manifest_index}"):
        text = text_of(client.get(f"/org/{school.slug}/{address}"))
        assert "登记簿已不再保存此人的信息" in text
        assert "欧阳示例" not in text


def test_no_number_in_an_address_breaks_a_page(school: School) -> None:
    school.record(school.row())
    client = signed_in(school.reviewer_member)
    for page in ("records", "receipts"):
        for number in ("0", "1", "999999", "9" * 15, "9" * 40, "-1", "01", "x"):
            assert client.get(f"/org/{school.slug}/{page}/{number}").status_code == 404


def test_other_streams_of_the_institution_are_its_own_too(school: School) -> None:
    receipt = school.record(school.row())
    institutions.close_stream(stream=school.stream, acting_user=None)
    client = signed_in(school.clerk_member)
    assert client.get(f"/org/{school.slug}/records/{receipt.first_index}").status_code == 200
