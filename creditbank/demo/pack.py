"""The demo's rule pack: rules and programmes of the cast, and which of them shows what.

The documents are files beside this module, `rules/R-001.v1.json` and
`programmes/NP-LOG.v1.json`, in the format of `docs/recognition.md`. Rules have
the number of the kind that they show first; from R-044 on they show further
figures of a kind. All of it is invented: institutions, basis documents, numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
RULES: Final = HERE / "rules"
PROGRAMMES: Final = HERE / "programmes"

PROGRAMME: Final = "NP-LOG"
"""The programme that the learner studies: 76 credits, of which 41 are there."""

CERTIFICATE_RULE: Final = "R-017"
FILED: Final = (CERTIFICATE_RULE, 4)
"""The version that is filed and waits for a second person to publish it."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One document of the pack: a version of a rule or a programme."""

    code: str
    version: int
    path: Path

    def read(self) -> bytes:
        """Return the document as it was written, indented."""
        return self.path.read_bytes()


def _files(folder: Path) -> Iterator[File]:
    for path in folder.glob("*.json"):
        code, version = path.stem.rsplit(".v", 1)
        yield File(code=code, version=int(version), path=path)


def rules() -> list[File]:
    """Return the versions of all rules, by code and version."""
    return sorted(_files(RULES), key=lambda file: (file.code, file.version))


def programmes() -> list[File]:
    """Return the versions of all programmes, by code and version."""
    return sorted(_files(PROGRAMMES), key=lambda file: (file.code, file.version))


# -- which rule shows which kind --------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of recognition rule, and where in the pack it stands.

    `number` is the kind's, R1 to R43. `shown` are places: the code of a rule or
    programme (its newest published version), the JSON pointer of the construct,
    and what stands there.
    """

    number: int
    title: str
    title_en: str
    shown: tuple[tuple[str, str, str | int | bool], ...]


_ROWS = "/allocation/to/0/credits/table/rows"
_OUTCOME = "/sources/outcome"

KINDS: Final = (
    Kind(
        number=1,
        title="一对一",
        title_en="one course for one",
        shown=(("R-001", "/allocation/to/0/course", "LOG-110"),),
    ),
    Kind(
        number=2,
        title="多对一",
        title_en="several for one",
        shown=(("R-002", "/sources/any/1/all/1/outcome/all/0/item/0", "HX-107"),),
    ),
    Kind(
        number=3,
        title="一对多：一证换三门共 8 学分",
        title_en="one for several: three courses, 8 credits",
        shown=(("R-003", "/allocation/to/2/course", "XBT-208"),),
    ),
    Kind(
        number=4,
        title="整块转换",
        title_en="block",
        shown=(
            ("R-004", "/sources/all/3/outcome/item/0", "YL-104"),
            ("R-004", "/allocation/to/2/course", "VEH-103"),
        ),
    ),
    Kind(
        number=5,
        title="课证融通：等级定课程类型，每证不超过 8 学分且不超过学分银行学分",
        title_en="level of a certificate: kind of course, at most 8 credits and its bank value",
        shown=(
            ("R-005", "/allocation/to/0/courses/tag", "basic"),
            ("R-044", "/allocation/to/0/courses/tag", "core"),
            ("R-045", "/allocation/to/1/courses/tag", "core"),
            ("R-045", "/allocation/at_most/lower/0", "8"),
            ("R-045", "/allocation/at_most/lower/1/of", "bank"),
        ),
    ),
    Kind(
        number=6,
        title="证书折算：五级 1、四级 1.5、三级 2",
        title_en="certificates as flat credits: 1, 1.5, 2",
        shown=(
            ("R-006", f"{_ROWS}/0/credits", "1"),
            ("R-006", f"{_ROWS}/1/credits", "1.5"),
            ("R-006", f"{_ROWS}/2/credits", "2"),
        ),
    ),
    Kind(
        number=7,
        title="学时折算：16、理论 18、实践 36 学时",
        title_en="hours: 16, 18 of theory, 36 of practice a credit",
        shown=(
            ("R-007", "/allocation/to/0/credits/round/amount/hours_per_credit", "16"),
            ("R-058", "/allocation/to/0/credits/round/amount/hours_per_credit", "18"),
            ("R-046", "/allocation/to/0/credits/round/amount/hours_per_credit", "36"),
        ),
    ),
    Kind(
        number=8,
        title="成绩换算：分段中值、上限、80/60",
        title_en="marks: middle of the band, its top, 80 or 60",
        shown=(
            ("R-008", "/allocation/mark/map/0/mark", "95"),
            ("R-047", "/allocation/mark/use", "maximum"),
            ("R-048", "/allocation/mark/use", "mean"),
            ("R-048", "/allocation/mark/bands/0/from", "96"),
            ("R-036", "/allocation/mark/map/2/mark", "60"),
        ),
    ),
    Kind(
        number=9,
        title="学分就低、就高，余额计入选修",
        title_en="the lower or the higher; the surplus elective",
        shown=(
            ("R-009", "/allocation/excess/to", "ELE"),
            ("R-049", "/allocation/to/0/credits/higher/1/of", "target"),
        ),
    ),
    Kind(
        number=10,
        title="内容相似度：三分之二、70%",
        title_en="similarity of content: two thirds, 70 %",
        shown=(
            ("R-010", f"{_OUTCOME}/all/1/fact/min", "66.67"),
            ("R-002", "/sources/any/0/outcome/all/1/fact/min", "70"),
        ),
    ),
    Kind(
        number=11,
        title="最低成绩",
        title_en="minimum grade",
        shown=(
            ("R-011", f"{_OUTCOME}/all/1/score/min", "60"),
            ("R-048", f"{_OUTCOME}/all/1/grade/min", "C"),
        ),
    ),
    Kind(
        number=12,
        title="同层次、资历等级",
        title_en="the same level, at least a level",
        shown=(
            ("R-012", f"{_OUTCOME}/all/1/level/same_as", "programme"),
            ("R-050", f"{_OUTCOME}/all/1/level/min", 5),
        ),
    ),
    Kind(
        number=13,
        title="学习者本专业：非计算机类 2、计算机类 1；相关专业计入专业、余额不转",
        title_en="the learner's own major: 2 or 1; related ones count there, no surplus",
        shown=(
            ("R-013", f"{_ROWS}/0/credits", "1"),
            ("R-013", "/allocation/to/0/credits/table/else", "2"),
            ("R-051", f"{_OUTCOME}/all/1/field/0", "5308"),
            ("R-051", f"{_OUTCOME}/all/2/programme_field/0", "1202"),
            ("R-051", "/allocation/excess", "lost"),
        ),
    ),
    Kind(
        number=14,
        title="有效期：6、7、9 年，证书在有效期内",
        title_en="age: 6, 7, 9 years; a certificate that is valid",
        shown=(
            ("R-014", f"{_OUTCOME}/all/1/age/years", 6),
            ("R-052", f"{_OUTCOME}/all/3/age/years", 7),
            ("R-016", f"{_OUTCOME}/all/1/age/years", 9),
            ("R-005", f"{_OUTCOME}/all/2/valid", True),
        ),
    ),
    Kind(
        number=15,
        title="生效区间与完成区间",
        title_en="the rule's days, and the days of completion",
        shown=(
            ("R-015", f"{_OUTCOME}/all/1/completed/from", "2022-09-01"),
            ("R-015", "/in_force/until", "2028-08-31"),
        ),
    ),
    Kind(
        number=16,
        title="衰减：三年后每年一成，不低于一半",
        title_en="decay: a tenth every year after three, to one half",
        shown=(
            ("R-016", "/allocation/to/0/credits/decay/after_years", 3),
            ("R-016", "/allocation/to/0/credits/decay/percent_per_year", 10),
        ),
    ),
    Kind(
        number=17,
        title="绝对上限：证书 8 学分、8 门、3 个、每机构 105",
        title_en="caps: 8 credits by certificates, 8 courses, 3 items, 105 a body",
        shown=(
            ("R-017", "/constraints/0/cap/credits", "8"),
            ("R-021", "/constraints/0/cap/courses", 8),
            ("SX-CBB", "/constraints/2/cap/outcomes", 3),
            ("SX-CBB", "/constraints/4/cap/credits", "105"),
        ),
    ),
    Kind(
        number=18,
        title="学期 24、学年 42，末学期截至 7 月 15 日、1 月 15 日",
        title_en="24 a term, 42 a year; the last term ends on 15 July or 15 January",
        shown=(
            ("R-018", "/constraints/0/bucket/credits", "24"),
            ("R-018", "/constraints/1/bucket/credits", "42"),
            ("R-018", "/constraints/0/bucket/last/0/until", "07-15"),
            ("SX-CBB", "/constraints/0/bucket/last/1/until", "01-15"),
        ),
    ),
    Kind(
        number=19,
        title="比例上限：50%、30%",
        title_en="share: 50 %, 30 %",
        shown=(
            ("R-019", "/constraints/0/share/percent", 50),
            ("R-053", "/constraints/0/share/percent", 30),
        ),
    ),
    Kind(
        number=20,
        title="本校最低学分：84、25%，认可课程 18",
        title_en="residency: 84, 25 %; 18 of accredited courses",
        shown=(
            ("CC-VEH", "/constraints/0/residency/credits", "84"),
            ("R-020", "/constraints/0/residency/percent", 25),
            ("SX-CBB", "/minimums/0/credits", "18"),
        ),
    ),
    Kind(
        number=21,
        title="不得重复使用：两条规则认同一项培训",
        title_en="no double use: two rules take the same training",
        shown=(
            ("R-021", f"{_OUTCOME}/item/0", "ST-201"),
            ("R-007", f"{_OUTCOME}/all/0/kind/0", "training"),
        ),
    ),
    Kind(
        number=22,
        title="一课一证：两条规则换同一门课",
        title_en="one course, one source: two rules for the same course",
        shown=(
            ("R-022", "/allocation/to/0/course", "NEV-207"),
            ("R-044", "/allocation/to/0/courses/tag", "core"),
        ),
    ),
    Kind(
        number=23,
        title="互斥、同名课程",
        title_en="exclusion, courses of one name",
        shown=(
            ("R-023", "/constraints/0/exclusive/items/1", "HX-107"),
            ("R-023", "/constraints/1/exclusive/same_name", True),
        ),
    ),
    Kind(
        number=24,
        title="只计最高",
        title_en="the highest only",
        shown=(("R-024", "/constraints/0/highest/by", "occurrence"),),
    ),
    Kind(
        number=25,
        title="先修",
        title_en="prerequisite",
        shown=(
            ("R-025", f"{_OUTCOME}/all/1/any/0/met", "VEH-103"),
            ("R-025", f"{_OUTCOME}/all/1/any/1/held/all/1/score/min", "60"),
        ),
    ),
    Kind(
        number=26,
        title="竞赛：国家级 10/6/5/4、省级、校级，队员减 0.5，前三名，前 15%",
        title_en="competitions: 10/6/5/4 and on, 0.5 less in a team, first three, first 15 %",
        shown=(
            ("R-026", "/allocation/to/0/credits/less/by", "0.5"),
            (
                "R-026",
                "/allocation/to/0/credits/less/amount/table/rows/0/credits/table/rows/0/credits",
                "10",
            ),
            (
                "R-026",
                "/allocation/to/0/credits/less/amount/table/rows/1/credits/table/rows/1/credits",
                "3.5",
            ),
            ("R-054", f"{_ROWS}/0/until", "15"),
            ("R-059", f"{_OUTCOME}/all/1/fact/max", "3"),
        ),
    ),
    Kind(
        number=27,
        title="发明专利 6、实用新型 2、软件著作权 1；实验 32 学时 1 学分",
        title_en="patents 6 and 2, software 1; 32 hours in the laboratory a credit",
        shown=(
            ("R-027", f"{_ROWS}/0/credits", "6"),
            ("R-027", f"{_ROWS}/1/credits", "2"),
            ("R-027", f"{_ROWS}/2/credits", "1"),
            ("R-055", "/allocation/to/0/credits/lower/1/round/amount/hours_per_credit", "32"),
        ),
    ),
    Kind(
        number=28,
        title="工作经历，至多两倍；学士学位不认单纯经历",
        title_en="work experience, at most doubled; never for the degree",
        shown=(
            ("R-028", "/allocation/to/0/credits/lower/1/times/by", "2"),
            ("SX-CBB", "/constraints/6/never/outcome/kind/0", "work-experience"),
        ),
    ),
    Kind(
        number=29,
        title="免申请自动认定",
        title_en="automatic, without applying",
        shown=(("R-029", "/procedure/mode", "automatic"),),
    ),
    Kind(
        number=30,
        title="不可转换：毕业设计、实习、不合格成绩",
        title_en="never: final project, internship, failures",
        shown=(
            ("R-030", "/constraints/0/never/courses/1", "NEV-404"),
            ("CC-VEH", "/constraints/1/never/courses/0", "VEH-111"),
        ),
    ),
    Kind(
        number=31,
        title="名录",
        title_en="the catalogue",
        shown=(("R-031", "/gate/catalogue", True),),
    ),
    Kind(
        number=32,
        title="校际协议，计划先于修读获批",
        title_en="agreement, with a plan approved before",
        shown=(("R-032", "/gate/agreement/plan_first", True),),
    ),
    Kind(
        number=33,
        title="专家评审：5 人、3 人，行业专家从业 5 年以上",
        title_en="panels of 5 and 3, industry experts of 5 years",
        shown=(
            ("R-033", "/procedure/panel/members", 5),
            ("R-028", "/procedure/panel/members", 3),
            ("R-028", "/procedure/panel/industry_years", 5),
        ),
    ),
    Kind(
        number=34,
        title="审批链",
        title_en="chain of approvals",
        shown=(("R-034", "/procedure/chain/3", "bank"),),
    ),
    Kind(
        number=35,
        title="公示",
        title_en="public notice",
        shown=(("R-035", "/procedure/notice_days", 5),),
    ),
    Kind(
        number=36,
        title="申诉",
        title_en="appeal",
        shown=(("R-036", "/procedure/appeal_days", 15),),
    ),
    Kind(
        number=37,
        title="绩点处理",
        title_en="grade-point average",
        shown=(("R-037", "/procedure/gpa", "excluded"),),
    ),
    Kind(
        number=38,
        title="学费：免修不免费、退费、每门 150 元",
        title_en="fees: payable all the same, refunded, 150 a course",
        shown=(
            ("R-038", "/procedure/fee/kind", "payable"),
            ("R-056", "/procedure/fee/kind", "refunded"),
            ("R-057", "/procedure/fee/amount", "150"),
        ),
    ),
    Kind(
        number=39,
        title="学位条件：140 = 60 + 30 + 其余，认可课程 18",
        title_en="a degree: 140 = 60 + 30 + the rest, 18 accredited",
        shown=(
            ("SX-CBB", "/total", "140"),
            ("SX-CBB", "/categories/0/credits", "60"),
            ("SX-CBB", "/categories/1/credits", "30"),
            ("R-039", "/allocation/to/0/course", "CBB-105"),
        ),
    ),
    Kind(
        number=40,
        title="资格阈值：41、100",
        title_en="thresholds: 41, 100",
        shown=(
            ("SX-CBB", "/thresholds/0/credits", "41"),
            ("SX-CBB", "/thresholds/1/credits", "100"),
            ("R-040", "/allocation/to/0/category", "GEN"),
        ),
    ),
    Kind(
        number=41,
        title="超额：计入选修，或不计",
        title_en="excess: elective, or lost",
        shown=(
            ("R-041", "/allocation/excess/to", "ELE"),
            ("R-051", "/allocation/excess", "lost"),
            ("SX-CBB", "/categories/0/spills_to", "GEN"),
        ),
    ),
    Kind(
        number=42,
        title="条件表达式：任选两项、或",
        title_en="expressions: two of three, or",
        shown=(
            ("R-042", "/sources/n", 2),
            ("R-042", "/sources/of/2/outcome/any/1/item/0", "WD-201"),
        ),
    ),
    Kind(
        number=43,
        title="免修不给学分",
        title_en="waived, without credit",
        shown=(("R-043", "/allocation/to/0/waived", True),),
    ),
)

OVERLAPPING: Final = {
    frozenset(
        {"R-022", "R-044"}
    ): "一课一证：两条规则有意换同一门课 / two rules for one course, on purpose"
}
"""Pairs of rules of which the static checks warn, and why they stand as they are."""
