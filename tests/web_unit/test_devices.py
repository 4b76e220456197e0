"""Browsers in words."""

from __future__ import annotations

import pytest

from souk.web.account.devices import device_name

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{MAC} Chrome/126.0.0.0 Safari/537.36", "Chrome, Mac"),
        (f"{MAC} Chrome/126.0.0.0 Safari/537.36 Edg/126.0", "Edge, Mac"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox, Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
            " Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        ("python-httpx/0.28", "python-httpx/0.28"),
        (None, ""),
    ],
)
def test_devices_are_named(agent: str | None, name: str) -> None:
    assert device_name(agent) == name
