"""Every forgery is refused, with its code and the field at fault."""

from __future__ import annotations

import pytest

from certificates.report import Outcome, Verdict
from certificates.verify import verify_file
from tests.certificates.bank import ISSUED_ON, genuine
from tests.certificates.forgeries import FORGERIES, Forgery


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forgery_is_refused_with_its_code_and_field(forgery: Forgery) -> None:
    made = genuine()
    trust = forgery.trust(made) if forgery.trust else made.trust
    file = forgery.make(made)

    report = verify_file(file, trust=trust, status=made.status, at=ISSUED_ON)

    assert report.code == forgery.code, report.to_json()
    assert forgery.field in report.fields, (report.fields, report.to_json())
    if forgery.line is not None:
        named = {(item.field, item.line) for item in (*report.findings, *report.differences)}
        assert (forgery.field, forgery.line) in named
    assert report.exit_code == (3 if forgery.code == "V-WRONGFILE" else 1)
    if report.outcome is Outcome.INVALID:
        assert any(check.verdict is Verdict.INVALID for check in report.checks)


def test_the_forgeries_are_as_many_as_they_seem() -> None:
    assert len({forgery.name for forgery in FORGERIES}) == len(FORGERIES) > 80


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_the_genuine_transcript_they_were_made_from_is_valid(form: str) -> None:
    made = genuine()

    report = verify_file(getattr(made, form), trust=made.trust, status=made.status, at=ISSUED_ON)

    assert report.code == "V-OK"
    assert report.exit_code == 0
    assert report.differences == ()
