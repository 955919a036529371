"""What must hold of every network, be it from the elaborator, a JSON text or a weight file.

``verify`` names what does not; ``require_sound`` raises. The invariants are in ``table.py``.
"""

from specc.invariants.problem import Problem
from specc.invariants.table import INVARIANTS, Unsound, require_sound, verify

__all__ = ["INVARIANTS", "Problem", "Unsound", "require_sound", "verify"]
