"""The language switch: one small form on every page."""

from __future__ import annotations

from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

# The switch changes one cookie that holds a language and comes back only to this
# host, so a forged request could do no harm. Without the exemption every page
# would carry a token, and each anonymous visit would write a session row.
switch_language = csrf_exempt(set_language)
