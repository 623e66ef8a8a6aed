"""What several answers say of the same thing of recognition: a request, a decision, a finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language

from api.queries import b64
from creditbank.clock import today
from creditbank.ledger.statements import credits_of, hundredths
from creditbank.recognition.deciding.packages import Decided
from creditbank.recognition.engine import wording
from creditbank.recognition.engine.findings import Finding, Grant
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    Appeal,
    Decision,
    Goal,
    PreApproval,
    Request,
)
from creditbank.recognition.planning.standing import Standing
from creditbank.recognition.workflow import appeals, caselist, decisions, preapprovals, records
from creditbank.recognition.workflow.details import Details
from creditbank.recognition.workflow.verification import Verified

Indexes = Mapping[bytes, int]
"""Log indexes by leaf hash: how outcomes are named to programs."""


def amount(value: Decimal) -> str:
    """Write credits with two places, as everywhere in the API."""
    return str(credits_of(hundredths(value)))


def found_in(indexes: Indexes, leaves: Iterable[bytes]) -> list[int]:
    """Return the log indexes of outcomes, in their order; one that is not known is left out."""
    return [indexes[leaf] for leaf in leaves if leaf in indexes]


def goal(row: Goal) -> dict[str, Any]:
    """Return a goal."""
    return {
        "id": str(row.pk),
        "programme": row.programme.code,
        "programme_version": row.programme.version,
        "title": row.programme.title,
        "title_en": row.programme.title_en,
        "institution": row.programme.owner.slug,
        "award_on": row.award_on,
        "added_at": row.added_at,
    }


# -- lines and findings -----------------------------------------------------------------------
def proposed(lines: Sequence[Decided], indexes: Indexes) -> list[dict[str, Any]]:
    """Return lines as they would be decided."""
    return [
        {
            "position": position,
            "rule": line.rule,
            "version": line.version,
            "indexes": found_in(indexes, line.leaves),
            "course": line.course,
            "category": line.category,
            "verdict": line.verdict,
            "credits": amount(line.credits),
            "surplus": amount(line.surplus),
            "surplus_category": line.surplus_category,
            "proposed": amount(line.credits),
            "mark": line.mark,
            "reason": line.reason,
            "note": "",
            "law": line.law,
            "law_on": line.law_on,
        }
        for position, line in enumerate(lines)
    ]


def _decided(row: Decision, indexes: Indexes) -> list[dict[str, Any]]:
    notes = decisions.notes_of(row)
    return [
        {
            "position": line.position,
            "rule": line.rule_code,
            "version": line.rule_version,
            "indexes": found_in(indexes, line.leaf_hashes),
            "course": line.course,
            "category": line.category,
            "verdict": line.verdict,
            "credits": amount(line.credits),
            "surplus": amount(line.surplus),
            "surplus_category": line.surplus_category,
            "proposed": amount(line.proposed),
            "mark": "",
            "reason": line.reason,
            "note": notes.get(line.position, ""),
            "law": line.law,
            "law_on": line.law_on,
        }
        for line in row.lines.all()
    ]


def findings(
    found: Iterable[Finding], indexes: Indexes, rules: Mapping[tuple[str, int], Rule]
) -> list[dict[str, Any]]:
    """Return findings with their reasons, each as a sentence too."""
    language = get_language() or "zh-hans"
    return [
        {
            "rule": one.rule,
            "version": one.version,
            "indexes": found_in(indexes, one.leaves),
            "verdict": one.verdict.value,
            "grants": [_grant(grant) for grant in one.grants],
            "choose": one.choose,
            "credits_max": None if one.credits_max is None else amount(one.credits_max),
            "reasons": [
                {
                    "code": reason.code,
                    "pointer": reason.pointer,
                    "index": indexes.get(reason.leaf) if reason.leaf is not None else None,
                    "found": reason.found,
                    "wanted": reason.wanted,
                    "change": reason.change,
                    "sentence": wording.reason_text(
                        reason, language, rule=rules.get((one.rule, one.version))
                    ),
                }
                for reason in one.reasons
            ],
        }
        for one in found
    ]


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "course": grant.course,
        "category": grant.category,
        "credits": amount(grant.credits),
        "surplus": amount(grant.surplus),
        "surplus_category": grant.surplus_category,
        "waived": grant.waived,
        "mark": grant.mark,
    }


def standing(found: Standing) -> dict[str, Any]:
    """Return where a learner stands."""
    return {
        "state": found.state,
        "asked": amount(found.asked),
        "counted": amount(found.counted),
        "pending": amount(found.pending),
        "missing": amount(found.missing),
        "categories": [
            {
                "code": one.code,
                "asked": amount(one.asked),
                "counted": amount(one.counted),
                "pending": amount(one.pending),
            }
            for one in found.categories
        ],
        "courses_met": sorted(found.met),
    }


# -- requests and decisions -------------------------------------------------------------------
def request_summary(row: Request, *, outcomes: int | None = None) -> dict[str, Any]:
    """Return a request without anything of the person."""
    return {
        "number": row.number,
        "institution": row.institution.slug,
        "programme": row.programme.code,
        "programme_version": row.programme.version,
        "state": row.state,
        "automatic": row.automatic,
        "filed_on": row.filed_on,
        "expected_on": row.expected_on,
        "clock": caselist.clock_of(row, today()),
        "withdrawn_at": row.withdrawn_at,
        "appealed_at": row.appealed_at,
        "outcomes": row.sources.count() if outcomes is None else outcomes,
    }


def request(row: Request) -> dict[str, Any]:
    """Return a request in full. Raises PersonForgotten."""
    details = Details.of(row)
    sources = list(row.sources.all())
    return {
        **request_summary(row, outcomes=len(sources)),
        "filed_at": row.filed_at,
        "award_on": row.award_on,
        "notice_until": row.notice_until,
        "person_asked_at": row.person_asked_at,
        "resubmits": row.resubmits.number if row.resubmits is not None else None,
        "targets": list(details.targets),
        "words": details.words,
        "sources": [
            {
                "index": one.index,
                "leaf_hash": b64(bytes(one.leaf)),
                "credits": amount(one.credits),
                "reserved": one.active,
            }
            for one in sources
        ],
        "steps": [
            {
                "state": step.state.value,
                "reached_at": step.reached_at,
                "expected_on": step.expected_on,
                "current": step.current,
            }
            for step in records.progress(row)
        ],
        "decisions": [one.number for one in records.history(row)],
    }


def indexes_of(row: Request) -> dict[bytes, int]:
    """Return the log indexes of a request's outcomes."""
    return {bytes(one.leaf): one.index for one in row.sources.all()}


def decision(row: Decision) -> dict[str, Any]:
    """Return a decision with its lines and reviews. Raises PersonForgotten."""
    asked = row.request
    return {
        "number": row.number,
        "request": asked.number,
        "institution": asked.institution.slug,
        "programme": asked.programme.code,
        "programme_version": asked.programme.version,
        "state": row.state,
        "automatic": row.automatic,
        "credits": amount(row.credits),
        "law_on": row.law_on,
        "decided_at": row.decided_at,
        "notice_until": row.notice_until,
        "appeal_until": row.appeal_until,
        "in_force_at": row.in_force_at,
        "digest": bytes(row.digest).hex() if row.digest is not None else None,
        "entry_index": row.entry_index,
        "reversal_index": row.reversal_index,
        "replaces": row.replaces.number if row.replaces is not None else None,
        "flagged_at": row.flagged_at,
        "lines": _decided(row, indexes_of(asked)),
        "reviews": [
            {
                "stage": one.stage,
                "reviewer_as": one.reviewer_as,
                "institution": one.institution.slug,
                "verdict": one.verdict,
                "at": one.at,
                "expert_years": one.years,
            }
            for one in row.reviews.select_related("institution")
        ],
    }


def outcome(verified: Verified) -> dict[str, Any]:
    """Return an outcome of a case with its checks."""
    evidence, line = verified.holding.evidence, verified.holding.line
    told = evidence.outcome
    return {
        "index": evidence.index,
        "item": told.item,
        "item_version": told.item_version,
        "kind": told.kind,
        "title": told.title,
        "title_en": told.title_en,
        "body": told.body,
        "body_name": told.body_name,
        "credits": amount(evidence.credits),
        "completed_on": told.completed_on,
        "valid_until": told.valid_until,
        "grade": evidence.result.grade,
        "score": evidence.result.score,
        "hours": evidence.result.hours,
        "certificate": line.reference.certificate,
        "certificate_level": evidence.certificate_level,
        "skill_level": evidence.skill_level,
        "verified": verified.state.value,
        "checks": [
            {
                "number": check.number,
                "code": check.code,
                "state": check.state.value,
                "why": check.why,
            }
            for check in verified.checks
        ],
    }


# -- appeals and pre-approvals ----------------------------------------------------------------
def appeal_summary(row: Appeal) -> dict[str, Any]:
    """Return an appeal in a list."""
    return {
        "number": row.number,
        "decision": row.decision.number,
        "request": row.decision.request.number,
        "positions": row.positions,
        "state": row.state,
        "filed_on": row.filed_on,
        "expected_on": row.expected_on,
        "decided_at": row.decided_at,
        "outcome": row.outcome.number if row.outcome is not None else None,
    }


def appeal(row: Appeal) -> dict[str, Any]:
    """Return an appeal with what was said. Raises PersonForgotten."""
    return {
        **appeal_summary(row),
        "messages": [
            {
                "by_learner": one.row.by_learner,
                "author_as": one.row.author_as,
                "at": one.row.at,
                "text": one.text,
                "file_name": one.file_name,
            }
            for one in appeals.thread(row)
        ],
    }


def pre_approval_summary(row: PreApproval) -> dict[str, Any]:
    """Return a pre-approval in a list."""
    return {
        "number": row.number,
        "institution": row.institution.slug,
        "programme": row.programme.code,
        "programme_version": row.programme.version,
        "until": row.until,
        "state": row.state,
        "prepared_at": row.prepared_at,
        "approved_at": row.approved_at,
        "entry_index": row.entry_index,
        "used_by": row.used_by.number if row.used_by is not None else None,
    }


def pre_approval(row: PreApproval) -> dict[str, Any]:
    """Return a pre-approval with the rule that it is. Raises PersonForgotten."""
    return {
        **pre_approval_summary(row),
        "document": json.loads(preapprovals.document_of(row)),
    }
