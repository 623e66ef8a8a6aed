"""A decision computed again, from its file alone."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certificates import trustlist
from creditbank.proofs import canonical
from creditbank.recognition import replay
from creditbank.recognition.deciding import packages
from creditbank.recognition.deciding.proofsteps import State
from creditbank.recognition.language import schemas
from creditbank.recognition.models import Decision
from creditbank.recognition.workflow import decisionfile, decisions, reviewing
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.trust import TrustInvalid, TrustList, parse_trust
from tests.conftest import ROOT
from tests.recognition.world import STORAGE, World


@pytest.fixture
def decision(world: World) -> Decision:
    """One course whole, the other waived: the certificate is used."""
    request = world.request(world.graduate())
    return world.decide(
        request,
        Verdict(position=0, verdict="credit"),
        Verdict(position=1, verdict="waived", reason="requirement-met-without-credit"),
    )


@pytest.fixture
def file(decision: Decision) -> bytes:
    return decisionfile.build(decision)


@pytest.fixture
def trust(file: bytes) -> TrustList:
    return parse_trust(trustlist.signed_lists().trust)


def states(report: replay.Report) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for check in report.checks:
        found.setdefault(check.code, set()).add(check.state.value)
    return found


# -- the same -----------------------------------------------------------------------------------
def test_a_genuine_decision_is_the_same(file: bytes, trust: TrustList) -> None:
    report = replay.verify(file, trust=trust)
    assert states(report) == {code: {"valid"} for code in replay.WORDS}
    assert (report.outcome, report.exit_code) == ("same", 0)


def test_without_a_trust_list_the_signatures_could_not_be_checked(file: bytes) -> None:
    report = replay.verify(file, trust=None)
    unchecked = {code for code, found in states(report).items() if found != {"valid"}}
    assert unchecked == {
        "entry-signature",
        "entry-checkpoint",
        "signer",
        "evidence-signature",
        "publication",
    }
    assert (report.outcome, report.exit_code) == ("could-not-be-checked", 2)


def test_a_refusal_has_no_entry_and_is_computed_again(world: World) -> None:
    request = world.request(world.graduate())
    refused = world.decide(
        request,
        Verdict(position=0, verdict="refused", reason="content-differs"),
        Verdict(position=1, verdict="refused", reason="content-differs"),
    )
    report = replay.verify(decisionfile.build(refused), trust=None)
    assert states(report)["entry"] == {"could-not-be-checked"}
    assert states(report)["lines"] == {"valid"}
    assert report.exit_code == 2


def test_the_program_says_so_offline(tmp_path: Path, file: bytes, trust: TrustList) -> None:
    (tmp_path / "decision.json").write_bytes(file)
    (tmp_path / "trust.json").write_bytes(trustlist.signed_lists().trust)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # Nothing of the bank is at hand: no settings, no database, no signer.
        return subprocess.run(
            [sys.executable, "-m", "creditbank.recognition.replay", *arguments],
            cwd=ROOT,
            env={"PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    path, list_ = str(tmp_path / "decision.json"), str(tmp_path / "trust.json")
    same = run(path, "--trust", list_)
    assert (same.returncode, same.stdout.split()[0]) == (0, "same")
    partly = run(path, "--json")
    assert partly.returncode == 2
    assert json.loads(partly.stdout)["outcome"] == "could-not-be-checked"
    (tmp_path / "changed.json").write_bytes(file.replace(b'"credits":"4"', b'"credits":"5"'))
    changed = run(str(tmp_path / "changed.json"), "--trust", list_)
    assert changed.returncode == 1
    assert run(str(tmp_path / "nothing.json")).returncode == 3
    assert run(path, "--trust", path).returncode == 3


def test_replay_knows_neither_django_nor_the_database() -> None:
    code = (
        "import sys; import creditbank.recognition.replay;"
        "sys.exit(any(name.split('.')[0] in ('django', 'celery', 'psycopg')"
        " for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# -- any change -----------------------------------------------------------------------------------
def places(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document where a text, a number or a truth value stands."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*steps, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*steps, number))
    else:
        yield steps


def at(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        value = value[step]
    return value


def changed(document: Any, steps: tuple[str | int, ...]) -> Any:
    """The document with one leaf changed, as little as can be."""
    other = copy.deepcopy(document)
    holder = at(other, steps[:-1])
    value = holder[steps[-1]]
    if isinstance(value, bool):
        holder[steps[-1]] = not value
    elif isinstance(value, int):
        holder[steps[-1]] = value + 1
    elif len(value) > 8:
        middle = len(value) // 2
        other_letter = "A" if value[middle] != "A" else "B"
        holder[steps[-1]] = value[:middle] + other_letter + value[middle + 1 :]
    else:
        holder[steps[-1]] = value + "1"
    return other


def without(document: Any, steps: tuple[str | int, ...]) -> Any:
    other = copy.deepcopy(document)
    del at(other, steps[:-1])[steps[-1]]
    return other


@pytest.mark.timeout(900)
def test_every_field_changed_is_different_or_its_signature_invalid(
    file: bytes, trust: TrustList
) -> None:
    document = canonical.decode(file)
    tried = 0
    for steps in places(document):
        report = replay.verify(canonical.encode(changed(document, steps)), trust=trust)
        assert report.outcome in ("different", "signature-invalid"), steps
        tried += 1
    assert tried > 250
    assert isinstance(document, dict)
    for name in document["package"]:
        report = replay.verify(canonical.encode(without(document, ("package", name))), trust=trust)
        assert report.outcome in ("different", "signature-invalid"), name


FREE = {
    ("number",),
    ("body",),
    ("body_name",),
    ("days", "decided_on"),
    ("lines", "reason"),
    ("reviews", "by"),
    ("reviews", "on"),
    ("evidence", "index"),
    ("held", "index"),
}
"""What no computation settles: the signature alone holds it. A reason can be another that fits."""


@pytest.mark.timeout(900)
def test_what_can_be_computed_is_computed_even_where_nothing_is_signed(
    decision: Decision,
) -> None:
    """Somebody makes a package up, with digests that fit: the computation itself says where it lies."""
    document = packages.to_json(decisions.package_of(decision))
    lied = 0
    for steps in places(document):
        place = tuple(step for step in steps if isinstance(step, str))
        if place in FREE or "document" in place or "digest" in place or "opening" in place:
            continue
        made_up = canonical.decode(canonical.encode(changed(document, steps)))
        try:
            package = packages.from_json(made_up)
        except packages.FormInvalid:
            continue
        faults = [one for one in replay.recomputed(package) if one.state is State.INVALID]
        faults += [one for shown in package.evidence for one in shown.faults()]  # type: ignore[misc]
        faults += [one for shown in package.held for one in shown.faults()]  # type: ignore[misc]
        assert faults, steps
        lied += 1
    assert lied > 50


def test_a_difference_is_told_with_its_pointer(decision: Decision) -> None:
    document = packages.to_json(decisions.package_of(decision))
    document["findings"][0]["grants"][0]["credits"] = "3"
    found = replay.recomputed(packages.from_json(document))
    assert [one.pointer for one in found if one.state is State.INVALID] == [
        "/findings/0/grants/0/credits"
    ]


# -- who may have signed ----------------------------------------------------------------------------
def test_another_institutions_entry_proves_nothing(
    world: World, file: bytes, trust: TrustList
) -> None:
    document = canonical.decode(file)
    assert isinstance(document, dict)
    streams = {
        name: stream
        for name, stream in trust.streams.items()
        if stream.uscc != world.college.institution.uscc
    }
    poorer = replace(trust, streams=streams)
    report = replay.verify(file, trust=poorer)
    assert states(report)["signer"] == states(report)["entry-signature"] == {"invalid"}
    assert report.outcome == "signature-invalid"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"body":"","signature":""}', b"\xff"])
def test_what_is_no_trust_list_is_refused(data: bytes) -> None:
    with pytest.raises(TrustInvalid):
        parse_trust(data)


def test_a_changed_trust_list_is_refused(file: bytes) -> None:
    data = trustlist.signed_lists().trust
    document = json.loads(data)
    body = json.loads(document["body"])
    body["number"] += 1
    document["body"] = canonical.encode(body).decode()
    with pytest.raises(TrustInvalid):
        parse_trust(canonical.encode(document))


# -- the package ------------------------------------------------------------------------------------
def test_a_package_has_the_published_shape(decision: Decision) -> None:
    data = decisions.package_bytes(decision)
    assert schemas.problems("decision-v1", canonical.decode(data)) == []
    assert packages.encode(packages.decode(data)) == data
    assert packages.digest(data) == bytes(decision.digest or b"")


def test_a_package_names_nobody(world: World, decision: Decision) -> None:
    from creditbank.ledger.numbers import format_account
    from learners import queries as learners

    text = decisions.package_bytes(decision).decode() + decisionfile.build(decision).decode()
    learner = decision.request.learner
    identity = learners.identity(learner)
    for secret in (
        learners.display_name(learner),
        identity.number,
        str(learner.pk),
        str(learner.account_id),
        format_account(learner.account_id),
        world.officer().username,
    ):
        assert secret not in text
    assert world.college.reviewer_member.pseudonym in text


def test_a_package_shows_only_what_it_rests_on(world: World) -> None:
    learner = world.graduate()
    other = world.item()
    world.record_outcome(learner, other)
    package = decisions.package_of(world.decide(world.request(learner)))
    assert other.code not in json.dumps(packages.to_json(package))
    assert len(package.held) == 9  # The courses met natively.
    assert {one.opening.part("reference") for one in package.held} == {None}


def test_facts_stand_in_it_with_who_attested_them_and_when(world: World) -> None:
    item = world.x_certificate()
    world.publish(
        item,
        sources={
            "outcome": {
                "all": [{"item": [item.code]}, {"fact": {"name": "similarity", "min": "70"}}]
            }
        },
        allocation={"to": [{"course": STORAGE}]},
    )
    learner = world.graduate()
    leaf = world.record_certificate(learner, item)
    request = world.request(learner, [leaf])
    reviewing.attest_fact(
        request=request, leaf=leaf, name="similarity", value="72", acting_user=world.officer()
    )
    package = decisions.package_of(world.decide(request, by=1))
    (fact,) = package.evidence[0].facts
    assert (fact.name, fact.value, fact.by) == (
        "similarity",
        "72",
        world.college.reviewer_member.pseudonym,
    )
