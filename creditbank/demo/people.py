"""The demo's learners: invented people whose names and documents are as odd as real ones are.

Citizens' numbers carry the place 229999, which was never assigned; the other
numbers are runs of zeros with a serial. All of them have the right form and,
where there is one, the right check character, so that they pass every check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from stdnum.cn import ric

from learners.identity import DocumentType, IdentityDocument

NEVER_ASSIGNED: Final = "229999"
LEARNER_COUNT: Final = 60
_BORN: Final = date(1968, 3, 5)
_APART: Final = timedelta(days=251)


def _eighteen(head: str, serial: int, born: date) -> str:
    body = f"{head}{born:%Y%m%d}{serial % 1000:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def invented_resident(serial: int, *, born: date) -> IdentityDocument:
    """Return a citizen's document that no office issued (GB 11643-1999)."""
    return IdentityDocument(
        type=DocumentType.RESIDENT_ID, number=_eighteen(NEVER_ASSIGNED, serial, born)
    )


@dataclass(frozen=True, kw_only=True)
class Person:
    """A learner of the cast. `number` is the place in the cast, from 0."""

    number: int
    name: str
    document: IdentityDocument


_FOREIGN_HEAD: Final = "900000"

# Each stands for something that systems get wrong: characters outside the first
# plane or outside GBK, the middle dot, Hangul, Cyrillic, a name of 40 characters.
_PARTICULAR: Final = (
    ("李龑", "resident-id", ""),
    ("王𪟝", "resident-id", ""),
    ("阿依古丽·买买提", "resident-id", ""),
    ("张伟", "resident-id", ""),
    ("张伟", "resident-id", ""),
    ("陈㛃", "resident-id", ""),
    ("刘䶮", "resident-id", ""),
    ("赵𬎆", "resident-id", ""),
    ("𠮷田澄美", "passport", "JPN/TR0000108"),
    ("김철수", "passport", "KOR/M00000109"),
    ("박순희", "foreign-pr", ""),
    ("朴顺姬", "resident-id", ""),
    ("최영희", "resident-id", ""),
    ("何栀欣", "hk-mo-permit", "H00000113"),
    ("罗穗怡", "hk-mo-permit", "M00000114"),
    ("林砚廷", "tw-permit", "00000115"),
    ("Дарья Примерова", "passport", "RUS/000000116"),
    ("Darius Sampleton-O'Neill", "foreign-pr", "XXX229900000117"),
    (
        "麦尔哈巴·阿布都热依木江·吐尔逊古丽·买买提依明·托合提尼亚孜·古丽巴哈尔·艾江",
        "resident-id",
        "",
    ),
    ("欧阳示例", "resident-id", ""),
)
_SURNAMES: Final = (
    "孙周吴郑冯卫蒋沈韩杨朱秦尤许吕施曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范彭鲁韦昌"
)
_GIVEN: Final = tuple(
    "砚秋栖梧听澜若楠知远望舒清和念初予安书蘅向晚南乔亦舟云舒景行溪亭闻笙晚棠星野拾穗"
    "青禾怀瑾沐阳松年一苇既明思齐长宁葭月遥岑雪迎北辰见微有容如晦子衿临川采薇修远初霁"[
        start : start + 2
    ]
    for start in range(0, 80, 2)
)


def _document(number: int, kind: str, text: str) -> IdentityDocument:
    born = _BORN + number * _APART
    serial = 100 + number
    if kind == DocumentType.RESIDENT_ID:
        return invented_resident(serial, born=born)
    if kind == DocumentType.FOREIGN_PR and not text:
        text = _eighteen(_FOREIGN_HEAD, serial, born)
    return IdentityDocument(type=DocumentType(kind), number=text)


def _people() -> tuple[Person, ...]:
    named = list(_PARTICULAR)
    named += [
        (surname + given, "resident-id", "")
        for surname, given in zip(_SURNAMES, _GIVEN, strict=True)
    ]
    return tuple(
        Person(number=number, name=name, document=_document(number, kind, text))
        for number, (name, kind, text) in enumerate(named)
    )


PEOPLE: Final = _people()
"""The learners who have outcomes, in their order."""

LEARNER: Final = PEOPLE[0]
"""Signs in with the account `learner`: outcomes of every kind."""

CLASSMATE: Final = PEOPLE[13]
"""Signs in with the account `classmate`: studies where the learner does, and has asked nothing."""

WAITING: Final = (PEOPLE[1], PEOPLE[2], PEOPLE[3])
"""Nobody has claimed their accounts; their claim codes are printed."""

NEWCOMER: Final = Person(
    number=LEARNER_COUNT,
    name="金新来",
    document=invented_resident(100 + LEARNER_COUNT, born=date(2004, 9, 1)),
)
"""Signs in with the account `newcomer` and has no outcome yet."""
