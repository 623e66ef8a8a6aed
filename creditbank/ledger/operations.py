"""What can be done with the account book. Each operation is all or nothing, and safe to repeat."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import ClassVar, Final

from django.conf import settings
from django.db import connection, connections

from creditbank.errors import DomainError, Problem
from creditbank.institutions import keys as institution_keys
from creditbank.institutions import queries as institutions
from creditbank.institutions.registry import Registry
from creditbank.ledger import (
    basis,
    groupcommit,
    guard,
    kinds,
    learnerkeys,
    log,
    logkeys,
    queries,
    recognitions,
    reservations,
    sealing,
    shapes,
    submissions,
)
from creditbank.ledger.basis import Basis
from creditbank.ledger.checks import OpeningChecks
from creditbank.ledger.checks import SubmissionRefused as SubmissionRefused
from creditbank.ledger.log import Batch, Idempotency, Receipt
from creditbank.ledger.models import CreditAccount
from creditbank.ledger.numbers import AccountNumberInvalid, new_number, parse_account
from creditbank.ledger.statements import (
    ConsumptionReversed,
    CreditAwarded,
    CreditConsumed,
    CreditExpired,
    CreditPreApproved,
    CreditRecognised,
    EntryReversed,
    Genesis,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    RecognitionReversed,
    RulePublished,
    RuleWithdrawn,
    Statement,
    TranscriptIssued,
    TranscriptRevoked,
    possession_message,
)
from creditbank.proofs import commitments, notes, signatures
from creditbank.proofs.manifests import Manifest
from creditbank.signer.client import SignerClient

INSTITUTION_NONE: Final = 0
"""The bank itself, where an idempotency key needs an institution."""

RELEASE_TRIES: Final = 3
SOURCE_REVERSED: Final = "所使用的学习成果已冲正"
"""Why the bank takes a use back: it stands in the ledger, so it is in the bank's language."""


class KeyNotInForce(DomainError):
    """The manifest is not signed by a key that is in force for its stream."""

    code: ClassVar[str] = "key-not-in-force"


class StreamMode(DomainError):
    """A hosted stream takes no signed submissions; an own-key stream takes nothing else."""

    code: ClassVar[str] = "stream-mode"


class NotReversible(DomainError):
    """The entry is of a kind that is not reversed this way."""

    code: ClassVar[str] = "not-reversible"


def signer() -> SignerClient:
    """Return the client of the signing process."""
    return SignerClient(settings.SIGNER_SOCKET)


def open_accounts(count: int) -> list[int]:
    """Open new accounts (开户) and return their numbers.

    The secrets are durable before the accounts, the accounts before any entry:
    a crash between leaves a secret that nothing was sealed under. Raises LedgerReadOnly.
    """
    guard.refuse_unguarded()
    numbers = [new_number() for _ in range(count)]
    learnerkeys.create(numbers)
    CreditAccount.objects.bulk_create([CreditAccount(number=number) for number in numbers])
    return numbers


def open_account() -> int:
    """Open one account (开户) and return its number."""
    return open_accounts(1)[0]


# -- recording --------------------------------------------------------------------------------
def record_credits(
    *,
    stream: str,
    awards: Sequence[CreditAwarded],
    idempotency_key: str,
    institution_id: int,
    request_digest: bytes | None = None,
) -> Receipt:
    """Enter the credits that a hosted stream awards (存入学分), all of them or none.

    The submission takes the stream's next numbers and is signed by the bank for
    the institution. The same key with the same content returns the receipt of
    the first time; with other content it raises KeyReused. Raises
    SubmissionRefused with every problem of every row, DuplicateOutcome with the
    rows the bank already holds.
    """
    return record_statements(
        stream=stream,
        statements=awards,
        idempotency_key=idempotency_key,
        institution_id=institution_id,
        request_digest=request_digest,
    )


def record_statements(
    *,
    stream: str,
    statements: Sequence[Statement],
    idempotency_key: str,
    institution_id: int,
    request_digest: bytes | None = None,
) -> Receipt:
    """Enter statements of a hosted stream in one submission, in the order given.

    So a retaken course is one submission: the earlier attempt's reversal, then
    the better attempt as the next generation. Raises what `record_credits` raises.
    """
    return _record(
        stream=stream,
        statements=statements,
        institution_id=institution_id,
        key=idempotency_key,
        digest=request_digest,
    )


def _digest_of(openings: Iterable[bytes]) -> bytes:
    """Digest what was asked, without the salts that differ from try to try."""
    said = b"".join(commitments.unsalted(opening) + b"\n" for opening in openings)
    return hashlib.sha256(b"llcb/request/v1\0" + said).digest()


def _record(
    *,
    stream: str,
    statements: Sequence[Statement],
    institution_id: int,
    key: str,
    digest: bytes | None = None,
) -> Receipt:
    openings = [statement.opening() for statement in statements]
    idempotency = Idempotency(
        institution_id=institution_id, key=key, digest=digest or _digest_of(openings)
    )
    return _append(
        lambda held: _hosted_batch(stream, openings, idempotency, held),
        size=sum(map(len, openings)),
    )


def _append(prepare: groupcommit.Prepare, *, size: int) -> Receipt:
    """Append a submission; when it reverses awards that are used, the bank releases them first."""
    try:
        return groupcommit.append(prepare, size=size)
    except log.ActsOnInvalid as refused:
        if all(problem.code != "in-use" for problem in refused.problems):
            raise
        return _append_releasing(prepare, refused)


def _append_releasing(prepare: groupcommit.Prepare, refused: log.ActsOnInvalid) -> Receipt:
    """Append a submission and, in the same transaction before it, the release of what it reverses.

    The recognitions stay as they are until their bodies reverse them. Raises
    the refusal when the submission reverses nothing that is used.
    """
    for _ in range(RELEASE_TRIES):
        held = basis.current()
        batch = prepare(held)
        fallen = _awards_reversed(batch)
        if not fallen:
            break
        uses = recognitions.uses_in_force(fallen).values()
        batches = [batch]
        if uses:
            openings = [use.reversal(reason=SOURCE_REVERSED).opening() for use in uses]
            batches = [_hosted_batch(settings.BANK_STREAM, openings, None, held), batch]
        keys = sealing.keys_for(batches)
        for one in batches:
            sealing.seal(one, keys)
        try:
            return log.append(batches)[-1]
        except log.ActsOnInvalid as error:
            # Used or released by somebody else since we looked: look again.
            refused = error
            released = error.stream == settings.BANK_STREAM
            if not released and all(problem.code != "in-use" for problem in error.problems):
                break
    raise refused


def _awards_reversed(batch: Batch) -> set[tuple[int, bytes]]:
    """Return the awards that a submission reverses: their accounts and leaf hashes."""
    return {
        (account, b64decode(reference["leaf"]))
        for account, (_, core, _, reference, _) in zip(batch.accounts, batch.opened, strict=True)
        if core["k"] == kinds.AWARD_REVERSE.name
    }


def _hosted_batch(
    stream: str, openings: Sequence[bytes], idempotency: Idempotency | None, held: Basis
) -> Batch:
    """Check a hosted submission; its leaves follow when the stream gives it numbers."""
    if not held.register.is_hosted(stream):
        raise StreamMode(stream=stream, expected="hosted")
    opened = submissions.read(openings)
    return Batch(
        stream=stream,
        openings=openings,
        opened=opened,
        accounts=_checked(stream, opened, held),
        sign=_sign_manifest,
        idempotency=idempotency,
    )


def _checked(stream: str, opened: Sequence[commitments.Opened], held: Basis) -> list[int]:
    """Check every row; return the rows' accounts. Raises SubmissionRefused with every problem."""
    accounts, problems = OpeningChecks(stream, held).run(opened)
    problems += shapes.problems(opened)
    if problems:
        problems += _without_account(opened)
        raise SubmissionRefused(sorted(problems, key=lambda found: found.row or 0))
    return accounts


def _without_account(opened: Sequence[commitments.Opened]) -> list[Problem]:
    """Name the rows of well-formed accounts that the bank never opened: told with the rest."""
    wanted: dict[int, int] = {}
    for row, (*_, holder) in enumerate(opened, 1):
        try:
            wanted[row] = parse_account(str(holder.get("a")))
        except AccountNumberInvalid:
            continue
    keys = learnerkeys.keys_of(set(wanted.values()))
    return [
        sealing.no_account(row, opened[row - 1][4].get("a"))
        for row, account in wanted.items()
        if account not in keys
    ]


def _sign_manifest(manifest: Manifest) -> bytes:
    return signer().manifest(manifest)


def prepare_submission(data: bytes, held: Basis) -> Batch:
    """Read, verify and check an own-key submission, without any lock or query.

    Raises SubmissionMalformed, SubmissionTooLarge, UnknownStream, StreamMode,
    KeyNotInForce, SubmissionRefused.
    """
    received = submissions.parse(data)
    manifest = received.manifest
    verify_manifest(received.signed, manifest.stream, held.register)
    leaves = submissions.derive(manifest.stream, manifest.first, received.openings)
    submissions.check_root(received, leaves)
    return Batch(
        stream=manifest.stream,
        openings=received.openings,
        opened=leaves.opened,
        accounts=_checked(manifest.stream, leaves.opened, held),
        note=received.note,
        manifest=manifest,
        leaves=leaves.rows,
    )


def verify_manifest(signed: notes.SignedNote, stream: str, register: Registry) -> None:
    """Check that the stream's own key in force signed the manifest.

    Raises UnknownStream, StreamMode, KeyNotInForce.
    """
    if register.is_hosted(stream):
        raise StreamMode(stream=stream, expected="own")
    keys = register.ask(_keys_in_force, stream)
    if not keys:
        raise KeyNotInForce(stream=stream, reason="no key in force")
    try:
        notes.verify_note(signed, keys)
    except signatures.SignatureInvalid as error:
        raise KeyNotInForce(stream=stream, reason=str(error)) from error


def _keys_in_force(register: Registry, stream: str) -> list[notes.NoteKey]:
    return [
        notes.NoteKey(
            name=stream, type=notes.ED25519, verifier=signatures.verifier(key.algorithm, key.public)
        )
        for key in register.signing_keys(stream)
        if key.in_force
    ]


def record_submission(*, data: bytes) -> Receipt:
    """Enter a submission that an institution signed with its own key, whole or not at all.

    The same submission sent again returns the receipt of the first time; other
    content under numbers already used raises StreamForked, and both manifests
    are kept as evidence. Raises StreamGap, StalePreviousRoot, DuplicateOutcome,
    ActsOnInvalid and all that `prepare_submission` raises. An award that is used
    is released by the bank when the submission reverses it (see `reverse_entry`).
    """
    try:
        return _append(lambda held: prepare_submission(data, held), size=len(data))
    except log.StreamForked:
        received = submissions.parse(data)
        log.keep_fork_evidence(
            stream=received.manifest.stream,
            first_seq=received.manifest.first,
            note=received.note,
        )
        raise


def record_submissions(
    parts: Iterable[Sequence[bytes]],
) -> Iterator[list[Receipt]]:
    """Enter many own-key submissions: each part in one transaction, one part after the other.

    The next part is read, verified and sealed in a thread of its own while the
    present one is being committed. Raises what `record_submission` raises, and
    ActsOnInvalid for a reversal of a used award; the parts before stand.
    """

    def prepare(part: Sequence[bytes]) -> list[Batch]:
        held = basis.current()
        batches = [prepare_submission(data, held) for data in part]
        keys = sealing.keys_for(batches)
        for batch in batches:
            sealing.seal(batch, keys)
        return batches

    with ThreadPoolExecutor(1, thread_name_prefix="prepare") as preparer:
        waiting = iter(parts)
        first = next(waiting, None)
        ahead = preparer.submit(prepare, first) if first is not None else None
        try:
            while ahead is not None:
                batches = ahead.result()
                following = next(waiting, None)
                ahead = preparer.submit(prepare, following) if following is not None else None
                yield log.append(batches)
        finally:
            preparer.submit(connections.close_all).result()


# -- acting on entries ------------------------------------------------------------------------
def reverse_entry(*, index: int, reason: str, order: str = "") -> Receipt:
    """Take an award back (冲正), on the stream that awarded it, or on the bank's by an order.

    When a decision uses the award, the bank's stream reverses that use in the
    same transaction; the recognition stays, marked by `Recognition.fallen`, until
    its own body reverses it. Done twice, it returns the receipt of the first
    time. Raises NotReversible for an entry of another kind, StreamMode for an
    own-key stream (its institution signs reversals itself), ActsOnInvalid when
    the entry has expired.
    """
    found = queries.entry(index)
    if found.kind is not kinds.AWARD:
        raise NotReversible(index=index, kind=found.kind.name)
    stream = settings.BANK_STREAM if order else found.stream
    statement = EntryReversed(
        account=found.account,
        leaf=found.leaf_hash,
        quantity_undone=found.quantity,
        reason=reason,
        order=order,
    )
    return _record(
        stream=stream,
        statements=[statement],
        institution_id=INSTITUTION_NONE,
        key=f"reverse/{found.leaf_hash.hex()}",
        digest=found.leaf_hash,
    )


def expire_credits(*, on: date) -> list[Receipt]:
    """Enter the expiry of every award whose last valid day is before `on`. Done twice, once.

    The bank's stream names each expired entry. Awards that are undone or used
    do not expire, nor do those that an open request asks to use, before it is decided.
    """
    receipts: list[Receipt] = []
    lines = queries.expiring(before=on)
    asked_for = reservations.reserved(line.leaf_hash for line in lines)
    expired = [
        CreditExpired(
            account=line.account,
            leaf=line.leaf_hash,
            quantity_undone=line.quantity,
            valid_until=line.valid_until,
        )
        for line in lines
        if line.leaf_hash not in asked_for
    ]
    for start in range(0, len(expired), submissions.ENTRIES_MAX):
        receipts += _expire(expired[start : start + submissions.ENTRIES_MAX], on)
    return receipts


def _expire(part: Sequence[CreditExpired], on: date) -> list[Receipt]:
    """Enter some expiries; those whose award was undone or used since the look are left out."""
    while part:
        try:
            return [
                _record(
                    stream=settings.BANK_STREAM,
                    statements=part,
                    institution_id=INSTITUTION_NONE,
                    key=f"expire/{on.isoformat()}/{part[0].leaf.hex()}",
                )
            ]
        except log.ActsOnInvalid as refused:
            rows = {problem.row for problem in refused.problems}
            part = [one for row, one in enumerate(part, 1) if row not in rows]
    return []


# -- recognition ------------------------------------------------------------------------------
def recognise(
    *,
    stream: str,
    recognised: CreditRecognised,
    consumed: Sequence[CreditConsumed],
    replacing: Sequence[ConsumptionReversed | RecognitionReversed] = (),
    idempotency_key: str,
    institution_id: int,
) -> Receipt:
    """Enter a decision of the stream's institution (认定学分): what it gives, and what it uses.

    One submission, all or nothing: first what it takes the place of (`replacing`,
    see `Recognition.undoing`), then the recognition, then a use of each award,
    whichever stream recorded it; `recognitions.next_generation` tells a use's
    generation. The same key for the same decision and awards returns the receipt
    of the first time; for others it raises KeyReused. Raises SubmissionRefused,
    StreamMode, DuplicateOutcome when the decision was entered before, and
    ActsOnInvalid for awards that are undone, used, or another person's.
    """
    leaves = b"".join(sorted(use.leaf for use in consumed))
    asked = commitments.unsalted(recognised.opening()) + b"\n" + leaves
    return record_statements(
        stream=stream,
        statements=[*replacing, recognised, *consumed],
        idempotency_key=idempotency_key,
        institution_id=institution_id,
        request_digest=hashlib.sha256(b"llcb/recognise/v1\0" + asked).digest(),
    )


def reverse_recognition(*, index: int, reason: str) -> Receipt:
    """Take a recognition back (冲正认定) on its own stream, with every use that stands under it.

    One submission: the uses' reversals, then the recognition's; the awards are
    free again. Done twice, it returns the receipt of the first time. Raises
    UnknownEntry for an entry that is no recognition, StreamMode for an own-key
    stream, PersonForgotten.
    """
    for last in (False, True):
        found = recognitions.recognition(index)
        try:
            return _record(
                stream=found.stream,
                statements=found.undoing(reason=reason),
                institution_id=INSTITUTION_NONE,
                key=f"reverse/{found.leaf_hash.hex()}",
                digest=found.leaf_hash,
            )
        except log.ActsOnInvalid:
            # One of its awards may have fallen between the look and the lock: look once more.
            if last:
                raise
    raise AssertionError  # pragma: no cover - the loop returns or raises


def pre_approve(*, stream: str, statement: CreditPreApproved) -> Receipt:
    """Enter that the stream's institution commits itself in advance (预认定). Done twice, once.

    Raises KeyReused when the number was used for another content, SubmissionRefused.
    """
    return _record(
        stream=stream,
        statements=[statement],
        institution_id=INSTITUTION_NONE,
        key=f"{statement.kind}/{statement.u}",
    )


# -- rules and programmes ---------------------------------------------------------------------
def publish_document(*, stream: str, statement: RulePublished) -> Receipt:
    """Enter a version of a rule or programme on a stream of its owner (公布). Done twice, once.

    Raises KeyReused when the version was published with another content,
    SubmissionRefused when the stream is not the owner's, StreamMode for an
    own-key stream (its institution signs publications itself).
    """
    return _record_openly(stream, statement)


def withdraw_document(*, stream: str, statement: RuleWithdrawn) -> Receipt:
    """Enter that a published version is withdrawn, on a stream of its owner. Done twice, once.

    Raises what `publish_document` raises, and ActsOnInvalid when the owner has
    not published this version.
    """
    return _record_openly(stream, statement)


# -- public statements ------------------------------------------------------------------------
BankStatement = (
    TranscriptIssued | TranscriptRevoked | KeyAdded | KeyRetired | KeyCompromised | Genesis
)
PublicStatement = BankStatement | RulePublished | RuleWithdrawn


def record_public(statement: BankStatement) -> Receipt:
    """Enter a statement of the bank itself, opening in clear. Done twice, entered once."""
    return _record_openly(settings.BANK_STREAM, statement)


def _record_openly(stream: str, statement: PublicStatement) -> Receipt:
    return _record(
        stream=stream,
        statements=[statement],
        institution_id=INSTITUTION_NONE,
        key=f"public/{statement.kind}/{statement.u}",
    )


def add_key(*, stream: str, algorithm: str, public: bytes, possession: bytes) -> Receipt:
    """Enter a stream's signing key with proof of possession; it is in force from there on.

    Raises KeyNotInForce when the proof does not verify or the key is unusable.
    """
    try:
        signatures.verifier(algorithm, public).verify(
            possession_message(stream, public), possession
        )
    except (signatures.SignatureInvalid, signatures.KeyInvalid) as error:
        raise KeyNotInForce(stream=stream, reason=f"proof of possession: {error}") from error
    log.open_stream(stream)
    receipt = record_public(
        KeyAdded(stream=stream, algorithm=algorithm, public=public, possession=possession)
    )
    institution_keys.index_key_added(stream, algorithm, public, receipt.first_index)
    return receipt


def retire_key(*, stream: str, public: bytes) -> Receipt:
    """Enter that a key signs nothing more; what it signed before stays good."""
    key = institutions.key(stream, public)
    receipt = record_public(KeyRetired(stream=stream, algorithm=key.algorithm, public=public))
    institution_keys.index_key_retired(stream, public, receipt.first_index)
    return receipt


def declare_key_compromised(*, stream: str, public: bytes, from_index: int) -> Receipt:
    """Enter that a key was in other hands from a log index on; it is also retired."""
    key = institutions.key(stream, public)
    receipt = record_public(
        KeyCompromised(stream=stream, algorithm=key.algorithm, public=public, from_index=from_index)
    )
    institution_keys.index_key_compromised(stream, public, receipt.first_index, from_index)
    return receipt


def found_bank() -> Receipt:
    """Enter the bank's genesis at indexes 0 and 1. Done twice, entered once.

    The genesis names the key of the bank's own stream and the log's verifier
    key; the trust list pins both leaves.
    """
    log.open_stream(settings.BANK_STREAM)
    client = signer()
    logkeys.keep(client)
    key = client.stream_key(settings.BANK_STREAM)
    institution_keys.index_bank_stream(settings.BANK_STREAM)
    receipt = record_public(
        Genesis(
            bank_id=settings.BANK_ID,
            stream=settings.BANK_STREAM,
            algorithm=key.algorithm,
            public=key.public,
            log_vkey=client.public().log_vkey,
        )
    )
    if receipt.manifest_index != 0:
        raise DomainError("the genesis must be the first entry", index=receipt.manifest_index)
    institution_keys.index_key_added(
        settings.BANK_STREAM, key.algorithm, key.public, receipt.first_index
    )
    return receipt


def head_size() -> int:
    """Return how many leaves have been committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT size FROM ledger_head WHERE id = 1")
        return int(cursor.fetchone()[0])
