"""Rules and reasons in plain sentences."""

from __future__ import annotations

import re

import pytest

from creditbank.institutions.kinds import Category, OutcomeKind, SkillLevel
from creditbank.recognition.engine import amounts, conditions, wording
from creditbank.recognition.engine.findings import Reason
from creditbank.recognition.engine.wording import Names, lines, reason_text
from creditbank.recognition.language import schemas
from tests.recognition.make import OTHER, OWNER, SENDER, body, findings, outcome, rule

HAN = re.compile("[\u4e00-\u9fff]")
CERTIFICATE = rule(
    {"all": [{"item": ["QH-1"]}, {"certificate_level": ["中级"]}, {"age": {"years": 3}}]},
    [{"course": "LOG-102"}, {"course": "LOG-103", "waived": True}],
    programmes=["P-1"],
    in_force={"from": "2025-01-01", "until": "2026-12-31"},
    gate={"catalogue": True},
    allocation={"at_most": {"lower": ["8", {"of": "bank"}]}, "excess": {"to": "ELE"}},
    constraints=[{"cap": {"credits": "8", "per": "outcome"}}],
    procedure={"mode": "review", "reviewers": 2, "notice_days": 5, "appeal_days": 15},
)
NAMES = Names(
    items={"QH-1": "智慧仓配运营（中级）"},
    courses={"LOG-102": "仓储与配送管理", "LOG-103": "物流信息技术"},
    categories={"ELE": "选修"},
    programmes={"P-1": "物流管理"},
)


def test_a_rule_is_read_as_chinese_sentences() -> None:
    assert lines(CERTIFICATE, "zh-hans", NAMES) == [
        "本规则有效期：2025-01-01 至 2026-12-31（含首尾两日）。",
        "以申请提交之日有效的规则为准，期限也算到该日。",
        "适用于专业：《物流管理》（P-1）。",
        "只认定学习成果名录之内的成果。",
        "使用一项成果，它须满足：",
        "· 成果是《智慧仓配运营（中级）》（QH-1）；",
        "· 证书等级是中级；",
        "· 自完成之日起不超过 3 年（含最后一日）；",
        "认定为：",
        "· 课程《仓储与配送管理》（LOG-102）：该课程的学分，不超过课程学分；",
        "· 课程《物流信息技术》（LOG-103）：免修，不计学分；",
        "每次使用合计最多：取较低者〔8 学分；成果的学分银行学分〕。",
        "超出课程学分的部分计入类别“选修”。",
        "限制：每项成果最多 8 学分。",
        "由 2 名评审人员审核。",
        "决定公示 5 天后生效。",
        "可在 15 天内申请复议。",
    ]


def test_and_as_english_ones() -> None:
    assert lines(CERTIFICATE, "en") == [
        "This rule is in force from 2025-01-01 to 2026-12-31, both days included.",
        "The rule of the day of filing decides, and ages are counted to that day.",
        "It is for the programme P-1.",
        "Only outcomes of the bank's catalogue are recognised.",
        "One outcome is used. It must meet the following:",
        "· the outcome is QH-1;",
        "· the certificate's level is intermediate (中级);",
        "· it is at most 3 years old, the last day included;",
        "It gives:",
        "· the course LOG-102: the course's own credits, never more than the course's;",
        "· the course LOG-103: waived, without credits;",
        "One use gives in all at most the lower of [8 credits; the outcome's bank value].",
        "What exceeds a course's credits counts in the category “ELE”.",
        "Limit: at most 8 credits for each outcome.",
        "Decided by 2 reviewers.",
        "It takes effect after 5 days of public notice.",
        "An appeal may be lodged within 15 days.",
    ]


def test_conditions_that_are_joined_twice_stand_in_brackets() -> None:
    score, grade = {"score": {"min": "60"}}, {"grade": {"scale": ["C", "B"], "min": "B"}}
    of = rule({"any": [{"all": [score, {"met": "A"}]}, grade]})
    assert lines(of, "zh-hans")[3] == (
        "· （分数不低于 60，且课程A已经修得或认定），或成绩等级不低于“B”（C < B）；"
    )
    assert lines(of, "en")[3] == (
        "· (the score is at least 60 and the course A is met) or the grade is “B” or better (C < B);"
    )


def test_every_condition_and_amount_has_its_words() -> None:
    assert wording._CONDITIONS.keys() == conditions.CONDITIONS.keys()
    assert wording._AMOUNTS.keys() == amounts.AMOUNTS.keys()


def test_the_words_for_kinds_are_the_catalogues_own() -> None:
    assert {code: zh for code, (zh, _) in wording.KINDS.items()} == dict(OutcomeKind.choices)
    assert {code: zh for code, (zh, _) in wording.CATEGORIES.items()} == dict(Category.choices)
    assert {code: zh for code, (zh, _) in wording.SKILL_LEVELS.items()} == dict(SkillLevel.choices)


EVERYTHING = rule(
    {
        "n": 2,
        "of": [
            {"outcome": {"all": [{"kind": ["course", "training"]}, {"body": [SENDER]}]}},
            {"outcome": {"any": [{"category": ["leisure"]}, {"skill_level": ["3"]}]}},
            {
                "outcome": {
                    "n": 2,
                    "of": [
                        {"field": ["F-1"]},
                        {"programme_field": ["F-2"]},
                        {"level": {"framework": "qf/1", "min": 4}},
                        {"level": {"same_as": "programme"}},
                        {"hours": {"max": "100"}},
                        {"credits": {"min": "1", "max": "4"}},
                        {"completed": {"until": "2025-01-01"}},
                        {"valid": True},
                        {"fact": {"name": "rank", "max": "3"}},
                        {"fact": {"name": "started_on", "from": "2024-01-01"}},
                        {"not": {"held": {"item": ["X"]}}},
                        {"age": {"days": 30}},
                    ],
                }
            },
        ],
    },
    [
        {
            "courses": {"tag": "core"},
            "credits": {
                "less": {
                    "amount": {
                        "table": {
                            "by": "fact:rank",
                            "rows": [{"from": "1", "until": "3", "credits": {"of": "target"}}],
                            "else": {"times": {"amount": "2", "by": "1.5"}},
                        }
                    },
                    "by": "0.5",
                    "when": {"fact": {"name": "role", "is": ["member"]}},
                }
            },
        },
        {
            "category": "ELE",
            "credits": {
                "sum": [
                    {
                        "round": {
                            "amount": {"hours_per_credit": "16"},
                            "step": "0.5",
                            "mode": "half-up",
                        }
                    },
                    {"higher": ["1", {"of": "bank"}]},
                    {
                        "decay": {
                            "amount": "2",
                            "after_years": 3,
                            "percent_per_year": 10,
                            "at_least_percent": 50,
                        }
                    },
                ]
            },
        },
    ],
    law="decision",
    gate={
        "kinds": ["course"],
        "bodies": [SENDER, OTHER],
        "agreement": {
            "number": "1",
            "partner": SENDER,
            "from": "2024-01-01",
            "until": "2026-01-01",
            "plan_first": True,
        },
    },
    allocation={
        "choose": 1,
        "mark": {"bands": [{"is": "A", "from": "90", "to": "100"}], "use": "maximum"},
    },
    constraints=[
        {"of": {"everything": True}, "share": {"percent": 50, "step": "0.5", "mode": "down"}},
        {"of": {"rules": ["R-2"], "kinds": ["course"]}, "cap": {"outcomes": 3}},
        {"of": {"bodies": [SENDER]}, "cap": {"courses": 8}},
        {"of": {"items": ["A"], "categories": ["ELE"]}, "residency": {"percent": 25}},
        {
            "bucket": {
                "credits": "24",
                "periods": [{"name": "1", "from": "03-01", "until": "08-31"}],
                "last": [{"period": "1", "until": "07-15"}],
            }
        },
        {"exclusive": {"items": ["A", "B"]}},
        {"exclusive": {"same_name": True}},
        {"highest": {"by": "occurrence"}},
        {"highest": {"by": "item"}},
        {"residency": {"credits": "18"}},
        {"never": {"courses": ["THESIS"], "outcome": {"score": {"max": "59"}}}},
    ],
    procedure={
        "mode": "review",
        "panel": {"members": 5, "industry_experts": 1, "industry_years": 5},
        "chain": ["college", "academic-office", "assessor", "bank"],
        "expected_days": 10,
        "fee": {"kind": "per-course", "amount": "150", "note": "按门收取", "note_en": "by course"},
        "gpa": "excluded",
    },
)


def test_every_construct_can_be_read_in_both_languages() -> None:
    chinese, english = lines(EVERYTHING, "zh-hans"), lines(EVERYTHING, "en")
    assert len(chinese) == len(english)
    assert all(HAN.search(line) for line in chinese)
    assert not [line for line in english if HAN.search(line)]


def test_a_reason_says_what_was_found_and_what_is_missing() -> None:
    of = rule(
        {"all": [{"item": ["A"]}, {"score": {"min": "80"}}, {"completed": {"until": "2024-06-30"}}]}
    )
    (found,) = findings(of, outcome("A", score="78", completed="2024-07-11"))
    assert [reason_text(one, "zh-hans", rule=of) for one in found.reasons] == [
        "分数：78，要求：≥ 80（还差 2）。",
        "完成日：2024-07-11，要求：≤ 2024-06-30（晚了 11 天）。",
    ]
    assert [reason_text(one, "en") for one in found.reasons] == [
        "Score: 78; asked for: ≥ 80 (2 short).",
        "Day of completion: 2024-07-11; asked for: ≤ 2024-06-30 (11 days too late).",
    ]


def test_a_reason_names_bodies_facts_and_other_outcomes_in_words() -> None:
    of = rule(
        {
            "all": [
                {"item": ["A"]},
                {"fact": {"name": "similarity", "min": "70"}},
                {"held": {"item": ["B"]}},
            ]
        },
        gate={
            "agreement": {
                "number": "1",
                "partner": SENDER,
                "from": "2024-01-01",
                "until": "2026-01-01",
            }
        },
    )
    (found,) = findings(of, outcome("A", body=OTHER, facts={"similarity": "69"}))
    names = Names(bodies={SENDER: "甲校", OTHER: "乙校"}, items={"B": "概率论"})
    assert [reason_text(one, "zh-hans", names, of) for one in found.reasons] == [
        "没有协议的授予单位：乙校，要求：甲校。",
        "“内容相似度”：69，要求：≥ 70（还差 1）。",
        "另外须持有的成果：无，要求：成果是《概率论》（B）。",
    ]


def test_what_is_not_known_is_for_a_person() -> None:
    of = rule({"all": [{"item": ["A"]}, {"score": {"min": "80"}}]})
    (found,) = findings(of, outcome("A"))
    (reason,) = found.reasons
    assert reason_text(reason, "zh-hans") == "分数尚不清楚，要求：≥ 80。须由人审核。"
    assert reason_text(reason, "en") == "Not known: score; asked for: ≥ 80. A person decides."


@pytest.mark.parametrize(
    "code",
    [
        *(name.replace("_", "-") for name in conditions.CONDITIONS),
        "not",
        "programme",
        "not-in-force",
        "catalogue",
        "agreement-partner",
        "agreement-days",
        "agreement-plan",
        "never",
        "never-programme",
        "no-row",
        "no-mark",
        "used",
        "reserved",
        "lapsed",
        "source-missing",
        "sources-not-distinct",
        "nothing-given",
        "course-irreplaceable",
    ],
)
def test_every_reason_has_words_of_its_own(code: str) -> None:
    reason = Reason(code=code, pointer="", found="x", wanted="y")
    assert "条件" not in reason_text(reason, "zh-hans")
    english = reason_text(reason, "en")
    assert not english.startswith("Condition")
    assert not HAN.search(english)


def test_a_pointer_leads_to_what_it_names() -> None:
    document = {"a": [{"b/c": 1}, "text"]}
    assert wording.resolve(document, "") is document
    assert wording.resolve(document, schemas.pointer(("a", 0, "b/c"))) == 1
    assert wording.resolve(document, "/a/9") is None
    assert wording.resolve(document, "/a/1/0") is None
    assert wording.resolve(document, "/none/x") is None


def test_codes_stand_for_themselves_where_no_name_is_known() -> None:
    assert body(1) == OWNER
    of = rule({"body": [SENDER]}, [{"category": "ELE", "credits": "1"}])
    assert f"· it was awarded by {SENDER};" in lines(of, "en")
    assert "It gives credits of the category “ELE”: 1 credit." in lines(of, "en")
