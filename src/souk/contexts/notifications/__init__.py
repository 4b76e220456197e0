"""Notifications: telling people what happened, by e-mail and inside the marketplace.

Owns the messages that were sent or are about to be, and the notices that people have or have not
read. Never finds out by itself what happened: the flow `notify` gathers the facts.
"""
