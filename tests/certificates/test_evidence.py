"""A ledger proof holds whole or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certificates import evidence
from certificates.formats.transcript import Difference
from tests.certificates.bank import COLLEGE, LEARNER, OUTCOMES, Bank, genuine

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def proved(text: str) -> evidence.LineProof:
    made = genuine()
    return evidence.prove_line(1, replace(made.data.lines[0], proof=text), made.data, made.trust)


def test_the_proof_of_a_line_establishes_its_entry() -> None:
    made = genuine()

    proof = proved(made.data.lines[0].proof)

    assert proof.refusal is None
    assert proof.differences == ()
    assert proof.entry is not None
    assert proof.entry.index == made.indexes[0]
    assert proof.entry.leaf.stream == COLLEGE


def test_no_byte_of_a_proof_can_be_another() -> None:
    """Every character in turn: leaf, opening, manifest, paths, checkpoint, all signatures."""
    text = genuine().data.lines[0].proof
    survived = []
    for place, character in enumerate(text):
        other = BASE64[(BASE64.find(character) + 1) % len(BASE64)]
        proof = proved(text[:place] + other + text[place + 1 :])
        if proof.refusal is None and not proof.differences:
            survived.append((place, character))

    assert survived == []
    assert len(text) > 4000


@pytest.mark.parametrize("part", ["core", "result", "reference", "holder"])
def test_a_hidden_part_cannot_be_replaced_by_another_digest(part: str) -> None:
    made = genuine()
    bundle = made.bank.bundle(made.indexes[0], disclose=())
    other = made.bank.bundle(made.indexes[1], disclose=())
    assert bundle.disclosure is not None
    assert other.disclosure is not None
    place = ("core", "result", "reference", "holder").index(part)
    digests = list(bundle.disclosure.digests)
    digests[place] = other.disclosure.digests[place]
    mixed = replace(bundle, disclosure=replace(bundle.disclosure, digests=tuple(digests)))

    proof = proved(mixed.encode().decode())

    assert proof.refusal is not None


@pytest.mark.parametrize("text", ["", "x", "c2sp.org/tlog-proof@v1\n", "x" * 200_000, "\ud842"])
def test_what_is_no_proof_is_refused(text: str) -> None:
    made = genuine()
    line = replace(made.data.lines[0], proof=text or "-")

    assert evidence.prove_line(1, line, made.data, made.trust).refusal is not None


def test_a_proof_of_another_log_is_refused() -> None:
    stranger = Bank("stranger")
    index = stranger.award(LEARNER, OUTCOMES[:1])

    assert proved(stranger.prove(index)).refusal is not None


def test_a_registration_is_proved_with_its_number_and_digest() -> None:
    made = genuine()
    text = evidence.registration_text(made.document["evidence"], made.data)

    registration = evidence.prove_registration(text, made.trust)

    assert registration.refusal is None
    assert registration.number == made.data.number
    assert registration.time == made.bank.time


def test_a_document_without_registration_was_never_entered() -> None:
    refusal = evidence.prove_registration(None, genuine().trust).refusal

    assert refusal is not None
    assert refusal.field == "registration"


def test_a_line_that_says_more_than_its_entry_is_named_field_by_field() -> None:
    made = genuine()
    line = made.data.lines[0]
    changed = replace(line, outcome=replace(line.outcome, level="8"), index=line.index + 1)

    proof = evidence.prove_line(1, changed, made.data, made.trust)

    assert list(proof.differences) == [
        Difference(field="level", line=1, in_file="8", expected="5"),
        Difference(field="index", line=1, in_file=str(line.index + 1), expected=str(line.index)),
    ]
