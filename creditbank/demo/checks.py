"""The demo's accounts have passwords that lie in a file: such a bank serves one machine only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LOCAL_URL: Final = re.compile(r"http://localhost(:\d{1,5})?")


def refusals(*, public_url: str, databases: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say what of these settings reaches beyond this machine."""
    found = []
    if _LOCAL_URL.fullmatch(public_url) is None:
        found.append(f"PUBLIC_URL is {public_url}, not http://localhost:PORT")
    found += [
        f"the database {alias!r} is on {database.get('HOST') or 'an unnamed host'}, not 127.0.0.1"
        for alias, database in databases.items()
        if database.get("HOST") not in HERE
    ]
    return found


@register(Tags.security)
def demo_is_local(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - what every check is called with
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    """Refuse the demo anywhere but on the machine of whoever looks at it (`bank.E010`)."""
    if not settings.BANK_DEMO:
        return []
    return [
        Error(
            f"BANK_DEMO=1, but {refusal}",
            hint="The demo makes accounts with passwords that are written down: BANK_DEMO=0"
            " wherever others can reach it.",
            id="bank.E010",
        )
        for refusal in refusals(public_url=settings.PUBLIC_URL, databases=settings.DATABASES)
    ]
