"""Tells people what happened: turns the events of all contexts into mails and notices.

One message per event, kind and person, whatever is replayed: the event's id is the key.
"""
