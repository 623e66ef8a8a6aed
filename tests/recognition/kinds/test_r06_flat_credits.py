"""R6, a certificate for a flat number of credits (证书折算).

Sources C20: 国家职业资格 五级 1, 四级 1.5, 三级 2; computer rank 二级 2, 三级 4, 四级 5;
C19: national certificate 3, industry certificate 1.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, given, outcome, programme, rule, unknown

SKILL = rule(
    {"kind": ["skill-level"]},
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "skill_level",
                    "rows": [
                        {"is": ["5"], "credits": "1"},
                        {"is": ["4"], "credits": "1.5"},
                        {"is": ["3"], "credits": "2"},
                    ],
                }
            },
        }
    ],
)
RANK = rule(
    {"item": ["NCRE-2", "NCRE-3", "NCRE-4"]},
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "item",
                    "rows": [
                        {"is": ["NCRE-2"], "credits": "2"},
                        {"is": ["NCRE-3"], "credits": "4"},
                        {"is": ["NCRE-4"], "credits": "5"},
                    ],
                }
            },
        }
    ],
)
REACH = rule(
    {"kind": ["training"]},
    [
        {
            "category": "elective",
            "credits": {
                "table": {
                    "by": "fact:issued_by",
                    "rows": [
                        {"is": ["national"], "credits": "3"},
                        {"is": ["industry"], "credits": "1"},
                    ],
                }
            },
        }
    ],
)


@pytest.mark.parametrize(("level", "credits"), [("5", "1"), ("4", "1.5"), ("3", "2")])
def test_a_vocational_qualification_counts_by_its_level(level: str, credits: str) -> None:
    held = outcome("Q", kind="skill-level", credits="9", skill_level=level)
    assert given(SKILL, held) == {"elective": credits}


def test_a_level_that_the_table_does_not_name_is_refused() -> None:
    held = outcome("Q", kind="skill-level", skill_level="2")
    assert against(SKILL, held) == {"no-row": ("2", "5, 4, 3", "")}


def test_a_level_that_is_not_known_is_for_a_person() -> None:
    assert unknown(SKILL, outcome("Q", kind="skill-level")) == {"skill-level-unknown"}


@pytest.mark.parametrize(("item", "credits"), [("NCRE-2", "2"), ("NCRE-3", "4"), ("NCRE-4", "5")])
def test_a_computer_rank_counts_by_its_rank(item: str, credits: str) -> None:
    assert given(RANK, outcome(item), programme=programme()) == {"elective": credits}


@pytest.mark.parametrize(("issued", "credits"), [("national", "3"), ("industry", "1")])
def test_a_certificate_counts_by_who_stands_behind_it(issued: str, credits: str) -> None:
    held = outcome("T", kind="training", facts={"issued_by": issued})
    assert given(REACH, held) == {"elective": credits}
