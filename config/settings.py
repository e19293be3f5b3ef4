"""All settings of Closer, from the environment only.

The defaults run on a laptop with nothing installed: SQLite, an embedded broker and files, all under `var/`.
docs/running.md lists every variable; a test fails when one is missing there.
"""

import os
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab, schedule

from annotation.core.languages import LANGUAGES as LANGUAGES_OF_PAGES
from config.cache import cache_from_url
from config.environment import data_folder, database_from_url, secret_key, strict_bool
from config.guards import require_local_hosts
from config.logging import logging_config
from config.proxies import networks_from
from config.run.broker import embedded_url
from config.sentry import report_to_sentry
from config.storage import pictures_by_proxy, storage_from_url

ROOT = Path(__file__).resolve().parents[1]
env = environ.Env()

# --- where things are kept -------------------------------------------------------------------------------
VAR_DIR = data_folder()
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
if VAR_DIR.stat().st_uid == os.getuid():  # a mounted volume may be somebody else's
    VAR_DIR.chmod(0o700)

DEBUG = strict_bool("DEBUG", default=True)
SECRET_KEY = secret_key(env.str("SECRET_KEY", default=""), debug=DEBUG, folder=VAR_DIR)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if DEBUG:
    require_local_hosts(ALLOWED_HOSTS)
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.errors.HidesSecrets"
TRUSTED_PROXIES = networks_from(env.list("TRUSTED_PROXIES", default=["127.0.0.0/8", "::1"]))

# --- parts -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_celery_beat",
    "axes",
    "config",
    "annotation",
    "metric",
]

MIDDLEWARE = [
    "config.proxies.real_client",
    "config.guards.debug_for_localhost_only",
    "config.probes.probes",
    "config.request_ids.request_ids",
    "config.metrics.measured",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.guards.private_pages",
    "config.middleware.content_security_policy",
    "config.languages.language_of_request",
    "config.middleware.api_problems_as_json",
    "config.middleware.full_disk_while_debugging",
    "config.guards.NoNul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.admission.bounded_bodies",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "study-list"
LOGOUT_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "config.lockout.Handler"  # which also counts a client's failures over all accounts
AXES_CLIENT_IP_CALLABLE = "config.lockout.hashed_client"
AXES_LOCKOUT_CALLABLE = "config.lockout.locked"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # what is refused is neither counted nor stored
AXES_DISABLE_ACCESS_LOG = True  # it would keep the address of every log-in for good

# --- database --------------------------------------------------------------------------------------------
DATABASES = {"default": database_from_url(env.str("DATABASE_URL", default=""), VAR_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- files -----------------------------------------------------------------------------------------------
STORAGE_URL: str = env.str("STORAGE_URL", default="")
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_DIR", default=str(VAR_DIR / "static")))
STORAGES = {
    "default": storage_from_url(STORAGE_URL, VAR_DIR / "files"),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.storage.HashedStaticFiles"
    },
}
# Where the proxy in front finds pictures of pairs, if it sends them itself.
PICTURES_BY_PROXY = pictures_by_proxy(env.str("PICTURES_BY_PROXY", default=""), STORAGE_URL)
# Nothing is public: every file goes through a view that checks who asks.
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 80 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 2000  # photographs in one go; Django's own 100 ends in a bare "Bad Request"

# --- work behind the web ---------------------------------------------------------------------------------
REDIS_URL: str = env.str("REDIS_URL", default="") or embedded_url(VAR_DIR)
CACHES = {"default": cache_from_url(REDIS_URL)}
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # After `kill -9` of a worker its messages come back within seconds; kombu's own defaults take minutes.
    "visibility_timeout": env.int("BROKER_VISIBILITY_TIMEOUT", default=60),
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 5,
    "socket_timeout": 30,
    "socket_keepalive": True,
}
# A worker that does not renew its hold on a piece of work for so long is taken for dead.
WORK_LEASE_SECONDS = env.int("WORK_LEASE_SECONDS", default=20)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True  # rows are the truth
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A worker process that has grown beyond this is replaced after its task.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.int("WORKER_MEMORY_MB", default=2000) * 1024
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "annotation.tasks.encode": {"queue": "encode"},
    "metric.tasks.train": {"queue": "train"},
}
# Seconds after which the process that does a piece of work is killed; the row then waits for another try.
TIME_LIMITS = {
    "encode": env.int("ENCODE_SECONDS", default=900),
    "encode-slow": env.int("ENCODE_SLOW_SECONDS", default=14_400),
    "train": env.int("TRAIN_SECONDS", default=172_800),
    "default": env.int("DEFAULT_SECONDS", default=3600),
}
CELERY_TASK_TIME_LIMIT = TIME_LIMITS["default"]
CELERY_BEAT_SCHEDULER = "config.beat:SingletonScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# Messages are hints: what a lost message left waiting is found in the rows.
_reaping = schedule(max(1, WORK_LEASE_SECONDS // 2))
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "annotation-reap": {"task": "annotation.tasks.reap", "schedule": _reaping},
    "metric-reap": {"task": "metric.tasks.reap", "schedule": _reaping},
    "annotation-ask-next": {"task": "annotation.tasks.ask_next", "schedule": schedule(120)},
    "annotation-stop": {"task": "annotation.tasks.stop", "schedule": schedule(300)},
    "annotation-quality": {"task": "annotation.tasks.quality_of_new_answers", "schedule": schedule(300)},
    "annotation-keep-no-longer": {
        "task": "annotation.tasks.keep_no_longer",
        "schedule": crontab(hour=3, minute=17),
    },
    "metric-remove-old": {"task": "metric.tasks.remove_old", "schedule": crontab(hour=3, minute=37)},
}
# A periodic message that nobody took before the next one is worth nothing.
CELERY_TASK_ANNOTATIONS: dict[str, dict[str, Any]] = {
    **{
        entry["task"]: {"expires": getattr(entry["schedule"], "seconds", 3600)}
        for entry in CELERY_BEAT_SCHEDULE.values()
    },
    "metric.tasks.retrain": {"expires": 600},
    "metric.tasks.train": {"time_limit": TIME_LIMITS["train"]},
    "metric.tasks.train_codec": {"time_limit": TIME_LIMITS["train"]},
}
CELERY_TIMEZONE = "UTC"

# --- API -------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotation.authentication.EndingTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_SCHEMA_CLASS": "config.schema.ApiSchema",
    "DEFAULT_PARSER_CLASSES": ["config.parsing.PlainJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "config.pagination.NewestFirst",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "config.problems.exception_handler",
    # By study, session or pair, never by address. What is far above these is no person at a screen; THROTTLE_RATES
    # changes single ones, as in "answer=50/s,session=1000/min".
    "DEFAULT_THROTTLE_RATES": {
        "session": "600/min",  # new sessions of a study
        "client": "120/min",  # new sessions from one address, known for an hour as a keyed hash
        "next": "1200/min",  # of a session
        "answer": "1200/min",
        "skip": "60/min",
        "image": "60/min",  # of a pair
    }
    | env.dict("THROTTLE_RATES", default={}),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Closer",
    "DESCRIPTION": "Judge reconstructions, export the judgments, and use the metric trained on them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "PairSideEnum": "annotation.services.flags.SIDES",
        "SideEnum": "annotation.models.judging.Judgment.Side",
        "NetEnum": "metric.core.config.TRUNKS",
        "StudyStateEnum": "annotation.models.study.Study.State",
        "WorkStateEnum": "annotation.models.work.Work.State",
    },
}

# --- time, language, safety ------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
# Pages for annotators are in the study's language (annotation/languages.py); those for researchers are in English.
USE_I18N = True
LANGUAGES = list(LANGUAGES_OF_PAGES.items())
LOCALE_PATHS = [ROOT / "annotation" / "locale"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
HTTPS = strict_bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# Other names under the same domain are not Closer's to decide about.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

LOGGING_CONFIG = None
_LOG_JSON = strict_bool("LOG_JSON", default=False)
logging_config(env.str("LOG_LEVEL", default="INFO"), json=_LOG_JSON)
LOG_REQUESTS = strict_bool("LOG_REQUESTS", default=_LOG_JSON)
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
if _sentry_dsn := env.str("SENTRY_DSN", default=""):
    report_to_sentry(_sentry_dsn, environment=env.str("SENTRY_ENVIRONMENT", default="production"))

# --- Closer's own ----------------------------------------------------------------------------------------
# How many new judgments a study needs before it is retrained; a study may set its own.
RETRAIN_AFTER = env.int("RETRAIN_AFTER", default=500)
# After so many days the files of a scheduled snapshot are removed, where a later one exists; 0 keeps all.
SNAPSHOT_DAYS = env.int("SNAPSHOT_DAYS", default=90)
# Who hears by mail of versions and of runs that failed. Without a mail server mails go nowhere; the log has it all.
ADMINS = [("", address) for address in env.list("ADMINS", default=[])]
SERVER_EMAIL = env.str("SERVER_EMAIL", default="closer@localhost")
globals().update(env.email_url("EMAIL_URL", default="dummymail://"))
