"""Released dialogues as episodes: what a doctor elsewhere said and ordered, scored as if it had been said here.

A foreign transcript has no ledger: which facts an answer told and which exams a report showed is read from its words.
Every episode that comes of it says so in its settings, and the doctor's name begins with `replayed:`.
"""

from __future__ import annotations

REPLAYED = "replayed:"
"""How the name of a doctor begins whose episodes were not played here."""
