"""Settings: what stops the program, and with which sentence."""

from __future__ import annotations

import pytest

from souk.platform import settings as module
from souk.platform.settings import SettingsError, load

SECRET = "x" * 40
PRODUCTION = {
    "SOUK_ENVIRONMENT": "production",
    "SOUK_SECRET_KEY": SECRET,
    "SOUK_DATABASE_URL": "postgresql://db.test/souk",
    "SOUK_BASE_URL": "https://souk.test",
    "SOUK_MAIL_URL": "smtp://mail.test:25",
}


def test_production_needs_nothing_more_than_five_settings():
    settings = load(PRODUCTION)
    assert settings.is_production
    assert settings.secure_cookies
    assert settings.secret_key == SECRET


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SOUK_SECRET_KEY": "short"}, "Set SOUK_SECRET_KEY to at least 32 random characters."),
        ({"SOUK_DATABASE_URL": ""}, "Set SOUK_DATABASE_URL to the PostgreSQL server to use."),
        ({"SOUK_BASE_URL": "http://souk.test"}, "Set SOUK_BASE_URL to the public https://"),
        ({"SOUK_MAIL_URL": "local://"}, "Set SOUK_MAIL_URL to the SMTP server"),
    ],
)
def test_what_production_lacks(change, sentence):
    with pytest.raises(SettingsError) as refused:
        load(PRODUCTION | change)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SOUK_BASE_URL": "souk.test"}, "Set SOUK_BASE_URL to an address that starts with http"),
        ({"SOUK_CURRENCY": "euro"}, "Set SOUK_CURRENCY to an ISO 4217 code such as EUR."),
        ({"SOUK_CURRENCY": "eur"}, "Set SOUK_CURRENCY to an ISO 4217 code such as EUR."),
        ({"SOUK_TAX_RATES": "DE:19%"}, "Set SOUK_TAX_RATES to entries such as DE:1900,FR:2000."),
        ({"SOUK_TAX_RATES": "Germany:1900"}, "Set SOUK_TAX_RATES to entries such as"),
        ({"SOUK_COUNTRY": "Germany"}, "Set SOUK_COUNTRY to an ISO 3166-1 code of two letters"),
        ({"SOUK_DATABASE_URL": "mysql://db.test/souk"}, "Set SOUK_DATABASE_URL to postgresql://"),
        ({"SOUK_DATABASE_URL": "postgresql://db.test:many/x"}, "Set SOUK_DATABASE_URL to"),
        ({"SOUK_SANDBOX_URL": "127.0.0.1:8001"}, "Set SOUK_SANDBOX_URL to an address that"),
        ({"SOUK_FILES_URL": "ftp://files.test"}, "Set SOUK_FILES_URL to an address that starts"),
        ({"SOUK_MAIL_URL": "carrier-pigeon://roof"}, "Set SOUK_MAIL_URL to smtp://user:"),
        ({"SOUK_MAIL_URL": "smtp://"}, "Set SOUK_MAIL_URL to smtp://user:"),
        ({"SOUK_MAIL_FROM": "Souk"}, "Set SOUK_MAIL_FROM to an address such as"),
        ({"SOUK_CORS_ORIGINS": "https://a.test,b.test"}, "Set SOUK_CORS_ORIGINS to addresses"),
        ({"SOUK_SENTRY_DSN": "somewhere"}, "Set SOUK_SENTRY_DSN to the https:// address"),
        ({"SOUK_OTLP_ENDPOINT": "collector:4318"}, "Set SOUK_OTLP_ENDPOINT to an address"),
        (
            {"SOUK_DATABASE_POOL_SIZE": "1"},
            "SOUK_DATABASE_POOL_SIZE is wrong: Expected `int` >= 2. Set it to a whole number of 2",
        ),
        ({"SOUK_WEB_WORKERS": "0"}, "SOUK_WEB_WORKERS is wrong: "),
        ({"SOUK_PORT": "80800"}, "SOUK_PORT is wrong: Expected `int` <= 65535. Set it to a whole"),
        ({"SOUK_RATE_LIMIT_FACTOR": "0"}, "SOUK_RATE_LIMIT_FACTOR is wrong: "),
        (
            {"SOUK_LOG_LEVEL": "loud"},
            "SOUK_LOG_LEVEL is wrong: Invalid enum value 'loud'."
            " Set it to one of debug, error, info, warning.",
        ),
        ({"SOUK_COLOUR": "red"}, "SOUK_COLOUR is not a setting of Souk. Remove it or correct"),
        ({"SOUK_PORT": "http"}, "SOUK_PORT is wrong: "),
        ({"SOUK_ENVIRONMENT": "staging"}, "SOUK_ENVIRONMENT is wrong: "),
        ({"SOUK_SECRET_KEY_FILE": "/no/such/file"}, "SOUK_SECRET_KEY_FILE names a file that"),
    ],
)
def test_wrong_values_are_named(change, sentence):
    with pytest.raises(SettingsError) as refused:
        load({"SOUK_SECRET_KEY": SECRET} | change)
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).endswith(".")


def test_addresses_that_are_left_out_are_those_of_the_ports():
    moved = load({"SOUK_PORT": "8400", "SOUK_SANDBOX_PORT": "8401", "SOUK_SECRET_KEY": SECRET})
    assert (moved.base_url, moved.sandbox_url) == (
        "http://127.0.0.1:8400",
        "http://127.0.0.1:8401",
    )
    assert load(PRODUCTION | {"SOUK_PORT": "8400"}).base_url == "https://souk.test"


def test_a_value_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text(f"{SECRET}\n")
    assert load({"SOUK_SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == SECRET
    # `log_file` is a setting of its own, not a file to read `log` from.
    settings = load({"SOUK_SECRET_KEY": SECRET, "SOUK_LOG_FILE": "/var/log/souk.log"})
    assert settings.log_file == "/var/log/souk.log"


def test_a_made_secret_is_kept_and_only_its_owner_reads_it(tmp_path):
    environ = {"SOUK_DATA_DIR": str(tmp_path / "new")}
    first = load(environ)
    assert len(first.secret_key) >= 32
    assert load(environ).secret_key == first.secret_key
    assert (tmp_path / "new/secret_key").stat().st_mode & 0o077 == 0
    other = load({"SOUK_DATA_DIR": str(tmp_path / "other")})
    assert other.secret_key != first.secret_key


def test_lists_numbers_and_taxes(tmp_path):
    settings = load(
        {
            "SOUK_SECRET_KEY": SECRET,
            "SOUK_TAX_RATES": "DE:1900,FR:2000",
            "SOUK_CORS_ORIGINS": "https://a.test,,https://b.test",
            "SOUK_PORT": "9000",
            "SOUK_RATE_LIMIT_FACTOR": "2.5",
            "SOUK_TEST_DATABASE_URL": "ignored",
            "HOME": "/root",
        }
    )
    assert settings.cors_origins == ("https://a.test", "https://b.test")
    assert (settings.port, settings.rate_limit_factor) == (9000, 2.5)
    rates = [settings.tax_rate(country) for country in ("DE", "FR", "AT")]
    assert rates == [1900, 2000, 0]


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"The data folder .*file/data cannot be used: Not a"):
        load({"SOUK_DATA_DIR": str(tmp_path / "file/data")})


def test_whatever_a_setting_may_be_can_be_said():
    # A setting of a new type would otherwise answer a mistake with a traceback.
    for field in module.msgspec.structs.fields(module.Settings):
        if field.type not in {str, tuple[str, ...], module.Path}:
            assert module._wanted(field.type)


def test_the_environment_is_read_by_default(monkeypatch, tmp_path):
    for name in [name for name in module.os.environ if name.startswith("SOUK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SOUK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SOUK_MARKETPLACE_NAME", "Bazaar")
    assert load().marketplace_name == "Bazaar"
