"""What the register says to rows: all problems of all rows at once, and what each row would do.

Each row ends in exactly one of four places: new, held (a course taken again),
unchanged (the bank holds just this) or among the problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from creditbank.errors import Problem
from creditbank.institutions import certificates
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import CatalogueItem, Institution, RecordingScope
from creditbank.recording import cells, holdings, people, retakes
from creditbank.recording.holdings import Holding, Pair
from creditbank.recording.people import Known
from creditbank.recording.problems import problem
from creditbank.recording.rows import REFERENCES, RawRow, Row, read_row
from creditbank.users import persons
from creditbank.users.models import User
from learners import sealing
from learners.identity import names_match
from learners.models import Learner

STEP: Final = 250
"""After how many rows the progress is told."""

Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A row that can be entered, and how.

    `account` is None for a person whom the bank does not know yet. `replaces`
    is the earlier attempt at a course that this better one takes the place of;
    `retake` tells that there was one, better or not.
    """

    row: Row
    item: CatalogueItem
    digest: bytes = field(repr=False)
    learner: Learner | None
    account: int | None
    u: str
    credits: Decimal
    retake: bool = False
    replaces: Holding | None = None


@dataclass(frozen=True, kw_only=True)
class Unchanged:
    """A row that the bank already holds word for word, and the log index it stands at."""

    row: Row
    account: int
    index: int


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of all rows."""

    total: int
    new: tuple[Accepted, ...] = ()
    held: tuple[Accepted, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def accepted(self) -> tuple[Accepted, ...]:
        """What can be entered, in the order of the rows."""
        return tuple(sorted(self.new + self.held, key=lambda accepted: accepted.row.number))

    @property
    def refused_rows(self) -> tuple[int, ...]:
        """The numbers of the rows that have a problem."""
        return tuple(sorted({found.row for found in self.problems if found.row is not None}))


def check_rows(
    institution: Institution,
    rows: Sequence[RawRow],
    on: date,
    *,
    stream: str = "",
    acting: Iterable[User] = (),
    progress: Progress | None = None,
) -> Checked:
    """Check rows that an institution would record on the day `on`.

    `stream` is the stream they would be entered in, `acting` are those who
    prepare and approve them: nobody awards credits to themselves. Row numbers
    must differ. Nothing is written.
    """
    check = _Check(institution, on, stream, tuple(acting))
    read = [check.read(raw) for raw in _told(rows, progress)]
    check.look_up([row for row in read if row is not None])
    return check.result(len(rows))


def _told(rows: Sequence[RawRow], progress: Progress | None) -> Iterable[RawRow]:
    for done, raw in enumerate(rows):
        if progress is not None and done % STEP == 0:
            progress(done)
        yield raw


class _Items:
    """The catalogue as far as the rows name it: each code is looked up once."""

    def __init__(self) -> None:
        self._versions: dict[str, list[CatalogueItem]] = {}

    def on(self, code: str, day: date) -> tuple[CatalogueItem | None, str, str]:
        """Return the version in force on a day; or None, a problem's code and what was expected."""
        if code not in self._versions:
            self._versions[code] = institutions.item_versions(code)
        versions = self._versions[code]
        if not versions:
            return None, "unknown-item", ""
        approved = [item for item in versions if item.is_in_catalogue]
        if not approved:
            return None, "item-not-approved", ""
        for item in approved:
            if item.valid_from <= day <= _last_day(item):
                return item, "", ""
        newest = approved[-1]
        last = newest.withdrawn_on or newest.valid_until
        until = last.isoformat() if last else ""
        return None, "item-not-in-force", f"{newest.valid_from.isoformat()} – {until}"


def _last_day(item: CatalogueItem) -> date:
    last = item.valid_until or date.max
    if item.withdrawn_on is not None and item.withdrawn_on <= last:
        # The day of withdrawal itself is no longer covered.
        return date.fromordinal(item.withdrawn_on.toordinal() - 1)
    return last


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A row that is good in itself, its item, and the digest of its person."""

    row: Row
    item: CatalogueItem
    digest: bytes

    @property
    def base(self) -> str:
        return self.row.base(self.item.kind, self.item.body_uscc)

    @property
    def attempt(self) -> str:
        return self.row.attempt_base(self.item.kind, self.item.body_uscc)

    @property
    def credits(self) -> Decimal:
        assert self.item.approved_credits is not None
        return self.item.approved_credits


class _Check:
    """One check of one set of rows."""

    def __init__(
        self, institution: Institution, on: date, stream: str, acting: tuple[User, ...]
    ) -> None:
        self._institution = institution
        self._on = on
        self._stream = stream
        self._acting = acting
        self._items = _Items()
        self._scopes: list[RecordingScope] = institutions.scopes(institution)
        self._candidates: list[_Candidate] = []
        self._known: dict[bytes, Known] = {}
        self._held: dict[Pair, list[Holding]] = {}
        self._new: list[Accepted] = []
        self._retaken: list[Accepted] = []
        self._unchanged: list[Unchanged] = []
        self._problems: list[Problem] = []

    # -- the row and the catalogue ------------------------------------------------------------
    def read(self, raw: RawRow) -> Row | None:
        """Read a row; what is wrong with it is noted."""
        row, problems = read_row(raw, self._on)
        self._problems += problems
        if row is None:
            self._check_item_alone(raw)
        return row

    def _check_item_alone(self, raw: RawRow) -> None:
        """Look an item up also where the rest of the row is bad, so that all is told at once."""
        day: date | None = None
        try:
            code = cells.read_part(raw.of("item"))
            day = cells.read_date(raw.of("completed_on"), serials=raw.serials)
        except cells.Unreadable as error:
            if error.code != "date-unreadable":
                return
        if not code:
            return
        is_day = day is not None and cells.EARLIEST <= day <= self._on
        item, found, expected = self._items.on(code, day if day and is_day else self._on)
        if item is None and (is_day or found != "item-not-in-force"):
            self._problems.append(problem(found, raw.number, "item", code, expected))

    def look_up(self, rows: Sequence[Row]) -> None:
        """Ask the register about rows that are good in themselves."""
        candidates = [self._candidate(row) for row in rows]
        self._candidates = [candidate for candidate in candidates if candidate is not None]
        self._known = people.known({one.digest for one in self._candidates})
        self._candidates = self._without_repetition(self._candidates)
        self._held = holdings.held(self._pairs())
        for candidate in self._candidates:
            self._place(candidate)

    def _candidate(self, row: Row) -> _Candidate | None:
        before = len(self._problems)
        digest = sealing.identity_digest(row.document)
        item, code, expected = self._items.on(row.item, row.completed_on)
        if item is None:
            self._add(code, row, "item", row.item, expected)
            return None
        row = self._with_certificate(row, item)
        self._check_references(row, item)
        if item.kind in institutions.OWNED_KINDS and item.institution_id != self._institution.pk:
            self._add("not-own-item", row, "item", row.item, item.body_name)
        if not self._in_scope(item.kind, row.completed_on):
            self._add("outside-scope", row, "completed_on", row.completed_on.isoformat())
        if row.credits is not None and row.credits != item.approved_credits:
            self._add("credits-differ", row, "credits", row.credits, item.approved_credits)
        if len(self._problems) > before:
            return None
        return _Candidate(row=row, item=item, digest=digest)

    def _with_certificate(self, row: Row, item: CatalogueItem) -> Row:
        try:
            number = certificates.check_number(item.kind, row.certificate)
            if item.kind == OutcomeKind.SKILL_LEVEL:
                level = certificates.parse_skill_number(number).level
                if level and level != item.skill_level:
                    self._add("certificate-level", row, "certificate", level, item.skill_level)
        except certificates.CertificateNumberInvalid as error:
            reason = str(error.facts["reason"])
            expected = str(error.facts.get("expected", ""))
            self._add(f"certificate-{reason}", row, "certificate", row.certificate, expected)
            return row
        return replace(row, certificate=number)

    def _check_references(self, row: Row, item: CatalogueItem) -> None:
        for name in REFERENCES[item.kind]:
            # A missing certificate number has been told, in words of its own.
            if name != "certificate" and not getattr(row, name):
                self._add("reference-missing", row, name)

    def _in_scope(self, kind: str, day: date) -> bool:
        return self._institution.is_active and any(
            scope.outcome_kind == kind
            and scope.valid_from <= day
            and (scope.valid_until is None or day <= scope.valid_until)
            for scope in self._scopes
        )

    # -- the people and the rest of the file --------------------------------------------------
    def _without_repetition(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """Keep the rows whose person is in order and that repeat no row before them."""
        first: dict[tuple[bytes, str], int] = {}
        named: dict[bytes, Row] = {}
        kept = []
        for candidate in candidates:
            row, before = candidate.row, len(self._problems)
            self._check_person(candidate, named.setdefault(candidate.digest, row))
            earlier = first.setdefault((candidate.digest, candidate.base), row.number)
            if earlier != row.number:
                self._add("duplicate-in-file", row, "item", row.item, earlier)
            if len(self._problems) == before:
                kept.append(candidate)
        return kept

    def _check_person(self, candidate: _Candidate, first: Row) -> None:
        row = candidate.row
        known = self._known.get(candidate.digest)
        if known is not None and not names_match(row.name, known.name):
            masked = cells.mask_name(known.name)
            self._add("name-differs", row, "name", cells.mask_name(row.name), masked)
        elif known is None and not names_match(row.name, first.name):
            self._add("name-differs-in-file", row, "name", cells.mask_name(row.name), first.number)
        if any(self._is_own(user, candidate.digest, known) for user in self._acting):
            self._add("own-award", row, "number", row.document.masked)

    @staticmethod
    def _is_own(user: User, digest: bytes, known: Known | None) -> bool:
        if user.person_digest is not None and bytes(user.person_digest) == digest:
            return True
        holder = known.learner.user if known is not None else None
        return holder is not None and persons.are_one(holder, user)

    # -- what the bank holds ------------------------------------------------------------------
    def _pairs(self) -> set[Pair]:
        pairs: set[Pair] = set()
        for candidate in self._candidates:
            known = self._known.get(candidate.digest)
            for account in known.accounts if known else ():
                pairs.add((account, candidate.base))
                if candidate.item.kind == OutcomeKind.COURSE and candidate.row.term:
                    pairs.add((account, candidate.attempt))
        return pairs

    def _chain(self, known: Known | None, base: str) -> list[Holding]:
        accounts = known.accounts if known else ()
        return [one for account in accounts for one in self._held.get((account, base), [])]

    def _place(self, candidate: _Candidate) -> None:
        known = self._known.get(candidate.digest)
        chain = self._chain(known, candidate.base)
        standing = next((holding for holding in chain if not holding.undone), None)
        if standing is None:
            self._accept(candidate, known, candidate.base, self._new)
        elif _says_the_same(candidate, standing):
            self._leave(candidate.row, standing)
        elif candidate.item.kind == OutcomeKind.COURSE:
            self._retake(candidate, known, chain, standing)
        else:
            self._differs(candidate, standing)

    def _retake(
        self,
        candidate: _Candidate,
        known: Known | None,
        chain: Sequence[Holding],
        standing: Holding,
    ) -> None:
        """Settle a course that the bank holds with another result: an attempt, old, better or not."""
        row = candidate.row
        replaced = next((one for one in chain if _says_the_same(candidate, one)), None)
        attempts = self._chain(known, candidate.attempt) if row.term else []
        entered = next((one for one in attempts if not one.undone), None)
        if replaced is not None:
            self._leave(row, replaced)
        elif entered is not None and _says_the_same(candidate, entered):
            self._leave(row, entered)
        elif entered is not None or not _is_another_attempt(row, standing):
            # Of one day, or with one result: a correction, and that begins with a reversal.
            self._differs(candidate, entered or standing)
        elif not row.term:
            self._add("term-missing", row, "term")
        else:
            result = (standing.said("result", "grade"), standing.said("result", "score"))
            better = retakes.is_better((row.grade, row.score), result)
            if better is None:
                shown = " ".join(text for text in (row.score, row.grade) if text)
                held = " ".join(text for text in reversed(result) if text)
                self._add("retake-not-comparable", row, "score", shown, held)
            elif not better:
                self._accept(candidate, known, candidate.attempt, self._retaken, counts=False)
            elif standing.stream != self._stream:
                self._add("held-elsewhere", row, "item", row.item, standing.stream)
            else:
                self._accept(candidate, known, candidate.base, self._retaken, replaces=standing)

    def _accept(
        self,
        candidate: _Candidate,
        known: Known | None,
        base: str,
        among: list[Accepted],
        *,
        counts: bool = True,
        replaces: Holding | None = None,
    ) -> None:
        row = candidate.row
        if counts and retakes.is_failed(row.grade, row.score):
            field_name = "grade" if retakes.is_failed(row.grade, "") else "score"
            self._add("not-passed", row, field_name, getattr(row, field_name))
            return
        account: int | None = None
        if known is not None:
            # A further generation stays in the account that holds the one before it.
            chain = self._chain(known, base)
            account = chain[-1].account if chain else known.accounts[0]
            if replaces is not None:
                account = replaces.account
        generation = 1
        if account is not None:
            generation = len(self._held.get((account, base), [])) + 1
        among.append(
            Accepted(
                row=row,
                item=candidate.item,
                digest=candidate.digest,
                learner=known.learner if known else None,
                account=account,
                u=f"{base}/{generation}",
                credits=candidate.credits if counts else Decimal("0.00"),
                retake=among is self._retaken,
                replaces=replaces,
            )
        )

    def _leave(self, row: Row, holding: Holding) -> None:
        self._unchanged.append(Unchanged(row=row, account=holding.account, index=holding.index))

    def _differs(self, candidate: _Candidate, holding: Holding) -> None:
        name, value, expected = _first_difference(candidate, holding)
        self._add("already-held", candidate.row, name, value, f"{expected} (#{holding.index})")

    # -- the answer ---------------------------------------------------------------------------
    def _add(
        self, code: str, row: Row, name: str, value: object = "", expected: object = ""
    ) -> None:
        self._problems.append(problem(code, row.number, name, value, expected))

    def result(self, total: int) -> Checked:
        """Return what became of the rows."""
        return Checked(
            total=total,
            new=tuple(self._new),
            held=tuple(self._retaken),
            unchanged=tuple(self._unchanged),
            problems=tuple(sorted(self._problems, key=lambda found: found.row or 0)),
        )


def _members(candidate: _Candidate) -> list[tuple[str, str, str, str]]:
    """Return what a row says, to be compared: field, part and member of the opening, value."""
    row = candidate.row
    said = [
        ("grade", "result", "grade", row.grade),
        ("score", "result", "score", row.score),
        ("hours", "result", "hours", row.hours),
        ("certificate", "reference", "certificate", row.certificate),
        ("batch", "reference", "batch", row.batch),
    ]
    if candidate.item.kind == OutcomeKind.COURSE:
        said.append(("term", "reference", "occurrence", row.term))
    return said


def _first_difference(candidate: _Candidate, holding: Holding) -> tuple[str, str, str]:
    """Return the first field in which a row contradicts an entry: field, value, value held.

    What the row leaves blank contradicts nothing.
    """
    day = candidate.row.completed_on
    if holding.completed_on != day:
        return "completed_on", day.isoformat(), holding.completed_on.isoformat()
    for name, part, member, value in _members(candidate):
        if value and value != holding.said(part, member):
            return name, value, holding.said(part, member)
    return "", "", ""


def _says_the_same(candidate: _Candidate, holding: Holding) -> bool:
    return _first_difference(candidate, holding) == ("", "", "")


def _is_another_attempt(row: Row, holding: Holding) -> bool:
    """Say whether a row has another day and another result than an entry."""
    return row.completed_on != holding.completed_on and (row.grade, row.score) != (
        holding.said("result", "grade"),
        holding.said("result", "score"),
    )
