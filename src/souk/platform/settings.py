"""Every setting of the program, read once from the environment and validated at start.

`SOUK_DATABASE_URL` sets `database_url`, and so on. A value may be kept in a file instead:
`SOUK_SECRET_KEY_FILE=/run/secrets/key`. A wrong value stops the program with one sentence.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

Environment = Literal["development", "test", "production"]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class CannotStart(Exception):
    """The machine is not as the program needs it; the message says what is wrong and what to do.

    For whoever operates the machine: the command line prints it and ends with 2.
    """


class SettingsError(CannotStart):
    """A setting is missing or wrong; the message says which one and what to set."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults run a complete marketplace on one machine; production overrides them by name."""

    environment: Environment = "development"
    """`production` asks for a secret key and secure cookies, and hides /dev and /design."""
    data_dir: Path = Path(".souk")
    """Where the embedded database, files and the search index are kept."""
    database_url: str = ""
    """Empty means the embedded PostgreSQL below `data_dir`."""
    database_pool_size: Annotated[int, msgspec.Meta(ge=2)] = 10
    """Connections of each process."""
    secret_key: str = ""
    """At least 32 characters. Signs sessions, tokens and links. Made and kept in development."""
    base_url: str = ""
    """The address that people use; links in mails begin with it. Empty: this machine and `port`."""
    host: str = "127.0.0.1"
    """The address that web and sandbox listen on; `0.0.0.0` is every one of the machine."""
    port: Port = 8000
    """Where the web listens."""
    web_workers: Positive = 1
    """Processes that answer requests."""
    marketplace_name: str = "Souk"
    """What the marketplace is called until an operator changes it at /admin/settings."""
    currency: str = "EUR"
    """ISO 4217: what prices are in."""
    country: str = "DE"
    """ISO 3166-1: where the operator is."""
    tax_rates: tuple[str, ...] = ()
    """Sales tax added to net prices by country, in basis points: `DE:1900,FR:2000`. Empty: none."""
    files_url: str = ""
    """Empty means a folder below `data_dir`; else s3://, gs://, az:// or file://."""
    mail_url: str = "local://"
    """`local://` keeps mails at /dev/mail; else smtp://user:password@host:port?starttls=1."""
    mail_from: str = "Souk <no-reply@souk.example>"
    sandbox_url: str = ""
    """Where the sandbox gateway answers. Empty: this machine and `sandbox_port`."""
    sandbox_port: Port = 8001
    """Where the sandbox gateway listens."""
    sandbox_api_key: str = "sk_sandbox_local"
    """What the marketplace shows to the sandbox gateway. In `production` the default stands for one
    that is made from the secret key."""
    sandbox_webhook_secret: str = "whsec_sandbox_local"  # noqa: S105 - public, local rehearsal only
    """What the sandbox gateway signs its webhooks with. As with the key, `production` makes its
    own."""
    cors_origins: tuple[str, ...] = ()
    """Origins of other sites whose scripts may call the API."""
    trusted_proxies: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many reverse proxies stand in front and append to X-Forwarded-For."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""
    log_format: Literal["json", "console"] = "json"
    """`console` is for reading at a terminal."""
    log_file: str = ""
    """Empty means standard error; a file is rotated at 20 MB, ten are kept."""
    sentry_dsn: str = ""
    """When set, errors are reported there."""
    otlp_endpoint: str = ""
    """When set, traces go there by OTLP over HTTP."""
    statement_timeout_ms: Positive = 5_000
    """After so many milliseconds a statement is cut off."""
    lock_timeout_ms: Positive = 3_000
    """After so many milliseconds of waiting for a row somebody is told to try again."""
    rate_limit_factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Multiplies every rate limit; load tests from one address raise it."""
    metrics_token: str = ""
    """When set, /metrics asks for it as a bearer token; when empty it answers loopback only."""

    def __post_init__(self) -> None:
        for name, port in (("base_url", self.port), ("sandbox_url", self.sandbox_port)):
            if not getattr(self, name):
                msgspec.structs.force_setattr(self, name, f"http://127.0.0.1:{port}")

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    def tax_rate(self, country: str) -> int:
        """Basis points of tax that are added to a net price delivered to `country`."""
        for entry in self.tax_rates:
            name, _, rate = entry.partition(":")
            if name == country:
                return int(rate)
        return 0

    @property
    def index_dir(self) -> Path:
        return self.data_dir / "search"

    @property
    def secure_cookies(self) -> bool:
        return urlsplit(self.base_url).scheme == "https"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `SOUK_*`. Raises SettingsError with a sentence that says what to set."""
    environ = os.environ if environ is None else environ
    raw = _collect(environ)
    try:
        settings = msgspec.convert(raw, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error))) from error
    return _check(settings)


_LISTS = {"cors_origins", "tax_rates"}


def _collect(environ: Mapping[str, str]) -> dict[str, object]:
    known = {field.name for field in msgspec.structs.fields(Settings)}
    raw: dict[str, object] = {}
    for key, given in environ.items():
        if not key.startswith("SOUK_"):
            continue
        value = given
        name = key.removeprefix("SOUK_").lower()
        if name.endswith("_file") and name not in known:
            name = name.removesuffix("_file")
            try:
                value = Path(given).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(
                    f"{key} names a file that cannot be read: {error.strerror}."
                ) from error
        if name.startswith("test_"):
            continue
        if name not in known:
            raise SettingsError(f"{key} is not a setting of Souk. Remove it or correct its name.")
        raw[name] = tuple(filter(None, value.split(","))) if name in _LISTS else value
    return raw


def _path(wanted: type, value: object) -> object:
    return wanted(value)


def _sentence(message: str) -> str:
    """What msgspec found, as `Expected ... - at `$.port``, in an operator's words."""
    said, _, where = message.partition(" - at `$.")
    name = where.strip("`")
    wanted = next(field.type for field in msgspec.structs.fields(Settings) if field.name == name)
    return f"SOUK_{name.upper()} is wrong: {said}. Set it to {_wanted(wanted)}."


def _wanted(kind: object) -> str:
    """What may stand in a setting of this type."""
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case msgspec.inspect.IntType(ge=int(low), le=int(high)):
            return f"a whole number from {low} to {high}"
        case msgspec.inspect.IntType(ge=int(low)):
            return f"a whole number of {low} or more"
        case msgspec.inspect.FloatType(gt=low) if low is not None:
            return f"a number above {low:g}"
        case other:
            raise AssertionError(f"nobody says what a setting of {other} may be")


def _check(settings: Settings) -> Settings:
    rules = (*_IN_PRODUCTION, *_ALWAYS) if settings.is_production else _ALWAYS
    for holds, sentence in rules:
        if not holds(settings):
            raise SettingsError(sentence)
    if not settings.secret_key:
        return msgspec.structs.replace(settings, secret_key=_kept_secret(settings.data_dir))
    return _with_own_secrets(settings) if settings.is_production else settings


def _with_own_secrets(settings: Settings) -> Settings:
    """Everybody knows the defaults: with them, anybody could sign that they have paid."""
    made: dict[str, str] = {}
    for name in ("sandbox_api_key", "sandbox_webhook_secret"):
        if getattr(settings, name) == getattr(Settings(), name):
            key = hmac.new(settings.secret_key.encode(), f"souk {name}".encode(), sha256)
            made[name] = key.hexdigest()
    return msgspec.structs.replace(settings, **made)


def _parts(url: str) -> SplitResult:
    """The parts of an address; none of what cannot be one, such as a port that is no number."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _is_web(url: str) -> bool:
    parts = _parts(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_mail(url: str) -> bool:
    parts = _parts(url)
    return parts.scheme == "local" or (parts.scheme in {"smtp", "smtps"} and bool(parts.hostname))


_Rule = tuple[Callable[[Settings], bool], str]
"""What has to be so of all settings together, and what to tell whoever broke it."""
_IN_PRODUCTION: tuple[_Rule, ...] = (
    (
        lambda s: len(s.secret_key) >= 32,
        "Set SOUK_SECRET_KEY to at least 32 random characters.",
    ),
    (
        lambda s: bool(s.database_url),
        "Set SOUK_DATABASE_URL to the PostgreSQL server to use.",
    ),
    (
        lambda s: s.secure_cookies,
        "Set SOUK_BASE_URL to the public https:// address.",
    ),
    (
        lambda s: not s.mail_url.startswith("local:"),
        "Set SOUK_MAIL_URL to the SMTP server that sends your mail.",
    ),
)
_ALWAYS: tuple[_Rule, ...] = (
    (
        lambda s: not s.database_url or _parts(s.database_url).scheme in {"postgresql", "postgres"},
        "Set SOUK_DATABASE_URL to postgresql://user:password@host:5432/database.",
    ),
    (
        lambda s: _is_web(s.base_url),
        "Set SOUK_BASE_URL to an address that starts with http:// or https://.",
    ),
    (
        lambda s: _is_web(s.sandbox_url),
        "Set SOUK_SANDBOX_URL to an address that starts with http:// or https://.",
    ),
    (
        lambda s: bool(re.fullmatch(r"[A-Z]{3}", s.currency)),
        "Set SOUK_CURRENCY to an ISO 4217 code such as EUR.",
    ),
    (
        lambda s: bool(re.fullmatch(r"[A-Z]{2}", s.country)),
        "Set SOUK_COUNTRY to an ISO 3166-1 code of two letters such as DE.",
    ),
    (
        lambda s: all(re.fullmatch(r"[A-Z]{2}:\d{1,5}", entry) for entry in s.tax_rates),
        "Set SOUK_TAX_RATES to entries such as DE:1900,FR:2000.",
    ),
    (
        lambda s: not s.files_url or _parts(s.files_url).scheme in {"s3", "gs", "az", "file"},
        "Set SOUK_FILES_URL to an address that starts with s3://, gs://, az:// or file://.",
    ),
    (
        lambda s: _is_mail(s.mail_url),
        "Set SOUK_MAIL_URL to smtp://user:password@host:port?starttls=1, or to local://.",
    ),
    (
        lambda s: "@" in parseaddr(s.mail_from)[1],
        "Set SOUK_MAIL_FROM to an address such as Souk <no-reply@example.com>.",
    ),
    (
        lambda s: all(_is_web(origin) for origin in s.cors_origins),
        "Set SOUK_CORS_ORIGINS to addresses such as https://app.example.com, commas between them.",
    ),
    (
        lambda s: not s.sentry_dsn or _is_web(s.sentry_dsn),
        "Set SOUK_SENTRY_DSN to the https:// address that Sentry gave the project.",
    ),
    (
        lambda s: not s.otlp_endpoint or _is_web(s.otlp_endpoint),
        "Set SOUK_OTLP_ENDPOINT to an address such as http://127.0.0.1:4318/v1/traces.",
    ),
)


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    try:
        if not path.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"The data folder {data_dir} cannot be used: {error.strerror}. Set SOUK_DATA_DIR to a"
            " folder with room that this user may write."
        ) from error
