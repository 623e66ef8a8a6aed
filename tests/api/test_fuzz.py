"""Whatever is sent to the API: no fault of ours, and no answer that the schema does not foresee."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections import Counter
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given
from schemathesis import checks as all_checks
from schemathesis.generation import GenerationMode

from api.parsers import SUBMISSION
from creditbank.recognition.workflow import goals
from tests.api.cases import college, holder, own
from tests.api.clients import Program, anyone, forget_counters, program_of, program_of_learner
from tests.certificates.holders import make_holder
from tests.ledger.cast import make_own_stream
from tests.portals.casework import appeal, promise
from tests.recognition.world import make_world, with_rule

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
"""For each operation, with good input and with bad. `make campaign` asks for many more."""
CHECKS = [
    all_checks.not_a_server_error,
    all_checks.status_code_conformance,
    all_checks.content_type_conformance,
    all_checks.response_schema_conformance,
]
FAULTS = {500}


@schemathesis.serializer(SUBMISSION, "application/pdf", "application/vc", "application/ld+json")
def as_bytes(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else json.dumps(data).encode()


NUMBERS = {
    "/requests/": "request",
    "/decisions/": "decision",
    "/appeals/": "appeal",
    "/pre-approvals/": "pre_approval",
}
"""What a number in an address is of, by what stands before it."""


def recognition(askers: list[Program | None]) -> dict[str, str]:
    """A college that recognises, with one of everything; who asks for it joins the askers."""
    world = with_rule(make_world())
    learner = holder(world)
    request = world.request(learner)
    decision = world.decide(world.request(learner, [world.record_certificate(learner)]))
    found = {
        "request": request.number,
        "decision": decision.number,
        "appeal": appeal(decision, positions=[0]).number,
        "pre_approval": promise(world, learner).number,
        "college": world.college.slug,
        "goal": str(
            goals.add_goal(learner=learner, programme=world.programme, acting_user=learner.user).pk
        ),
    }
    askers += [college(world), own(learner)]
    return found


def real_of(path: str, real: dict[str, Any]) -> dict[str, Any]:
    """What stands in an address so that there is something: a number is of what its place says."""
    for place, name in NUMBERS.items():
        if place in path and "transcripts" not in path:
            return {**real, "number": real[name], "slug": real["college"]}
    return real


def cast() -> tuple[list[Program | None], dict[str, Any]]:
    """A bank with something in it, who asks, and addresses that exist."""
    holder = make_holder(lines=1)
    own = make_own_stream(holder.college)
    transcript = holder.issue()
    institution = holder.college.institution
    askers: list[Program | None] = [
        None,
        program_of(institution),
        program_of_learner(holder.learner),
    ]
    real = {
        "slug": institution.slug,
        "name": own.name,
        "index": holder.indexes()[0],
        "number": transcript.number,
    }
    return askers, real | recognition(askers)


def served(stream: str) -> dict[str, Any]:
    """The schema as served, with one stream's name in the addresses of streams.

    A name holds a slash, which the tool never puts into an address.
    """
    schema: dict[str, Any] = json.loads(anyone().get("/api/schema").content)
    paths = {}
    for path, methods in schema["paths"].items():
        if "{name}" in path:
            for operation in methods.values():
                operation["parameters"] = [
                    one for one in operation["parameters"] if one["name"] != "name"
                ]
        paths[path.replace("{name}", stream)] = methods
    return {**schema, "paths": paths}


@pytest.mark.timeout(120 + 2 * SECONDS)
def test_no_request_brings_the_api_down_or_off_its_schema(bank: Any) -> None:
    askers, real = cast()
    with warnings.catch_warnings():
        # The tool's own libraries warn of things that are not ours.
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_dict(served(real["name"]))
        schema.app = get_wsgi_application()
        operations = [result.ok() for result in schema.get_all_operations()]
        assert len(operations) >= 80
        statuses: Counter[tuple[str, int]] = Counter()
        each = SECONDS / len(operations)
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _run(operation, mode, askers, real, statuses, time.monotonic() + each / 2)
    assert not {status for _label, status in statuses} & FAULTS
    reached = {label for label, status in statuses if status < 300}
    assert len(reached) >= 12, statuses


def _run(
    operation: Any,
    mode: GenerationMode,
    askers: list[Program | None],
    real: dict[str, Any],
    statuses: Counter[tuple[str, int]],
    until: float,
) -> None:
    strategy = operation.as_strategy(generation_mode=mode)
    turn = iter(range(10**6))
    there = real_of(operation.path, real)

    @hypothesis.seed(int(os.environ.get("FUZZ_SEED", "20261124")))
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @given(case=strategy)
    def send(case: Any) -> None:
        number = next(turn)
        if time.monotonic() > until:
            return
        forget_counters()
        if number % 4 and case.path_parameters:
            case.path_parameters.update(
                {name: there[name] for name in case.path_parameters if name in there}
            )
        asker = askers[number % len(askers)]
        headers = {} if asker is None else {"Authorization": f"Bearer {asker.token}"}
        if number % 5:
            # Else with the key that the tool has made up.
            case.headers = {
                name: value
                for name, value in (case.headers or {}).items()
                if name.lower() != "authorization"
            }
        answer = case.call_and_validate(headers=headers, checks=CHECKS)
        statuses[(operation.label, answer.status_code)] += 1

    try:
        send()
    except hypothesis.errors.Unsatisfiable:
        # There is nothing to get wrong in an operation without any input.
        assert mode is GenerationMode.NEGATIVE
