"""The demo's accounts: random passwords in a file that its owner alone can read.

The file is written before the first account is made, so that a run that is cut
short leaves nobody with a password that is written nowhere.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from creditbank.demo.files import replace

NAME: Final = "accounts.txt"
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LINE: Final = re.compile(r"^  (\S+)  +(\S+)  +#", re.MULTILINE)

ROLES: Final = {
    "learner": "学习者李龑，账户里有各类成果 / a learner with outcomes of every kind",
    "classmate": "学习者何栀欣，目标：现代物流管理 / a learner with a goal, who has asked nothing yet",
    "newcomer": "学习者金新来，账户里还没有成果 / a learner with nothing yet",
    "clerk": "云岭职业技术学院经办人 / clerk of a college: records",
    "reviewer": "云岭职业技术学院复核人，有一份待复核 / reviewer: one draft waits for approval",
    "admin": "云岭职业技术学院管理员 / administrator of the college",
    "authority": "省级主管部门 / the provincial authority",
    "nanpu-clerk": "南浦示例职业学院经办人 / clerk of a college that recognises credits",
    "nanpu-reviewer": "南浦示例职业学院复核人：认定申请、认定规则 / its reviewer: requests, rules",
    "nanpu-admin": "南浦示例职业学院管理员：复议 / its administrator: appeals",
    "visitor": "还没有账户的人，可用下面的认领码 / nobody yet: try a claim code with it",
}
"""Those who can sign in, by username, and what for."""

_HEAD: Final = """\
演示账户（用户名、口令、用途）/ demo accounts (username, password, purpose)
仅供本机演示；演示中关闭了第二重验证 STAFF_SECOND_FACTOR=0，正式运行时工作人员必须启用。
For this machine only. The second factor is switched off in the demo; staff must use one elsewhere.
"""
_CLAIMS: Final = """\
待认领账户的认领码（以 visitor 登录后使用，每个只能用一次，30 天内有效）
Claim codes of waiting accounts (sign in as visitor; each works once, for 30 days)
"""


def new_password() -> str:
    """Draw a password: 16 characters, 79 random bits, in groups of four."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(16))
    return "-".join(drawn[start : start + 4] for start in range(0, 16, 4))


@dataclass
class Accounts:
    """What the file says: a password for each account, and claim codes by the learner's label."""

    path: Path
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    codes: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, folder: Path) -> Accounts:
        """Read the file of a folder, or write one with new passwords."""
        accounts = cls(path=folder / NAME)
        if accounts.path.exists():
            for name, secret in _LINE.findall(accounts.path.read_text(encoding="utf-8")):
                (accounts.passwords if name in ROLES else accounts.codes)[name] = secret
        if accounts.passwords.keys() != ROLES.keys():
            for name in ROLES:
                accounts.passwords.setdefault(name, new_password())
            accounts.save()
        return accounts

    def save(self) -> None:
        """Write the file, for its owner alone."""
        lines = [_HEAD]
        lines += [
            f"  {name:<14}  {self.passwords[name]}  # {purpose}\n"
            for name, purpose in ROLES.items()
        ]
        if self.codes:
            lines += ["\n", _CLAIMS]
            lines += [f"  {label}  {code}  #\n" for label, code in self.codes.items()]
        replace(self.path, "".join(lines).encode())
