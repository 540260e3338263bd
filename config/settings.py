"""All settings, in one file. Everything that differs between installations is read from the environment
(or from a `.env` file beside manage.py); docs/settings.md describes each variable."""

import ipaddress
import os
import secrets
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# --- Where the installation keeps its data: database, toolchains, journal, sockets ---
RUNCODE_HOME = Path(env.str("RUNCODE_HOME", default=str(BASE_DIR / "var"))).resolve()
RUNCODE_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)


def _secret_key() -> str:
    """The key of RUNCODE_SECRET_KEY, else one generated once and kept in RUNCODE_HOME (mode 0600)."""
    if value := str(env.str("RUNCODE_SECRET_KEY", default="")):
        return value
    path = RUNCODE_HOME / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    value = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    return value


SECRET_KEY = _secret_key()
DEBUG = env.bool("RUNCODE_DEBUG", default=False)
PUBLIC_URL = env.str("RUNCODE_PUBLIC_URL", default=f"http://localhost:{env.int('PORT', default=8000)}").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = [
    *env.list("RUNCODE_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]),
    urlsplit(PUBLIC_URL).hostname or "localhost",
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Web processes of `./manage.py serve`. More than one share their limits through Redis.
WEB_WORKERS = env.int("RUNCODE_WEB_WORKERS", default=1)

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "channels",
    "accounts",
    "billing",
    "execution",
    "widgets",
]

MIDDLEWARE = [
    "config.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.middleware.ApiErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

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
                "accounts.pages_context.reader",
            ],
        },
    },
]

# Forms take their templates from templates/django/forms.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- State: SQLite and in-process stand-ins by default, PostgreSQL and Redis in production ---
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{RUNCODE_HOME / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets pages read while a batch is written; IMMEDIATE takes the write lock at BEGIN, where
    # SQLite waits for it, instead of at the first write, where it fails.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # SQLite would make it readable for every user of the machine; the account secrets stand in it.
    if DATABASES["default"]["NAME"] != ":memory:":
        with suppress(FileExistsError):
            os.close(os.open(DATABASES["default"]["NAME"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": REDIS_URL}}
    CHANNEL_LAYERS = {}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- Asynchronous runs and their callbacks ---
# Runs carried out at once by one process; 0: as many as there are processors.
ASYNC_RUNS = env.int("RUNCODE_ASYNC_RUNS", default=0)
# Redis or RabbitMQ, over which Celery's workers are told of asynchronous runs and callbacks. Empty: the web does both.
BROKER = env.str("RUNCODE_BROKER", default="")
if BROKER and not REDIS_URL:
    raise ImproperlyConfigured("RUNCODE_BROKER needs REDIS_URL too: workers share the limits with the web over Redis.")
# Whether results may be sent to private addresses: of an installation whose customers are all in the same network.
CALLBACK_ALLOW_PRIVATE = env.bool("RUNCODE_CALLBACK_ALLOW_PRIVATE", default=False)

# --- People ---
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
# Proxies whose X-Forwarded-For counts: addresses, networks, or "unix" for one on a Unix socket. Nobody's by default.
TRUSTED_PROXIES: list[str] = env.list("RUNCODE_TRUSTED_PROXIES", default=[])
for _proxy in TRUSTED_PROXIES:
    if _proxy != "unix":
        ipaddress.ip_network(_proxy, strict=False)  # a misspelt one stops the start, not a request

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
SESSION_COOKIE_AGE = 30 * 24 * 3600  # of those who tick "remember me"; the others' ends with the browser
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.signup.SignupForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Runcode] "
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Failed sign-ins are counted twice: per address and person together by django-axes (below), and here per network
# address and per person. The last is generous, for whoever exhausts it locks that person out.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,50/10m/key", "reset_password": "20/m/ip,5/h/key"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Runcode"
MFA_TOTP_TOLERANCE = 1  # codes of the half minute before and after, for clocks that are a little off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_USE_ATTEMPT_EXPIRATION = True
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_USERNAME_CALLABLE = "accounts.adapter.attempted_email"
AXES_CLIENT_IP_CALLABLE = "accounts.client_ip.client_ip_of_request"
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Mail: printed on the console until RUNCODE_EMAIL_URL names a server ---
vars().update(env.email_url("RUNCODE_EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("RUNCODE_FROM_EMAIL", default="Runcode <noreply@localhost>")

# --- What browsers are told. Cookies and HSTS follow the scheme of RUNCODE_PUBLIC_URL ---
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
# The prefix makes browsers refuse such a cookie from a subdomain; it needs HTTPS.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SECURE_HSTS_SECONDS = env.int("RUNCODE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_REFERRER_POLICY = "same-origin"
# What the owner of a domain decides, not we: HSTS for its other subdomains (W005) and in browsers' lists (W021). And
# redirecting plain HTTP is up to the proxy where TLS ends (W008): behind it all looks alike.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# What describes an endpoint (execution/openapi).
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

# The hot path's limit (config/hot_path.py), so that a request is measured alike on both handlers.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# Where to report a hole, as /.well-known/security.txt says it: `mailto:` or `https://`. Empty: there is no such file.
SECURITY_CONTACT = env.str("RUNCODE_SECURITY_CONTACT", default="")

# --- Log lines: config/logging.py ---
LOGGING_CONFIG = "config.logging.configure"
LOGGING = {
    "format": env.str("RUNCODE_LOG_FORMAT", default="console" if sys.stderr.isatty() else "json"),
    "level": env.str("RUNCODE_LOG_LEVEL", default="INFO"),
}

# --- Files ---
STATIC_URL = "/static/"
STATIC_ROOT = RUNCODE_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Names carry a digest of the content, so browsers may keep a file for ever and see a new one at once.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Those that are named so by the storage (site.0123456789ab.css), and the widget's and the console's (main-ABCDEFGH.js).
WHITENOISE_IMMUTABLE_FILE_TEST = r"\.[0-9a-f]{12}\.[a-z0-9]+$|/(?:widget|console)/[a-z]+-[A-Z0-9]{8}\.js$"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
