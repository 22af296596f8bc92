"""Django settings, all from the environment; invalid values abort startup by name. See .env.example."""

from pathlib import Path

from crm.environment import load

BASE = Path(__file__).resolve().parent.parent
ENV = load(BASE)

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = ENV.allowed_hosts
DATABASES = {"default": ENV.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "crm.dashboards",
    "crm.workflows",
    "crm.notifications",
    "crm.legacy_leads",
    "crm.files",
    "leads",
    "crm.opportunities",
    "crm.campaigns",
    "contacts",
    "crm.records",
    "crm.anomalies",
    "crm.lists",
    "crm.lifecycle",
    "crm.conditions",
    "crm.entities",
    "crm.users",
    "audit",
    "crm.events",
    "crm.kit",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "crm.users.apps.WorkspaceAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
    "django_filters",
    "django_htmx",
    "lucide",
]
MIDDLEWARE = [
    "crm.kit.logs.RequestLog",
    "crm.kit.middleware.ResponseHeadersMiddleware",
    "crm.kit.middleware.CompressionMiddleware",
    "crm.kit.middleware.TimeLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.kit.transfers.TransferMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm.users.middleware.MemberMiddleware",
    "crm.kit.middleware.HtmxMiddleware",
    "crm.kit.middleware.TextMiddleware",
]
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "crm.kit.templatetags.formats"],
        },
    }
]
FORM_RENDERER = "crm.kit.forms.FormRenderer"
FORM_TEMPLATES = BASE / "templates" / "jinja2"

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["crm.users.backends.MemberBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "crm.users.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are created through an emailed link
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]  # no code by email: a mailbox would bypass 2FA
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if DEBUG else "https"
SOCIALACCOUNT_ADAPTER = "crm.users.oidc.adapter.SocialAccountAdapter"
IDENTITY_PROVIDER = ENV.identity_provider  # of the installation; None without
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "10/m/ip,5/5m/key",  # the key is the account and the client's address
    # Per account, any address; above this unknown browsers have few attempts: AccountAdapter.authenticate().
    "account_failed": "100/h/key",
    "under_attack": "2/h/key",  # the account and the client's address
}
# Limits per member and workspace, times and seconds; see crm.users.limits. Normal use stays below all of them.
RATE_LIMITS = {
    "search": (240, 60),  # typing makes several requests
    "export": (10, 600),
    "import": (20, 3600),  # files
    "provider_test": (20, 600),  # calls a server that an admin entered
    "upload": (120, 600),  # of files to records
    "import_run": (60, 3600),  # previews of a mapping, and the import itself
}
MFA_ADAPTER = "crm.users.second_factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Throughline"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG

CSRF_FAILURE_VIEW = "crm.kit.views.csrf_failure"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "crm.kit.plain_formats"  # a chart's 12.5 is no coordinate as 12,5
# A language is offered once its catalog is complete: docs/translating.md
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
LOCALE_PATHS = [BASE / "crm" / "locale", BASE / "crm" / "locale_of_allauth"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = ENV.data_dir / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns if it is missing; under DEBUG it is empty
STATICFILES_DIRS = [BASE / "static"]
MEDIA_ROOT = ENV.data_dir / "media"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700  # Django would make them world-readable
STORAGES = {
    "default": ENV.uploads,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# Attachments (crm.files): bytes of one file, and of all files of a workspace.
FILE_MAX_SIZE = ENV.file_max_mb << 20
FILES_MAX_BODY = 4 * FILE_MAX_SIZE + (1 << 20)  # bytes of one request: several files, and the form around them
FILE_QUOTA = ENV.file_quota_gb << 30

# Why: docs/decisions/0068-pages-never-need-redis.md Never in Redis: no page may need it. The default cache is
# allauth's: it counts sign-ins and stores used 2FA codes, for all processes and across restarts. It is larger than the
# passwords a server can check within an hour, so that attempts at other accounts cannot evict one's counter. Why:
# docs/decisions/0054-sign-ins-counted-in-the-database.md
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "counters",
        "OPTIONS": {"MAX_ENTRIES": 500_000},
    },
    # Rate limits (crm.users.limits): a handful of counters per member.
    "limits": {"BACKEND": LOCMEM, "LOCATION": "limits", "OPTIONS": {"MAX_ENTRIES": 50_000}},
    # Computed values that may be evicted at any time.
    "values": {"BACKEND": LOCMEM, "LOCATION": "values"},
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

EMAIL_BACKEND = f"django.core.mail.backends.{ENV.mail.backend}.EmailBackend"
EMAIL_FILE_PATH = ENV.mail.directory
EMAIL_HOST = ENV.mail.host
EMAIL_PORT = ENV.mail.port
EMAIL_HOST_USER = ENV.mail.user
EMAIL_HOST_PASSWORD = ENV.mail.password
EMAIL_USE_TLS = ENV.mail.tls
EMAIL_USE_SSL = ENV.mail.ssl
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = ENV.mail.sender

# Without a proxy, X-Forwarded-… is set by the client.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.trusted_proxies else None
ALLAUTH_TRUSTED_PROXY_COUNT = ENV.trusted_proxies
SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # probes use plain HTTP to the process itself
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W021",  # HSTS preload binds a whole domain: its owner's choice, not ours
    "models.W040",  # SQLite ignores included columns, and works without
]
SESSION_COOKIE_NAME = "sessionid" if DEBUG else "__Host-sessionid"
SESSION_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "csrftoken" if DEBUG else "__Host-csrftoken"
CSRF_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in their forms and in hx-headers
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# Deliveries of events (crm.events). A task must end before its lease, and the lease before Redis redelivers the
# message: crm.events.checks rejects other values. Deliveries have their own retries; Celery makes none.
DELIVERY_LEASE = 90  # seconds
METRICS_TOKEN = ENV.metrics_token
WEBHOOK_NETWORKS = ENV.webhook_networks
CELERY_BROKER_URL = ENV.redis_url
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 150,
    "unacked_restore_throttle": 1,  # otherwise a lost worker's messages return ten times later
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_IMPORTS = ["crm.events.tasks"]
CELERY_DB_REUSE_MAX = 1000  # tasks per database connection; without it Celery reconnects for each
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "crm.kit.logs.OneLine"},
        "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
    },
    "filters": {"routes": {"()": "crm.kit.logs.RouteInsteadOfPath"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain" if DEBUG else "line",
            "filters": ["routes"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own handlers email tracebacks to ADMINS and print only under DEBUG.
    "loggers": {"django": {"handlers": [], "level": "INFO"}},
}
