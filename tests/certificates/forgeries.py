"""Forged transcripts, each made from the genuine one by one named trick.

A forger may have nothing but the file; a key of his own; the bank's document
key, stolen; an institution's retired key. Whoever holds the log's keys as well
is the bank itself, and those forgeries stand here as what a fault in the bank
would look like.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pypdf
from pypdf.annotations import FreeText
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    ContentStream,
    DecodedStreamObject,
    NameObject,
)

from certificates import codes, documents, pades, pages, pdf
from certificates.formats import clr
from certificates.formats.transcript import TranscriptData
from certificates.formats.vocabulary import achievement_type
from creditbank import trust
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import TranscriptIssued
from tests.certificates.bank import (
    ASSESSOR,
    CERTIFICATE,
    COLLEGE,
    DID,
    INSTITUTIONS,
    ISSUED_ON,
    LEARNER,
    OTHER,
    OUTCOMES,
    Bank,
    Genuine,
)

Json = Any


@dataclass(frozen=True)
class Forgery:
    """A forged file, and what must be said of it: the code, and the field at fault.

    `trust` replaces the bank's trust list where the trick needs a newer one.
    """

    name: str
    make: Callable[[Genuine], bytes]
    code: str
    field: str
    line: int | None = None
    trust: Callable[[Genuine], trust.TrustList] | None = None


FORGERIES: list[Forgery] = []


def forgery(
    code: str,
    field: str,
    *,
    line: int | None = None,
    trust: Callable[[Genuine], trust.TrustList] | None = None,
) -> Callable[[Callable[[Genuine], bytes]], Callable[[Genuine], bytes]]:
    """Enter a function as a forgery under its own name."""

    def enter(make: Callable[[Genuine], bytes]) -> Callable[[Genuine], bytes]:
        FORGERIES.append(Forgery(make.__name__, make, code, field, line, trust))
        return make

    return enter


# -- with nothing but the file: the JSON is edited --------------------------------------------


def edited(made: Genuine, change: Callable[[Json], None]) -> bytes:
    document = deepcopy(made.document)
    change(document)
    return documents.encode(document)


def members(document: Json) -> list[Json]:
    found: list[Json] = document["credentialSubject"]["verifiableCredential"]
    return found


def rebuilt(made: Genuine, data: TranscriptData) -> bytes:
    """Make the document anew from other values, keep registration and proof: the careful forger."""
    document = clr.build(data)
    document["evidence"] = made.document["evidence"]
    document["proof"] = made.document["proof"]
    return documents.encode(document)


def with_line(made: Genuine, number: int, **changes: object) -> TranscriptData:
    lines = list(made.data.lines)
    lines[number - 1] = replace(lines[number - 1], **changes)  # type: ignore[arg-type]
    return replace(made.data, lines=tuple(lines))


def with_outcome(made: Genuine, number: int, **changes: object) -> TranscriptData:
    line = made.data.lines[number - 1]
    changed = replace(line.outcome, **changes)  # type: ignore[arg-type]
    return with_line(made, number, outcome=changed)


@forgery("V-TAMPERED", "credits", line=1)
def credits_changed_in_one_place(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        members(document)[0]["credentialSubject"]["creditsEarned"] = 30

    return edited(made, change)


@forgery("V-TAMPERED", "credits", line=2)
def credits_and_total_changed(made: Genuine) -> bytes:
    return rebuilt(made, with_outcome(made, 2, credits=Decimal("8.00")))


@forgery("V-TAMPERED", "score", line=1)
def score_changed(made: Genuine) -> bytes:
    line = made.data.lines[0]
    return rebuilt(made, with_line(made, 1, result=replace(line.result, score="98")))


@forgery("V-TAMPERED", "grade", line=4)
def grade_changed(made: Genuine) -> bytes:
    line = made.data.lines[3]
    return rebuilt(made, with_line(made, 4, result=replace(line.result, grade="优秀")))


@forgery("V-TAMPERED", "title", line=1)
def title_changed(made: Genuine) -> bytes:
    return rebuilt(made, with_outcome(made, 1, title="人工智能原理"))


@forgery("V-TAMPERED", "title", line=1)
def title_changed_where_wallets_show_it(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        members(document)[0]["name"] = "人工智能原理"

    return edited(made, change)


@forgery("V-TAMPERED", "completed_on", line=3)
def completion_date_changed(made: Genuine) -> bytes:
    return rebuilt(made, with_outcome(made, 3, completed_on=ISSUED_ON - timedelta(days=3)))


@forgery("V-TAMPERED", "valid_until", line=3)
def validity_extended(made: Genuine) -> bytes:
    return rebuilt(made, with_outcome(made, 3, valid_until=ISSUED_ON + timedelta(days=9000)))


@forgery("V-TAMPERED", "level", line=4)
def level_raised(made: Genuine) -> bytes:
    return rebuilt(made, with_outcome(made, 4, level="7"))


@forgery("V-TAMPERED", "kind", line=3)
def training_passed_off_as_a_course(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        achievement = members(document)[2]["credentialSubject"]["achievement"]
        achievement["achievementType"] = achievement_type("course")

    return edited(made, change)


@forgery("V-TAMPERED", "body_name", line=1)
def awarding_body_changed(made: Genuine) -> bytes:
    return rebuilt(made, with_outcome(made, 1, body_name="某著名大学"))


@forgery("V-TAMPERED", "content")
def holder_renamed(made: Genuine) -> bytes:
    return rebuilt(made, replace(made.data, holder_name="王五"))


@forgery("V-TAMPERED", "account", line=1)
def account_changed(made: Genuine) -> bytes:
    return rebuilt(made, replace(made.data, account=format_account(OTHER)))


@forgery("V-TAMPERED", "content")
def recording_back_dated(made: Genuine) -> bytes:
    return rebuilt(made, with_line(made, 1, recorded_on=ISSUED_ON - timedelta(days=400)))


@forgery("V-TAMPERED", "recorded_on", line=1)
def recording_dated_after_its_proof(made: Genuine) -> bytes:
    return rebuilt(made, with_line(made, 1, recorded_on=ISSUED_ON + timedelta(days=2)))


@forgery("V-TAMPERED", "lines", line=1)
def lines_swapped(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        listed = members(document)
        listed[0], listed[1] = listed[1], listed[0]

    return edited(made, change)


@forgery("V-TAMPERED", "content")
def lines_swapped_and_renumbered(made: Genuine) -> bytes:
    first, second, *rest = made.data.lines
    return rebuilt(made, replace(made.data, lines=(second, first, *rest)))


@forgery("V-TAMPERED", "content")
def line_left_out(made: Genuine) -> bytes:
    return rebuilt(made, replace(made.data, lines=made.data.lines[1:]))


@forgery("V-TAMPERED", "index", line=5)
def line_counted_twice(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        copy = deepcopy(members(document)[0])
        members(document).append(json.loads(json.dumps(copy).replace("#line-1", "#line-5")))

    return edited(made, change)


@forgery("V-TAMPERED", "account", line=1)
def line_of_another_learner(made: Genuine) -> bytes:
    line = made.bank.line(made.other_index)
    return rebuilt(made, replace(made.data, lines=(line, *made.data.lines[1:])))


@forgery("V-TAMPERED", "title", line=1)
def proof_of_another_line(made: Genuine) -> bytes:
    return rebuilt(made, with_line(made, 1, proof=made.data.lines[1].proof))


@forgery("V-TAMPERED", "proof", line=2)
def line_without_its_proof(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        del members(document)[1]["evidence"]

    return edited(made, change)


@forgery("V-TAMPERED", "registration")
def registration_of_another_form(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["evidence"][0]["name"] = "登记簿第 1 号"

    return edited(made, change)


@forgery("V-TAMPERED", "content")
def registration_taken_away(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        del document["evidence"]

    return edited(made, change)


@forgery("V-FORGED", "signature")
def proof_taken_away(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        del document["proof"]

    return edited(made, change)


@forgery("V-FORGED", "signature")
def two_proofs(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["proof"] = [document["proof"], document["proof"]]

    return edited(made, change)


@forgery("V-FORGED", "signature")
def proof_of_another_suite(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["proof"]["cryptosuite"] = "eddsa-jcs-2022"

    return edited(made, change)


@forgery("V-FORGED", "signature")
def proof_with_a_member_of_its_own(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["proof"]["expires"] = "2099-01-01T00:00:00Z"

    return edited(made, change)


@forgery("V-TAMPERED", "signature")
def time_of_the_proof_changed(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["proof"]["created"] = "2020-01-01T00:00:00Z"

    return edited(made, change)


@forgery("V-TAMPERED", "signature")
def a_byte_of_the_signature_changed(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        value = document["proof"]["proofValue"]
        document["proof"]["proofValue"] = (
            value[:20] + ("2" if value[20] != "2" else "3") + value[21:]
        )

    return edited(made, change)


@forgery("V-FORGED", "signature")
def key_named_that_the_bank_never_had(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["proof"]["verificationMethod"] = trust.verification_method(
            DID, Bank("stranger").document.public
        )

    return edited(made, change)


@forgery("V-TAMPERED", "@context")
def context_added(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["@context"].append("https://evil.example/context.json")

    return edited(made, change)


@forgery("V-TAMPERED", "@context")
def context_added_that_is_known(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["@context"].append("https://w3id.org/security/data-integrity/v2")

    return edited(made, change)


@forgery("V-TAMPERED", "@context")
def context_written_into_the_document(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["@context"].append({"bonus": "https://schema.org/name"})

    return edited(made, change)


@forgery("V-TAMPERED", "@context")
def context_written_into_a_line(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        members(document)[0]["@context"].append({"creditsEarned": None})

    return edited(made, change)


@forgery("V-TAMPERED", "honours")
def term_that_no_context_defines(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["honours"] = "with distinction"

    return edited(made, change)


@forgery("V-TAMPERED", "credentialSubject.honours", line=1)
def term_in_a_line_that_no_context_defines(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        members(document)[0]["credentialSubject"]["honours"] = "with distinction"

    return edited(made, change)


@forgery("V-TAMPERED", "type")
def type_that_no_context_defines(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["type"].append("DoctoralDegree")

    return edited(made, change)


@forgery("V-TAMPERED", "content")
def name_that_stands_twice(made: Genuine) -> bytes:
    return made.json.replace(b'"creditsEarned": 3,', b'"creditsEarned": 30,"creditsEarned": 3,', 1)


@forgery("V-TAMPERED", "content")
def not_a_number(made: Genuine) -> bytes:
    return made.json.replace(b'"creditsEarned": 3,', b'"creditsEarned": NaN,', 1)


@forgery("V-TAMPERED", "content")
def nested_a_hundred_thousand_deep(made: Genuine) -> bytes:
    return made.json.replace(
        b'"creditsEarned": 3,', b'"x":' + b"[" * 100_000 + b"]" * 100_000 + b",", 1
    )


@forgery("V-TAMPERED", "content")
def nested_forty_deep(made: Genuine) -> bytes:
    return made.json.replace(b'"creditsEarned": 3,', b'"x":' + b"[" * 40 + b"]" * 40 + b",", 1)


@forgery("V-TAMPERED", "content")
def half_a_character(made: Genuine) -> bytes:
    return made.json.replace(b'"creditsEarned": 3,', b'"x": "\\ud842",', 1)


@forgery("V-TAMPERED", "content")
def json_cut_off(made: Genuine) -> bytes:
    return made.json[: len(made.json) // 2]


@forgery("V-TAMPERED", "lines")
def many_lines(made: Genuine) -> bytes:
    def change(document: Json) -> None:
        document["credentialSubject"]["verifiableCredential"] = members(document) * 100

    return edited(made, change)


# -- with a key of one's own ------------------------------------------------------------------


def stranger() -> Bank:
    return Bank("stranger")


@forgery("V-FORGED", "signature")
def signed_by_a_stranger_in_the_name_of_the_bank(made: Genuine) -> bytes:
    bank = stranger()
    data = with_outcome(made, 1, credits=Decimal("3.00"))
    prepared = documents.prepare(data)
    return documents.encode(
        bank.sign(prepared.registered(made.document["evidence"][0]["narrative"]))
    )


@forgery("V-TAMPERED", "signature")
def signed_by_a_stranger_under_the_banks_key(made: Genuine) -> bytes:
    bank = stranger()
    prepared = documents.prepare(made.data).registered(made.document["evidence"][0]["narrative"])
    return documents.encode(
        prepared.signed(
            verification_method=made.bank.method, created=bank.time, sign=bank.sign_hashes
        )
    )


@forgery("V-FORGED", "bank_did")
def issued_by_another_did(made: Genuine) -> bytes:
    bank = stranger()
    did = "did:web:bank.example.com"
    prepared = documents.prepare(replace(made.data, bank_did=did))
    return documents.encode(
        prepared.registered(made.document["evidence"][0]["narrative"]).signed(
            verification_method=trust.verification_method(did, bank.document.public),
            created=bank.time,
            sign=bank.sign_hashes,
        )
    )


@forgery("V-FORGED", "registration")
def whole_bank_imitated(made: Genuine) -> bytes:
    """All keys are the stranger's: log, streams, cosigners, documents; only the names are ours."""
    bank = stranger()
    first = bank.award(LEARNER, OUTCOMES)
    return documents.encode(bank.issue(bank.data([bank.line(first), bank.line(first + 1)])))


# -- with the bank's document key, stolen -----------------------------------------------------


@forgery("V-FORGED", "registration")
def never_registered(made: Genuine) -> bytes:
    return documents.encode(made.bank.sign(documents.prepare(made.data)))


@forgery("V-FORGED", "registration")
def registration_of_another_document(made: Genuine) -> bytes:
    prepared = documents.prepare(replace(made.data, holder_name="王五"))
    return documents.encode(
        made.bank.sign(prepared.registered(made.document["evidence"][0]["narrative"]))
    )


@forgery("V-TAMPERED", "credits", line=1)
def credits_changed_and_signed_with_the_stolen_key(made: Genuine) -> bytes:
    prepared = documents.prepare(with_outcome(made, 1, credits=Decimal("30.00")))
    return documents.encode(
        made.bank.sign(prepared.registered(made.document["evidence"][0]["narrative"]))
    )


@forgery("V-FORGED", "registration")
def line_proof_as_registration(made: Genuine) -> bytes:
    prepared = documents.prepare(made.data)
    return documents.encode(made.bank.sign(prepared.registered(made.data.lines[0].proof)))


def growing() -> tuple[Bank, TranscriptData]:
    """Return a bank of the same keys whose log the forgery may extend, and a transcript's values."""
    bank = Bank()
    first = bank.award(LEARNER, OUTCOMES)
    return bank, bank.data([bank.line(first), bank.line(first + 1)])


@forgery("V-FORGED", "registration")
def registered_by_an_institution(made: Genuine) -> bytes:
    bank, data = growing()
    prepared = documents.prepare(data)
    index = bank.append(COLLEGE, [TranscriptIssued(number=data.number, digest=prepared.digest)])
    return documents.encode(bank.sign(prepared.registered(bank.prove(index))))


@forgery("V-FORGED", "number")
def registered_under_another_number(made: Genuine) -> bytes:
    bank, data = growing()
    prepared = documents.prepare(data)
    index = bank.register(prepared, number=codes.new_number())
    return documents.encode(bank.sign(prepared.registered(bank.prove(index))))


@forgery("V-FORGED", "issued_on")
def dated_after_its_registration(made: Genuine) -> bytes:
    bank, data = growing()
    return documents.encode(bank.issue(replace(data, issued_on=ISSUED_ON + timedelta(days=30))))


@forgery("V-FORGED", "index", line=2)
def line_entered_after_the_registration(made: Genuine) -> bytes:
    bank, data = growing()
    prepared = documents.prepare(data)
    early = bank.register(prepared)
    late = bank.award(LEARNER, [CERTIFICATE], stream=ASSESSOR)
    longer = documents.prepare(replace(data, lines=(data.lines[0], bank.line(late))))
    return documents.encode(bank.sign(longer.registered(bank.prove(early))))


# -- with an institution's key, or a fault in the bank ----------------------------------------


def trusted(change: Callable[[Bank], object]) -> Callable[[Genuine], trust.TrustList]:
    """Return the trust list of the genuine bank after a change to its keys."""

    def make(made: Genuine) -> trust.TrustList:
        bank = Bank()
        change(bank)
        return bank.trust()

    return make


def back_dated(bank: Bank) -> int:
    bank.retire_key(ASSESSOR)
    return bank.award(LEARNER, [CERTIFICATE], stream=ASSESSOR)


@forgery("V-FORGED", "proof", line=1, trust=trusted(back_dated))
def back_dated_with_a_retired_key(made: Genuine) -> bytes:
    bank = Bank()
    return documents.encode(bank.issue(bank.data([bank.line(back_dated(bank))])))


def compromised(bank: Bank) -> None:
    key = bank.keys[ASSESSOR][0]
    bank.keys[ASSESSOR][0] = replace(key, compromised_from=key.added + 1)


@forgery("V-FORGED", "proof", line=1, trust=trusted(compromised))
def entered_with_a_compromised_key(made: Genuine) -> bytes:
    bank = Bank()
    index = bank.award(LEARNER, [CERTIFICATE], stream=ASSESSOR)
    return documents.encode(bank.issue(bank.data([bank.line(index)])))


@forgery("V-FORGED", "proof", line=1)
def entered_with_a_strangers_key(made: Genuine) -> bytes:
    bank = Bank()
    index = bank.award(LEARNER, OUTCOMES[:1], signer=stranger().signers[COLLEGE])
    return documents.encode(bank.issue(bank.data([bank.line(index)])))


@forgery("V-FORGED", "proof", line=1)
def entered_with_another_institutions_key(made: Genuine) -> bytes:
    bank = Bank()
    index = bank.award(LEARNER, OUTCOMES[:1], signer=bank.signers[ASSESSOR])
    return documents.encode(bank.issue(bank.data([bank.line(index)])))


@forgery("V-FORGED", "institution_name", line=1)
def entered_by_an_institution_nobody_knows(made: Genuine) -> bytes:
    bank = Bank()
    name = "mill.example/2026"
    bank.signers[name] = stranger().signers[COLLEGE]
    index = bank.award(LEARNER, OUTCOMES[:1], stream=name)
    INSTITUTIONS[name] = ("示例文凭工厂", "91220101MA0Y1T2K3L")
    try:
        return documents.encode(bank.issue(bank.data([bank.line(index)])))
    finally:
        del INSTITUTIONS[name]


@forgery("V-FORGED", "proof", line=1)
def reversal_shown_as_an_award(made: Genuine) -> bytes:
    bank, data = growing()
    index = bank.reverse(data.lines[0].index)
    line = replace(data.lines[0], index=index, proof=bank.prove(index))
    return documents.encode(bank.issue(replace(data, lines=(line,))))


@forgery("V-FORGED", "proof", line=1)
def proof_that_hides_whose_it_is(made: Genuine) -> bytes:
    bank, data = growing()
    index = data.lines[0].index
    shown = bank.line(index, disclose=("core", "result", "reference"))
    return documents.encode(bank.issue(replace(data, lines=(shown,))))


@forgery("V-TAMPERED", "score", line=1)
def result_shown_that_its_proof_hides(made: Genuine) -> bytes:
    bank, data = growing()
    index = data.lines[0].index
    shown = bank.line(index, disclose=("core", "reference", "holder"))
    return documents.encode(bank.issue(replace(data, lines=(shown,))))


# -- the PDF ----------------------------------------------------------------------------------


def saved(writer: pypdf.PdfWriter) -> bytes:
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def overwritten(reader: pypdf.PdfReader, page: Any, old: str, new: str) -> DecodedStreamObject:
    """Return a page's content with one shown text replaced by another of known characters."""
    fonts = page["/Resources"].get_object()["/Font"].get_object()
    content = ContentStream(page["/Contents"].get_object(), reader)
    font: Any = None
    changed = 0
    operations = []
    for operands, operator in content.operations:
        shown = operands
        if operator == b"Tf":
            font = pdf._Font.read(fonts[operands[0]].get_object())
        elif operator == b"Tj" and font.text(operands[0].original_bytes) == old:
            codes_by_text = {text: code for code, text in font.spelling.items()}
            shown = [ByteStringObject(bytes(codes_by_text[character] for character in new))]
            changed += 1
        operations.append((shown, operator))
    assert changed == 1
    content.operations = operations
    stream = DecodedStreamObject()
    stream.set_data(content.get_data())
    return stream


@forgery("V-TAMPERED", "credits", line=2)
def digit_changed_on_the_page(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made.pdf))
    page = writer.pages[0]
    stream = overwritten(pypdf.PdfReader(io.BytesIO(made.pdf)), page, "4.50", "5.50")
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


@forgery("V-TAMPERED", "credits", line=2)
def page_replaced_in_a_later_revision(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(made.pdf), incremental=True)
    page = writer.pages[0]
    stream = overwritten(pypdf.PdfReader(io.BytesIO(made.pdf)), page, "4.50", "5.50")
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


@forgery("V-TAMPERED", "credits", line=1)
def digit_changed_in_the_attached_data(made: Genuine) -> bytes:
    document = rebuilt(made, with_outcome(made, 1, credits=Decimal("9.00")))
    return with_attachment(made.pdf, document)


def with_attachment(file: bytes, attached: bytes) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(file))
    names = writer._root_object["/Names"].get_object()["/EmbeddedFiles"].get_object()["/Names"]
    stream = DecodedStreamObject()
    stream.set_data(attached)
    reference = writer._add_object(stream)
    for key in ("/F", "/UF"):
        names.get_object()[1].get_object()["/EF"].get_object()[NameObject(key)] = reference
    return saved(writer)


@forgery("V-TAMPERED", "holder_name")
def page_and_data_of_two_people(made: Genuine) -> bytes:
    """The page of one, printed anew and unsigned, with the genuine data of another."""
    other = replace(made.data, holder_name="王五")
    page = pdf.render(documents.build(other), other)
    bank = stranger()
    return pades.sign(
        page,
        sign=bank.sign_attributes,
        chain=bank.chain,
        name="-",
        attachment=made.json,
    )


@forgery("V-TAMPERED", "page")
def note_laid_over_the_page(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(made.pdf), incremental=True)
    writer.add_annotation(
        page_number=0,
        annotation=FreeText(text="9.50", rect=(510, 420, 560, 440), background_color="ffffff"),
    )
    return saved(writer)


@forgery("V-TAMPERED", "page")
def bytes_appended(made: Genuine) -> bytes:
    return made.pdf + b"\n% appended\n"


@forgery("V-TAMPERED", "page")
def text_painted_on_the_page(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(made.pdf), incremental=True)
    page = writer.pages[0]
    content = page["/Contents"].get_object().get_data()
    stream = DecodedStreamObject()
    stream.set_data(content + b"\n1 1 1 rg 500 400 60 30 re f\n")
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


@forgery("V-TAMPERED", "attachment")
def attachment_taken_away_in_a_later_revision(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(made.pdf), incremental=True)
    del writer._root_object["/Names"]
    writer._root_object[NameObject("/Names")] = writer._add_object(pypdf.generic.DictionaryObject())
    return saved(writer)


@forgery("V-TAMPERED", "attachment")
def attachment_replaced_in_a_later_revision(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(made.pdf), incremental=True)
    stream = DecodedStreamObject()
    stream.set_data(made.json)
    names = writer._root_object["/Names"].get_object()["/EmbeddedFiles"].get_object()["/Names"]
    specification = names.get_object()[1].get_object()
    specification["/EF"].get_object()[NameObject("/F")] = writer._add_object(stream)
    return saved(writer)


@forgery("V-TAMPERED", "signature")
def pdf_signature_taken_away(made: Genuine) -> bytes:
    """Printed from the same data, nothing changed, but nobody signed the file."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf.render(made.document, made.data)))
    writer.add_attachment("transcript.json", made.json)
    return saved(writer)


@forgery("V-FORGED", "signature")
def certificate_of_the_same_name(made: Genuine) -> bytes:
    """A root and a certificate with the bank's very names, made by somebody else."""
    bank = stranger()
    return pades.sign(
        pdf.render(made.document, made.data),
        sign=bank.sign_attributes,
        chain=bank.chain,
        name="-",
        attachment=made.json,
    )


@forgery("V-FORGED", "signature")
def certificate_with_the_banks_root_beside_it(made: Genuine) -> bytes:
    """The stranger's certificate names the bank's root as its issuer; the root never signed it."""
    bank = stranger()
    return pades.sign(
        pdf.render(made.document, made.data),
        sign=bank.sign_attributes,
        chain=(bank.chain[0], made.bank.root),
        name="-",
        attachment=made.json,
    )


@forgery("V-TAMPERED", "qr")
def qr_code_that_leads_elsewhere(made: Genuine) -> bytes:
    """Everything is the genuine page but the QR code, which opens a look-alike host."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made.pdf))
    page = writer.pages[0]
    x, y = pages.RIGHT - pages.QR_SIZE, pages.HEIGHT - 38 - pages.QR_SIZE
    boxes = pages.qr_boxes(made.data.verify_url.replace("localhost", "1ocalhost"), x, y)
    content = page["/Contents"].get_object().get_data()
    start = content.index(b"\nn ")
    ended = re.search(rb"\bre\s+f", content[start:])
    assert ended is not None
    end = start + ended.start() + len(b"re")
    drawn = " ".join(f"{a} {b} {c} {d} re" for a, b, c, d in boxes)
    stream = DecodedStreamObject()
    stream.set_data(content[:start] + b"\nn " + drawn.encode() + content[end:])
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


@forgery("V-TAMPERED", "code")
def verification_code_altered(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made.pdf))
    page = writer.pages[0]
    old = f"验证码 Code {codes.grouped(made.data.code)}"
    swapped = old[:-1] + old[-2]
    page[NameObject("/Contents")] = writer._add_object(
        overwritten(pypdf.PdfReader(io.BytesIO(made.pdf)), page, old, swapped)
    )
    return saved(writer)


@forgery("V-TAMPERED", "page")
def page_added(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made.pdf))
    writer.add_page(writer.pages[0])
    return saved(writer)


# -- not one of our files ---------------------------------------------------------------------


@forgery("V-WRONGFILE", "content")
def pdf_cut_off(made: Genuine) -> bytes:
    return made.pdf[: len(made.pdf) // 3]


@forgery("V-WRONGFILE", "content")
def picture(made: Genuine) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(200)


@forgery("V-WRONGFILE", "content")
def some_other_pdf(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=595, height=842)
    return saved(writer)


@forgery("V-WRONGFILE", "content")
def pdf_of_too_many_pages(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(41):
        writer.add_blank_page(width=595, height=842)
    return saved(writer)


@forgery("V-WRONGFILE", "content")
def pdf_with_a_second_attachment_and_no_signature(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=595, height=842)
    writer.add_attachment("transcript.json", made.json)
    writer.add_attachment("other.json", b"{}")
    return saved(writer)


@forgery("V-WRONGFILE", "content")
def pdf_whose_attachment_inflates(made: Genuine) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=595, height=842)
    writer.add_attachment("transcript.json", b" " * (6 << 20))
    writer.compress_identical_objects()
    for reference in ArrayObject(writer._objects):
        if hasattr(reference, "flate_encode") and reference.get("/Type") == "/EmbeddedFile":
            reference.update(reference.flate_encode())
    return saved(writer)


@forgery("V-WRONGFILE", "content")
def too_large(made: Genuine) -> bytes:
    return b"{" + b" " * (10 << 20) + b"}"


@forgery("V-WRONGFILE", "content")
def some_other_json(made: Genuine) -> bytes:
    return b'{"type": ["VerifiableCredential", "OpenBadgeCredential"], "name": "Teamwork"}'


@forgery("V-WRONGFILE", "content")
def transcript_of_another_platform(made: Genuine) -> bytes:
    return documents.encode(
        {
            "@context": list(clr.CONTEXTS),
            "id": "https://edu.example/credentials/3732",
            "type": ["VerifiableCredential", "ClrCredential"],
            "issuer": {"id": "https://edu.example", "type": ["Profile"], "name": "Edu"},
            "validFrom": "2010-01-01T00:00:00Z",
            "name": "Sample",
            "credentialSubject": {"type": ["ClrSubject"], "verifiableCredential": []},
        }
    )


@forgery("V-WRONGFILE", "content")
def nothing(made: Genuine) -> bytes:
    return b""
