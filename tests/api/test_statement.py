"""GET /api/v1/me/statement."""

from __future__ import annotations

from typing import Any

from creditbank.ledger import operations
from creditbank.ledger.numbers import format_account
from tests.api.clients import anyone, problem, program_of, program_of_learner
from tests.institutions.cast import make_institution
from tests.learners.people import register
from tests.ledger.cast import make_college, published
from tests.ledger.recognising import recognise


def test_a_learner_reads_totals_and_outcomes(bank: Any) -> None:
    college = make_college(courses=3)
    learner = register()
    receipt = college.record(
        *(college.award(learner.account_id, item_row=item) for item in college.items)
    )
    published(operations.reverse_entry(index=receipt.first_index, reason="录入有误"))
    answer = program_of_learner(learner).get("me/statement")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["accounts"] == [format_account(learner.account_id)]
    assert body["balance"] == {
        "awarded": "9.00",
        "available": "6.00",
        "used": "0.00",
        "lapsed": "3.00",
        "converted": "0.00",
    }
    assert [line["state"] for line in body["lines"]] == ["entered", "entered", "reversed"]
    assert body["lines"][2]["acted_reason"] == "录入有误"
    assert body["lines"][0]["score"] == "86"
    assert body["next_before"] is None


def test_what_is_used_and_what_is_recognised_name_the_decision(bank: Any) -> None:
    awarding, receiving = make_college(courses=2), make_college(courses=1)
    learner = register()
    account = int(learner.account_id)
    receipt = awarding.record(*(awarding.award(account, item_row=row) for row in awarding.items))
    recognise(receiving, account, receipt.first_index, decision="认77号")
    body = program_of_learner(learner).get("me/statement").json()
    recognised, second, first = body["lines"]
    assert (recognised["kind"], recognised["credits"]) == ("recognise", "8.50")
    assert (recognised["decision"], recognised["title"]) == ("认77号", None)
    assert recognised["body"] == receiving.institution.uscc
    assert recognised["body_name"] == receiving.institution.name
    assert (first["state"], first["decision"]) == ("used", "认77号")
    assert (second["state"], second["decision"]) == ("entered", "")
    assert (body["balance"]["used"], body["balance"]["converted"]) == ("3.00", "8.50")


def test_a_long_statement_comes_in_pages(bank: Any) -> None:
    college = make_college(courses=3)
    learner = register()
    college.record(*(college.award(learner.account_id, item_row=item) for item in college.items))
    program = program_of_learner(learner)
    first = program.get("me/statement", {"limit": 2}).json()
    rest = program.get("me/statement", {"limit": 2, "before": first["next_before"]}).json()
    assert len(first["lines"]) == 2
    assert len(rest["lines"]) == 1
    assert rest["next_before"] is None
    whole = program.get("me/statement").json()["lines"]
    strip = [line["index"] for line in first["lines"] + rest["lines"]]
    assert strip == [line["index"] for line in whole]


def test_a_page_that_cannot_be_is_refused(bank: Any) -> None:
    program = program_of_learner(register())
    for query in ({"limit": 0}, {"limit": 201}, {"limit": "x"}, {"before": -1}, {"before": "1e9"}):
        problem(program.get("me/statement", query), 422, "request-invalid")


def test_without_a_key_nobody_has_a_statement(db: Any) -> None:
    answer = anyone().get("/api/v1/me/statement")
    problem(answer, 401, "api-key-missing")
    assert answer["WWW-Authenticate"]


def test_an_institutions_key_has_no_statement(db: Any) -> None:
    problem(program_of(make_institution()).get("me/statement"), 403, "scope-missing")


def test_a_key_without_the_scope_has_no_statement(bank: Any) -> None:
    program = program_of_learner(register(), "transcripts")
    problem(program.get("me/statement"), 403, "scope-missing")
