"""Routes that belong to no page: static files and pictures."""

from __future__ import annotations

from typing import Any

from souk.web.assets import static_file
from souk.web.media import media_file

routes: list[Any] = [static_file, media_file]
