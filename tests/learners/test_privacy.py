"""No name and no identity number stands in the database in clear, in any column of any table."""

import base64
import hashlib

import psycopg
import pytest
from psycopg import sql

from creditbank.users.operations import UsernameInvalid, open_user
from learners import operations, queries
from learners.identity import DocumentType, IdentityDocument
from tests.institutions import cast
from tests.learners import people

COLUMNS = """
SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'
"""

PEOPLE = (
    (DocumentType.RESIDENT_ID, people.resident_number(77), "欧阳示例珊"),
    (DocumentType.RESIDENT_ID, people.resident_number(78, area="810000"), "𬎆示例𠮷"),
    (DocumentType.PASSPORT, "KOR/M87654321", "박시범철수"),
    (DocumentType.HK_MO_PERMIT, "H87654321", "阿依示例·买示例"),
    (DocumentType.FOREIGN_PR, "KOR220087654321", "Annabel Exemplar"),
)


def encodings(text: str) -> set[bytes]:
    """Every form in which a text might lie in a column and still be read or be guessed at."""
    plain = text.encode()
    folded = text.casefold().encode()
    return {
        plain,
        folded,
        text.encode("utf-16-le"),
        text.encode("gb18030"),
        plain.hex().encode(),
        base64.b64encode(plain).rstrip(b"="),
        hashlib.sha256(plain).digest(),
        hashlib.sha256(plain).hexdigest().encode(),
        hashlib.md5(plain).digest(),
        hashlib.md5(plain).hexdigest().encode(),
    }


def cells(url: str):
    """Every value of every column, with where it stands; bytes as they are, others as text."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        columns = cursor.fetchall()
        for schema, table, column, kind in columns:
            value = sql.Identifier(column)
            if kind != "bytea":
                value = sql.SQL("{}::text").format(value)
            cursor.execute(
                sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL").format(
                    value, sql.Identifier(schema, table), sql.Identifier(column)
                )
            )
            for (cell,) in cursor.fetchall():
                yield (
                    f"{schema}.{table}.{column}",
                    cell if isinstance(cell, bytes) else str(cell).encode(),
                )


def found(url: str, needles: set[bytes]) -> list[str]:
    return sorted({place for place, cell in cells(url) if any(n in cell for n in needles)})


def test_no_name_and_no_number_is_found_after_registering_and_claiming(db, superuser_url):
    clerk = cast.make_member(cast.make_institution()).user
    needles: set[bytes] = set()
    for kind, number, name in PEOPLE:
        document = IdentityDocument(type=kind, number=number)
        learner = operations.register_learner(document=document, name=name, acting_user=clerk)
        code = operations.issue_claim_code(learner, clerk)
        user = cast.make_user()
        operations.claim(user=user, code=code)
        operations.give_consent(learner=learner, purpose="sensitive-data", wording="2026-1")
        assert queries.display_name(learner) == name
        for text in (name, document.number, number[-8:], code, code.replace("-", "")):
            needles |= encodings(text)
    assert found(superuser_url, needles) == []


def test_the_search_itself_finds_what_stands_in_clear(db, superuser_url):
    open_user(username="xiaoli-2026", password=None, display_name="示例显示名")
    assert found(superuser_url, encodings("示例显示名")) == ["public.users_user.display_name"]
    assert found(superuser_url, encodings("新能源汽车")) == ["public.institutions_industry.name"]
    learner = people.register()
    digest = bytes(learner.identity_digest or b"")
    assert found(superuser_url, {digest}) == ["public.learners_learner.identity_digest"]


@pytest.mark.parametrize("typed", [people.resident_number(5), "110105491231002"])
def test_a_sign_in_name_is_never_a_citizens_number(db, typed):
    with pytest.raises(UsernameInvalid) as refused:
        open_user(username=typed, password=None)
    assert refused.value.facts["reason"] == "username-is-identity-number"
