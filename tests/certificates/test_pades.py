"""The signature on the PDF certifies the whole file, and says what was done to it after."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

from certificates import pades, pdf
from certificates.pades import PdfSignatureInvalid, Trouble
from creditbank.signer.attributes import check_signed_attributes
from tests.certificates import forgeries
from tests.certificates.bank import BANK_NAME, Bank, Genuine, genuine


def judge(file: bytes, made: Genuine, *, at: datetime | None = None) -> pades.PdfSignature:
    return pades.validate(file, roots=[made.bank.root], at=at or made.bank.time)


def test_the_banks_signature_is_accepted_with_its_name_and_time() -> None:
    made = genuine()

    accepted = judge(made.pdf, made)

    assert accepted.signer == BANK_NAME
    assert accepted.signed_at is not None
    assert abs(accepted.signed_at - datetime.now(UTC)) < timedelta(minutes=10)


def test_what_is_signed_is_what_the_signer_agrees_to_sign() -> None:
    """The signer refuses attributes it does not understand; ours it must understand."""
    made = genuine()
    seen: list[bytes] = []

    def sign(attributes: bytes) -> bytes:
        seen.append(attributes)
        return made.bank.sign_attributes(attributes)

    pades.sign(
        pdf.render(made.document, made.data), sign=sign, chain=made.bank.chain, name=BANK_NAME
    )

    assert len(seen) == 1
    check_signed_attributes(seen[0], certificate=made.bank.chain[0])


def test_the_attached_data_is_the_document_to_the_byte() -> None:
    made = genuine()

    assert pdf.attachment(pdf.open_pdf(made.pdf)) == made.json


def test_there_is_one_revision_to_the_last_byte() -> None:
    made = genuine()

    assert made.pdf.count(b"%%EOF") == 2  # the pages, then data and signature in one
    assert made.pdf.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("place", [*range(0, 1000, 40), *range(890, 1000, 5)])
def test_a_flipped_bit_anywhere_is_found(place: int) -> None:
    """The last tenth, where the signature itself stands, is not signed: it is looked at closer."""
    made = genuine()
    position = place * len(made.pdf) // 1000
    file = bytearray(made.pdf)
    file[position] ^= 0x01

    with pytest.raises(PdfSignatureInvalid):
        judge(bytes(file), made)


@pytest.mark.parametrize(
    ("trick", "trouble"),
    [
        (forgeries.bytes_appended, Trouble.APPENDED),
        (forgeries.note_laid_over_the_page, Trouble.ANNOTATION),
        (forgeries.page_replaced_in_a_later_revision, Trouble.CONTENT),
        (forgeries.text_painted_on_the_page, Trouble.CONTENT),
        (forgeries.attachment_replaced_in_a_later_revision, Trouble.ATTACHMENT),
        (forgeries.attachment_taken_away_in_a_later_revision, Trouble.ATTACHMENT),
        (forgeries.pdf_signature_taken_away, Trouble.MISSING),
        (forgeries.certificate_of_the_same_name, Trouble.STRANGER),
        (forgeries.certificate_with_the_banks_root_beside_it, Trouble.STRANGER),
        (forgeries.pdf_cut_off, Trouble.DAMAGED),
    ],
)
def test_what_was_done_is_named(trick: object, trouble: Trouble) -> None:
    made = genuine()

    with pytest.raises(PdfSignatureInvalid) as refused:
        judge(trick(made), made)  # type: ignore[operator]

    assert refused.value.trouble is trouble


class Forger(PdfSigner):
    """Signs what a careful program would not: a file that forbids every change."""

    def _enforce_certification_constraints(self, reader: object) -> None:
        return None


def signed(file: bytes, bank: Bank, *, field: str) -> bytes:
    """Put a plain approval signature of a bank on a file."""
    output = io.BytesIO()
    signer = Forger(
        PdfSignatureMetadata(
            field_name=field, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
        ),
        signer=pades._RemoteSigner(bank.chain, bank.sign_attributes),
        new_field_spec=SigFieldSpec(field),
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(file))
    asyncio.run(signer.async_sign_pdf(writer, bytes_reserved=8192, output=output))
    return output.getvalue()


def test_a_second_signature_after_ours_is_named() -> None:
    made = genuine()

    with pytest.raises(PdfSignatureInvalid) as refused:
        judge(signed(made.pdf, Bank("stranger"), field="Second"), made)

    assert refused.value.trouble is Trouble.SEVERAL


def test_an_approval_signature_of_the_bank_is_not_enough() -> None:
    """Only a certification signature forbids changes; after another kind changes would pass."""
    made = genuine()
    file = signed(pdf.render(made.document, made.data), made.bank, field="Approval")

    with pytest.raises(PdfSignatureInvalid) as refused:
        judge(file, made)

    assert refused.value.trouble is Trouble.NOT_CERTIFYING


def test_the_certificate_is_judged_as_of_the_time_the_register_proves() -> None:
    made = genuine()
    long_after = made.bank.time + timedelta(days=365 * 60)
    long_before = made.bank.time - timedelta(days=365)

    judge(made.pdf, made, at=made.bank.time)
    for moment in (long_after, long_before):
        with pytest.raises(PdfSignatureInvalid) as refused:
            judge(made.pdf, made, at=moment)
        assert refused.value.trouble is Trouble.STRANGER
