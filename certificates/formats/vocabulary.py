"""The words a transcript uses for kinds, categories and states, in both languages.

The kinds are mapped to Open Badges' `achievementType` one to one, so that a
document can be read back without loss; a kind this table does not know yet is
carried as an extension (`ext:`) of the same name.
"""

from __future__ import annotations

from typing import Final

from certificates.formats.transcript import Label

ACHIEVEMENT_TYPES: Final[dict[str, str]] = {
    "course": "Course",
    "x-certificate": "Certificate",
    "skill-level": "Certification",
    "training": "CertificateOfCompletion",
    "community": "CommunityService",
    "continuing-education": "ext:ContinuingEducation",
    "competition": "Award",
    "work-experience": "ext:WorkExperience",
    "apprenticeship": "ApprenticeshipCertificate",
}
_KINDS: Final[dict[str, str]] = {name: kind for kind, name in ACHIEVEMENT_TYPES.items()}

KINDS: Final[dict[str, Label]] = {
    "course": Label(zh="课程", en="Course"),
    "x-certificate": Label(zh="1+X 职业技能等级证书", en="1+X vocational skill certificate"),
    "skill-level": Label(zh="职业技能等级证书", en="Vocational skill level certificate"),
    "training": Label(zh="培训", en="Training"),
    "community": Label(zh="社区学习", en="Community learning"),
    "continuing-education": Label(zh="继续教育", en="Continuing education"),
    "competition": Label(zh="技能竞赛", en="Skills competition"),
    "work-experience": Label(zh="工作经历", en="Work experience"),
    "apprenticeship": Label(zh="学徒制", en="Apprenticeship"),
}
CATEGORIES: Final[dict[str, Label]] = {
    "degree": Label(zh="学历教育", en="Degree education"),
    "vocational": Label(zh="职业培训", en="Vocational training"),
    "continuing": Label(zh="继续教育", en="Continuing education"),
    "leisure": Label(zh="文化休闲", en="Culture and leisure"),
    "achievement": Label(zh="业绩成果", en="Achievement"),
}
STATES: Final[dict[str, Label]] = {
    "entered": Label(zh="有效", en="Valid"),
    "used": Label(zh="已使用", en="Used"),
    "expired": Label(zh="已过期", en="Expired"),
    "reversed": Label(zh="已冲正", en="Reversed"),
}
REASONS: Final[dict[str, Label]] = {
    "content-error": Label(zh="内容有误", en="Error in the content"),
    "holder-request": Label(zh="持证人申请", en="Request of the holder"),
    "identity-error": Label(zh="持证人身份有误", en="Error in the holder's identity"),
    "authority-order": Label(zh="主管部门决定", en="Decision of the authority"),
    "superseded": Label(zh="已出具更正版本", en="Corrected version issued"),
    "reversed": Label(zh="登记机构冲正", en="Reversed by the recording institution"),
    "reversed-by-order": Label(zh="依主管部门决定冲正", en="Reversed by decision of the authority"),
}
"""Why a status says that a document is revoked or a line reversed."""


def achievement_type(kind: str) -> str:
    """Return the Open Badges type of an outcome kind."""
    return ACHIEVEMENT_TYPES.get(kind, f"ext:{kind}")


def outcome_kind(achievement: str) -> str:
    """Return the outcome kind of an Open Badges type: the inverse of `achievement_type`."""
    known = _KINDS.get(achievement)
    return known if known is not None else achievement.removeprefix("ext:")


def kind_label(kind: str) -> Label:
    """Return a kind's name; one that is not in the table is shown as it stands."""
    return KINDS.get(kind, Label(zh=kind, en=kind))


def category_label(category: str) -> Label:
    """Return a category's name; one that is not in the table is shown as it stands."""
    return CATEGORIES.get(category, Label(zh=category, en=category))


def state_label(state: str) -> Label:
    """Return the name of a line's state."""
    return STATES[state]


def reason_label(reason: str) -> Label:
    """Return a published reason's words; one that is not in the table is shown as it stands."""
    return REASONS.get(reason, Label(zh=reason, en=reason))
