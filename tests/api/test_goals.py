"""GET and POST /api/v1/me/goals, POST /api/v1/me/goals/GOAL/drop."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from creditbank.recognition.models import Goal
from tests.api.cases import holder, own, world
from tests.api.clients import problem
from tests.recognition.world import World

__all__ = ["world"]


def test_a_programme_is_followed_and_given_up(world: World) -> None:
    program = own(holder(world))
    assert program.get("me/goals").json() == {"goals": []}
    answer = program.post("me/goals", {"programme": world.programme.code})
    assert answer.status_code == 200, answer.content
    made = answer.json()
    assert made["programme"] == world.programme.code
    assert made["programme_version"] == 1
    assert made["institution"] == world.college.slug
    assert made["award_on"] is None
    assert program.get("me/goals").json() == {"goals": [made]}
    left = program.post(f"me/goals/{made['id']}/drop", None)
    assert left.json() == {"goals": []}
    assert not Goal.objects.exists()


def test_followed_again_only_the_day_changes(world: World) -> None:
    program = own(holder(world))
    body = {"programme": world.programme.code, "version": 1}
    first = program.post("me/goals", body).json()
    again = program.post("me/goals", body | {"award_on": "2027-06-30"}).json()
    assert again == first | {"award_on": "2027-06-30"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "programme"),
        ({"programme": 3}, "programme"),
        ({"programme": "X", "version": 0}, "version"),
        ({"programme": "X", "award_on": "tomorrow"}, "award_on"),
        ({"programme": "X", "award_on": 20270630}, "award_on"),
        ({"programme": "X", "colour": "red"}, "colour"),
    ],
)
def test_a_body_of_another_shape_is_refused(world: World, body: Any, field: str) -> None:
    answer = problem(own(holder(world)).post("me/goals", body), 422, "request-invalid")
    assert field in {one["field"] for one in answer["problems"]}


def test_a_programme_that_is_not_published_is_not_known(world: World) -> None:
    program = own(holder(world))
    problem(program.post("me/goals", {"programme": "NONE"}), 404, "unknown-programme")
    body = {"programme": world.programme.code, "version": 7}
    problem(program.post("me/goals", body), 404, "unknown-programme")


def test_anothers_goal_is_not_found(world: World) -> None:
    made = own(holder(world)).post("me/goals", {"programme": world.programme.code}).json()
    stranger = own(holder(world))
    problem(stranger.post(f"me/goals/{made['id']}/drop", None), 404, "not-found")
    problem(stranger.post(f"me/goals/{uuid.uuid4()}/drop", None), 404, "not-found")
    assert Goal.objects.count() == 1


def test_a_key_without_the_scope_is_refused(world: World) -> None:
    program = own(holder(world), "statement")
    problem(program.get("me/goals"), 403, "scope-missing")
    problem(program.post("me/goals", {}), 403, "scope-missing")
