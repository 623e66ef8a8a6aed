"""The way to one programme: each course with what met it or why not, and the preview that stores nothing."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client

from creditbank.clock import today
from creditbank.recognition.models import Request, RequestSource
from creditbank.recognition.workflow.decisions import Verdict
from learners.models import Learner
from tests.portals.institution_site import signed_in_as, text_of
from tests.recognition.world import STORAGE, World


def client_of(learner: Learner) -> Client:
    assert learner.user is not None
    return signed_in_as(learner.user)


def course(response: Any, code: str) -> str:
    """What the page says of one course."""
    (found,) = re.findall(
        rf'<details data-testid="need" id="c-{code}">.*?</details>',
        response.content.decode(),
        re.DOTALL,
    )
    body = re.sub(r"<svg\b.*?</svg>", " ", found, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def counted_rows() -> dict[str, int]:
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        found = {}
        for name in tables:
            if name.startswith(("recognition_", "ledger_", "learners_", "jobs_")):
                cursor.execute(f'SELECT count(*) FROM "{name}"')
                found[name] = int(cursor.fetchone()[0])
    return found


def test_a_course_taken_at_the_college_opens_to_its_record(world: World) -> None:
    client = client_of(world.graduate())
    response = client.get(f"/me/goals/{world.programme.code}")
    assert "已满足 必修课程1 · 本校修读" in course(response, "REQ-1").replace(
        "必修课程1 REQ-1 · 必修 5/5 ", ""
    )
    assert re.search(
        r'id="c-REQ-1">.*?href="/me/records/\d+"', response.content.decode(), re.DOTALL
    )


def test_a_course_without_a_way_says_so(world: World) -> None:
    client = client_of(world.graduate())
    response = client.get(f"/me/goals/{world.programme.code}")
    assert "没有规则让其他成果抵这门课" in course(response, "REQ-8")
    assert "须在本校修读，不能用其他成果代替" in course(response, "PRA-1")


def test_a_rule_without_an_outcome_is_named(world: World) -> None:
    client = client_of(world.learner())
    response = client.get(f"/me/goals/{world.programme.code}")
    assert "您还没有下面的规则所说的成果" in course(response, STORAGE)
    assert f"/rules/{world.rule.code}/3" in response.content.decode()  # type: ignore[union-attr]


def test_a_refusal_says_what_was_found_what_is_asked_for_and_by_how_much_it_misses(
    world: World,
) -> None:
    learner = world.learner()
    world.record_certificate(learner, completed_on=today() - timedelta(days=5 * 366 + 20))
    training = world.item()
    world.record_outcome(learner, training, result={"score": "86"})
    world.publish(
        training,
        gate={"catalogue": True},
        sources={"outcome": {"all": [{"item": [training.code]}, {"score": {"min": "90"}}]}},
        allocation={"to": [{"course": "ELE-3"}]},
    )
    response = client_of(learner).get(f"/me/goals/{world.programme.code}")
    assert "不符合" in course(response, "ELE-3")
    assert re.search(r"86.*90.*4", course(response, "ELE-3"))
    assert "不符合" in course(response, STORAGE)
    assert re.search(r"\d+ 天", course(response, STORAGE))


def test_the_preview_shows_rule_version_day_and_figures_and_stores_nothing(
    world: World,
) -> None:
    learner = world.graduate()
    client = client_of(learner)
    path = f"/me/goals/{world.programme.code}"
    client.get(path)
    before = counted_rows()
    page = text_of(client.get(path, {"look": "1"}))
    assert "规则已匹配，需学院确认" in page
    assert f"规则 {world.rule.code} 第 3 版 · 2025年1月1日 起生效" in page  # type: ignore[union-attr]
    assert f"按提交申请之日（{today().year}年" in page
    assert "仓储与配送管理 4 学分" in page
    assert "物流信息技术 3 学分" in page
    assert "48 /76 预计" in page
    assert "获准后还差 28" in page
    assert counted_rows() == before
    again = text_of(client.get(path))
    assert "41 /76" in again
    assert "48 /76" not in again


def test_outcomes_and_courses_are_tried_by_log_index_and_code(world: World) -> None:
    learner = world.graduate()
    other = world.x_certificate()
    world.record_certificate(learner, other)
    world.publish(other, allocation={"to": [{"course": "ELE-3"}]})
    client = client_of(learner)
    path = f"/me/goals/{world.programme.code}"
    page = client.get(path, {"look": "1"}).content.decode()
    assert "51</strong>/76" in page
    indexes = re.findall(r'name="o" value="(\d+)"', page)
    assert len(indexes) == 2
    assert "44</strong>/76" in client.get(path, {"look": "1", "o": indexes[1]}).content.decode()
    assert "48</strong>/76" in client.get(path, {"look": "1", "o": indexes[0]}).content.decode()
    narrowed = client.get(path, {"look": "1", "o": indexes[0], "t": STORAGE}).content.decode()
    assert "45</strong>/76" in narrowed
    assert f"/request?o={indexes[0]}&amp;t={STORAGE}" in narrowed
    # What is no number, or another's, is left out.
    assert "51</strong>/76" in client.get(path, {"look": "1", "o": "x"}).content.decode()


def test_what_a_limit_keeps_out_is_told_with_the_limit(world: World) -> None:
    learner = world.graduate()
    other = world.x_certificate()
    world.record_certificate(learner, other)
    world.publish(
        other,
        allocation={"to": [{"course": "ELE-3"}]},
        constraints=[{"cap": {"credits": "8"}, "of": {"kinds": ["x-certificate"]}}],
    )
    page = text_of(client_of(learner).get(f"/me/goals/{world.programme.code}", {"look": "1"}))
    assert "符合规则，但这次用不上的" in page
    assert "最多认定 8 学分，已用 7" in page


def test_what_only_a_person_can_settle_can_be_asked_for(world: World) -> None:
    learner = world.learner()
    training = world.item()
    world.record_outcome(learner, training)
    world.publish(
        training,
        gate={"catalogue": True},
        sources={
            "outcome": {
                "all": [
                    {"item": [training.code]},
                    {"fact": {"name": "similarity", "min": "70"}},
                ]
            }
        },
        allocation={"to": [{"course": "ELE-3"}]},
    )
    response = client_of(learner).get(f"/me/goals/{world.programme.code}", {"look": "1"})
    page = text_of(response)
    assert "须由人核实的" in page
    assert "申请认定" in page
    assert "待核实" in course(response, "ELE-3")


def test_pending_credits_stand_beside_what_counts(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    response = client_of(learner).get(f"/me/goals/{world.programme.code}")
    page = text_of(response)
    assert "41 /76 + 7 待定" in page
    assert "还差 35 学分，其中 7 待定" in page
    assert f"{request.number} ：7 学分待定" in page
    assert f"申请 {request.number}" in course(response, STORAGE)
    assert "申请中" in course(response, STORAGE)


def test_a_waived_course_is_met_with_no_credits_and_names_its_decision(
    world: World,
) -> None:
    learner = world.graduate()
    decision = world.decide(
        world.request(learner),
        Verdict(position=0, verdict="credit"),
        Verdict(position=1, verdict="waived", reason="requirement-met-without-credit"),
    )
    response = client_of(learner).get(f"/me/goals/{world.programme.code}")
    assert "45 /76" in text_of(response)
    assert "还差 31 学分" in text_of(response)
    waived = course(response, "LOG-102")
    assert "0/3" in waived
    assert "免修（0 学分）" in waived
    assert f"规则 {world.rule.code} 第 3 版" in waived  # type: ignore[union-attr]
    assert f"决定 {decision.number}" in waived
    assert "4/4" in course(response, STORAGE)
    assert "现在没有可以申请的成果" in text_of(response)


def test_the_shortest_list_has_the_required_courses_and_the_largest_electives(
    world: World,
) -> None:
    client = client_of(world.graduate())
    page = text_of(client.get(f"/me/goals/{world.programme.code}"))
    # 17 + 8 of required courses; 10 of electives of 3 each: four of them.
    assert "再修 9 门、共 37 学分，就能满足全部要求" in page


def test_a_goal_follows_the_version_it_was_added_with_and_tells_of_a_newer_one(
    world: World,
) -> None:
    learner = world.graduate()
    client = client_of(learner)
    client.post("/me/goals", {"programme": world.programme.code})
    from tests.recognition.world import programme_document

    world.college.publish_programme(
        programme_document(
            world.college.institution,
            version=2,
            in_force={"from": today().isoformat()},
        )
    )
    page = text_of(client.get(f"/me/goals/{world.programme.code}"))
    assert "专业已有第 2 版" in page
    assert f"{world.programme.code} 第 1 版" in page


def test_looking_asks_for_nothing_and_reserves_nothing(world: World) -> None:
    client = client_of(world.graduate())
    client.get(f"/me/goals/{world.programme.code}", {"look": "1"})
    assert not Request.objects.exists()
    assert not RequestSource.objects.exists()
