"""Reading: balances against a primary-key read, proofs, the full audit."""

from __future__ import annotations

import time
from functools import partial

from django.db import connection

from creditbank import prepared
from creditbank.ledger import learnerkeys, operations, queries
from creditbank.ledger.audit import audit
from creditbank.ledger.models import CreditAccount
from creditbank.proofs import merkle
from tests.bench.recording import Province
from tests.bench.rig import Table, alternating, median, spread


def _each(calls: int, call: object) -> float:
    assert callable(call)
    began = time.perf_counter()
    for number in range(calls):
        call(number)
    return (time.perf_counter() - began) / calls * 1e3


def balance_against_primary_key(table: Table, province: Province) -> None:
    """The totals of an account beside one row by its primary key, asked in the same way."""
    ten = operations.open_accounts(200)
    for part in range(0, 200, 50):
        province.college.record(
            *(
                province.college.award(account, item_row=item)
                for account in ten[part : part + 50]
                for item in province.college.items[:10]
            )
        )
    everyone = province.accounts
    held = _entries_of(everyone[5])

    def balance(number: int) -> None:
        queries.balance([ten[number % len(ten)]])

    def balance_of_many(number: int) -> None:
        queries.balance([everyone[number * 131 % len(everyone)]])

    def primary_key(number: int) -> None:
        prepared.run(
            "SELECT number FROM ledger_account WHERE number = %s", [ten[number % len(ten)]]
        )

    def through_a_cursor(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT number FROM ledger_account WHERE number = %s", [ten[number % len(ten)]]
            )
            cursor.fetchone()

    def through_the_orm(number: int) -> None:
        CreditAccount.objects.get(pk=ten[number % len(ten)])

    measures = (balance, primary_key, balance_of_many, through_a_cursor, through_the_orm)
    # Short turns: a processor that was left alone answers later, whatever it is asked.
    ours, bare, many, cursor, orm = alternating(
        *(partial(_each, 100, one) for one in measures), rounds=101
    )
    table.add("balance of an account with 10 entries", spread(ours, " ms"))
    table.add(
        "/ a primary-key read, prepared like it",
        spread([a / b for a, b in zip(ours, bare, strict=True)]),
        goal="≤ 1.5",
        against=f"{spread(bare, ' ms')}; through a cursor of Django's {median(cursor):.3g} ms,"
        f" through the ORM {median(orm):.3g} ms",
    )
    table.add(
        f"/ the same for an account with {held} entries",
        spread([a / b for a, b in zip(many, bare, strict=True)]),
        against=spread(many, " ms"),
    )


def _entries_of(account: int) -> int:
    [(count,)] = prepared.run("SELECT count(*) FROM ledger_entry WHERE acct = %s", [account])
    return int(count)


def proofs(table: Table) -> None:
    """An inclusion proof from the stored tiles, and its verification."""
    state = queries.log_state()
    indexes = [2 + n * 104_729 % (state.published_size - 300) for n in range(200)]
    entries = []
    for index in indexes:
        try:
            entries.append(queries.entry(index).index)
        except queries.UnknownEntry:
            continue
    proof = alternating(
        lambda: _each(len(entries), lambda number: queries.proof(entries[number], disclose=()))
    )[0]
    table.add("a whole ledger proof, cold", spread(proof, " ms"), goal="—")
    leaf = merkle.leaf_hash(b"x")
    path = [leaf] * 20
    verify = alternating(
        lambda: _each(1000, lambda number: merkle.root_from_inclusion(leaf, 5, 1 << 20, path))
    )[0]
    table.add("verifying an inclusion path of 20", spread(verify, " ms"))


def full_audit(table: Table, rate: float) -> None:
    """The audit of everything, openings decrypted, beside the recording rate of the same run."""
    learnerkeys._cache.clear()
    began = time.perf_counter()
    report = audit()
    took = time.perf_counter() - began
    assert not report.findings, report.findings[:3]
    audited = report.size / took
    table.add(
        f"full audit of {report.size:,} leaves, {report.opened:,} openings decrypted",
        f"{audited:,.0f}/s",
        goal="≥ 2 × recording",
        against=f"{audited / rate:.2f} × recording" if rate else "",
    )
    assert operations.head_size() == report.size
