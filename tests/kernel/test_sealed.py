"""Sealed bytes open for whoever knows the secret, for their own purpose, unchanged."""

from __future__ import annotations

import pytest

from souk.kernel.sealed import seal, unseal

SECRET = "a secret of the test"
BODY = b"0123456789"
SEALED = seal(BODY, purpose="order-link", secret=SECRET)


def test_what_was_sealed_opens():
    assert unseal(SEALED, size=len(BODY), purpose="order-link", secret=SECRET) == BODY
    assert not set(SEALED) & set("+/=")


@pytest.mark.parametrize(
    ("text", "size", "purpose", "secret"),
    [
        (SEALED, len(BODY), "download-link", SECRET),
        (SEALED, len(BODY), "order-link", "another secret"),
        (SEALED, len(BODY) - 1, "order-link", SECRET),
        (SEALED[:-1], len(BODY), "order-link", SECRET),
        ("A" + SEALED[1:], len(BODY), "order-link", SECRET),
        ("", len(BODY), "order-link", SECRET),
        ("not base64 \u00e9", len(BODY), "order-link", SECRET),
    ],
)
def test_anything_else_does_not(text, size, purpose, secret):
    assert unseal(text, size=size, purpose=purpose, secret=secret) is None
