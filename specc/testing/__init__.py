"""Checks of operators: whatever an entry says holds on every target.

``check_operator`` makes all of them; specc's own suite makes the same ones, a test each. They need
torch and onnxruntime.
"""

from specc.testing.check import check_effect, check_entry, check_operator, check_reject

__all__ = ["check_effect", "check_entry", "check_operator", "check_reject"]
