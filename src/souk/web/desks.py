"""The figures beside the navigation of the desks, for every page that is drawn in their frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from jinja2 import Environment, nodes

from souk.kernel.actor import Actor
from souk.platform.database import ReadConn

Count = Callable[[ReadConn, Actor], Awaitable[dict[str, int]]]


class Desks:
    """Which layout a page extends, directly or not, says what is counted for it.

    No handler has a part in it, so that none can forget it.
    """

    def __init__(self, env: Environment, counts: Mapping[str, Count]) -> None:
        self._env = env
        self._counts = counts
        self._found: dict[str, Count | None] = {}

    def count_for(self, template: str) -> Count | None:
        """What counts for pages of this template; None for those of no desk."""
        if template not in self._found:
            self._found[template] = self._counts.get(template) or self._of_parent(template)
        return self._found[template]

    def _of_parent(self, template: str) -> Count | None:
        assert self._env.loader is not None
        source, _, _ = self._env.loader.get_source(self._env, template)
        for tag in self._env.parse(source).find_all(nodes.Extends):
            if isinstance(tag.template, nodes.Const):
                return self.count_for(str(tag.template.value))
        return None
