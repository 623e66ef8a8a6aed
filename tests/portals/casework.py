"""A college's reviewers at work: the world of recognition with staff who sign in without a second factor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from creditbank.recognition.models import Appeal, Decision, PreApproval, Request
from creditbank.recognition.workflow import appeals, preapprovals
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.preapprovals import Promised
from learners.models import Learner
from tests.portals.institution_site import signed_in_as
from tests.recognition.world import STORAGE, World, with_rule

WHY = "我在证书考试中完成了全部信息系统模块，请重新考虑。"


@pytest.fixture
def world(begun_world: World, settings: Any) -> Iterator[World]:
    """The world, with sentences in Chinese."""
    settings.STAFF_SECOND_FACTOR = False
    with translation.override("zh-hans"):
        yield with_rule(begun_world)


def officer(world: World, number: int = 0) -> Client:
    """A browser in which a reviewer of the college is signed in."""
    return signed_in_as(world.officer(number))


def desk(world: World, *parts: str) -> str:
    """An address of the college's desk."""
    return "/".join([f"/org/{world.college.slug}", *parts])


def case(world: World, request: Request, *parts: str) -> str:
    """An address of one case."""
    return desk(world, "requests", request.number, *parts)


def someone(world: World, name: str = "李龑") -> Learner:
    """A learner with the certificate and nothing else."""
    learner = world.learner(name=name)
    world.record_certificate(learner)
    return learner


def filed(world: World, **changes: Any) -> Request:
    """A request of somebody for the certificate."""
    return world.request(someone(world), **changes)


def waived_second() -> tuple[Verdict, Verdict]:
    """The first course whole, the second waived without credits."""
    return (
        Verdict(position=0, verdict="credit"),
        Verdict(
            position=1,
            verdict="waived",
            reason="requirement-met-without-credit",
            note="信息技术课程以本校考核为准。",
        ),
    )


def answers(*verdicts: str, **more: str) -> dict[str, str]:
    """What a reviewer's form sends: a verdict for each line, and what else was typed."""
    return {f"verdict_{at}": verdict for at, verdict in enumerate(verdicts)} | more


def appeal(decision: Decision, **changes: Any) -> Appeal:
    """An appeal of the learner against the second line."""
    facts: dict[str, Any] = {
        "decision": decision,
        "positions": [1],
        "text": WHY,
        "acting_user": decision.request.learner.user,
    } | changes
    return appeals.file_appeal(**facts)


def promise(world: World, learner: Learner | None = None, **changes: Any) -> PreApproval:
    """A pre-approval that the college's clerk has prepared."""
    facts: dict[str, Any] = {
        "learner": learner or world.learner(),
        "programme": world.programme,
        "item": world.certificate.code,
        "until": date(2030, 12, 31),
        "targets": [Promised(course=STORAGE, credits=Decimal(4))],
        "acting_user": world.college.clerk,
    } | changes
    return preapprovals.prepare_pre_approval(**facts)
