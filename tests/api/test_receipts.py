"""GET /api/v1/receipts/INDEX."""

from __future__ import annotations

from typing import Any

from creditbank.ledger import queries as ledger
from learners import operations as learners
from tests.api.clients import problem, program_of, program_of_learner
from tests.learners.people import register
from tests.ledger.cast import make_college, published


def test_a_receipt_says_where_an_entry_stands(bank: Any) -> None:
    college = make_college(courses=1)
    receipt = published(college.record(college.award(register().account_id)))
    found = program_of(college.institution).get(f"receipts/{receipt.first_index}").json()
    assert found["kind"] == "award"
    assert found["credits"] == "3.00"
    assert found["receipt"]["manifest_index"] == receipt.manifest_index
    assert found["proof"] == ledger.proof(receipt.first_index).encode().decode()


def test_a_manifests_index_and_one_beyond_the_log_are_not_found(bank: Any) -> None:
    college = make_college(courses=1)
    receipt = published(college.record(college.award(register().account_id)))
    program = program_of(college.institution)
    for index in (receipt.manifest_index, 10**15):
        problem(program.get(f"receipts/{index}"), 404, "not-found")


def test_another_institutions_entry_is_not_found(bank: Any) -> None:
    college = make_college(courses=1)
    receipt = published(college.record(college.award(register().account_id)))
    stranger = program_of(make_college(courses=1).institution)
    problem(stranger.get(f"receipts/{receipt.first_index}"), 404, "not-found")
    problem(stranger.get("receipts/1"), 404, "not-found")


def test_a_learners_key_reads_no_receipts(bank: Any) -> None:
    problem(program_of_learner(register()).get("receipts/1"), 403, "scope-missing")


def test_of_a_forgotten_person_the_proof_stays_without_the_opening(bank: Any) -> None:
    college = make_college(courses=1)
    learner = register()
    receipt = published(college.record(college.award(learner.account_id)))
    program = program_of(college.institution)
    learners.forget_learner(learner)
    found = program.get(f"receipts/{receipt.first_index}")
    assert found.status_code == 200
    assert '"opening":null' in _extra(found.json()["proof"])


def _extra(proof: str) -> str:
    from creditbank.proofs.notes import TlogProof

    return TlogProof.parse(proof.encode()).extra.decode()
