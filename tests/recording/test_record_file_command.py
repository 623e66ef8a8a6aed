"""`manage.py record_file`: a file recorded from the command line, by two people, once."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from creditbank.ledger import operations as ledger
from creditbank.ledger.audit import audit
from creditbank.recording import limits, queries
from tests.recording.badfiles import far_cell
from tests.recording.cast import School, line, make_school, somebody, text_table, workbook

Run = Callable[..., str]


@pytest.fixture
def school(bank: object) -> School:
    return make_school()


@pytest.fixture
def run(school: School, tmp_path: Path) -> Run:
    """Run the command on a file of these bytes; return what it says."""

    def command(data: bytes, *more: str, **changes: str) -> str:
        path = tmp_path / "成绩.xlsx"
        path.write_bytes(data)
        options = {
            "institution": school.slug,
            "stream": school.stream.name,
            "prepared_by": school.clerk.username,
            "approved_by": school.reviewer.username,
        } | changes
        said = StringIO()
        call_command("record_file", str(path), *more, stdout=said, stderr=said, **options)
        return said.getvalue()

    return command


def code_of(run: Run, *args: object, **options: str) -> tuple[int, str]:
    """The exit code of a run that is refused, and its last words."""
    with pytest.raises(CommandError) as refused:
        run(*args, **options)
    return refused.value.returncode, str(refused.value)


def test_a_file_is_recorded_and_recorded_again_changes_nothing(school: School, run: Run) -> None:
    data = text_table(
        [line(somebody(), school.items[0].code) for _ in range(3)], encoding="gb18030"
    )
    said = run(data)
    assert "新增 3" in said
    assert "已存入 3/3" in said
    assert queries.figures(school.institution, school.clerk).entries == 3
    assert "新增 0，再次修读 0，未变 3" in run(data)
    assert queries.figures(school.institution, school.clerk).entries == 3
    assert audit().findings == []


def test_a_large_file_is_recorded_in_parts(
    school: School, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROWS_MAX", 4)
    said = run(workbook([line(somebody(), school.items[0].code) for _ in range(10)]))
    assert [part for part in ("4/10", "8/10", "10/10") if part in said] == ["4/10", "8/10", "10/10"]
    assert queries.receipts(school.institution).count() == 3


def test_a_bad_row_leaves_everything_out(school: School, run: Run) -> None:
    size = ledger.head_size()
    data = workbook([line(somebody(), school.items[0].code), line(somebody(), "NO-SUCH")])
    code, said = code_of(run, data)
    assert code == 1
    assert "没有存入任何一行" in said
    assert ledger.head_size() == size


def test_checking_only_enters_nothing(school: School, run: Run) -> None:
    size = ledger.head_size()
    assert "新增 1" in run(workbook([line(somebody(), school.items[0].code)]), "--check")
    assert ledger.head_size() == size


def test_a_file_that_cannot_be_read_has_a_code_of_its_own(run: Run) -> None:
    code, said = code_of(run, far_cell())
    assert code == 2
    assert "file-too-many-rows" in said


def test_the_two_are_two_people_of_the_institution(school: School, run: Run) -> None:
    data = workbook([line(somebody(), school.items[0].code)])
    code, said = code_of(run, data, approved_by=school.clerk.username)
    assert (code, "forbidden" in said) == (3, True)
    code, said = code_of(
        run, data, prepared_by=school.reviewer.username, approved_by=school.reviewer.username
    )
    assert (code, "same-person" in said) == (3, True)
    stranger = make_school()
    assert code_of(run, data, approved_by=stranger.reviewer.username)[0] == 3
    assert code_of(run, data, stream=stranger.stream.name)[0] == 3
    assert code_of(run, data, prepared_by="nobody")[0] == 2
    assert code_of(run, data, institution="no-such")[0] == 2
