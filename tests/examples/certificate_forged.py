"""Forged by hand: each passes all conditions of the checker but one.

Which one, found by taking conditions out of the checker (tests/campaigns/checker_conditions.py).
"""

from typing import Any

FORGED: dict[str, Any] = {}
