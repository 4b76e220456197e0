"""Machinery without business: database, events, jobs, HTTP edge, files, mail, telemetry."""
