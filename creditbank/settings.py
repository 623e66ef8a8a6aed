"""Settings, read from the environment; what is odd is refused at the start.

Every reader is strict: a value that cannot be read stops the process with a
sentence. System checks (`bank.E...`) refuse combinations that must not serve.
`docs/runbook.md` lists every variable.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from creditbank import keystore

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, *, default: bool) -> bool:
    """Read 0 or 1; anything else is refused, since `false` and `no` have been misread before."""
    text: str = env.str(name, default="1" if default else "0")
    if text not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {text!r}")
    return text == "1"


# -- the bank ---------------------------------------------------------------------------------
BANK_DEMO = _flag("BANK_DEMO", default=False)
DEBUG = _flag("DJANGO_DEBUG", default=False)
BANK_ID = env.str("BANK_ID", default="bank.example")
if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", BANK_ID):
    raise ImproperlyConfigured(f"BANK_ID must be a host name in lower case, not {BANK_ID!r}")
LOG_ORIGIN = f"{BANK_ID}/log"
BANK_DID = f"did:web:{BANK_ID}"
BANK_STREAM = f"{BANK_ID}/bank"
BANK_NAME = env.str("BANK_NAME", default="示例省终身教育学分银行")
BANK_NAME_EN = env.str("BANK_NAME_EN", default="Example Province Lifelong Learning Credit Bank")
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
BANK_HOME = Path(env.str("BANK_HOME", default=str(BASE_DIR / ".bank"))).absolute()
SIGNER_SOCKET = Path(env.str("SIGNER_SOCKET", default=str(BANK_HOME / "signer" / "signer.sock")))
KEYSTORE = keystore.FileKeyStore(BANK_HOME / "secrets")
STAFF_SECOND_FACTOR = _flag("STAFF_SECOND_FACTOR", default=True)
LOG_EXPORT_STORAGE = env.str("LOG_EXPORT_STORAGE", default="")

# -- secrets and hosts ------------------------------------------------------------------------
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="") or KEYSTORE.get("django-secret").hex()
SECRET_KEY_FALLBACKS = env.list("DJANGO_SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# -- applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "creditbank.securitylog",
    "creditbank.users",
    "creditbank.institutions",
    "creditbank.ledger",
    "creditbank.jobs",
    "creditbank.recording",
    "creditbank.recognition",
    "learners",
    "certificates",
    "api",
    "creditbank.portals",
    "creditbank.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
AUTH_USER_MODEL = "users.User"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "creditbank.portals.publicfiles.PublicFileMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "creditbank.portals.middleware.SessionAgeMiddleware",
    "creditbank.portals.middleware.DomainErrorMiddleware",
]
ROOT_URLCONF = "creditbank.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "creditbank.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "creditbank.portals.context.portal",
            ],
        },
    },
]

# -- databases: PostgreSQL alone --------------------------------------------------------------
_TIMEOUTS = (
    "-c statement_timeout=15000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=30000"
)


def _database(url: str, *, search_path: str) -> dict[str, Any]:
    config: dict[str, Any] = env.db_url_config(url)
    if config["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("the bank runs on PostgreSQL alone")
    options = f"-c search_path={search_path} {_TIMEOUTS}"
    config["OPTIONS"] = {**config.get("OPTIONS", {}), "options": options}
    config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    config["CONN_HEALTH_CHECKS"] = True
    config["ATOMIC_REQUESTS"] = False
    return config


DATABASE_URL = env.str("DATABASE_URL", default="postgres://bank_app@127.0.0.1:5432/creditbank")
DATABASES = {
    "default": _database(DATABASE_URL, search_path="public"),
    "keys": _database(env.str("KEYS_DATABASE_URL", default="") or DATABASE_URL, search_path="keys"),
}
DATABASE_ROUTERS = ["creditbank.ledger.routers.KeysRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- sign-in ----------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_ADAPTER = "creditbank.users.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "creditbank.users.adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = BANK_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PUBLIC_URL.startswith("http://localhost")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/welcome"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "creditbank.users.passwords.LengthValidator"},
    {"NAME": "creditbank.users.passwords.BlocklistValidator"},
    {"NAME": "creditbank.users.passwords.Uncommon"},
    {"NAME": "creditbank.users.passwords.UnlikeTheUsername"},
]

# -- cookies, transport, headers --------------------------------------------------------------
SECURE = PUBLIC_URL.startswith("https://")
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "__Host-sid" if SECURE else "sid"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 1800
SESSION_SAVE_EVERY_REQUEST = True
SESSION_ABSOLUTE_AGE = {"staff": 8 * 3600, "learner": 24 * 3600}
CSRF_USE_SESSIONS = True
CSRF_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_NAME = "__Host-lang" if SECURE else "lang"
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^api/"]
SECURE_HSTS_SECONDS = 63072000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if _flag("BEHIND_TLS_PROXY", default=False):
    # Only when the proxy strips this header from what clients send.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "report-uri": ["/csp"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": [],
    "geolocation": [],
    "microphone": [],
    "payment": [],
    "usb": [],
    "publickey-credentials-create": ["self"],
    "publickey-credentials-get": ["self"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
FILE_UPLOAD_PERMISSIONS = 0o640
UPLOAD_MAX_BYTES = 10 << 20

# -- language, time, static files -------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
STATIC_ROOT = BANK_HOME / "static"
STATIC_HASHED = _flag("STATIC_HASHED", default=not DEBUG)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": BANK_HOME / "media"},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = not STATIC_HASHED

# -- cache and tasks --------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHE_URL = env.str("CACHE_URL", default="") or re.sub(r"/\d+$", "/1", REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "TIMEOUT": 300,
        # A cache that hangs must not hold up a verification.
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {"task": "creditbank.jobs.sweep", "schedule": 5.0},
    "resume-transcripts": {"task": "certificates.resume", "schedule": 60.0},
    "finish-forgetting": {"task": "learners.finish_forgetting", "schedule": 600.0},
    "purge-drafts": {
        "task": "creditbank.recording.purge",
        "schedule": crontab(hour=3, minute=30),
    },
    "follow-log-for-recognition": {"task": "creditbank.recognition.follow", "schedule": 5.0},
    "recognition-by-day": {
        "task": "creditbank.recognition.daily",
        "schedule": crontab(hour=0, minute=10),
    },
    "expire-credits": {"task": "creditbank.ledger.expire", "schedule": crontab(hour=0, minute=20)},
    "check-guards": {"task": "creditbank.ledger.guard", "schedule": 300.0},
    "verify-security-log": {
        "task": "creditbank.securitylog.verify",
        "schedule": crontab(hour=1, minute=40),
    },
    "audit-ledger": {"task": "creditbank.ledger.audit", "schedule": crontab(hour=2, minute=0)},
}

# -- API --------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.exceptions.problem_handler",
    "DEFAULT_THROTTLE_CLASSES": [],
    "COERCE_DECIMAL_TO_STRING": True,
    "STRICT_JSON": True,
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "终身教育学分银行 API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "RegisterStateEnum": "api.ruleserializers.STATES",
        "VersionStateEnum": "api.ruleserializers.VERSION_STATES",
        "RequestStateEnum": "api.caseserializers.REQUEST_STATES",
        "DecisionStateEnum": "api.caseserializers.DECISION_STATES",
        "AppealStateEnum": "api.caseserializers.APPEAL_STATES",
        "PreApprovalStateEnum": "api.caseserializers.PRE_APPROVAL_STATES",
        "LineVerdictEnum": "api.caseserializers.LINE_VERDICTS",
        "FindingVerdictEnum": "api.caseserializers.FINDING_VERDICTS",
        "CheckStateEnum": "api.caseserializers.CHECK_STATES",
    },
}

# -- logging: no personal data, no locals -----------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "creditbank.logs.Line",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "filters": {"no_tokens": {"()": "creditbank.logs.WithoutTokens"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_tokens"]}
    },
    # Without Django's own handler, which mails whole reports with their variables.
    "loggers": {"django": {"handlers": [], "level": "INFO"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
