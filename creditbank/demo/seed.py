"""The demo's seeding: the cast goes through the same operations as everybody.

It is a list of steps. Each can be done twice and changes nothing the second
time; the job's row says how many are done, so that a run that was cut short is
taken up where it was. After the last, a further run only looks whether the
accounts' passwords still hold.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar, Final

from django.db import connection

from certificates import operations as certificates
from certificates import queries as transcripts
from certificates.models import TranscriptState
from creditbank.clock import today
from creditbank.demo import cast, outcomes, ownkey, rulebook
from creditbank.demo.accounts import ROLES, Accounts
from creditbank.demo.casework import ASKING, Casework
from creditbank.demo.cast import ASSESSOR, AUTHORITY, COLLEGE, RECORDING, SIGNING, TRAINER
from creditbank.demo.files import Files
from creditbank.demo.items import CATALOGUE_FROM, ITEMS
from creditbank.demo.outcomes import lines_of, raw_rows
from creditbank.demo.people import CLASSMATE, LEARNER, NEWCOMER, WAITING, Person
from creditbank.errors import DomainError
from creditbank.institutions import operations as institutions
from creditbank.institutions import queries as register
from creditbank.institutions.kinds import ItemStatus, Role, StreamMode
from creditbank.institutions.models import Member, Stream
from creditbank.jobs import progress
from creditbank.jobs.models import Job, JobState
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.recording import operations as recording
from creditbank.recording import queries as drafts
from creditbank.recording import sealing as sealed_files
from creditbank.recording import uploads
from creditbank.recording.errors import NothingNew
from creditbank.recording.files import read_table
from creditbank.recording.models import Draft, DraftState, Upload
from creditbank.recording.rows import RawRow
from creditbank.users.models import User
from creditbank.users.operations import open_user
from learners import operations as learners
from learners import proofs
from learners import queries as people
from learners.identity import IdentityDocument
from learners.models import ClaimCode, Learner
from learners.sealing import identity_digest

logger = logging.getLogger(__name__)

KIND: Final = "demo-seed"
LOCK: Final = 0x6C6C6362_64656D6F
"""The advisory lock of seeding: two runs at once would prepare the same drafts."""

TRANSCRIPTS: Final = 2
MISTAKEN: Final = "录入有误：该学生未选修本课程"

Tell = Callable[[str], None]


class AlreadySeeding(DomainError):
    """Another process is seeding this database."""

    code: ClassVar[str] = "already-seeding"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of seeding: what the home page and the terminal say, and what is done."""

    text: str
    text_en: str
    run: Callable[[], None]


def seed(folder: Path, tell: Tell) -> bool:
    """Seed the database, or go on where a run was cut short; False when that was done before.

    `folder` is the demo's folder; `tell` is told each step in a line. Raises
    AlreadySeeding and whatever an operation raises; then the job has failed and
    the next run goes on at the same step.
    """
    with _alone():
        folder.mkdir(parents=True, exist_ok=True)
        seeding = Seeding(folder)
        job = progress.newest(KIND)
        if job is not None and job.state == JobState.SUCCEEDED:
            seeding.look_after_accounts()
            return False
        seeding.run(_taken_up(job, len(seeding.steps)), tell)
        return True


def _taken_up(job: Job | None, total: int) -> Job:
    """Return the job to go on with: the one that was cut short, or a new one at the same step."""
    if job is None or job.total != total:
        return progress.create(KIND, total=total)
    if job.state == JobState.FAILED:
        again = progress.create(KIND, total=total)
        progress.step(again.pk, done=job.done)
        again.done = job.done
        return again
    return job


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other runs out: by a lock of the session, which goes when the process goes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadySeeding("another process is seeding this database")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


class Seeding:
    """One run over one database and one folder."""

    def __init__(self, folder: Path) -> None:
        self._files = Files(folder)
        self._accounts = Accounts.open(folder)
        self._casework = Casework(self._member, folder)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        return (
            Step(text="建立登记簿的起点", text_en="genesis", run=self._found),
            Step(text="登记机构及其记录范围", text_en="institutions", run=self._institutions),
            Step(text="登记机构人员", text_en="staff", run=self._staff),
            Step(text="登记各机构的密钥", text_en="keys", run=self._keys),
            Step(text="核定学习成果名录", text_en="catalogue", run=self._catalogue),
            Step(text="写出机构报送的文件", text_en="files", run=self._files.write),
            *(
                Step(
                    text=f"存入学习成果：{institution.name}",
                    text_en=f"outcomes: {institution.name_en}",
                    run=partial(self._record, institution.slug),
                )
                for institution in RECORDING
            ),
            Step(text="存入重修成绩", text_en="courses taken again", run=self._retakes),
            Step(text="冲正误录", text_en="reversals", run=self._reversals),
            Step(text="登记到期失效", text_en="expiry", run=self._expiry),
            Step(text="开立演示账户", text_en="accounts", run=self._learner_accounts),
            Step(text="发放认领码", text_en="claim codes", run=self._claim_codes),
            Step(text="发布专业培养方案", text_en="programmes", run=self._programmes),
            Step(text="发布认定规则", text_en="rules", run=self._rules),
            Step(text="添加学习目标", text_en="goals", run=self._casework.goals),
            Step(text="提交认定申请", text_en="requests", run=self._casework.requests),
            Step(text="作出认定决定", text_en="decisions", run=self._casework.decisions),
            Step(text="办理复议", text_en="appeals", run=self._casework.appeals),
            Step(text="作出预认定", text_en="pre-approvals", run=self._casework.pre_approvals),
            Step(text="冲正依据及其认定", text_en="a source reversed", run=self._casework.fallen),
            Step(text="写出认定决定", text_en="decision files", run=self._casework.files),
            Step(text="出具学分证明", text_en="transcripts", run=self._transcripts),
            Step(text="准备一份待复核的草稿", text_en="a waiting draft", run=self._waiting_draft),
        )

    def run(self, job: Job, tell: Tell) -> None:
        """Do the steps that are not done, each told before it begins."""
        total = len(self.steps)
        for number, step in enumerate(self.steps[job.done :], job.done):
            # In both languages: the row is read by whoever opens the home page meanwhile.
            text = f"{step.text} / {step.text_en}"
            progress.step(job.pk, text=text, done=number)
            started = time.monotonic()
            tell(f"[{number + 1:2}/{total}] {text}")
            try:
                step.run()
            except Exception as error:
                progress.fail(job.pk, getattr(error, "code", "") or "demo-seed-failed")
                raise
            logger.debug("step %s took %.2f s", number, time.monotonic() - started)
        progress.succeed(job.pk, entries=ledger.head_size())

    # -- institutions, people, catalogue ------------------------------------------------------
    def _found(self) -> None:
        ledger.found_bank()

    def _institutions(self) -> None:
        for one in cast.INSTITUTIONS:
            try:
                institution = register.institution(one.slug)
            except register.UnknownInstitution:
                institution = institutions.found_institution(
                    slug=one.slug,
                    name=one.name,
                    name_en=one.name_en,
                    name_ko=one.name_ko,
                    kind=one.kind,
                    uscc=one.uscc,
                    region=one.region,
                    industry=one.industry,
                    opened_on=cast.SCOPE_FROM,
                )
            granted = {scope.outcome_kind for scope in register.scopes(institution)}
            for kind in one.scopes:
                if kind not in granted:
                    institutions.grant_scope(
                        institution=institution, outcome_kind=kind, valid_from=cast.SCOPE_FROM
                    )

    def _staff(self) -> None:
        for one in cast.INSTITUTIONS:
            institution = register.institution(one.slug)
            for who in one.staff:
                user = self._user(who.username, f"{one.name}·{who.role.label}")
                if register.membership(user, institution) is None:
                    institutions.add_member(
                        institution=institution,
                        user=user,
                        role=who.role,
                        acting_user=None,
                        person_digest=identity_digest(who.document),
                    )

    def _user(self, username: str, display_name: str = "") -> User:
        """Find or open a user; those whose password is not in the file cannot sign in."""
        user = User.objects.filter(username=username).first()
        password = self._accounts.passwords.get(username)
        if user is None:
            return open_user(username=username, password=password, display_name=display_name)
        if password is not None and not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        return user

    def _keys(self) -> None:
        for one in SIGNING:
            institution = register.institution(one.slug)
            mode = StreamMode.OWN if one.own_key else StreamMode.HOSTED
            stream = institutions.add_stream(
                institution=institution, name=one.stream, mode=mode, acting_user=None
            )
            if one.own_key:
                self._files.own_key.mkdir(mode=0o700, parents=True, exist_ok=True)
                ownkey.enter_key(stream, self._files.own_key)
                continue
            key = ledger.signer().stream_key(one.stream)
            ledger.add_key(
                stream=one.stream,
                algorithm=key.algorithm,
                public=key.public,
                possession=key.possession,
            )

    def _catalogue(self) -> None:
        """Let each institution propose its items, and the authority approve them."""
        approver = self._member(AUTHORITY, Role.REVIEWER).user
        for item in ITEMS:
            clerk = self._member(item.owner, Role.CLERK)
            versions = register.item_versions(item.code)
            held = (
                versions[0]
                if versions
                else institutions.propose_item(
                    institution=clerk.institution,
                    code=item.code,
                    kind=item.kind,
                    title=item.title,
                    title_en=item.title_en,
                    proposed_credits=item.credits,
                    valid_from=CATALOGUE_FROM,
                    level=item.level,
                    category=item.category,
                    hours=Decimal(item.hours) if item.hours else None,
                    standard=item.more.get("standard", ""),
                    standard_version=item.more.get("standard_version", ""),
                    x_level=item.more.get("x_level", ""),
                    skill_level=item.more.get("skill_level", ""),
                    fields=item.fields,
                    acting_user=clerk.user,
                )
            )
            if held.status == ItemStatus.PROPOSED:
                institutions.approve_item(
                    item=held, approved_credits=item.credits, acting_user=approver
                )

    @cached_property
    def _members(self) -> dict[tuple[str, str], Member]:
        return {
            (member.institution.slug, member.role): member
            for one in cast.INSTITUTIONS
            for who in one.staff
            for member in register.memberships(User.objects.get(username=who.username))
        }

    def _member(self, slug: str, role: Role) -> Member:
        return self._members[slug, role]

    # -- recording ----------------------------------------------------------------------------
    def _record(self, slug: str) -> None:
        if slug == COLLEGE:
            self._record_workbook()
        elif slug == ASSESSOR:
            table = read_table(self._files.csv.read_bytes())
            self._record_rows(slug, list(table.rows))
        elif slug == TRAINER:
            ownkey.submit(
                institution=register.institution(slug),
                stream=self._stream(slug),
                rows=raw_rows(lines_of(slug)),
                staff=(self._member(slug, Role.CLERK), self._member(slug, Role.REVIEWER)),
                folder=self._files.own_key,
            )
        else:
            self._record_rows(slug, raw_rows(lines_of(slug)))

    @staticmethod
    def _stream(slug: str) -> Stream:
        return register.stream(cast.BY_SLUG[slug].stream)

    def _record_workbook(self) -> None:
        """Hand the college's workbook in as on the upload page, and have it approved."""
        clerk = self._member(COLLEGE, Role.CLERK)
        data = self._files.workbook.read_bytes()
        upload = Upload.objects.filter(
            institution=clerk.institution, digest=sealed_files.content_digest(data)
        ).first()
        if upload is None:
            upload = uploads.start_upload(
                institution=clerk.institution,
                stream=self._stream(COLLEGE),
                name=self._files.workbook.name,
                data=data,
                acting_user=clerk.user,
            )
        # A worker may be at it as well; whoever is first, the answer is the same.
        uploads.check_upload(upload.pk)
        upload = drafts.upload(clerk.institution, upload.pk)
        if upload.draft is not None and upload.draft.is_recorded:
            return
        try:
            draft = upload.draft
            if draft is None or draft.is_open:
                draft = uploads.submit_upload(upload=upload, acting_user=clerk.user)
        except NothingNew:
            return
        self._approve(draft)

    def _record_rows(self, slug: str, rows: list[RawRow]) -> None:
        """Have rows prepared by the clerk and approved by the reviewer."""
        draft = self._prepared(slug, rows)
        if draft is not None:
            self._approve(draft)

    def _prepared(self, slug: str, rows: list[RawRow]) -> Draft | None:
        """Return the draft of rows, handed in; None when the bank holds all of them."""
        clerk = self._member(slug, Role.CLERK)
        draft = self._left_over(clerk, rows)
        if draft is None:
            try:
                draft = recording.prepare_draft(
                    institution=clerk.institution,
                    stream=self._stream(slug),
                    rows=rows,
                    acting_user=clerk.user,
                )
            except NothingNew:
                return None
        if draft.is_open:
            draft = recording.submit_draft(draft=draft, acting_user=clerk.user)
        return draft

    @staticmethod
    def _left_over(clerk: Member, rows: list[RawRow]) -> Draft | None:
        """Find the draft that a run which was cut short has left."""
        wanted = {(row.number, row.of("item")) for row in rows}
        left = Draft.objects.filter(
            institution=clerk.institution,
            prepared_by=clerk.user,
            state__in=[DraftState.DRAFT, DraftState.SUBMITTED, DraftState.APPROVED],
            manifest_index__isnull=True,
        )
        for draft in left:
            if {(row.number, row.of("item")) for row in drafts.rows_of(draft)} <= wanted:
                return draft
        return None

    def _approve(self, draft: Draft) -> None:
        reviewer = self._member(draft.institution.slug, Role.REVIEWER)
        recording.approve_draft(draft=draft, acting_user=reviewer.user)

    def _retakes(self) -> None:
        self._record_rows(COLLEGE, raw_rows(outcomes.retakes()))

    def _reversals(self) -> None:
        reviewer = self._member(COLLEGE, Role.REVIEWER)
        for person, item in outcomes.mistaken():
            for line in entries.statement(people.accounts_of(self._learner(person.document))):
                if line.outcome is not None and line.outcome.item == item.code:
                    recording.reverse_record(
                        institution=reviewer.institution,
                        index=line.index,
                        reason=MISTAKEN,
                        acting_user=reviewer.user,
                    )

    def _expiry(self) -> None:
        for receipt in ledger.expire_credits(on=today()):
            entries.wait_until_published(receipt.size)

    def _waiting_draft(self) -> None:
        self._prepared(COLLEGE, raw_rows(outcomes.waiting_lines()))

    # -- learners -----------------------------------------------------------------------------
    @staticmethod
    def _learner(document: IdentityDocument) -> Learner:
        learner = people.by_identity(document)
        assert learner is not None
        return learner

    def _learner_accounts(self) -> None:
        """Open accounts for those who sign in as learners: with a claim code, as everybody."""
        if people.by_identity(NEWCOMER.document) is None:
            learners.register_learner(document=NEWCOMER.document, name=NEWCOMER.name)
        self._claimed("learner", LEARNER)
        self._claimed("classmate", CLASSMATE)
        self._claimed("newcomer", NEWCOMER)
        for person in ASKING:
            self._claimed(f"person-{person.number:02}", person)
        self._user("visitor")

    def _claimed(self, username: str, person: Person) -> None:
        user = self._user(username)
        learner = self._learner(person.document)
        if learner.is_waiting:
            clerk = self._member(COLLEGE, Role.CLERK).user
            learners.claim(user=user, code=learners.issue_claim_code(learner, clerk))

    def _claim_codes(self) -> None:
        """Hand out codes for waiting accounts, unless the file has some that are still good."""
        clerk = self._member(COLLEGE, Role.CLERK).user
        codes: dict[str, str] = {}
        for person in WAITING:
            learner = people.by_identity(person.document)
            if learner is None or not learner.is_waiting:
                continue
            label = person.name
            code = self._accounts.codes.get(label, "")
            codes[label] = code if _is_good(code) else learners.issue_claim_code(learner, clerk)
        if codes != self._accounts.codes:
            self._accounts.codes = codes
            self._accounts.save()

    def _transcripts(self) -> None:
        """Issue a transcript, and a corrected version that takes its place."""
        learner = self._learner(LEARNER.document)
        assert learner.user is not None
        while True:
            made = transcripts.transcripts_of(learner)
            at_work = transcripts.at_work(learner)
            good = [one for one in made if one.state == TranscriptState.ISSUED]
            if at_work is not None:
                certificates.issue_transcript(at_work.pk)
            elif len(made) >= TRANSCRIPTS:
                return
            elif good:
                certificates.supersede_transcript(transcript=good[0], acting_user=learner.user)
            else:
                certificates.request_transcript(learner=learner, acting_user=learner.user)

    # -- recognition --------------------------------------------------------------------------
    def _programmes(self) -> None:
        rulebook.publish_programmes(self._member)

    def _rules(self) -> None:
        rulebook.publish_rules(self._member, on=today())

    # -- afterwards ---------------------------------------------------------------------------
    def look_after_accounts(self) -> None:
        """See that the file's passwords and codes hold: it may have been lost and written anew."""
        for name in ROLES:
            self._user(name)
        self._claim_codes()


def _is_good(code: str) -> bool:
    """Say whether a claim code can still be used."""
    if not code:
        return False
    found = ClaimCode.objects.filter(digest=proofs.code_digest(code)).first()
    return found is not None and found.used_at is None and found.replaced_at is None
