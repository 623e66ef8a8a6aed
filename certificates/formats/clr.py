"""A transcript as a ClrCredential (1EdTech Comprehensive Learner Record 2.0), and back.

Pure. What is signed is the RDF that the JSON expands to (VC Data Integrity
1.0), while people and programs read the JSON. So the shape is made to leave no
room between the two: every node that carries a value has an identifier of its
own place in the document (`...#line-3-level`), so that no two lines can share
or trade a value unseen, and `read` accepts exactly the JSON that `build` makes
from the values it finds, nothing more, nothing in another order.

The members are unsigned Open Badges 3.0 credentials. Each carries its ledger
proof as `evidence` on the credential itself; on the achievement JSON-LD would
drop it silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar, Final

from certificates.formats.transcript import (
    TranscriptData,
    TranscriptInvalid,
    TranscriptLine,
)
from certificates.formats.vocabulary import achievement_type, outcome_kind
from creditbank.errors import DomainError
from creditbank.ledger.statements import Outcome, Result, StatementInvalid

Json = Any

V2: Final = "https://www.w3.org/ns/credentials/v2"
CLR: Final = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
OB: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CONTEXTS: Final = [V2, CLR, OB]
MEMBER_CONTEXTS: Final = [V2, OB]

LEDGER_PROOF: Final = "ledger-proof"
REGISTRATION_PROOF: Final = "registration-proof"

_NAME: Final = "终身学习学分证明 Credit Transcript "
_USCC: Final = "统一社会信用代码 USCC "
_MASKED: Final = "ext:maskedIdentityNumber"
_CRITERIA: Final = (
    "由登记机构按本项成果公布的要求评定并签名登记。"
    "Assessed against the published requirements, signed and recorded by the institution."
)
_PROVINCE: Final = timezone(timedelta(hours=8))
"""Asia/Shanghai without a time zone database: no summer time since 1992."""

_RESULTS: Final[dict[str, tuple[str, str]]] = {
    "grade": ("成绩等级 Grade", "LetterGrade"),
    "score": ("分数 Score", "RawScore"),
    "hours": ("学时 Hours", "ext:Hours"),
    "state": ("状态 State", "Status"),
}
_LOG_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,15}")


class ShapeInvalid(DomainError):
    """A document that is not what `build` makes; the facts name the path and the field.

    `data` are the values that could be read all the same, for naming what else
    is wrong; nothing vouches for them.
    """

    code: ClassVar[str] = "shape-invalid"
    data: TranscriptData | None = None


# -- from values to the document --------------------------------------------------------------


def build(data: TranscriptData) -> dict[str, Json]:
    """Make the ClrCredential of a transcript, without registration and without proof."""
    base = data.verify_url
    totals = data.totals
    identifiers = [
        *(_identity("accountId", account) for account in data.accounts),
        _identity("name", data.holder_name),
    ]
    if data.holder_identity_masked:
        identifiers.append(_identity(_MASKED, data.holder_identity_masked))
    return {
        "@context": list(CONTEXTS),
        "id": base,
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": _NAME + data.number,
        "description": (
            f"共 {totals.count} 项，合计 {totals.credits:.2f} 学分，"
            f"其中可用 {totals.available:.2f}，已使用 {totals.used:.2f}，"
            f"已失效不计 {totals.lapsed:.2f}。"
        ),
        "issuer": _issuer(data) | _given(description=data.issuer_name_en),
        "validFrom": _start_of(data.issued_on),
        "credentialSubject": {
            "id": f"{base}#holder",
            "type": ["ClrSubject"],
            "identifier": identifiers,
            "verifiableCredential": [
                _member(data, number, line) for number, line in enumerate(data.lines, start=1)
            ],
        },
    }


def _member(data: TranscriptData, number: int, line: TranscriptLine) -> dict[str, Json]:
    base = f"{data.verify_url}#line-{number}"
    outcome = line.outcome
    results = {
        name: value
        for name, value in (
            ("grade", line.result.grade),
            ("score", line.result.score),
            ("hours", line.result.hours),
            ("state", line.state),
        )
        if value
    }
    achievement: dict[str, Json] = {
        "id": f"{base}-achievement",
        "type": ["Achievement"],
        "achievementType": achievement_type(outcome.kind),
        "name": outcome.title,
        "description": outcome.title,
        "criteria": {"id": f"{base}-criteria", "narrative": _CRITERIA},
        "creator": {
            "id": f"{base}-body",
            "type": ["Profile"],
            "name": outcome.body_name,
            "description": _USCC + outcome.body,
        },
        "humanCode": outcome.item,
        "version": str(outcome.item_version),
        **_given(fieldOfStudy=outcome.category),
        "resultDescription": [
            {
                "id": f"{base}-{name}",
                "type": ["ResultDescription"],
                "name": _RESULTS[name][0],
                "resultType": _RESULTS[name][1],
            }
            for name in results
        ],
    }
    if outcome.title_en:
        achievement["related"] = [
            {
                "id": f"{base}-title-en",
                "type": ["Related"],
                "inLanguage": "en",
                "name": outcome.title_en,
            }
        ]
    if outcome.level or outcome.framework:
        achievement["alignment"] = [
            {
                "id": f"{base}-level",
                "type": ["Alignment"],
                "targetName": f"{outcome.framework} {outcome.level}".strip(),
                "targetUrl": f"{data.public_url}/standards",
                **_given(targetFramework=outcome.framework, targetCode=outcome.level),
            }
        ]
    member: dict[str, Json] = {
        "@context": list(MEMBER_CONTEXTS),
        "id": base,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": outcome.title,
        "issuer": _issuer(data),
        "validFrom": _start_of(line.recorded_on),
        "credentialSubject": {
            "id": f"{base}-holder",
            "type": ["AchievementSubject"],
            "identifier": [_identity("accountId", line.account or data.account)],
            "creditsEarned": _number(outcome.credits),
            "activityEndDate": _start_of(outcome.completed_on),
            "source": {
                "id": f"{base}-institution",
                "type": ["Profile"],
                "name": line.institution_name,
            },
            "achievement": achievement,
            "result": [
                {
                    "id": f"{base}-{name}-result",
                    "type": ["Result"],
                    "resultDescription": f"{base}-{name}",
                    "value": value,
                }
                for name, value in results.items()
            ],
        },
        "evidence": [
            {
                "id": f"{data.public_url}/log/{line.index}",
                "type": ["Evidence"],
                "name": f"登记簿第 {line.index} 号 Register entry {line.index}",
                "genre": LEDGER_PROOF,
                "narrative": line.proof,
            }
        ],
    }
    if outcome.valid_until is not None:
        member["validUntil"] = _end_of(outcome.valid_until)
    return member


def registration(public_url: str, index: int, proof: str) -> dict[str, Json]:
    """Make the evidence that a document's digest is entered in the register at `index`."""
    return {
        "id": f"{public_url}/log/{index}",
        "type": ["Evidence"],
        "name": f"登记簿第 {index} 号 Register entry {index}",
        "genre": REGISTRATION_PROOF,
        "narrative": proof,
    }


def _issuer(data: TranscriptData) -> dict[str, Json]:
    return {"id": data.bank_did, "type": ["Profile"], "name": data.issuer_name}


def _identity(kind: str, value: str) -> dict[str, Json]:
    return {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": value,
        "identityType": kind,
    }


def _given(**members: str) -> dict[str, str]:
    return {name: value for name, value in members.items() if value}


def _number(credits: Decimal) -> int | float:
    """Write credits as a JSON number; the schema wants one. Two places are exact in a float."""
    return int(credits) if credits == credits.to_integral_value() else float(credits)


def _start_of(day: date) -> str:
    return datetime.combine(day, time.min, _PROVINCE).isoformat()


def _end_of(day: date) -> str:
    return datetime.combine(day, time(23, 59, 59), _PROVINCE).isoformat()


# -- from the document to values --------------------------------------------------------------


def is_clr(document: Json) -> bool:
    """Say whether a JSON value calls itself a ClrCredential; nothing is believed of it yet."""
    types = document.get("type") if isinstance(document, dict) else None
    return isinstance(types, list) and "ClrCredential" in types


def split(document: dict[str, Json]) -> tuple[dict[str, Json], Json, Json]:
    """Take a document apart: the part that is registered, its registration, its proof.

    Either of the latter is None where the document has none. The document itself is not changed.
    """
    registered = {
        name: value for name, value in document.items() if name not in ("evidence", "proof")
    }
    return registered, document.get("evidence"), document.get("proof")


def read(document: dict[str, Json]) -> TranscriptData:
    """Read a transcript's values back and insist that the document is exactly theirs.

    Registration and proof are looked at by their own checks and left out here.
    Raises ShapeInvalid, naming the first place where the document differs from
    what `build` makes of its values.
    """
    registered, _, _ = split(document)
    try:
        data = _read(_Node(registered, ""))
    except (TranscriptInvalid, StatementInvalid) as error:
        raise ShapeInvalid(_said(error), path="", **error.facts) from error
    for path, found, expected in _deviations(registered, build(data), ""):
        invalid = ShapeInvalid(
            f"{path}: {found!r} instead of {expected!r}",
            path=path,
            field=field_of(path),
            line=line_of(path),
            value=found,
            expected=expected,
        )
        invalid.data = data
        raise invalid
    return data


class _Node:
    """A JSON object with the path it was found at; every reader raises ShapeInvalid there."""

    def __init__(self, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise _missing(path, "an object")
        self.value = value
        self.path = path

    def _get(self, name: str) -> Json:
        if name not in self.value:
            raise _missing(_join(self.path, name), "a value")
        return self.value[name]

    def text(self, name: str, *, default: str | None = None) -> str:
        if default is not None and name not in self.value:
            return default
        value = self._get(name)
        if not isinstance(value, str):
            raise _missing(_join(self.path, name), "a text")
        return value

    def after(self, name: str, prefix: str) -> str:
        value = self.text(name)
        if not value.startswith(prefix):
            raise _missing(_join(self.path, name), f"{prefix}...")
        return value[len(prefix) :]

    def node(self, name: str) -> _Node:
        return _Node(self._get(name), _join(self.path, name))

    def nodes(self, name: str) -> list[_Node]:
        value = self._get(name)
        if not isinstance(value, list):
            raise _missing(_join(self.path, name), "a list")
        return [
            _Node(item, f"{_join(self.path, name)}[{place}]") for place, item in enumerate(value)
        ]

    def one(self, name: str) -> _Node | None:
        """Return the only element of a list that may be left out."""
        if name not in self.value:
            return None
        nodes = self.nodes(name)
        if len(nodes) != 1:
            raise _missing(_join(self.path, name), "one element")
        return nodes[0]

    def day(self, name: str) -> date:
        text = self.text(name)
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise _missing(_join(self.path, name), "a date") from None

    def number(self, name: str) -> Decimal:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _missing(_join(self.path, name), "a number")
        return Decimal(str(value))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _said(error: DomainError) -> str:
    return f"{error.facts.get('field')}: {error.facts.get('expected')} expected"


def _missing(path: str, expected: str) -> ShapeInvalid:
    return ShapeInvalid(
        f"{path}: {expected} expected",
        path=path,
        field=field_of(path),
        line=line_of(path),
        value="",
        expected=expected,
    )


def _read(top: _Node) -> TranscriptData:
    public_url, slash, token = top.text("id").rpartition("/v/")
    if not slash:
        raise _missing("id", "https://.../v/<22 characters>")
    issuer = top.node("issuer")
    subject = top.node("credentialSubject")
    identities: dict[str, str] = {}
    accounts: list[str] = []
    for node in subject.nodes("identifier"):
        kind, value = node.text("identityType"), node.text("identityHash")
        if kind == "accountId":
            accounts.append(value)
        else:
            identities[kind] = value
    if not accounts:
        raise _missing("credentialSubject.identifier", "an account")
    return TranscriptData(
        number=top.after("name", _NAME),
        holder_name=identities.get("name", ""),
        holder_identity_masked=identities.get(_MASKED, ""),
        account=accounts[0],
        other_accounts=tuple(accounts[1:]),
        issued_on=top.day("validFrom"),
        issuer_name=issuer.text("name"),
        issuer_name_en=issuer.text("description", default=""),
        bank_did=issuer.text("id"),
        public_url=public_url,
        verify_token=token,
        lines=tuple(
            _read_member(node, public_url, accounts[0])
            for node in subject.nodes("verifiableCredential")
        ),
    )


def _read_member(member: _Node, public_url: str, main: str) -> TranscriptLine:
    subject = member.node("credentialSubject")
    achievement = subject.node("achievement")
    creator = achievement.node("creator")
    related = achievement.one("related")
    alignment = achievement.one("alignment")
    evidence = member.one("evidence")
    if evidence is None:
        raise _missing(_join(member.path, "evidence"), "a ledger proof")
    index = evidence.after("id", f"{public_url}/log/")
    if not _LOG_INDEX.fullmatch(index):
        raise _missing(_join(evidence.path, "id"), "a log index")
    results: dict[str, str] = {}
    for result in subject.nodes("result"):
        results[result.text("resultDescription").rpartition("-")[2]] = result.text("value")
    holder = subject.one("identifier")
    account = holder.text("identityHash") if holder else ""
    version = achievement.text("version")
    if not _LOG_INDEX.fullmatch(version):
        raise _missing(_join(achievement.path, "version"), "a whole number")
    return TranscriptLine(
        index=int(index),
        outcome=_outcome(member, subject, achievement, creator, related, alignment, int(version)),
        result=Result(
            grade=results.get("grade", ""),
            score=results.get("score", ""),
            hours=results.get("hours", ""),
        ),
        state=results.get("state", ""),
        recorded_on=member.day("validFrom"),
        institution_name=subject.node("source").text("name"),
        proof=evidence.text("narrative"),
        account="" if account == main else account,
    )


def _outcome(
    member: _Node,
    subject: _Node,
    achievement: _Node,
    creator: _Node,
    related: _Node | None,
    alignment: _Node | None,
    version: int,
) -> Outcome:
    try:
        return Outcome(
            item=achievement.text("humanCode"),
            item_version=version,
            kind=outcome_kind(achievement.text("achievementType")),
            title=achievement.text("name"),
            title_en=related.text("name") if related else "",
            body=creator.after("description", _USCC),
            body_name=creator.text("name"),
            credits=subject.number("creditsEarned"),
            framework=alignment.text("targetFramework", default="") if alignment else "",
            level=alignment.text("targetCode", default="") if alignment else "",
            category=achievement.text("fieldOfStudy", default=""),
            completed_on=subject.day("activityEndDate"),
            valid_until=member.day("validUntil") if "validUntil" in member.value else None,
        )
    except StatementInvalid as error:
        raise ShapeInvalid(
            _said(error), path=member.path, line=line_of(member.path), **error.facts
        ) from error


def _deviations(found: Json, expected: Json, path: str) -> Iterator[tuple[str, Json, Json]]:
    """Yield the places where two JSON values differ; numbers and truth values are told apart."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            place = _join(path, name)
            if name not in found:
                yield place, None, expected[name]
            elif name not in expected:
                yield place, found[name], None
            else:
                yield from _deviations(found[name], expected[name], place)
    elif isinstance(found, list) and isinstance(expected, list):
        for number, (left, right) in enumerate(zip(found, expected, strict=False)):
            yield from _deviations(left, right, f"{path}[{number}]")
        if len(found) != len(expected):
            yield path, len(found), len(expected)
    elif found != expected or isinstance(found, bool) != isinstance(expected, bool):
        yield path, found, expected


_PATHS: Final[tuple[tuple[str, str], ...]] = (
    ("evidence", "proof"),
    ("creditsEarned", "credits"),
    ("activityEndDate", "completed_on"),
    ("achievement.related", "title_en"),
    ("achievement.creator.description", "body"),
    ("achievement.creator", "body_name"),
    ("achievement.achievementType", "kind"),
    ("achievement.humanCode", "item"),
    ("achievement.version", "item_version"),
    ("achievement.fieldOfStudy", "category"),
    ("achievement.alignment", "level"),
    ("achievement.name", "title"),
    ("achievement.description", "title"),
    ("credentialSubject.source", "institution_name"),
    ("credentialSubject.result", "result"),
    ("credentialSubject.identifier", "account"),
    ("validUntil", "valid_until"),
    ("validFrom", "recorded_on"),
    ("issuer", "issuer_name"),
)
_MEMBER: Final = re.compile(r"credentialSubject\.verifiableCredential\[(?P<place>[0-9]+)\]\.?")
_TOP_PATHS: Final[tuple[tuple[str, str], ...]] = (
    ("issuer.id", "bank_did"),
    ("issuer.description", "issuer_name_en"),
    ("issuer", "issuer_name"),
    ("validFrom", "issued_on"),
    ("description", "totals"),
    ("name", "number"),
    ("id", "verify_token"),
    ("credentialSubject.identifier", "holder_name"),
    ("credentialSubject.verifiableCredential", "lines"),
    ("evidence", "registration"),
    ("proof", "signature"),
)


def line_of(path: str) -> int | None:
    """Return the line, counted from 1, that a JSON path lies in."""
    match = _MEMBER.match(path)
    return int(match["place"]) + 1 if match else None


def field_of(path: str) -> str:
    """Return the transcript's field that a JSON path belongs to, or the path itself."""
    match = _MEMBER.match(path)
    if match:
        rest = path[match.end() :]
        if rest == "name":
            return "title"
        if rest in ("", "id"):
            return "lines"
        return next((field for part, field in _PATHS if part in rest), rest or "lines")
    return next(
        (
            field
            for part, field in _TOP_PATHS
            if path == part or path.startswith((f"{part}.", f"{part}["))
        ),
        path,
    )


def with_registration(document: dict[str, Json], evidence: dict[str, Json]) -> dict[str, Json]:
    """Return a copy of a document that carries the proof of its registration."""
    copy = deepcopy(document)
    copy["evidence"] = [evidence]
    return copy
