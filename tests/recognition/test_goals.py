"""The programmes that a learner follows."""

from __future__ import annotations

from datetime import date

import pytest

from creditbank.access import NotFound
from creditbank.recognition.models import Goal
from creditbank.recognition.register import publishing
from creditbank.recognition.register.rulebook import UnknownProgramme
from creditbank.recognition.workflow import goals
from tests.recognition.shelf import written
from tests.recognition.world import World, programme_document


def test_a_goal_is_added_once_and_dropped(world: World) -> None:
    learner = world.learner()
    assert learner.user is not None
    first = goals.add_goal(learner=learner, programme=world.programme, acting_user=learner.user)
    again = goals.add_goal(
        learner=learner,
        programme=world.programme,
        award_on=date(2028, 6, 30),
        acting_user=learner.user,
    )
    assert first == again
    (held,) = goals.goals_of(learner)
    assert held.award_on == date(2028, 6, 30)
    goals.drop_goal(goal=held, acting_user=learner.user)
    assert goals.goals_of(learner) == []


def test_a_goal_is_a_published_programme(world: World) -> None:
    learner = world.learner()
    assert learner.user is not None
    draft = publishing.prepare_programme(
        institution=world.college.institution,
        document=written(
            programme_document(
                world.college.institution, version=2, in_force={"from": "2027-09-01"}
            )
        ),
        acting_user=world.college.clerk,
    )
    with pytest.raises(UnknownProgramme):
        goals.add_goal(learner=learner, programme=draft, acting_user=learner.user)


def test_nobody_sets_another_a_goal(world: World) -> None:
    learner, other = world.learner(), world.learner()
    assert other.user is not None
    assert learner.user is not None
    with pytest.raises(NotFound):
        goals.add_goal(learner=learner, programme=world.programme, acting_user=other.user)
    goal = goals.add_goal(learner=learner, programme=world.programme, acting_user=learner.user)
    with pytest.raises(NotFound):
        goals.drop_goal(goal=goal, acting_user=other.user)
    assert Goal.objects.count() == 1
