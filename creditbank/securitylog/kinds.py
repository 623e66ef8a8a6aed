"""The kinds of security event. The list only grows: old rows keep their meaning."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an event
    SECOND_FACTOR_ADDED = "second-factor-added"
    SECOND_FACTOR_REMOVED = "second-factor-removed"
    SECOND_FACTOR_RESET = "second-factor-reset"
    SECOND_FACTOR_FAILED = "second-factor-failed"
    DENIED = "denied"
    MEMBER_ADDED = "member-added"
    ROLE_CHANGED = "role-changed"
    MEMBER_ENDED = "member-ended"
    STREAM_KEY_ADDED = "stream-key-added"
    STREAM_KEY_RETIRED = "stream-key-retired"
    STREAM_KEY_COMPROMISED = "stream-key-compromised"
    API_KEY_MADE = "api-key-made"
    API_KEY_REVOKED = "api-key-revoked"
    API_KEY_REFUSED = "api-key-refused"
    IDENTITIES_RESOLVED = "identities-resolved"
    PERSONAL_DATA_VIEWED = "personal-data-viewed"
    EXPORTED = "exported"
    CLAIM_CODE_ISSUED = "claim-code-issued"
    LEARNER_FORGOTTEN = "learner-forgotten"
    RULE_PUBLISHED = "rule-published"
    RULE_WITHDRAWN = "rule-withdrawn"
    PROGRAMME_PUBLISHED = "programme-published"
    PROGRAMME_WITHDRAWN = "programme-withdrawn"
