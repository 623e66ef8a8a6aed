"""A whole small bank in memory: a log, its signers, two institutions, one transcript.

Everything is real but small: real keys, real manifests, real checkpoints with
both cosignatures, real certificates. Nothing is stored anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certificates import documents, pades, pdf
from certificates.evidence import PROVINCE
from certificates.formats.transcript import TranscriptData, TranscriptLine
from creditbank import trust
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import (
    CreditAwarded,
    EntryReversed,
    Genesis,
    KeyAdded,
    KeyRetired,
    Outcome,
    Reference,
    Result,
    Statement,
    TranscriptIssued,
    award_u,
)
from creditbank.proofs import commitments, merkle, notes, signatures
from creditbank.proofs.bundles import ProofBundle
from creditbank.proofs.manifests import Manifest
from creditbank.signer import certificates as certificate_forms

BANK_ID = "bank.example"
BANK_NAME = "示例省终身教育学分银行"
BANK_NAME_EN = "Lifelong Learning Credit Bank of Example Province"
DID = f"did:web:{BANK_ID}"
PUBLIC_URL = "http://localhost:8000"
BANK_STREAM = f"{BANK_ID}/bank"
COLLEGE = "college.example/2026"
ASSESSOR = "assessor.example/x"
INSTITUTIONS = {
    BANK_STREAM: (BANK_NAME, "1122000001234567XK"),
    COLLEGE: ("示例职业技术学院", "12220000412759476P"),
    ASSESSOR: ("示范智能制造职业教育培训评价组织", "91220101MA0Y1T2K3L"),
}
LEARNER = 0x12_3456_789A_BCDE
OTHER = 0x65_4321_0FED_CBA9
NUMBER = "8ATA-PKYT-W68X"
TOKEN = "q7Rt2XbL9mWc4KfZ8hYp3N"
NOW = datetime.now(UTC).replace(microsecond=0)
"""The certificates begin a day before they are made, so the bank's time is the test's own."""
ISSUED_ON = NOW.astimezone(PROVINCE).date()
SEED = b"tests of certificates, not for trust"


def seed(name: str) -> bytes:
    """Return a fixed 32-byte seed: the same bank in every run."""
    return merkle.leaf_hash(SEED + name.encode())


def p256(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(seed(name), "big") >> 1, ec.SECP256R1())


@dataclass(frozen=True)
class Place:
    """Where an entry of the log comes from."""

    stream: str
    manifest_index: int
    position: int
    opening: bytes


class Bank:
    """The bank. `name` gives its keys: two banks of different names share none."""

    def __init__(self, name: str = "the bank") -> None:
        self.name = name
        self.time = NOW
        self.log = self.signer("log", signatures.ED25519)
        self.cosigner = self.signer("cosigner", signatures.ED25519)
        self.cosigner_pq = self.signer("cosigner-pq", signatures.ML_DSA_44)
        self.document = self.signer("document", signatures.ED25519)
        self.root_key, self.leaf_key = p256(f"{name} root"), p256(f"{name} leaf")
        self.root = certificate_forms.make_root(self.root_key, bank_name=BANK_NAME)
        self.chain = (self.certify(self.leaf_key), self.root)
        self.leaves: list[bytes] = []
        self.places: dict[int, Place] = {}
        self.next_seq: dict[str, int] = {}
        self.previous: dict[str, bytes] = {}
        self.keys: dict[str, list[trust.StreamKey]] = {}
        self.signers: dict[str, signatures.Signer] = {}
        for stream in INSTITUTIONS:
            self.signers[stream] = self.signer(stream, signatures.ED25519)
        self.found()

    def signer(self, name: str, algorithm: str) -> signatures.Signer:
        return signatures.signer(algorithm, seed(f"{self.name} {name}"))

    def certify(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        return certificate_forms.make_leaf(
            key.public_key(),
            bank_name=BANK_NAME,
            public_url=PUBLIC_URL,
            root=self.root,
            root_key=self.root_key,
        )

    def found(self) -> None:
        bank_key = self.signers[BANK_STREAM]
        self.append(
            BANK_STREAM,
            [
                Genesis(
                    bank_id=BANK_ID,
                    stream=BANK_STREAM,
                    algorithm=bank_key.algorithm,
                    public=bank_key.public,
                    log_vkey=self.log_key.vkey,
                )
            ],
        )
        self.keys[BANK_STREAM] = [
            trust.StreamKey(algorithm=bank_key.algorithm, public=bank_key.public, added=1)
        ]
        for stream in (COLLEGE, ASSESSOR):
            self.add_key(stream, self.signers[stream])

    # -- the log --------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        return f"{BANK_ID}/log"

    @property
    def log_key(self) -> notes.NoteKey:
        return notes.NoteSigner(self.origin, notes.ED25519, self.log).key()

    @property
    def cosigner_keys(self) -> tuple[notes.NoteKey, ...]:
        return (
            notes.NoteSigner(f"{BANK_ID}/w", notes.COSIGNATURE, self.cosigner).key(),
            notes.NoteSigner(f"{BANK_ID}/pq", notes.ML_DSA_COSIGNATURE, self.cosigner_pq).key(),
        )

    def append(
        self,
        stream: str,
        statements: Sequence[Statement],
        *,
        signer: signatures.Signer | None = None,
    ) -> int:
        """Enter statements under one manifest; return the index of the first."""
        openings = [statement.opening() for statement in statements]
        first = self.next_seq.get(stream, 0)
        leaves = [
            commitments.leaf(
                commitment=commitments.commitment(opening),
                stream=stream,
                kind=statement.kind,
                seq=first + place,
                quantity=statement.quantity,
                acts_on=statement.acts_on,
            )
            for place, (statement, opening) in enumerate(zip(statements, openings, strict=True))
        ]
        root = merkle.root_of([merkle.leaf_hash(leaf) for leaf in leaves])
        manifest = Manifest(
            stream=stream,
            first=first,
            count=len(leaves),
            root=root,
            previous=self.previous.get(stream, bytes(32)),
        )
        signed = notes.sign_note(
            manifest.text(),
            notes.NoteSigner(stream, notes.ED25519, signer or self.signers[stream]),
        )
        index = len(self.leaves)
        self.leaves += [signed.encode(), *leaves]
        for position, opening in enumerate(openings):
            self.places[index + 1 + position] = Place(stream, index, position, opening)
        self.next_seq[stream] = first + len(leaves)
        self.previous[stream] = root
        return index + 1

    def add_key(self, stream: str, signer: signatures.Signer) -> int:
        index = self.append(
            BANK_STREAM,
            [
                KeyAdded(
                    stream=stream,
                    algorithm=signer.algorithm,
                    public=signer.public,
                    possession=signer.sign(b"-"),
                )
            ],
        )
        self.keys.setdefault(stream, []).append(
            trust.StreamKey(algorithm=signer.algorithm, public=signer.public, added=index)
        )
        return index

    def retire_key(self, stream: str) -> int:
        """Retire a stream's newest key."""
        signer = self.signers[stream]
        index = self.append(
            BANK_STREAM,
            [KeyRetired(stream=stream, algorithm=signer.algorithm, public=signer.public)],
        )
        self.keys[stream][-1] = replace(self.keys[stream][-1], retired=index)
        return index

    def leaf_hash(self, index: int) -> bytes:
        return merkle.leaf_hash(self.leaves[index])

    def checkpoint(self, size: int | None = None) -> notes.SignedNote:
        size = len(self.leaves) if size is None else size
        root = merkle.root_of([merkle.leaf_hash(leaf) for leaf in self.leaves[:size]])
        checkpoint = notes.Checkpoint(self.origin, size, root)
        signed = notes.sign_note(
            checkpoint.text(), notes.NoteSigner(self.origin, notes.ED25519, self.log)
        )
        timestamp = int(self.time.timestamp())
        lines = [
            notes.cosign(checkpoint, name=key.name, signer=signer, timestamp=timestamp)
            for key, signer in zip(
                self.cosigner_keys, (self.cosigner, self.cosigner_pq), strict=True
            )
        ]
        return notes.SignedNote(signed.text, (*signed.lines, *lines))

    def prove(self, index: int, *, disclose: Collection[str] = commitments.PARTS) -> str:
        """Prove an entry under a checkpoint of the whole log; the proof's text."""
        return self.bundle(index, disclose=disclose).encode().decode()

    def bundle(self, index: int, *, disclose: Collection[str] = commitments.PARTS) -> ProofBundle:
        place = self.places[index]
        manifest = notes.SignedNote.parse(self.leaves[place.manifest_index])
        count = Manifest.parse(manifest.text).count
        first = place.manifest_index + 1
        hashed = [merkle.leaf_hash(leaf) for leaf in self.leaves]
        return ProofBundle(
            index=index,
            path=tuple(merkle.inclusion_path(hashed, index)),
            checkpoint=self.checkpoint(),
            kind=commitments.parse_leaf(self.leaves[index]).kind,
            leaf=self.leaves[index],
            manifest=manifest,
            manifest_index=place.manifest_index,
            manifest_path=tuple(
                merkle.inclusion_path(hashed[first : first + count], place.position)
            ),
            position=place.position,
            disclosure=commitments.disclose(place.opening, disclose),
        )

    # -- what the bank publishes ------------------------------------------------------------

    @property
    def method(self) -> str:
        return trust.verification_method(DID, self.document.public)

    def trust_wire(self) -> bytes:
        body = trust.trust_body(
            bank_id=BANK_ID,
            number=1,
            checkpoint=self.checkpoint().encode().decode(),
            log_vkey=self.log_key.vkey,
            cosigner_vkeys=[key.vkey for key in self.cosigner_keys],
            genesis=[self.leaf_hash(0), self.leaf_hash(1)],
            did_documents=[trust.did_document(DID, [self.document.public])],
            pades_roots=[self.root],
            streams=[
                trust.Stream(
                    name=name,
                    institution=INSTITUTIONS[name][0],
                    uscc=INSTITUTIONS[name][1],
                    keys=tuple(keys),
                )
                for name, keys in self.keys.items()
            ],
        )
        return trust.wire(body, self.document.sign)

    def trust(self) -> trust.TrustList:
        return trust.parse_trust(self.trust_wire())

    def status_wire(
        self,
        *,
        revoked: dict[bytes, trust.Revocation] | None = None,
        reversed: dict[bytes, trust.Reversal] | None = None,
        size: int | None = None,
    ) -> bytes:
        body = trust.status_body(
            size=len(self.leaves) if size is None else size,
            at=self.time + timedelta(hours=1),
            revoked=revoked or {},
            reversed=reversed or {},
        )
        return trust.wire(body, self.document.sign)

    def status(self, **changes: object) -> trust.Status:
        return trust.parse_status(self.status_wire(**changes), self.trust())  # type: ignore[arg-type]

    # -- a transcript -----------------------------------------------------------------------

    def award(
        self,
        account: int,
        outcomes: Sequence[tuple[Outcome, Result]],
        *,
        stream: str = COLLEGE,
        signer: signatures.Signer | None = None,
    ) -> int:
        return self.append(
            stream,
            [
                CreditAwarded(
                    account=account,
                    outcome=made,
                    result=result,
                    reference=Reference(u=award_u(body=made.body, item=made.item)),
                    prepared_by="p-1",
                    approved_by="p-2",
                )
                for made, result in outcomes
            ],
            signer=signer,
        )

    def line(self, index: int, *, disclose: Collection[str] = commitments.PARTS) -> TranscriptLine:
        """Return the transcript's line of an entry, as the entry says it."""
        place = self.places[index]
        parts = commitments.disclose(place.opening, commitments.PARTS)
        core, result = parts.part("core"), parts.part("result")
        assert core is not None
        assert result is not None
        return TranscriptLine(
            index=index,
            outcome=Outcome.from_core(dict(core)),
            result=Result.from_part({name: str(value) for name, value in result.items()}),
            state="entered",
            recorded_on=ISSUED_ON,
            institution_name=INSTITUTIONS[place.stream][0],
            proof=self.prove(index, disclose=disclose),
        )

    def data(self, lines: Sequence[TranscriptLine], **changes: object) -> TranscriptData:
        values: dict[str, object] = {
            "number": NUMBER,
            "holder_name": "欧阳𬎆",
            "holder_identity_masked": "2224**********1234",
            "account": format_account(LEARNER),
            "issued_on": ISSUED_ON,
            "issuer_name": BANK_NAME,
            "issuer_name_en": BANK_NAME_EN,
            "bank_did": DID,
            "public_url": PUBLIC_URL,
            "verify_token": TOKEN,
            "lines": tuple(lines),
            **changes,
        }
        return TranscriptData(**values)  # type: ignore[arg-type]

    def register(self, prepared: documents.Prepared, *, number: str = NUMBER) -> int:
        return self.append(BANK_STREAM, [TranscriptIssued(number=number, digest=prepared.digest)])

    def sign_hashes(self, options_hash: bytes, document_hash: bytes) -> bytes:
        return self.document.sign(options_hash + document_hash)

    def sign(self, prepared: documents.Prepared) -> documents.Document:
        return prepared.signed(
            verification_method=self.method,
            created=self.time + timedelta(seconds=5),
            sign=self.sign_hashes,
        )

    def issue(self, data: TranscriptData) -> documents.Document:
        """Register, then sign."""
        prepared = documents.prepare(data)
        index = self.register(prepared, number=data.number)
        return self.sign(prepared.registered(self.prove(index)))

    def sign_attributes(self, attributes: bytes) -> bytes:
        return self.leaf_key.sign(attributes, ec.ECDSA(hashes.SHA256()))

    def print(self, document: documents.Document, data: TranscriptData) -> bytes:
        """Make the signed PDF of a document."""
        return pades.sign(
            pdf.render(document, data),
            sign=self.sign_attributes,
            chain=self.chain,
            name=BANK_NAME,
            attachment=documents.encode(document),
        )

    def reverse(self, index: int, *, stream: str = COLLEGE) -> int:
        leaf = commitments.parse_leaf(self.leaves[index])
        return self.append(
            stream,
            [
                EntryReversed(
                    account=LEARNER,
                    leaf=self.leaf_hash(index),
                    quantity_undone=leaf.quantity,
                    reason="成绩复核更正",
                )
            ],
        )


def outcome(item: str = "CS101", **changes: object) -> Outcome:
    values: dict[str, object] = {
        "item": item,
        "item_version": 1,
        "kind": "course",
        "title": "数据库原理与应用",
        "title_en": "Principles and Applications of Databases",
        "body": INSTITUTIONS[COLLEGE][1],
        "body_name": INSTITUTIONS[COLLEGE][0],
        "credits": Decimal("3.00"),
        "framework": "资历框架",
        "level": "5",
        "category": "degree",
        "completed_on": date(2025, 6, 17),
        **changes,
    }
    return Outcome(**values)  # type: ignore[arg-type]


OUTCOMES = (
    (outcome("CS101"), Result(grade="优秀", score="92")),
    (
        outcome(
            "MA201",
            title="高等数学",
            title_en="",
            credits=Decimal("4.50"),
            category="",
            completed_on=date(2025, 1, 9),
        ),
        Result(score="85.5", hours="72"),
    ),
    (
        outcome(
            "TR300",
            kind="training",
            title="工业机器人系统运维",
            title_en="Maintenance of industrial robots",
            credits=Decimal("2.00"),
            framework="",
            level="",
            valid_until=ISSUED_ON + timedelta(days=900),
        ),
        Result(),
    ),
)
CERTIFICATE = (
    outcome(
        "X-ROBOT-2",
        kind="x-certificate",
        title="工业机器人应用编程（中级）",
        title_en="Industrial robot programming, intermediate",
        body=INSTITUTIONS[ASSESSOR][1],
        body_name=INSTITUTIONS[ASSESSOR][0],
        credits=Decimal("6.00"),
        category="vocational",
    ),
    Result(grade="合格"),
)


@dataclass(frozen=True)
class Genuine:
    """A bank and a transcript it issued, in every form."""

    bank: Bank
    indexes: tuple[int, ...]
    other_index: int
    data: TranscriptData
    document: documents.Document
    json: bytes
    pdf: bytes
    trust: trust.TrustList
    status: trust.Status


CODE = "1C06TSPC6Y87"


@lru_cache(maxsize=1)
def genuine() -> Genuine:
    """Return the genuine transcript that all tests share; nobody changes it."""
    bank = Bank()
    first = bank.award(LEARNER, OUTCOMES)
    certificate = bank.award(LEARNER, [CERTIFICATE], stream=ASSESSOR)
    other = bank.award(OTHER, [(outcome("CS101", credits=Decimal("5.00")), Result(score="99"))])
    indexes = (first, first + 1, first + 2, certificate)
    data = bank.data([bank.line(index) for index in indexes], code=CODE)
    document = bank.issue(data)
    bank.retire_key(ASSESSOR)
    return Genuine(
        bank=bank,
        indexes=indexes,
        other_index=other,
        data=data,
        document=document,
        json=documents.encode(document),
        pdf=bank.print(document, data),
        trust=bank.trust(),
        status=bank.status(),
    )
