"""What a change of one of the seller's balances is called: one explanation for each.

An entry that moves money between two of the seller's balances shows up twice, once in each of them;
each time it says what happened to that balance. The sentence of the books follows where it adds
something, such as what the commission was.
"""

from __future__ import annotations

from souk.contexts.ledger import api as ledger
from souk.web.locale import N_

_BY_BALANCE = {
    ("hold_over", "pending"): N_("The hold period is over: now this can be paid out"),
    ("hold_over", "available"): N_("Free to be paid out, after its hold period"),
    ("recovered", "pending"): N_("Kept back for what you owed"),
    ("recovered", "receivable"): N_("You owe less: paid back out of an earning"),
}
_BY_KIND = {
    "released": N_("You earned an order"),
    "refunded": N_("A buyer got money back"),
    "payout_requested": N_("Set aside for a payout"),
    "payout_paid": N_("Paid out to you"),
    "payout_failed": N_("A payout did not go through and came back"),
    "dispute_opened": N_("A buyer’s bank contests a payment"),
    "dispute_lost": N_("The marketplace bears a dispute"),
    "reversed": N_("An entry was taken back"),
}
_SAYS_MORE = {"released", "refunded", "dispute_opened", "reversed"}


def explained(line: ledger.Posting) -> tuple[str, str]:
    """The title, to be translated, and the sentence of the books or nothing."""
    title = _BY_BALANCE.get((line.kind, line.bucket)) or _BY_KIND.get(line.kind)
    if title is None:
        return line.text, ""
    return title, line.text if line.kind in _SAYS_MORE else ""
