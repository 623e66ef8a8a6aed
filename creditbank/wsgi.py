"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from creditbank import interpreter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditbank.settings")

application = get_wsgi_application()

from creditbank.ledger import guard  # noqa: E402 - the applications must be there first

guard.check_at_start()
interpreter.tune()
