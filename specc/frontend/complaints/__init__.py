"""The tables of syntax errors, one room a kind, and the order in which they are asked.

Brackets come before the rest, since an open one makes all that follows look wrong; then what is
special before what is general.
"""

from specc.frontend.complaints import brackets, characters, gaps, pairs, python, signs, words
from specc.frontend.complaints.complaint import KEYWORDS, Complaint

COMPLAINTS: tuple[Complaint, ...] = (
    *characters.COMPLAINTS,
    *brackets.COMPLAINTS,
    *python.COMPLAINTS,
    *pairs.COMPLAINTS,
    *signs.COMPLAINTS,
    *words.COMPLAINTS,
    *gaps.COMPLAINTS,
)
"""All kinds of syntax errors; the first that recognizes a scene answers it."""

__all__ = ["COMPLAINTS", "KEYWORDS", "Complaint"]
