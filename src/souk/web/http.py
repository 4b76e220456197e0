"""Routes that belong to no page."""

from __future__ import annotations

from typing import Any

from souk.web.assets import static_file

routes: list[Any] = [static_file]
