"""The form of a request: everything filled in, refused before it is sent, filed once."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from creditbank.recognition.models import Request, RequestSource
from creditbank.recognition.workflow import requests
from creditbank.recognition.workflow.details import Details
from learners.models import Learner
from tests.portals.institution_site import signed_in_as, text_of
from tests.recognition.world import INFORMATION, STORAGE, World


def client_of(learner: Learner) -> Client:
    assert learner.user is not None
    return signed_in_as(learner.user)


def form_of(world: World) -> str:
    return f"/me/goals/{world.programme.code}/request"


def filled(client: Client, world: World, **changes: Any) -> dict[str, Any]:
    """What the form sends as it stands, with the consent ticked."""
    page = client.get(form_of(world)).content.decode()
    chosen = {
        name: re.findall(rf'name="{name}" value="([^"]+)"[^>]* checked', page)
        for name in ("o", "t")
    }
    return {**chosen, "consent": "yes", "act": "send", "words": ""} | changes


def test_evidence_and_courses_are_chosen_and_nothing_is_asked_twice(world: World) -> None:
    client = client_of(world.graduate())
    response = client.get(form_of(world))
    page = response.content.decode()
    assert len(re.findall(r'name="o" value="\d+"[^>]* checked', page)) == 1
    assert re.findall(r'name="t" value="([^"]+)"[^>]* checked', page) == [STORAGE, INFORMATION]
    assert 'name="consent"' in page
    assert not re.search(r'name="consent"[^>]* checked', page)
    text = text_of(response)
    assert "10 个工作日内" in text
    assert "决定后 15 天内可以申请复议" in text
    assert "拟计学分 4" in text
    assert "不收费" in text


def test_a_request_is_filed_and_shows_its_number_and_clock(world: World) -> None:
    learner = world.graduate()
    client = client_of(learner)
    sent = client.post(form_of(world), filled(client, world, words="请尽快办理"))
    made = Request.objects.get()
    assert sent["Location"] == f"/me/requests/{made.number}"
    assert made.consent == requests.CONSENT
    assert Details.of(made).words == "请尽快办理"
    assert Details.of(made).targets == ()
    page = text_of(client.get(sent["Location"]))
    assert f"申请 {made.number} 已提交，最迟" in page
    assert "还有 10 个工作日" in page
    account = text_of(client.get("/me"))
    assert "预留 8.00" in account
    assert f"{made.number} 已提交" in account


def test_without_consent_nothing_is_filed_and_the_choice_is_kept(world: World) -> None:
    client = client_of(world.graduate())
    sent = filled(client, world, consent="", t=[STORAGE], words="一句话")
    response = client.post(form_of(world), sent)
    assert response.status_code == 422
    page = response.content.decode()
    assert "须同意" in text_of(response)
    assert re.findall(r'name="t" value="([^"]+)"[^>]* checked', page) == [STORAGE]
    assert "一句话" in page
    assert not Request.objects.exists()


def test_one_course_alone_can_be_asked_for(world: World) -> None:
    client = client_of(world.graduate())
    client.post(form_of(world), filled(client, world, t=[INFORMATION]))
    assert Details.of(Request.objects.get()).targets == (INFORMATION,)


def test_every_problem_is_told_at_once(world: World) -> None:
    client = client_of(world.graduate())
    response = client.post(form_of(world), {"act": "send"})
    assert response.status_code == 422
    page = text_of(response)
    assert "还不能提交：有 2 处" in page
    assert "请至少选择一项成果" in page
    assert "须同意" in page


def test_taking_every_course_away_asks_for_nothing(world: World) -> None:
    client = client_of(world.graduate())
    response = client.post(form_of(world), filled(client, world, t=[]))
    assert response.status_code == 422
    assert "请至少选择一门课程或一个类别" in text_of(response)
    assert not Request.objects.exists()


def test_computing_anew_stores_nothing(world: World) -> None:
    client = client_of(world.graduate())
    response = client.post(form_of(world), filled(client, world, t=[STORAGE], act="look"))
    assert response.status_code == 200
    assert text_of(response).count("拟计学分") == 1
    assert not Request.objects.exists()


def test_an_outcome_in_an_open_request_leads_to_it(world: World) -> None:
    learner = world.graduate()
    made = world.request(learner)
    client = client_of(learner)
    source = RequestSource.objects.get()
    response = client.get(form_of(world), {"o": source.index})
    page = text_of(response)
    assert f"这项成果已列入另一份申请。 {made.number}" in page
    assert f'href="/me/requests/{made.number}"' in response.content.decode()
    assert 'data-testid="send"' not in response.content.decode()
    sent = client.post(form_of(world), {"o": source.index, "consent": "yes", "act": "send"})
    assert sent.status_code == 422
    assert Request.objects.count() == 1


def test_an_outcome_that_was_used_leads_to_its_decision(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    decision = world.decide(request)
    client = client_of(learner)
    index = request.sources.get().index
    response = client.get(form_of(world), {"o": index})
    assert f"这项成果已被使用。 {decision.number}" in text_of(response)
    link = f'href="/me/requests/{request.number}#{decision.number}"'
    assert link in response.content.decode()
    sent = client.post(form_of(world), {"o": index, "consent": "yes", "act": "send"})
    assert sent.status_code == 422
    assert f"这项成果已被使用。 {decision.number}" in text_of(sent)


def test_anothers_outcome_is_not_known_of(world: World) -> None:
    learner, other = world.graduate(), world.graduate()
    world.request(other)
    index = RequestSource.objects.get().index
    client = client_of(learner)
    page = client.get(form_of(world), {"o": index}).content.decode()
    assert f'value="{index}"' not in page
    sent = client.post(form_of(world), {"o": index, "consent": "yes", "act": "send"})
    assert sent.status_code == 422
    assert Request.objects.count() == 1


def test_with_nothing_to_ask_for_the_page_says_so(world: World) -> None:
    page = text_of(client_of(world.learner()).get(form_of(world)))
    assert "没有可以申请的成果" in page


def test_the_address_holds_log_indexes_and_codes_alone(world: World) -> None:
    learner = world.graduate()
    client = client_of(learner)
    page = client.get(f"/me/goals/{world.programme.code}", {"look": "1"}).content.decode()
    found = re.search(r'href="(/me/goals/[^"]+/request[^"]*)"', page)
    assert found is not None
    assert re.fullmatch(rf"/me/goals/{world.programme.code}/request\?o=\d+", found[1])
