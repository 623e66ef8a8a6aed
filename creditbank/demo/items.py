"""The demo's outcome catalogue, and who of the cast took what. All of it is invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from creditbank.demo.cast import ASSESSOR, COLLEGE, RECEIVER, TRAINER
from creditbank.demo.people import LEARNER_COUNT
from creditbank.institutions.kinds import Category, OutcomeKind

CATALOGUE_FROM: Final = date(2022, 1, 1)


_FIELDS: Final = {
    "NP-": "5308",
    "QH-ZHC": "5308",
    "YQ-": "5307",
    "YL-": "4607",
    "QH-XNC": "4607",
    "QH-BXC": "5401",
    "CC-": "0813",
    "KF-": "5902",
    "HX-": "6101",
}
"""Codes of the catalogues of programmes, by how an item's code begins."""


@dataclass(frozen=True, kw_only=True)
class Takers:
    """Which people took an item: `count` of them, from `first` on, every `step`-th.

    The steps have no factor in common with the number of people, so that nobody
    comes twice.
    """

    first: int
    step: int
    count: int

    def __iter__(self) -> Iterator[int]:
        return ((self.first + turn * self.step) % LEARNER_COUNT for turn in range(self.count))


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of the catalogue, and how it was taken.

    `occurrence` holds the cells, by field, that all its takers have in common
    (term, batch, contest ...); `more` the item's own members (standard, level of
    a certificate).
    """

    owner: str
    code: str
    kind: str
    title: str
    title_en: str
    credits: Decimal
    level: int
    category: str
    hours: int
    day: date
    takers: Takers
    occurrence: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of study that it belongs to, where it belongs to one."""
        return next(
            ((code,) for prefix, code in _FIELDS.items() if self.code.startswith(prefix)), ()
        )


def _term(day: date) -> str:
    """Name the term of a school year that a day of examination ends."""
    if day.month >= 9:
        return f"{day.year}-{day.year + 1}-1"
    if day.month <= 2:
        return f"{day.year - 1}-{day.year}-1"
    return f"{day.year - 1}-{day.year}-2"


_TERMS: Final = (
    date(2023, 1, 10),
    date(2023, 7, 5),
    date(2024, 1, 12),
    date(2024, 7, 3),
    date(2025, 1, 10),
    date(2025, 7, 4),
)


def _courses(
    owner: str,
    prefix: str,
    level: int,
    takers: Takers,
    titles: tuple[tuple[str, str, str, int], ...],
    category: str = Category.DEGREE,
) -> list[Item]:
    items = []
    for number, (title, title_en, amount, hours) in enumerate(titles):
        day = _TERMS[number % len(_TERMS)]
        items.append(
            Item(
                owner=owner,
                code=f"{prefix}-{101 + number}",
                kind=OutcomeKind.COURSE,
                title=title,
                title_en=title_en,
                credits=Decimal(amount),
                level=level,
                category=category,
                hours=hours,
                day=day,
                takers=takers,
                occurrence={"term": _term(day)},
            )
        )
    return items


_YUNLING: Final = _courses(
    COLLEGE,
    "YL",
    4,
    Takers(first=0, step=7, count=30),
    (
        ("新能源汽车技术基础", "Fundamentals of New-Energy Vehicles", "3.00", 48),
        ("动力电池系统检修", "Servicing of Traction Battery Systems", "4.00", 64),
        ("驱动电机及控制技术", "Drive Motors and Their Control", "4.00", 64),
        ("汽车电工电子技术", "Automotive Electrical Engineering", "3.50", 56),
        ("机械制图", "Mechanical Drawing", "3.00", 48),
        ("物流信息技术", "Logistics Information Technology", "3.00", 48),
        ("仓储与配送管理", "Warehousing and Distribution", "4.00", 64),
        ("运筹学", "Operations Research", "2.50", 40),
        ("智能网联汽车概论", "Introduction to Connected Vehicles", "2.00", 32),
        ("大学语文", "College Chinese", "2.00", 32),
        ("高等数学（专科）", "Mathematics for Vocational Colleges", "4.00", 64),
        ("劳动与职业素养", "Work and Professional Conduct", "1.00", 16),
    ),
)
_CHENGCHUAN: Final = _courses(
    "chengchuan",
    "CC",
    5,
    Takers(first=3, step=7, count=17),
    (
        ("化工原理", "Principles of Chemical Engineering", "4.00", 64),
        ("物理化学", "Physical Chemistry", "4.00", 64),
        ("高分子材料", "Polymer Materials", "3.00", 48),
        ("工程伦理", "Engineering Ethics", "1.00", 16),
        ("线性代数", "Linear Algebra", "3.00", 48),
        ("概率论与数理统计", "Probability and Statistics", "3.50", 56),
        ("科技写作", "Scientific Writing", "2.00", 32),
        ("碳纤维复合材料导论", "Introduction to Carbon-Fibre Composites", "2.00", 32),
        ("数据库系统", "Database Systems", "3.00", 48),
        ("创新创业基础", "Foundations of Innovation", "1.50", 24),
    ),
)
_HUAXI: Final = _courses(
    "huaxi",
    "HX",
    3,
    Takers(first=1, step=11, count=16),
    (
        ("农业机械使用与维护", "Use and Care of Farm Machinery", "3.00", 54),
        ("黑土地保护与耕作", "Black-Soil Conservation and Tillage", "2.00", 36),
        ("玉米栽培技术", "Maize Growing", "2.50", 45),
        ("农产品电子商务", "E-commerce for Farm Products", "2.00", 36),
        ("中职语文", "Chinese for Secondary Schools", "3.00", 54),
        ("中职数学", "Mathematics for Secondary Schools", "3.00", 54),
        ("信息技术基础", "Basic Information Technology", "2.00", 36),
        ("无人机植保", "Crop Protection by Drone", "2.00", 36),
    ),
)
_YUNQUESHAN: Final = _courses(
    "yunqueshan",
    "YQ",
    4,
    Takers(first=9, step=7, count=16),
    (
        ("跨境电商实务", "Cross-Border E-commerce", "3.00", 48),
        ("商务朝鲜语", "Business Korean", "4.00", 64),
        ("商务俄语", "Business Russian", "4.00", 64),
        ("国际货运代理", "International Freight Forwarding", "3.00", 48),
        ("报关实务", "Customs Practice", "2.50", 40),
        ("人参栽培与加工", "Ginseng Growing and Processing", "2.00", 32),
        ("旅游服务礼仪", "Courtesy in Tourism", "1.50", 24),
        ("冷链物流", "Cold-Chain Logistics", "3.00", 48),
        ("民族餐饮文化", "Ethnic Food Culture", "1.00", 16),
    ),
)
LETTERED: Final = frozenset({"YQ-102"})
"""Courses taught with a partner abroad, who grades by letters."""

_OPEN: Final = _courses(
    "shili-open",
    "KF",
    4,
    Takers(first=1, step=13, count=22),
    (
        ("学习入门", "Learning to Learn", "1.00", 18),
        ("计算机应用基础", "Computer Applications", "3.00", 54),
        ("管理学基础", "Fundamentals of Management", "3.00", 54),
        ("经济数学基础", "Mathematics for Economics", "4.00", 72),
        ("行政管理概论", "Introduction to Public Administration", "3.00", 54),
        ("基层法律实务", "Law in Local Practice", "2.00", 36),
        ("老年照护基础", "Basic Care for the Elderly", "2.00", 36),
        ("学前教育概论", "Introduction to Pre-School Education", "3.00", 54),
    ),
)


def _certificates() -> list[Item]:
    day = {"初级": date(2023, 11, 18), "中级": date(2024, 11, 16), "高级": date(2025, 11, 15)}
    rows = (
        ("寒地新能源汽车检测", "Cold-Climate Testing of New-Energy Vehicles", "XNC", 0, 7),
        ("冰雪场馆运行维护", "Operation of Ice and Snow Venues", "BXC", 4, 11),
        ("智慧仓配运营", "Smart Warehousing Operations", "ZHC", 0, 13),
    )
    amounts = {"初级": "4.00", "中级": "8.00", "高级": "12.00"}
    english = {"初级": "basic", "中级": "intermediate", "高级": "advanced"}
    counts = {"初级": 20, "中级": 16, "高级": 10}
    return [
        Item(
            owner=ASSESSOR,
            code=f"QH-{code}-{english[level][0].upper()}",
            kind=OutcomeKind.X_CERTIFICATE,
            title=f"{title}职业技能等级证书（{level}）",
            title_en=f"{title_en}, {english[level]} certificate",
            credits=Decimal(amounts[level]),
            level=3 + list(day).index(level),
            category=Category.VOCATIONAL,
            hours=0,
            day=day[level],
            takers=Takers(first=first, step=step, count=counts[level]),
            more={
                "standard": f"{title}职业技能等级标准（示例）",
                "standard_version": "2.0",
                "x_level": level,
            },
        )
        for title, title_en, code, first, step in rows
        for level in day
    ]


def _skill_levels() -> list[Item]:
    rows = (
        ("轨道车辆装配工", "Rail vehicle fitter", "5", "2.00", 3, 0, 7, 20),
        ("轨道车辆装配工", "Rail vehicle fitter", "4", "3.00", 3, 0, 11, 14),
        ("轨道车辆装配工", "Rail vehicle fitter", "3", "4.00", 4, 0, 13, 8),
    )
    words = {"5": "五级", "4": "四级", "3": "三级"}
    return [
        Item(
            owner="chengui",
            code=f"CG-SL-{skill}",
            kind=OutcomeKind.SKILL_LEVEL,
            title=f"{title}职业技能等级证书（{words[skill]}）",
            title_en=f"{title_en}, skill level {skill}",
            credits=Decimal(amount),
            level=level,
            category=Category.VOCATIONAL,
            hours=0,
            day=date(2028 - int(skill), 5, 20),
            takers=Takers(first=first, step=step, count=count),
            more={"skill_level": skill},
        )
        for title, title_en, skill, amount, level, first, step, count in rows
    ]


def _trainings(
    owner: str,
    prefix: str,
    takers: Takers,
    titles: tuple[tuple[str, str, str, int], ...],
    *,
    kind: str = OutcomeKind.TRAINING,
    category: str = Category.VOCATIONAL,
    level: int = 3,
) -> list[Item]:
    items = []
    for number, (title, title_en, amount, hours) in enumerate(titles):
        day = date(2023 + number % 3, 3 + number, 21)
        items.append(
            Item(
                owner=owner,
                code=f"{prefix}-{201 + number}",
                kind=kind,
                title=title,
                title_en=title_en,
                credits=Decimal(amount),
                level=level,
                category=category,
                hours=hours,
                day=day,
                takers=takers,
                occurrence={"batch": f"{day.year}年第{number % 2 + 1}期"},
            )
        )
    return items


_TRAININGS: Final = [
    *_trainings(
        "songta",
        "ST",
        Takers(first=2, step=7, count=22),
        (
            ("食用菌栽培", "Mushroom Growing", "1.00", 24),
            ("乡村直播带货", "Live-Stream Selling for Villages", "1.00", 24),
            ("袜业缝纫技能", "Hosiery Sewing Skills", "1.50", 36),
            ("梅花鹿养殖", "Sika Deer Breeding", "1.00", 24),
        ),
    ),
    *_trainings(
        "chengui",
        "CG",
        Takers(first=6, step=11, count=20),
        (
            ("转向架检修", "Bogie Maintenance", "2.00", 40),
            ("焊接机器人操作", "Operating Welding Robots", "2.00", 40),
            ("精益班组管理", "Lean Team Management", "1.00", 20),
        ),
    ),
    *_trainings(
        TRAINER,
        "WD",
        Takers(first=0, step=7, count=30),
        (
            ("风机高处作业安全", "Safety at Height on Wind Turbines", "1.00", 24),
            ("风电机组巡检", "Inspection of Wind Turbines", "2.00", 48),
            ("光伏电站运维", "Operation of Solar Plants", "2.00", 48),
            ("湿地生态导览", "Guiding in Wetlands", "1.00", 24),
            ("低压电工实操", "Low-Voltage Electrical Practice", "1.50", 36),
        ),
    ),
]
_COMMUNITY: Final = [
    *_trainings(
        "xueqiao",
        "XQ",
        Takers(first=0, step=7, count=28),
        (
            ("智能手机应用", "Using a Smartphone", "0.50", 12),
            ("家庭急救", "First Aid at Home", "0.50", 12),
            ("葡萄酒品鉴入门", "First Steps in Wine", "0.50", 12),
            ("书法入门", "First Steps in Calligraphy", "0.50", 16),
            ("太极养生", "Tai Chi for Health", "0.50", 16),
            ("防诈骗与个人信息保护", "Fraud and Personal Data", "0.25", 6),
        ),
        kind=OutcomeKind.COMMUNITY,
        category=Category.LEISURE,
        level=1,
    ),
    *_trainings(
        "yunshan",
        "YS",
        Takers(first=8, step=13, count=24),
        (
            ("松花砚赏析", "Appreciating Songhua Inkstones", "0.50", 12),
            ("滑雪初级", "Skiing for Beginners", "0.50", 16),
            ("山野菜辨识", "Telling Wild Herbs", "0.50", 12),
            ("家庭教育讲座", "Talks on Education at Home", "0.25", 6),
        ),
        kind=OutcomeKind.COMMUNITY,
        category=Category.LEISURE,
        level=1,
    ),
]


def _continuing() -> list[Item]:
    rows = (
        ("冰雪指导员年度培训", "Annual Training of Snow-Sports Instructors", "2022", "1.00", 24),
        ("冰雪场馆安全管理", "Safety Management of Venues", "2023", "1.00", 24),
        ("运动损伤预防", "Preventing Sports Injuries", "2024", "1.50", 30),
        ("无障碍冰雪运动", "Accessible Snow Sports", "2024", "1.00", 20),
        ("冰雪旅游服务质量", "Quality of Service in Snow Tourism", "2025", "1.00", 24),
    )
    return [
        Item(
            owner="bingxue",
            code=f"BX-{301 + number}",
            kind=OutcomeKind.CONTINUING_EDUCATION,
            title=title,
            title_en=title_en,
            credits=Decimal(amount),
            level=4,
            category=Category.CONTINUING,
            hours=hours,
            day=date(int(year), 10, 25),
            takers=Takers(first=0, step=(7, 11, 13, 7, 11)[number], count=28),
            occurrence={"year": year, "project": title},
        )
        for number, (title, title_en, year, amount, hours) in enumerate(rows)
    ]


def _competitions() -> list[Item]:
    rows = (
        ("新能源汽车维修", "New-Energy Vehicle Repair", 0, 7),
        ("数控综合应用", "Integrated CNC Machining", 5, 11),
        ("雪雕创作", "Snow Sculpture", 2, 13),
    )
    return [
        Item(
            owner="jingsai",
            code=f"JS-{401 + number}",
            kind=OutcomeKind.COMPETITION,
            title=f"示例省职业技能竞赛·{title}",
            title_en=f"Example Province Skills Competition: {title_en}",
            credits=Decimal("2.00"),
            level=4,
            category=Category.ACHIEVEMENT,
            hours=0,
            day=date(2024, 9, 14 + number),
            takers=Takers(first=first, step=step, count=18),
            occurrence={
                "contest": "示例省职业技能竞赛",
                "edition": "第三届",
                "event": title,
            },
        )
        for number, (title, title_en, first, step) in enumerate(rows)
    ]


def _work() -> list[Item]:
    rows = (
        ("汽车部件装配岗位一年", "One Year in Component Assembly", "YB-501", "3.00", 0, 11),
        ("质量检验岗位一年", "One Year in Quality Inspection", "YB-502", "3.00", 7, 13),
        ("汽车部件制造学徒", "Apprentice in Component Making", "YB-601", "6.00", 0, 7),
        ("模具维修学徒", "Apprentice in Die Maintenance", "YB-602", "6.00", 3, 13),
    )
    return [
        Item(
            owner="yuanlu",
            code=code,
            kind=(OutcomeKind.WORK_EXPERIENCE if number < 2 else OutcomeKind.APPRENTICESHIP),
            title=title,
            title_en=title_en,
            credits=Decimal(amount),
            level=4,
            category=Category.ACHIEVEMENT if number < 2 else Category.VOCATIONAL,
            hours=0,
            day=date(2025, 8, 31),
            takers=Takers(first=first, step=step, count=14),
            occurrence={"started_on": "2024-09-01"},
        )
        for number, (title, title_en, code, amount, first, step) in enumerate(rows)
    ]


_COHORT: Final = Takers(first=0, step=13, count=12)
"""The receiving college's students; all of them hold the certificate of smart warehousing."""
_COHORT_BUT_LEARNER: Final = Takers(first=13, step=13, count=11)
_FURTHER_ON: Final = Takers(first=26, step=13, count=4)
"""Those of them who have taken there what the others ask to have recognised."""


def _receiver() -> list[Item]:
    """Return the receiving college's courses: those the learner has are 41 credits of its 76."""
    rows = (
        ("101", "物流学基础", "Fundamentals of Logistics", 4, _COHORT),
        ("102", "仓储与配送管理", "Warehousing and Distribution", 4, _FURTHER_ON),
        ("103", "物流信息技术", "Logistics Information Technology", 3, _FURTHER_ON),
        ("104", "运输管理实务", "Transport Management", 4, _COHORT),
        ("105", "供应链管理基础", "Fundamentals of Supply Chains", 3, _COHORT),
        ("106", "采购与库存控制", "Purchasing and Stock Control", 3, _COHORT_BUT_LEARNER),
        ("107", "物流成本管理", "Logistics Costs", 3, _FURTHER_ON),
        ("109", "物流法规", "Law of Logistics", 2, _COHORT),
        ("111", "思想道德与法治", "Morality and the Rule of Law", 3, _COHORT),
        ("112", "大学英语（高职）", "English for Vocational Colleges", 4, _COHORT),
        ("113", "经济数学", "Mathematics of Economics", 4, _COHORT),
        ("114", "信息技术（高职）", "Information Technology", 3, _COHORT),
        ("115", "体育与健康", "Physical Education and Health", 4, _COHORT),
        ("201", "商务沟通", "Business Communication", 2, _COHORT),
        ("202", "智慧物流概论", "Introduction to Smart Logistics", 2, _COHORT),
        ("203", "物流市场营销", "Marketing of Logistics", 2, _COHORT),
        ("204", "连锁经营管理", "Management of Retail Chains", 2, _FURTHER_ON),
        ("301", "物流认识实习", "Visits to Logistics Companies", 1, _COHORT),
        ("302", "仓配综合实训", "Practice in Warehousing and Delivery", 3, _COHORT),
    )
    return [
        Item(
            owner=RECEIVER,
            code=f"NP-{number}",
            kind=OutcomeKind.COURSE,
            title=title,
            title_en=title_en,
            credits=Decimal(f"{amount}.00"),
            level=4,
            category=Category.DEGREE,
            hours=16 * amount,
            day=_TERMS[place % len(_TERMS)],
            takers=takers,
            occurrence={"term": _term(_TERMS[place % len(_TERMS)])},
        )
        for place, (number, title, title_en, amount, takers) in enumerate(rows)
    ]


_GENERAL_BLOCK: Final = Item(
    owner="chengchuan",
    code="CC-191",
    kind=OutcomeKind.COURSE,
    title="本科公共课程模块（整体结业）",
    title_en="General Courses of a Bachelor's Programme, completed as a block",
    credits=Decimal("18.00"),
    level=5,
    category=Category.DEGREE,
    hours=288,
    day=date(2024, 7, 3),
    takers=Takers(first=3, step=7, count=6),
    occurrence={"term": "2023-2024-2"},
)


ITEMS: Final[tuple[Item, ...]] = (
    *_YUNLING,
    *_CHENGCHUAN,
    *_HUAXI,
    *_YUNQUESHAN,
    *_OPEN,
    *_certificates(),
    *_skill_levels(),
    *_TRAININGS,
    *_COMMUNITY,
    *_continuing(),
    *_competitions(),
    *_work(),
    *_receiver(),
    _GENERAL_BLOCK,
)
