"""Verify a transcript, PDF or JSON, with nothing but the bank's trust list (and its status file).

Pure: no network, no database, no Django. `python -m certificates.verify FILE
--trust TRUST [--status STATUS]` prints the seven checks and ends with 0
(genuine), 1 (invalid), 2 (could not be checked) or 3 (not one of our files).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from certificates.checks import FILE_MAX, Verification
from certificates.evidence import PROVINCE
from certificates.report import Report
from creditbank import multikeys
from creditbank import trust as trust_lists
from creditbank.trust import Status, TrustInvalid, TrustList

Json = Any


def verify_file(
    data: bytes,
    *,
    trust: TrustList,
    status: Status | None,
    at: date,
    register: Mapping[str, Json] | None = None,
) -> Report:
    """Verify a file of unknown origin: at most 10 MiB, a PDF of ours or the JSON in it.

    `at` is the civil date of checking. `register` is the document as the bank
    holds it, for those who can ask the bank; then the fields that differ are
    named from it. Never raises for what is in the file.
    """
    return Verification(trust, status, at, register).run(data)


# -- the command line -------------------------------------------------------------------------

_MARKS: Final = {"valid": "✓", "note": "!", "invalid": "✗", "undetermined": "?", "skipped": "–"}
USAGE: Final = 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with 3, as for a file that is not ours: 2 means that a check could not be made."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m certificates.verify",
        description="离线核验学分证明（PDF 或 JSON）。Verify a credit transcript offline.",
        epilog="0 有效 genuine · 1 无效 invalid · 2 未能检查 could not be checked · "
        "3 不是本平台的文件或用法有误 not one of our files, or wrong usage",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="学分证明 the transcript")
    parser.add_argument(
        "--trust", required=True, type=Path, help="学分银行公布的信任名单 the bank's trust list"
    )
    parser.add_argument("--status", type=Path, help="学分银行公布的状态文件 the status snapshot")
    parser.add_argument(
        "--at", type=date.fromisoformat, help="核验日期 date of checking, YYYY-MM-DD (today)"
    )
    parser.add_argument(
        "--pin", metavar="MULTIKEY", help="信任名单必须由此密钥签名 key that must sign the list"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON print the report as JSON")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Verify one file and return the exit code."""
    arguments = _arguments(argv)
    try:
        pinned = None if arguments.pin is None else multikeys.public_of(arguments.pin)
        trust = trust_lists.parse_trust(arguments.trust.read_bytes(), pinned=pinned)
        status = (
            None
            if arguments.status is None
            else trust_lists.parse_status(arguments.status.read_bytes(), trust)
        )
        with arguments.file.open("rb") as stream:
            data = stream.read(FILE_MAX + 1)
    except (OSError, TrustInvalid, multikeys.MultikeyInvalid) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    at = arguments.at or datetime.now(PROVINCE).date()
    report = verify_file(data, trust=trust, status=status, at=at)
    text = (
        json.dumps(report.to_json(), ensure_ascii=False, indent=2)
        if arguments.json
        else _text(report)
    )
    sys.stdout.write(text + "\n")
    return report.exit_code


def _text(report: Report) -> str:
    lines = [f"{report.code}  {report.headline.zh} / {report.headline.en}"]
    if report.data is not None:
        lines.append(f"编号 No. {report.data.number}  {report.data.holder_name}")
    lines.append("")
    for check in report.checks:
        lines.append(f"{_MARKS[check.state]} {check.number} {check.name.zh} / {check.name.en}")
        for finding in check.findings:
            code = f"[{finding.code}] " if finding.code else ""
            lines += [f"    {code}{finding.zh}", f"    {finding.en}"]
    if report.differences:
        lines += ["", "不同之处 Differences"]
        lines += [
            f"  {item.label_zh} / {item.label_en}: {item.in_file!r} | {item.expected!r}"
            for item in report.differences
        ]
    lines += ["", report.headline.next_zh, report.headline.next_en]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
