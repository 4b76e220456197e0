"""What the marketplace tells people and what they agreed to.

Owns the legal documents with their versions, acceptances and consents. Never decides whether an
action is allowed: flows and pages ask what is missing and act on the answer.
"""
