"""What was recognised, and the reversal of what rests on an outcome that fell."""

from __future__ import annotations

from creditbank.institutions.kinds import Role
from creditbank.ledger import operations
from creditbank.recognition.models import Decision, DecisionState, Request
from creditbank.recognition.workflow import cascade
from tests.institutions.cast import make_institution, make_member
from tests.portals.casework import desk, filed, officer, waived_second, world
from tests.portals.institution_site import signed_in, signed_in_as, text_of
from tests.recognition.world import World

__all__ = ["world"]


def fallen(world: World) -> Decision:
    """A decision whose outcome was reversed by its institution."""
    cascade.follow()
    decision = world.decide(filed(world), *waived_second())
    operations.reverse_entry(index=decision.request.sources.get().index, reason="成绩登记有误")
    cascade.follow()
    decision.refresh_from_db()
    assert decision.flagged_at is not None
    return decision


def test_what_was_recognised_is_listed_without_persons(world: World) -> None:
    decision = world.decide(filed(world), *waived_second())
    text = text_of(officer(world).get(desk(world, "recognitions")))
    assert decision.number in text
    assert "仓储与配送管理" in text
    assert "物流信息技术 （免修）" in text
    assert "4.00" in text
    assert "已生效" in text
    assert "李龑" not in text
    assert "待确认" not in text


def test_nothing_recognised_yet(world: World) -> None:
    assert "还没有认定过学分" in text_of(officer(world).get(desk(world, "recognitions")))


def test_a_fallen_outcome_is_pointed_out_at_the_desk(world: World) -> None:
    fallen(world)
    assert "依据已变，待确认 1" in text_of(officer(world).get(desk(world)))
    text = text_of(officer(world).get(desk(world, "recognitions")))
    assert "1 份决定的依据已变，待确认冲正" in text


def test_the_reversal_is_confirmed_with_a_reason(world: World) -> None:
    decision = fallen(world)
    client = officer(world)
    address = desk(world, "recognitions", decision.number, "reverse")
    page = client.post(address, {"reason": ""})
    assert page.status_code == 422
    assert "<details" in page.content.decode()
    assert " open>" in page.content.decode()
    answer = client.post(address, {"reason": "证书已由发证机构冲正"}, follow=True)
    decision.refresh_from_db()
    assert decision.state == DecisionState.REVERSED
    assert decision.reversal_index is not None
    text = text_of(answer)
    assert f"已冲正决定 {decision.number}" in text
    assert "待确认冲正" not in text
    case = client.get(desk(world, "requests", decision.request.number))
    assert f"/log/{decision.reversal_index}" in case.content.decode()
    assert Request.objects.count() == 1


def test_a_decision_whose_outcomes_stand_is_not_reversed(world: World) -> None:
    decision = world.decide(filed(world))
    address = desk(world, "recognitions", decision.number, "reverse")
    answer = officer(world).post(address, {"reason": "试试"}, follow=True)
    assert "均有效，不能冲正" in text_of(answer)
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE


def test_a_clerk_sees_it_and_a_reviewer_confirms(world: World) -> None:
    decision = fallen(world)
    client = signed_in_as(world.college.clerk)
    page = client.get(desk(world, "recognitions"))
    assert "冲正须由复核人办理" in text_of(page)
    address = desk(world, "recognitions", decision.number, "reverse")
    assert client.post(address, {"reason": "x"}).status_code == 403


def test_another_institutions_decision_is_not_found(world: World) -> None:
    decision = fallen(world)
    other = make_institution()
    stranger = signed_in(make_member(other, Role.REVIEWER, serial=9501))
    address = f"/org/{other.slug}/recognitions/{decision.number}/reverse"
    assert stranger.post(address, {"reason": "x"}).status_code == 404
