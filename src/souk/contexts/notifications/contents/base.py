"""What all contents share. Pure."""

from __future__ import annotations

import msgspec


class Content(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The facts of one message; its `letter` puts them in words.

    Contents hold ids, numbers and words, never a secret: a link that opens an account is handed to
    `letter` when the mail is sent.
    """
