"""Every fact that a check can find, and how it reads: the one place where facts become text.

Groups: syntax · names and arguments · shapes and types · naming · settings and weights · limits. A
class's docstring is its entry in ``docs/errors.md``.
"""

from specc.frontend.facts.names import UnknownName, UnusedPattern
from specc.frontend.facts.nearest import did_you_mean, nearest
from specc.frontend.facts.operators import (
    BadArgument,
    DtypeMismatch,
    EmptySize,
    OperatorFact,
    RankMismatch,
    ShapeMismatch,
    SizeMismatch,
    UnknownSize,
)
from specc.frontend.facts.syntax import (
    InvalidString,
    InvalidTarget,
    MisplacedParameter,
    NotText,
    ReservedWord,
    SyntaxFault,
    TooLarge,
    UnclosedBracket,
    UnexpectedCharacter,
    UnfinishedString,
)

__all__ = [
    "BadArgument",
    "DtypeMismatch",
    "EmptySize",
    "InvalidString",
    "InvalidTarget",
    "MisplacedParameter",
    "NotText",
    "OperatorFact",
    "RankMismatch",
    "ReservedWord",
    "ShapeMismatch",
    "SizeMismatch",
    "SyntaxFault",
    "TooLarge",
    "UnclosedBracket",
    "UnexpectedCharacter",
    "UnfinishedString",
    "UnknownName",
    "UnknownSize",
    "UnusedPattern",
    "did_you_mean",
    "nearest",
]
