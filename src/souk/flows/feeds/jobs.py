"""Sitemaps and feeds are built by the hour."""

from __future__ import annotations

from souk.flows.feeds.build import build
from souk.platform.jobs import Schedule

schedules: list[Schedule] = [Schedule("feeds.build", "17 * * * *", build)]
