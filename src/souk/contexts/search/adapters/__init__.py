"""Search engines behind the port: each passes the same contract tests."""
