"""What guards the account book in the database itself, and whether it is all in place.

The one list of triggers, constraints and rights (pure: the signer reads it too).
Rights are granted from it after every migration (`ledger.grants`); a test compares
it with a database fresh from the migrations; every process compares it with the
database it starts on, and a job does so every five minutes (`ledger.guard`).

`bank_owner` owns and migrates; `bank_app` runs web and workers; `bank_signer`
reads the ledger and writes checkpoints. A table that is not named here is an
ordinary table of the application.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

APP: Final = "bank_app"
SIGNER: Final = "bank_signer"
PUBLIC: Final = "PUBLIC"

# -- rights -----------------------------------------------------------------------------------
LEDGER_GRANTS: Final[dict[str, dict[str, str]]] = {
    "ledger_account": {APP: "SELECT, INSERT"},
    "ledger_manifest": {APP: "SELECT, INSERT", SIGNER: "SELECT"},
    "ledger_entry": {APP: "SELECT, INSERT", SIGNER: "SELECT"},
    "ledger_tile": {APP: "SELECT, INSERT", SIGNER: "SELECT"},
    "ledger_checkpoint": {APP: "SELECT", SIGNER: "SELECT, INSERT"},
    "ledger_submissionkey": {APP: "SELECT, INSERT"},
    "ledger_forkevidence": {APP: "SELECT, INSERT"},
    "ledger_head": {APP: "SELECT, UPDATE (size, frontier, root)", SIGNER: "SELECT"},
    "ledger_streamhead": {APP: "SELECT, INSERT, UPDATE (next_seq, prev_root)"},
    "securitylog_securityevent": {APP: "SELECT, INSERT"},
    "recognition_ruleversion": {APP: "SELECT, INSERT, UPDATE"},
    "recognition_programmeversion": {APP: "SELECT, INSERT, UPDATE"},
    "recognition_decision": {APP: "SELECT, INSERT, UPDATE"},
    "recognition_decisionline": {APP: "SELECT, INSERT"},
    "recognition_review": {APP: "SELECT, INSERT, UPDATE (note_sealed)"},
    "django_migrations": {APP: "SELECT"},
}
KEYS_GRANTS: Final[dict[str, dict[str, str]]] = {
    "learner_key": {APP: "SELECT, INSERT, DELETE"},
    "forgetting": {APP: "SELECT, UPDATE"},
    "forgotten": {APP: "SELECT, INSERT"},
    "django_migrations": {APP: "SELECT"},
}
ORDINARY: Final[dict[str, str]] = {APP: "SELECT, INSERT, UPDATE, DELETE"}
SCHEMA_GRANTS: Final[dict[str, dict[str, str]]] = {
    "public": {APP: "USAGE", SIGNER: "USAGE"},
    "keys": {APP: "USAGE"},
}
DATABASE_GRANTS: Final[dict[str, str]] = {APP: "CONNECT", SIGNER: "CONNECT"}

# -- triggers: all of them ENABLE ALWAYS, so that session_replication_role switches none off ---
APPEND_ONLY: Final = (
    "ledger_account",
    "ledger_manifest",
    "ledger_entry",
    "ledger_tile",
    "ledger_checkpoint",
    "ledger_submissionkey",
    "ledger_forkevidence",
)
ONE_ROW_EACH: Final = ("ledger_head", "ledger_streamhead")
LEDGER_TRIGGERS: Final[dict[tuple[str, str], str]] = {
    **{(t, f"{t}_unchanged"): "BEFORE DELETE OR UPDATE, ROW, ledger_deny" for t in APPEND_ONLY},
    **{(t, f"{t}_kept"): "BEFORE DELETE, ROW, ledger_deny" for t in ONE_ROW_EACH},
    **{
        (t, f"{t}_not_truncated"): "BEFORE TRUNCATE, STATEMENT, ledger_deny"
        for t in (*APPEND_ONLY, *ONE_ROW_EACH)
    },
    ("ledger_head", "ledger_head_single"): "BEFORE INSERT, ROW, ledger_deny",
    ("ledger_head", "ledger_head_follows"): "BEFORE UPDATE, ROW, ledger_head_follows",
    ("ledger_manifest", "ledger_manifest_follows"): (
        "AFTER INSERT, STATEMENT, ledger_manifest_follows"
    ),
    ("ledger_entry", "ledger_entry_follows"): "AFTER INSERT, STATEMENT, ledger_entry_follows",
    ("ledger_streamhead", "ledger_streamhead_follows"): (
        "BEFORE UPDATE, ROW, ledger_streamhead_follows"
    ),
    ("ledger_streamhead", "ledger_streamhead_starts"): (
        "BEFORE INSERT, ROW, ledger_streamhead_starts"
    ),
    ("ledger_checkpoint", "ledger_checkpoint_follows"): (
        "BEFORE INSERT, ROW, ledger_checkpoint_follows"
    ),
}
SECURITY_TRIGGERS: Final[dict[tuple[str, str], str]] = {
    ("securitylog_securityevent", "security_event_follows"): (
        "BEFORE INSERT, ROW, securitylog_follows"
    ),
    ("securitylog_securityevent", "security_event_unchanged"): (
        "BEFORE DELETE OR UPDATE, ROW, securitylog_deny"
    ),
    ("securitylog_securityevent", "security_event_not_truncated"): (
        "BEFORE TRUNCATE, STATEMENT, securitylog_deny"
    ),
}
VERSIONS: Final = ("recognition_ruleversion", "recognition_programmeversion")
DECISIONS: Final = ("recognition_decision", "recognition_decisionline", "recognition_review")
RECOGNITION_TRIGGERS: Final[dict[tuple[str, str], str]] = {
    **{
        (t, f"{t}_follows"): "BEFORE INSERT OR UPDATE, ROW, recognition_version_follows"
        for t in VERSIONS
    },
    **{(t, f"{t}_kept"): "BEFORE DELETE, ROW, recognition_deny" for t in (*VERSIONS, *DECISIONS)},
    **{
        (t, f"{t}_not_truncated"): "BEFORE TRUNCATE, STATEMENT, recognition_deny"
        for t in (*VERSIONS, *DECISIONS)
    },
    ("recognition_decision", "recognition_decision_follows"): (
        "BEFORE INSERT OR UPDATE, ROW, recognition_decision_follows"
    ),
    ("recognition_decisionline", "recognition_decisionline_proposed"): (
        "BEFORE INSERT, ROW, recognition_while_proposed"
    ),
    ("recognition_decisionline", "recognition_decisionline_unchanged"): (
        "BEFORE UPDATE, ROW, recognition_deny"
    ),
    ("recognition_review", "recognition_review_proposed"): (
        "BEFORE INSERT, ROW, recognition_while_proposed"
    ),
    ("recognition_review", "recognition_review_stands"): (
        "BEFORE UPDATE, ROW, recognition_review_stands"
    ),
}
KEYS_TRIGGERS: Final[dict[tuple[str, str], str]] = {
    ("learner_key", "learner_key_forgotten"): "AFTER DELETE, STATEMENT, count_forgetting",
    ("learner_key", "learner_key_never_rotates"): "BEFORE UPDATE, ROW, refuse_rewrapping",
}
FUNCTIONS: Final[dict[str, str]] = {
    "count_forgetting": "b0d5df78cd96966a",
    "ledger_checkpoint_follows": "61eb1e1409424902",
    "ledger_checkpoint_link": "2dc27eb54b15f38d",
    "ledger_deny": "85a63aaee2486523",
    "ledger_entry_follows": "41e374b73558215b",
    "ledger_head_follows": "727eb8b23398fc7b",
    "ledger_manifest_follows": "fe04aa4be793f382",
    "ledger_streamhead_follows": "131f1df1ed1c37c1",
    "ledger_streamhead_starts": "3c862aadbddac4a2",
    "recognition_decision_follows": "c4d7becde021632a",
    "recognition_deny": "85a63aaee2486523",
    "recognition_review_stands": "31942403a7073994",
    "recognition_version_follows": "8cf6150e4c422b45",
    "recognition_while_proposed": "01533e068ed1b7df",
    "refuse_rewrapping": "3b11e5cd89af878e",
    "securitylog_deny": "85a63aaee2486523",
    "securitylog_follows": "9874a2a69cb5b38e",
}
"""The first 16 digits of SHA-256 over a function's body: one emptied guards nothing."""
HELPERS: Final = ("ledger_checkpoint_link",)
"""Functions that triggers' functions call."""

# -- constraints and unique indexes --------------------------------------------------------------
LEDGER_CONSTRAINTS: Final[dict[str, tuple[str, ...]]] = {
    "ledger_account": (
        "account_number_range",
        "ledger_account_pkey",
    ),
    "ledger_checkpoint": (
        "checkpoint_chain_length",
        "ledger_checkpoint_pkey",
    ),
    "ledger_entry": (
        "entry_once_per_outcome",
        "entry_public_in_account_zero",
        "entry_sign_follows_kind",
        "ledger_entry_pkey",
    ),
    "ledger_forkevidence": ("ledger_forkevidence_pkey",),
    "ledger_head": (
        "head_is_one_row",
        "head_root_length",
        "ledger_head_pkey",
    ),
    "ledger_manifest": (
        "ledger_manifest_pkey",
        "manifest_count_range",
        "manifest_not_negative",
        "manifest_once_per_number",
    ),
    "ledger_streamhead": (
        "ledger_streamhead_pkey",
        "streamhead_root_length",
        "streamhead_seq_range",
    ),
    "ledger_submissionkey": (
        "ledger_submissionkey_pkey",
        "submission_key_digest_length",
    ),
    "ledger_tile": (
        "ledger_tile_pkey",
        "tile_is_full",
    ),
    "securitylog_securityevent": (
        "security_event_facts_short",
        "security_event_kind_form",
        "security_event_mac_length",
        "security_event_previous_length",
        "security_event_seq_positive",
        "securitylog_securityevent_pkey",
    ),
}
RECOGNITION_CONSTRAINTS: Final[dict[str, tuple[str, ...]]] = {
    f"recognition_{name}": (
        f"recognition_{name}_pkey",
        f"recognition_{name}_entry_index_key",
        f"recognition_{name}_withdrawal_index_key",
        f"{name}_days_in_order",
        f"{name}_digest_of_document",
        f"{name}_filing_is_whole",
        f"{name}_from_one",
        f"{name}_publication_is_whole",
        f"{name}_published_by_another",
        f"{name}_status_known",
        f"{name}_withdrawal_is_whole",
    )
    for name in ("ruleversion", "programmeversion")
} | {
    "recognition_decision": (
        "recognition_decision_pkey",
        "recognition_decision_number_key",
        "recognition_decision_entry_index_key",
        "recognition_decision_reversal_index_key",
        "decision_credits_positive",
        "decision_entry_is_whole",
        "decision_package_is_whole",
        "decision_replaces_another",
        "decision_reversal_is_whole",
        "decision_state_known",
    ),
    "recognition_decisionline": (
        "recognition_decisionline_pkey",
        "recognition_decisionline_position_check",
        "recognition_decisionline_rule_version_check",
        "line_credits_as_verdict",
        "line_given_names_rule_and_target",
        "line_leaves_length",
        "line_position_once",
        "line_reduction_has_reason",
        "line_verdict_known",
        "line_within_proposal",
    ),
    "recognition_review": (
        "recognition_review_pkey",
        "recognition_review_years_check",
        "review_note_sealed",
        "review_once",
        "review_verdict_known",
    ),
}
KEYS_CONSTRAINTS: Final[dict[str, tuple[str, ...]]] = {
    "forgotten": ("forgotten_pkey",),
    "learner_key": ("learner_key_pkey",),
}


def rights_on(table: str, named: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the rights of each role on a table: named, or ordinary."""
    return named.get(table, ORDINARY)


def _rights(text: str) -> set[str]:
    """Read `SELECT, UPDATE (a, b)` as `SELECT`, `UPDATE (a)`, `UPDATE (b)`."""
    found: set[str] = set()
    for right, columns in re.findall(r"([A-Z]+)(?: \(([^)]*)\))?", text):
        found |= {f"{right} ({name})" for name in columns.split(", ")} if columns else {right}
    return found


# -- looking ----------------------------------------------------------------------------------
class Cursor(Protocol):
    """A cursor of psycopg, or Django's around it."""

    def execute(self, query: str, params: Any = ..., /) -> Any:
        """Run a query."""
        ...

    def fetchall(self) -> list[Any]:
        """Return its rows."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Schema:
    grants: dict[str, dict[str, str]]
    triggers: dict[tuple[str, str], str]
    constraints: dict[str, tuple[str, ...]]


_SCHEMAS: Final = {
    "public": _Schema(
        grants=LEDGER_GRANTS,
        triggers=LEDGER_TRIGGERS | SECURITY_TRIGGERS | RECOGNITION_TRIGGERS,
        constraints=LEDGER_CONSTRAINTS | RECOGNITION_CONSTRAINTS,
    ),
    "keys": _Schema(grants=KEYS_GRANTS, triggers=KEYS_TRIGGERS, constraints=KEYS_CONSTRAINTS),
}

_TRIGGERS: Final = """
    SELECT c.relname, t.tgname, t.tgenabled::text, t.tgtype, t.tgqual IS NULL AND cardinality(t.tgattr::int2[]) = 0, p.proname,
        left(encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'), 16)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND n.nspname = %s AND c.relname = ANY(%s) ORDER BY 1, 2
"""
_CONSTRAINTS: Final = """
    SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.convalidated AND k.contype IN ('p', 'u', 'c') AND n.nspname = %(schema)s
    UNION
    SELECT c.relname, i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE x.indisunique AND x.indisvalid AND x.indpred IS NULL AND n.nspname = %(schema)s
"""
_FUNCTION: Final = """
    SELECT p.proname, left(encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'), 16)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = %s AND p.proname = ANY(%s)
"""
_REWRITES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = ANY(%s) AND (c.relrowsecurity
        OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid)) ORDER BY 1
"""
_GRANTED: Final = """
    SELECT c.relname, coalesce(g.rolname, 'PUBLIC'), a.privilege_type, a.is_grantable,
        c.relowner = a.grantee
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
        aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT c.relname, coalesce(g.rolname, 'PUBLIC'),
        format('%%s (%%s)', a.privilege_type, t.attname), a.is_grantable, false
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE n.nspname = %(schema)s
    UNION ALL
    SELECT 'schema ' || n.nspname, coalesce(g.rolname, 'PUBLIC'), a.privilege_type,
        a.is_grantable, n.nspowner = a.grantee
    FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE n.nspname = %(schema)s
    UNION ALL
    SELECT 'database', coalesce(g.rolname, 'PUBLIC'), a.privilege_type, a.is_grantable,
        d.datdba = a.grantee
    FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE d.datname = current_database()
"""
_ROLES: Final = """
    SELECT r.rolname, r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
        OR r.rolbypassrls, ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m
        WHERE m.member = r.oid ORDER BY 1)
    FROM pg_roles r WHERE r.rolname = ANY(%s) ORDER BY 1
"""


def problems(cursor: Cursor, schema: str) -> list[str]:
    """Compare a schema of the connected database with the list; say everything that differs.

    Catalogue tables alone are read, which any role may. About ten milliseconds.
    """
    expected = _SCHEMAS[schema]
    return [
        *_triggers(cursor, schema, expected),
        *_constraints(cursor, schema, expected),
        *_granted(cursor, schema, expected),
        *_roles(cursor),
    ]


_EVENTS: Final = ((8, "DELETE"), (4, "INSERT"), (32, "TRUNCATE"), (16, "UPDATE"))


def _spelt(kind: int, function: str) -> str:
    """Spell a trigger's type (pg_trigger.tgtype, trigger.h) and function."""
    when = "BEFORE" if kind & 2 else "INSTEAD OF" if kind & 64 else "AFTER"
    events = " OR ".join(name for bit, name in _EVENTS if kind & bit)
    return f"{when} {events}, {'ROW' if kind & 1 else 'STATEMENT'}, {function}"


def _triggers(cursor: Cursor, schema: str, expected: _Schema) -> Iterable[str]:
    tables = sorted({table for table, _ in expected.triggers})
    cursor.execute(_TRIGGERS, [schema, tables])
    there: set[tuple[str, str]] = set()
    for table, name, enabled, kind, whole, function, body in cursor.fetchall():
        there.add((table, name))
        known = expected.triggers.get((table, name))
        if known is None:
            yield f"trigger {name} on {table} is not one of ours"
            continue
        if enabled != "A":
            yield f"trigger {name} on {table} is not enabled always"
        if _spelt(kind, function) != known or not whole:
            yield f"trigger {name} on {table} is another"
        if body != FUNCTIONS.get(function):
            yield f"function {function} of trigger {name} is another"
    if schema == "public":
        cursor.execute(_FUNCTION, [schema, list(HELPERS)])
        bodies = dict(cursor.fetchall())
        for function in HELPERS:
            if bodies.get(function) != FUNCTIONS[function]:
                yield f"function {function} is another"
    for table, name in sorted(expected.triggers.keys() - there):
        yield f"trigger {name} on {table} is missing"
    cursor.execute(_REWRITES, [schema, tables])
    for (table,) in cursor.fetchall():
        yield f"rules or row security stand on {table}"


def _constraints(cursor: Cursor, schema: str, expected: _Schema) -> Iterable[str]:
    cursor.execute(_CONSTRAINTS, {"schema": schema})
    there = {(table, name) for table, name in cursor.fetchall()}
    for table, names in expected.constraints.items():
        for name in names:
            if (table, name) not in there:
                yield f"constraint {name} on {table} is missing"


def _granted(cursor: Cursor, schema: str, expected: _Schema) -> Iterable[str]:
    cursor.execute(_GRANTED, {"schema": schema})
    granted: dict[tuple[str, str], set[str]] = {}
    for thing, role, right, grantable, owns in cursor.fetchall():
        if owns and role not in (APP, SIGNER):
            continue
        spelt = f"{right} WITH GRANT OPTION" if grantable and not owns else right
        granted.setdefault((thing, role), set()).add(spelt)
    exact = {
        **expected.grants,
        f"schema {schema}": SCHEMA_GRANTS[schema],
        "database": DATABASE_GRANTS,
    }
    for thing, role in sorted(granted.keys() | {(t, r) for t, rs in exact.items() for r in rs}):
        found = granted.get((thing, role), set())
        allowed = _rights(exact.get(thing, ORDINARY).get(role, ""))
        if role not in (APP, SIGNER, PUBLIC):
            # Others may look at the ledger; what they may change they could change unseen.
            allowed = {"SELECT"} if thing in expected.grants else found
        for right in sorted(found - allowed):
            yield f"{role} has {right} on {thing}"
        if thing in expected.grants and role in (APP, SIGNER):
            for right in sorted(allowed - found):
                yield f"{role} lacks {right} on {thing}"


def _roles(cursor: Cursor) -> Iterable[str]:
    cursor.execute(_ROLES, [[APP, SIGNER]])
    for role, mighty, memberships in cursor.fetchall():
        if mighty:
            yield f"role {role} has attributes beyond signing in"
        for other in memberships:
            yield f"role {role} is a member of {other}"
