"""Any valid rule and any outcome, out of a world so small that they often meet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.language import rules
from creditbank.recognition.language.rules import Rule
from tests.recognition.make import OTHER, SENDER, course, outcome, programme, rule_document

PROGRAMME = programme(
    course("C-1", "3", tags=["core"]),
    course("C-2", "4", tags=["core", "basic"], replaceable=False),
    course("C-3", "2", "liberal", tags=["basic"]),
    course("C-0", "0"),
    constraints=[{"of": {"kinds": ["community"]}, "never": {"outcome": {"category": ["leisure"]}}}],
)
COURSES, CATEGORIES, TAGS = ("C-1", "C-2", "C-3", "C-0"), ("major", "elective"), ("core", "basic")
ITEMS = ("A", "B", "C")
KINDS = ("course", "x-certificate", "skill-level", "community")
BODIES = (SENDER, OTHER)
GRADES = ("F", "C", "B", "A")
LEVELS = ("初级", "中级", "高级")
FIRST = date(2023, 1, 1)

numbers = st.sampled_from(["0", "1", "2.5", "16", "59.5", "60", "80"])
positive = st.sampled_from(["0.5", "1", "2", "16"])
amount_figures = st.sampled_from(["0.25", "1", "2", "3.5", "8"])
days = st.integers(0, 1500).map(lambda count: (FIRST + timedelta(days=count)).isoformat())


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


@st.composite
def spans(draw: st.DrawFn, low: str, high: str, values: st.SearchStrategy[str]) -> dict[str, str]:
    """A span in order, with one end or with both."""
    ends = sorted(draw(st.lists(values, min_size=2, max_size=2)), key=_key)
    said = {low: ends[0], high: ends[1]}
    left_out = draw(st.sampled_from([None, low, high]))
    return {name: value for name, value in said.items() if name != left_out}


def _key(text: str) -> Any:
    return text if "-" in text else float(text)


def levels() -> st.SearchStrategy[dict[str, Any]]:
    between = st.tuples(st.integers(3, 6), st.integers(3, 6)).map(
        lambda two: {"framework": "qf/1", "min": min(two), "max": max(two)}
    )
    return st.one_of(between, st.just({"same_as": "programme"}))


def facts() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        spans("min", "max", numbers).map(lambda span: {"name": "rank"} | span),
        spans("from", "until", days).map(lambda span: {"name": "started_on"} | span),
        some(("leader", "member")).map(lambda words: {"name": "role", "is": words}),
    )


def ages() -> st.SearchStrategy[dict[str, int]]:
    return st.one_of(
        st.integers(1, 4).map(lambda count: {"years": count}),
        st.integers(1, 40).map(lambda count: {"months": count}),
        st.integers(1, 900).map(lambda count: {"days": count}),
    )


leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    some(ITEMS).map(lambda value: {"item": value}),
    some(KINDS).map(lambda value: {"kind": value}),
    some(BODIES).map(lambda value: {"body": value}),
    some(("degree", "leisure")).map(lambda value: {"category": value}),
    some(LEVELS).map(lambda value: {"certificate_level": value}),
    some(("5", "4", "3")).map(lambda value: {"skill_level": value}),
    some(("F-1", "F-2")).map(lambda value: {"field": value}),
    some(("510201", "520201")).map(lambda value: {"programme_field": value}),
    levels().map(lambda value: {"level": value}),
    spans("min", "max", numbers).map(lambda value: {"score": value}),
    spans("min", "max", numbers).map(lambda value: {"hours": value}),
    spans("min", "max", st.sampled_from(["1", "2", "3.5"])).map(lambda value: {"credits": value}),
    st.sampled_from(GRADES).map(lambda value: {"grade": {"scale": list(GRADES), "min": value}}),
    spans("from", "until", days).map(lambda value: {"completed": value}),
    ages().map(lambda value: {"age": value}),
    st.just({"valid": True}),
    facts().map(lambda value: {"fact": value}),
    st.sampled_from(COURSES).map(lambda value: {"met": value}),
)


def combined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"all": parts}),
        several.map(lambda parts: {"any": parts}),
        several.flatmap(
            lambda parts: st.integers(1, len(parts)).map(lambda n: {"n": n, "of": parts})
        ),
        inner.map(lambda part: {"not": part}),
    )


plain_conditions = st.recursive(leaves, combined, max_leaves=4)
conditions = st.one_of(
    plain_conditions,
    st.tuples(plain_conditions, plain_conditions).map(
        lambda two: {"all": [two[0], {"held": two[1]}]}
    ),
)

single = conditions.map(lambda condition: {"outcome": condition})
sources = st.one_of(
    single,
    st.lists(single, min_size=2, max_size=3).map(lambda parts: {"all": parts}),
    st.lists(single, min_size=2, max_size=3).map(lambda parts: {"any": parts}),
    st.lists(single, min_size=2, max_size=3).map(lambda parts: {"n": 2, "of": parts}),
)


def rows(
    inner: st.SearchStrategy[Any], words: tuple[str, ...]
) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True).flatmap(
        lambda keys: st.tuples(*(inner for _ in keys)).map(
            lambda amounts: [
                {"is": [key], "credits": amount} for key, amount in zip(keys, amounts, strict=True)
            ]
        )
    )


def tables(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    by = {
        "item": ITEMS,
        "grade": GRADES,
        "skill_level": ("5", "4"),
        "certificate_level": LEVELS,
        "category": ("degree", "leisure"),
        "programme_field": ("510201", "520201"),
        "fact:role": ("leader", "member"),
    }
    worded = st.sampled_from(sorted(by)).flatmap(
        lambda name: rows(inner, by[name]).map(lambda found: {"by": name, "rows": found})
    )
    scored = st.tuples(inner, inner).map(
        lambda two: {
            "by": "score",
            "rows": [{"from": "80", "credits": two[0]}, {"until": "70", "credits": two[1]}],
        }
    )
    table = st.one_of(worded, scored)
    with_else = st.tuples(table, inner).map(lambda two: two[0] | {"else": two[1]})
    return st.one_of(table, with_else).map(lambda value: {"table": value})


def wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"lower": parts}),
        several.map(lambda parts: {"higher": parts}),
        several.map(lambda parts: {"sum": parts}),
        st.tuples(inner, positive).map(lambda two: {"times": {"amount": two[0], "by": two[1]}}),
        st.tuples(inner, leaves).map(
            lambda two: {"less": {"amount": two[0], "by": "0.5", "when": two[1]}}
        ),
        st.tuples(inner, st.integers(0, 3), st.sampled_from([10, 50, 100])).map(
            lambda three: {
                "decay": {
                    "amount": three[0],
                    "after_years": three[1],
                    "percent_per_year": three[2],
                    "at_least_percent": 20,
                }
            }
        ),
        st.tuples(inner, st.sampled_from(["down", "half-up", "up"])).map(
            lambda two: {"round": {"amount": two[0], "step": "0.5", "mode": two[1]}}
        ),
        tables(inner),
    )


def amounts(*, target: bool) -> st.SearchStrategy[Any]:
    """Any amount; only where there is a target course may it speak of its credits."""
    plain = [
        amount_figures,
        st.just({"of": "bank"}),
        positive.map(lambda h: {"hours_per_credit": h}),
    ]
    if target:
        plain.append(st.just({"of": "target"}))
    return st.recursive(st.one_of(plain), wrapped, max_leaves=3)


def targets() -> st.SearchStrategy[dict[str, Any]]:
    of_course = amounts(target=True)
    return st.one_of(
        st.sampled_from(COURSES).map(lambda code: {"course": code}),
        st.sampled_from(COURSES).map(lambda code: {"course": code, "waived": True}),
        st.tuples(st.sampled_from(COURSES), of_course).map(
            lambda two: {"course": two[0], "credits": two[1]}
        ),
        st.tuples(st.sampled_from(CATEGORIES), amounts(target=False)).map(
            lambda two: {"category": two[0], "credits": two[1]}
        ),
        st.tuples(st.sampled_from(TAGS), of_course).map(
            lambda two: {"courses": {"tag": two[0]}, "credits": two[1]}
        ),
    )


def _target(target: dict[str, Any]) -> str:
    return str(target.get("course") or target.get("category") or target["courses"])


MARKS = (
    {"map": [{"is": "A", "mark": "95"}, {"is": "B", "mark": "85"}]},
    {
        "bands": [{"is": "A", "from": "90", "to": "100"}, {"is": "C", "from": "60", "to": "75"}],
        "use": "mean",
    },
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The document of any valid rule that fits `PROGRAMME`."""
    to = draw(st.lists(targets(), min_size=1, max_size=3, unique_by=_target))
    allocation: dict[str, Any] = {}
    if draw(st.booleans()):
        allocation["choose"] = draw(st.integers(1, len(to)))
    if draw(st.booleans()):
        allocation["at_most"] = draw(amounts(target=False))
    if any("credits" in one and "category" not in one for one in to) and draw(st.booleans()):
        allocation["excess"] = draw(st.sampled_from(["lost", {"to": "elective"}]))
    if draw(st.integers(0, 3)) == 0:
        allocation["mark"] = draw(st.sampled_from(MARKS))
    changes: dict[str, Any] = {
        "allocation": allocation,
        "law": draw(st.sampled_from(["filing", "decision"])),
        "in_force": draw(st.sampled_from([{"from": "2020-01-01"}, {"from": "2026-03-10"}])),
        "gate": draw(st.one_of(st.none(), gates())),
        "constraints": draw(st.one_of(st.none(), nevers())),
    }
    return rule_document(draw(sources), to, **changes)


def gates() -> st.SearchStrategy[dict[str, Any]]:
    agreement = {"number": "1", "partner": SENDER, "from": "2023-06-01", "until": "2025-06-01"}
    return st.sampled_from(
        [
            {"catalogue": True},
            {"kinds": ["course", "x-certificate"]},
            {"bodies": [SENDER]},
            {"agreement": agreement},
            {"agreement": agreement | {"plan_first": True}},
        ]
    )


def nevers() -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.one_of(
        leaves.map(lambda one: [{"never": {"outcome": one}}]),
        st.just([{"never": {"courses": ["C-1"]}}]),
        st.just([{"cap": {"credits": "4"}}, {"share": {"percent": 50}}]),
    )


def any_rule() -> st.SearchStrategy[Rule]:
    return documents().map(rules.parse)


@st.composite
def outcomes(draw: st.DrawFn) -> Evidence:
    """Any outcome; much of it may not be known."""
    kind = draw(st.sampled_from(KINDS))
    known = {
        "rank": draw(st.sampled_from(["", "0", "2.5", "60", "first"])),
        "started_on": draw(st.one_of(st.just(""), days)),
        "plan_approved_on": draw(st.one_of(st.just(""), days)),
        "role": draw(st.sampled_from(["", "leader", "member", "other"])),
        "in_catalogue": draw(st.sampled_from(["", "", "no"])),
    }
    completed = draw(days)
    return outcome(
        draw(st.sampled_from(ITEMS)),
        kind=kind,
        credits=draw(st.sampled_from(["0", "0.5", "2", "3.5"])),
        body=draw(st.sampled_from(BODIES)),
        completed=completed,
        valid_until=draw(
            st.sampled_from(
                [
                    "",
                    *(
                        day
                        for day in ("2026-03-01", "2026-03-02", "2099-01-01")
                        if day >= completed
                    ),
                ]
            )
        ),
        framework=draw(st.sampled_from(["", "qf/1", "hkqf/2"])),
        level=draw(st.sampled_from(["", "3", "5", "6"])),
        category=draw(st.sampled_from(["", "degree", "leisure"])),
        grade=draw(st.sampled_from(["", *GRADES, "良好"])),
        score=draw(st.sampled_from(["", "0", "59", "60", "79.5", "80", "缓考"])),
        hours=draw(st.sampled_from(["", "0", "8", "16", "40"])),
        certificate_level=draw(st.sampled_from(["", *LEVELS])) if kind == "x-certificate" else "",
        skill_level=draw(st.sampled_from(["", "5", "3"])) if kind == "skill-level" else "",
        fields=draw(st.sampled_from([(), ("F-1",), ("F-2", "F-3")])),
        facts={name: value for name, value in known.items() if value},
        state=draw(st.sampled_from(["available", "available", "available", "used", "reserved"])),
    )
