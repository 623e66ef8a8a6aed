"""The institutions of the demo's province and who works there. All of it is invented.

No institution carries a real name. Their unified social credit codes have a
right check character and an organisation part that begins with X, which no
office ever assigned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from creditbank.demo.people import invented_resident
from creditbank.institutions import uscc
from creditbank.institutions.kinds import InstitutionKind as Kind
from creditbank.institutions.kinds import OutcomeKind as Outcome
from creditbank.institutions.kinds import Role
from learners.identity import IdentityDocument

SCOPE_FROM: Final = date(2020, 1, 1)
AUTHORITY: Final = "authority"
COLLEGE: Final = "yunling"
ASSESSOR: Final = "qiheng"
TRAINER: Final = "weidang"
"""The college hands in a workbook, the assessor a CSV file; the trainer keeps its own key."""

RECEIVER: Final = "nanpu"
"""The college at which the learner asks to have a certificate recognised."""

STAFF_ROLES: Final = (Role.CLERK, Role.REVIEWER, Role.ADMIN)
DEPARTMENT: Final = {True: "91", False: "52"}
"""How a code begins: 91 for companies, 52 for bodies that are none."""


def make_uscc(serial: int, region: str, *, company: bool = False) -> str:
    """Return a well-formed code that no office assigned (GB 32100-2015)."""
    body = f"{DEPARTMENT[company]}{region}X{serial:08d}"
    return body + uscc.check_character(body)


@dataclass(frozen=True, kw_only=True)
class Institution:
    """An institution of the cast. `serial` makes its code and its people's documents."""

    serial: int
    slug: str
    name: str
    name_en: str
    name_ko: str = ""
    kind: str
    region: str
    industry: str | None = None
    scopes: tuple[str, ...] = ()
    own_key: bool = False

    @property
    def uscc(self) -> str:
        """Its unified social credit code."""
        return make_uscc(self.serial, self.region, company=self.kind == Kind.ENTERPRISE)

    @property
    def stream(self) -> str:
        """The stream it records in; `.example` is nobody's domain (RFC 2606)."""
        return f"{self.slug}.example/{self._series}"

    @property
    def _series(self) -> str:
        if self.own_key:
            return "own"
        return "records" if self.scopes else "rules"

    @property
    def staff(self) -> tuple[StaffMember, ...]:
        """Those who work there, each another person."""
        return tuple(
            StaffMember(slug=self.slug, role=role, serial=self.serial * 10 + number)
            for number, role in enumerate(STAFF_ROLES)
        )


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """Somebody who acts for an institution, and the document that was seen."""

    slug: str
    role: Role
    serial: int

    @property
    def username(self) -> str:
        """The name to sign in with; those whose password is printed have short ones."""
        return SHORT_NAMES.get((self.slug, self.role), f"{self.slug}-{self.role.value}")

    @property
    def document(self) -> IdentityDocument:
        """A document of their own: no learner's, no colleague's."""
        return invented_resident(700 + self.serial, born=date(1980, 1, 1))


SHORT_NAMES: Final = {
    (COLLEGE, Role.CLERK): "clerk",
    (COLLEGE, Role.REVIEWER): "reviewer",
    (COLLEGE, Role.ADMIN): "admin",
    (AUTHORITY, Role.REVIEWER): "authority",
}

INSTITUTIONS: Final = (
    Institution(
        serial=1,
        slug=AUTHORITY,
        name="示例省终身教育主管部门",
        name_en="Example Province Lifelong Education Authority",
        kind=Kind.PROVINCIAL_AUTHORITY,
        region="220000",
        industry="education",
    ),
    Institution(
        serial=2,
        slug=COLLEGE,
        name="云岭职业技术学院",
        name_en="Yunling Vocational and Technical College",
        kind=Kind.VOCATIONAL_COLLEGE,
        region="220100",
        industry="new-energy-vehicles",
        scopes=(Outcome.COURSE, Outcome.TRAINING),
    ),
    Institution(
        serial=3,
        slug="chengchuan",
        name="澄川示例大学",
        name_en="Chengchuan Example University",
        kind=Kind.UNIVERSITY,
        region="220200",
        industry="chemicals",
        scopes=(Outcome.COURSE,),
    ),
    Institution(
        serial=4,
        slug="huaxi",
        name="桦溪中等职业学校",
        name_en="Huaxi Secondary Vocational School",
        kind=Kind.SECONDARY_VOCATIONAL,
        region="220300",
        industry="modern-agriculture",
        scopes=(Outcome.COURSE,),
    ),
    Institution(
        serial=5,
        slug="songta",
        name="松塔县职业教育中心",
        name_en="Songta County Vocational Education Centre",
        kind=Kind.COUNTY_VOCATIONAL_CENTRE,
        region="220400",
        industry="farm-products",
        scopes=(Outcome.TRAINING,),
    ),
    Institution(
        serial=6,
        slug="xueqiao",
        name="雪桥社区教育中心",
        name_en="Xueqiao Community Education Centre",
        kind=Kind.COMMUNITY_EDUCATION_CENTRE,
        region="220500",
        industry="health-services",
        scopes=(Outcome.COMMUNITY,),
    ),
    Institution(
        serial=7,
        slug="yunshan",
        name="云杉学习中心",
        name_en="Yunshan Learning Centre",
        kind=Kind.LEARNING_CENTRE,
        region="220600",
        industry="ice-snow-sports",
        scopes=(Outcome.COMMUNITY,),
    ),
    Institution(
        serial=8,
        slug=ASSESSOR,
        name="启衡示例职业教育评价中心",
        name_en="Qiheng Example Vocational Assessment Centre",
        kind=Kind.ASSESSMENT_ORGANISATION,
        region="220700",
        industry="intelligent-manufacturing",
        scopes=(Outcome.X_CERTIFICATE,),
    ),
    Institution(
        serial=9,
        slug=TRAINER,
        name="苇荡职业培训中心",
        name_en="Weidang Vocational Training Centre",
        kind=Kind.TRAINING_CENTRE,
        region="220800",
        industry="wind-power",
        scopes=(Outcome.TRAINING,),
        own_key=True,
    ),
    Institution(
        serial=10,
        slug="yunqueshan",
        name="云雀山职业学院",
        name_en="Yunqueshan Vocational College",
        name_ko="운작산직업대학",
        kind=Kind.VOCATIONAL_COLLEGE,
        region="222400",
        industry="cross-border-trade",
        scopes=(Outcome.COURSE,),
    ),
    Institution(
        serial=11,
        slug="shili-open",
        name="示例省开放大学",
        name_en="Open University of Example Province",
        kind=Kind.OPEN_UNIVERSITY,
        region="220100",
        industry="education",
        scopes=(Outcome.COURSE,),
    ),
    Institution(
        serial=12,
        slug="chengui",
        name="晨轨装备企业大学",
        name_en="Chengui Equipment Corporate University",
        kind=Kind.ENTERPRISE_UNIVERSITY,
        region="220100",
        industry="rail-transit",
        scopes=(Outcome.SKILL_LEVEL, Outcome.TRAINING),
    ),
    Institution(
        serial=13,
        slug="yuanlu",
        name="远麓示例汽车部件有限公司",
        name_en="Yuanlu Example Motor Components Co., Ltd.",
        kind=Kind.ENTERPRISE,
        region="220200",
        industry="automobiles",
        scopes=(Outcome.WORK_EXPERIENCE, Outcome.APPRENTICESHIP),
    ),
    Institution(
        serial=14,
        slug="bingxue",
        name="示例省冰雪运动行业协会",
        name_en="Example Province Ice and Snow Sports Association",
        kind=Kind.PROFESSIONAL_ASSOCIATION,
        region="220600",
        industry="ice-snow-sports",
        scopes=(Outcome.CONTINUING_EDUCATION,),
    ),
    Institution(
        serial=15,
        slug="jingsai",
        name="示例省职业技能竞赛组委会",
        name_en="Example Province Skills Competition Committee",
        kind=Kind.SKILLS_COMPETITION_BODY,
        region="220100",
        scopes=(Outcome.COMPETITION,),
    ),
    Institution(
        serial=16,
        slug=RECEIVER,
        name="南浦示例职业学院",
        name_en="Nanpu Example Vocational College",
        kind=Kind.VOCATIONAL_COLLEGE,
        region="220300",
        industry="transport-hubs",
        scopes=(Outcome.COURSE,),
    ),
)

BY_SLUG: Final = {institution.slug: institution for institution in INSTITUTIONS}
RECORDING: Final = tuple(institution for institution in INSTITUTIONS if institution.scopes)
"""Those that record outcomes; the authority does not."""
SIGNING: Final = (*RECORDING, BY_SLUG[AUTHORITY])
"""Those that have a stream: the authority signs its rules."""
