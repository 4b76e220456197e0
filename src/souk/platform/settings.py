"""Every setting of the program, read once from the environment and validated at start.

`SOUK_DATABASE_URL` sets `database_url`, and so on. A value may be kept in a file instead:
`SOUK_SECRET_KEY_FILE=/run/secrets/key`. A wrong value stops the program with one sentence.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

Environment = Literal["development", "test", "production"]


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which one and what to set."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults run a complete marketplace on one machine; production overrides them by name."""

    environment: Environment = "development"
    """`production` asks for a secret key and secure cookies, and hides /dev and /design."""
    data_dir: Path = Path(".souk")
    """Where the embedded database, files and the search index are kept."""
    database_url: str = ""
    """Empty means the embedded PostgreSQL below `data_dir`."""
    database_pool_size: int = 10
    """Connections of each process."""
    secret_key: str = ""
    """At least 32 characters. Signs sessions, tokens and links. Made and kept in development."""
    base_url: str = ""
    """The address that people use; links in mails begin with it. Empty: this machine and `port`."""
    host: str = "127.0.0.1"
    port: int = 8000
    web_workers: int = 1
    """Processes that answer requests."""
    marketplace_name: str = "Souk"
    currency: str = "EUR"
    """ISO 4217: what prices are in."""
    country: str = "DE"
    """ISO 3166-1: where the operator is."""
    tax_rates: tuple[str, ...] = ()
    """Sales tax added to net prices by country, in basis points: `DE:1900,FR:2000`. Empty: none."""
    commission_tax_rate: int = 0
    """Tax on the operator's commission, in basis points."""
    files_url: str = ""
    """Empty means a folder below `data_dir`; else s3://, gs://, az:// or file://."""
    mail_url: str = "local://"
    """`local://` keeps mails at /dev/mail; else smtp://user:password@host:port?starttls=1."""
    mail_from: str = "Souk <no-reply@souk.example>"
    sandbox_url: str = ""
    """Where the sandbox gateway answers. Empty: this machine and `sandbox_port`."""
    sandbox_port: int = 8001
    sandbox_api_key: str = "sk_sandbox_local"
    """In `production` the default stands for one that is made from the secret key."""
    sandbox_webhook_secret: str = "whsec_sandbox_local"  # noqa: S105 - public, local rehearsal only
    """Signs what the gateway says of payments. As with the key, `production` makes its own."""
    cors_origins: tuple[str, ...] = ()
    """Origins of other sites whose scripts may call the API."""
    trusted_proxies: int = 0
    """How many reverse proxies stand in front and append to X-Forwarded-For."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_file: str = ""
    """Empty means standard output; a file is rotated."""
    sentry_dsn: str = ""
    """When set, errors are reported there."""
    otlp_endpoint: str = ""
    """When set, traces go there by OTLP over HTTP."""
    statement_timeout_ms: int = 5_000
    lock_timeout_ms: int = 3_000
    rate_limit_factor: float = 1.0
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
_TAX_RATE = re.compile(r"[A-Z]{2}:\d{1,5}")


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
                raise SettingsError(f"{key} names a file that cannot be read: {error}.") from error
        if name.startswith("test_"):
            continue
        if name not in known:
            raise SettingsError(f"{key} is not a setting of Souk. Remove it or correct its name.")
        raw[name] = tuple(filter(None, value.split(","))) if name in _LISTS else value
    return raw


def _path(wanted: type, value: object) -> object:
    return wanted(value)


def _sentence(message: str) -> str:
    name = message.rsplit("$.", 1)[-1].strip("`") if "$." in message else "?"
    return f"SOUK_{name.upper()} is wrong: {message.split(' - at', maxsplit=1)[0]}."


def _check(settings: Settings) -> Settings:
    if settings.is_production:
        if len(settings.secret_key) < 32:
            raise SettingsError("Set SOUK_SECRET_KEY to at least 32 random characters.")
        if not settings.database_url:
            raise SettingsError("Set SOUK_DATABASE_URL to the PostgreSQL server to use.")
        if not settings.secure_cookies:
            raise SettingsError("Set SOUK_BASE_URL to the public https:// address.")
        if settings.mail_url.startswith("local:"):
            raise SettingsError("Set SOUK_MAIL_URL to the SMTP server that sends your mail.")
    if urlsplit(settings.base_url).scheme not in {"http", "https"}:
        raise SettingsError("Set SOUK_BASE_URL to an address that starts with http:// or https://.")
    if len(settings.currency) != 3 or not settings.currency.isupper():
        raise SettingsError("Set SOUK_CURRENCY to an ISO 4217 code such as EUR.")
    if not all(_TAX_RATE.fullmatch(entry) for entry in settings.tax_rates):
        raise SettingsError("Set SOUK_TAX_RATES to entries such as DE:1900,FR:2000.")
    if settings.database_pool_size < 2:
        raise SettingsError("Set SOUK_DATABASE_POOL_SIZE to 2 or more.")
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


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
