"""Programs that hold keys, for the tests of the API."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.test import Client

from api import keys
from api.models import OF_INSTITUTIONS, OF_LEARNERS
from creditbank.clock import today
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution, Member
from creditbank.users.models import User
from learners import operations as learners
from learners.models import Learner
from learners.proofs import CodeProof
from tests.institutions.cast import make_member, make_user

_serial = itertools.count(7000)


def forget_counters() -> None:
    redis.Redis.from_url(settings.CACHE_URL).flushdb()


@dataclass
class Program:
    """A program with a key, and the user it acts for."""

    token: str
    user: User
    prefix: str

    def __post_init__(self) -> None:
        self._client = Client(
            raise_request_exception=False,
            headers={"Authorization": f"Bearer {self.token}", "Accept-Language": "zh-CN"},
        )

    def get(self, path: str, query: Any = None, **headers: str) -> Any:
        return self._client.get(f"/api/v1/{path}", query, headers=headers)

    def post(
        self, path: str, body: Any, content_type: str = "application/json", **headers: str
    ) -> Any:
        return self._client.post(
            f"/api/v1/{path}",
            body,
            content_type=content_type,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


def anyone(**headers: str) -> Client:
    return Client(raise_request_exception=False, headers=headers)


def admin_of(institution: Institution, **fields: Any) -> Member:
    return make_member(institution, Role.ADMIN, serial=next(_serial), **fields)


def program_of(institution: Institution, *scopes: str, user: User | None = None) -> Program:
    """A program of an institution, by default with every scope it can have."""
    owner = user or admin_of(institution).user
    made = keys.create_institution_key(
        institution=institution,
        label="教务系统",
        scopes=scopes or [scope.value for scope in OF_INSTITUTIONS],
        expires_on=today() + timedelta(days=90),
        acting_user=owner,
    )
    return Program(token=made.token, user=owner, prefix=made.key.prefix)


def claimed(learner: Learner) -> User:
    """Let the learner sign in, with a code that a clerk handed out."""
    code = learners.issue_claim_code(learner, make_user())
    user = make_user()
    learners.bind(user=user, proof=CodeProof(code=code))
    learner.refresh_from_db()
    return user


def program_of_learner(learner: Learner, *scopes: str) -> Program:
    user = claimed(learner)
    made = keys.create_learner_key(
        scopes=scopes or [scope.value for scope in OF_LEARNERS],
        expires_on=today() + timedelta(days=90),
        acting_user=user,
    )
    return Program(token=made.token, user=user, prefix=made.key.prefix)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem of this status and code, and return it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code, body
    assert body["type"] == f"http://localhost:8000/help/errors#{code}"
    assert body["title"]
    return body
