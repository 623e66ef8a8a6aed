"""The programmes that a learner follows."""

from __future__ import annotations

import logging
from datetime import date

from django.utils.translation import gettext

from creditbank.clock import now
from creditbank.recognition.models import Goal, ProgrammeVersion
from creditbank.recognition.register.rulebook import UnknownProgramme
from creditbank.recognition.workflow import roles
from creditbank.users.models import User
from learners.models import Learner

logger = logging.getLogger(__name__)


def add_goal(
    *,
    learner: Learner,
    programme: ProgrammeVersion,
    award_on: date | None = None,
    acting_user: User,
) -> Goal:
    """Follow a published programme (加入目标). Done again, only the day of graduation changes.

    Raises NotFound, UnknownProgramme.
    """
    roles.require_self(learner, acting_user)
    if not programme.is_published:
        raise UnknownProgramme(gettext("没有这个专业。"), programme=programme.code)
    goal, made = Goal.objects.get_or_create(
        learner=learner,
        programme=programme,
        defaults={"award_on": award_on, "added_at": now()},
    )
    if not made and award_on is not None and goal.award_on != award_on:
        goal.award_on = award_on
        goal.save(update_fields=["award_on"])
    return goal


def drop_goal(*, goal: Goal, acting_user: User) -> None:
    """Follow a programme no more; what was recognised for it stays. Raises NotFound."""
    roles.require_self(goal.learner, acting_user)
    goal.delete()


def goals_of(learner: Learner) -> list[Goal]:
    """Return a learner's goals, oldest first."""
    return list(Goal.objects.select_related("programme__owner", "learner").filter(learner=learner))
