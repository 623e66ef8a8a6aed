"""What the demo's learners ask to have recognised, and what institutions answer.

Everything goes through the same operations as anybody's. Each part looks for
what an earlier run has left, and goes on from there. The learner and the
classmate, who show how a request is made, ask for nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from certificates import trustlist
from creditbank.clock import today
from creditbank.demo import files, pack
from creditbank.demo.cast import RECEIVER
from creditbank.demo.people import CLASSMATE, PEOPLE, Person
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Member
from creditbank.recognition.models import (
    Appeal,
    AppealState,
    Decision,
    DecisionState,
    PreApproval,
    PreApprovalState,
    ProgrammeVersion,
    Request,
)
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import (
    appeals,
    automatic,
    cascade,
    cases,
    decisionfile,
    decisions,
    goals,
    holdings,
    preapprovals,
    requests,
    reviewing,
)
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.holdings import Holding
from creditbank.recognition.workflow.preapprovals import Promised
from creditbank.recording import operations as recording
from creditbank.users.models import User
from learners import operations as learners
from learners import queries as people
from learners.models import ConsentPurpose, Learner

FindMember = Callable[[str, Role], Member]

CERTIFICATE: Final = "QH-ZHC-I"
MISTAKEN: Final = "成绩登记有误，经复核撤销"
REVERSED: Final = "所依据的课程成绩已由授予机构冲正"
OBJECTION: Final = "培训内容包含店铺运营和数据分析，与课程大纲一致，请重新审核。"
ANSWER: Final = "经核对培训大纲与课程标准，内容相符，予以认定。"
QUESTION: Final = "证书考核包含物流信息系统实操，希望按全部学分认定。"
WHOLE: Final = "credit"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is decided for one target: a verdict, credits of a part, the reason of less than whole."""

    verdict: str = WHOLE
    credits: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What somebody asks for, and how it is answered: by target, what is not given whole.

    Without an answer the request waits, opened by a reviewer or not.
    """

    number: int
    programme: str
    items: tuple[str, ...]
    targets: tuple[str, ...] = ()
    answer: Mapping[str, Said] | None = None
    opened: bool = False

    @property
    def person(self) -> Person:
        """Who asks."""
        return PEOPLE[self.number]


IN_PART: Final = Said(verdict="part", credits=Decimal(2), reason="credits-lower-than-course")
WAIVED: Final = Said(verdict="waived", reason="requirement-met-without-credit")
REFUSED: Final = Said(verdict="refused", reason="content-differs")

GIVEN: Final = Story(number=18, programme="NP-LOG", items=(CERTIFICATE,), answer={})
EXEMPT: Final = Story(
    number=31, programme="NP-LOG", items=(CERTIFICATE,), answer={"LOG-103": WAIVED}
)
APPEALED: Final = Story(
    number=44, programme="NP-LOG", items=(CERTIFICATE,), answer={"LOG-103": IN_PART}
)
"""The three cases that a reviewer finds beside the learner's; against one an appeal is open."""

HALF: Final = Story(
    number=16, programme="NP-LOG", items=("YQ-104", "YQ-108"), answer={"LOG-108": REFUSED}
)
FALLEN: Final = Story(number=9, programme="NP-LOG", items=("YQ-108",), answer={})
"""Its course is taken back, and the recognition is reversed."""
FLAGGED: Final = Story(number=37, programme="NP-LOG", items=("YQ-104", "YQ-108"), answer={})
"""One of its courses is taken back; the college has yet to confirm."""
IN_NOTICE: Final = Story(number=7, programme="CC-CHE", items=("WD-203",), answer={})
ANEW: Final = Story(
    number=23,
    programme="HX-AGR",
    items=("ST-202",),
    targets=("AGR-302",),
    answer={"AGR-302": REFUSED},
)
"""Refused first; somebody else decides otherwise in the appeal."""
WAITING: Final = Story(number=36, programme="NP-LOG", items=(CERTIFICATE,))
OPENED: Final = Story(number=49, programme="NP-LOG", items=(CERTIFICATE,), opened=True)

STORIES: Final = (
    GIVEN,
    EXEMPT,
    APPEALED,
    HALF,
    FALLEN,
    FLAGGED,
    IN_NOTICE,
    ANEW,
    WAITING,
    OPENED,
)
AUTOMATIC: Final = (PEOPLE[10], "KF-ADM")
"""Is exempt from all general courses without applying."""
PROMISED: Final = (PEOPLE[8], "NP-LOG")
"""Is promised what the certificate will count before earning it."""
FALLEN_ITEM: Final = "YQ-108"

ASKING: Final = (*(story.person for story in STORIES), AUTOMATIC[0], PROMISED[0])
"""Those who need an account of their own: a learner asks for oneself."""


class Casework:
    """The demo's goals, requests, decisions, appeals and promises."""

    def __init__(self, member: FindMember, folder: Path) -> None:
        self._member = member
        self.folder = folder / "decisions"
        self._trust = folder / "trust.json"

    # -- what learners do ---------------------------------------------------------------------
    def goals(self) -> None:
        """Let everybody who asks, and the classmate, follow a programme."""
        pairs = [(story.person, story.programme) for story in STORIES]
        pairs += [AUTOMATIC, PROMISED, (CLASSMATE, pack.PROGRAMME)]
        for person, code in pairs:
            learner = _learner(person)
            goals.add_goal(learner=learner, programme=_programme(code), acting_user=_user(learner))

    def requests(self) -> None:
        """File the requests; one is opened by a reviewer."""
        for story in STORIES:
            request = _request(story) or self._file(story)
            if story.opened and request.reviewing_at is None:
                reviewing.open_case(request=request, acting_user=self._reviewer(story))

    @staticmethod
    def _file(story: Story) -> Request:
        learner = _learner(story.person)
        return requests.request_recognition(
            learner=learner,
            programme=_programme(story.programme),
            leaves=[_holding(learner, item).leaf for item in story.items],
            targets=story.targets,
            consent=requests.CONSENT,
            acting_user=_user(learner),
        )

    # -- what institutions do -----------------------------------------------------------------
    def decisions(self) -> None:
        """Decide what has an answer, and let one decision be made without anybody."""
        for story in STORIES:
            request = _filed(story)
            if story.answer is None or not request.is_open or _concluded(request):
                continue
            decisions.propose_decision(
                request=request,
                verdicts=_verdicts(request, story.answer),
                acting_user=self._reviewer(story),
            )
        self._automatic()
        for decision in Decision.objects.filter(state=DecisionState.DECIDED):
            decisions.finish(decision.pk)

    @staticmethod
    def _automatic() -> None:
        person, code = AUTOMATIC
        learner = _learner(person)
        learners.give_consent(
            learner=learner,
            purpose=ConsentPurpose.MUTUAL_RECOGNITION,
            wording=requests.CONSENT,
        )
        automatic.consider(learner=learner, programme=_programme(code))
        for request in Request.objects.filter(learner=learner, automatic=True):
            if request.is_open and not _concluded(request):
                decisions.decide_automatically(request)

    def appeals(self) -> None:
        """Let two learners appeal: one waits for an answer, one is answered by somebody else."""
        _appeal(APPEALED, "LOG-103", QUESTION)
        appeal = _appeal(ANEW, "AGR-302", OBJECTION)
        if appeal.state == AppealState.OPEN and not _concluded(appeal.decision.request):
            appeals.decide_anew(
                appeal=appeal,
                verdicts=_verdicts(appeal.decision.request, {}),
                text=ANSWER,
                acting_user=self._member(_owner(ANEW), Role.ADMIN).user,
            )

    def pre_approvals(self) -> None:
        """Promise somebody what the certificate will count within a year."""
        person, code = PROMISED
        learner = _learner(person)
        row = PreApproval.objects.filter(learner=learner).first()
        row = row or preapprovals.prepare_pre_approval(
            learner=learner,
            programme=_programme(code),
            item=CERTIFICATE,
            until=today() + timedelta(days=365),
            targets=[Promised(course="LOG-102"), Promised(course="LOG-103")],
            acting_user=self._member(RECEIVER, Role.CLERK).user,
        )
        if row.state == PreApprovalState.PREPARED:
            preapprovals.approve_pre_approval(
                pre_approval=row, acting_user=self._member(RECEIVER, Role.REVIEWER).user
            )

    def fallen(self) -> None:
        """Take two courses back that were recognised; one recognition is reversed after them."""
        for story in (FALLEN, FLAGGED):
            held = _holding(_learner(story.person), FALLEN_ITEM)
            if held.line.state != "reversed":
                reviewer = self._member("yunqueshan", Role.REVIEWER)
                recording.reverse_record(
                    institution=reviewer.institution,
                    index=held.line.index,
                    reason=MISTAKEN,
                    acting_user=reviewer.user,
                )
            cascade.flag([held.leaf])
        for decision in _filed(FALLEN).decisions.filter(state=DecisionState.IN_FORCE):
            cascade.confirm_reversal(
                decision=decision, reason=REVERSED, acting_user=self._reviewer(FALLEN)
            )

    def files(self) -> None:
        """Write every decision that was entered, and what anyone checks them with."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for decision in Decision.objects.filter(entry_index__isnull=False):
            path = self.folder / decisionfile.name(decision)
            files.write_once(path, partial(decisionfile.build, decision))
        files.write_once(self._trust, trustlist.build_trust_list)

    def _reviewer(self, story: Story) -> User:
        return self._member(_owner(story), Role.REVIEWER).user


def _learner(person: Person) -> Learner:
    learner = people.by_identity(person.document)
    assert learner is not None
    return learner


def _user(learner: Learner) -> User:
    assert learner.user is not None
    return learner.user


def _programme(code: str) -> ProgrammeVersion:
    return rulebook.programme_in_force(code, today())


def _owner(story: Story) -> str:
    return _programme(story.programme).owner.slug


def _request(story: Story) -> Request | None:
    """Return the request that somebody filed first."""
    return (
        Request.objects.select_related("learner", "institution", "programme__owner")
        .filter(learner=_learner(story.person), programme__code=story.programme)
        .order_by("filed_at")
        .first()
    )


def _filed(story: Story) -> Request:
    request = _request(story)
    assert request is not None
    return request


def _concluded(request: Request) -> bool:
    """Conclude what a run that was cut short has proposed; say whether there was anything."""
    left = request.decisions.filter(state=DecisionState.PROPOSED).first()
    if left is not None:
        decisions.conclude(cases.current(request), left)
    return left is not None


def _holding(learner: Learner, item: str) -> Holding:
    return next(
        one
        for one in holdings.holdings_of(learner)
        if one.line.outcome is not None and one.line.outcome.item == item
    )


def _verdicts(request: Request, answer: Mapping[str, Said]) -> Sequence[Verdict]:
    """Return a verdict on each line of the proposal: whole, unless the answer says otherwise."""
    verdicts = []
    for position, line in enumerate(cases.current(request).proposed):
        said = answer.get(line.target, Said())
        verdicts.append(
            Verdict(
                position=position, verdict=said.verdict, credits=said.credits, reason=said.reason
            )
        )
    return verdicts


def _appeal(story: Story, target: str, text: str) -> Appeal:
    request = _filed(story)
    decision = request.decisions.order_by("proposed_at").first()
    assert decision is not None
    appeal = decision.appeals.first()
    if appeal is not None:
        return appeal
    return appeals.file_appeal(
        decision=decision,
        positions=[line.position for line in decision.lines.all() if line.target == target],
        text=text,
        acting_user=_user(request.learner),
    )
