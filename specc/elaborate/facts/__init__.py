"""What elaboration can find wrong, and how it reads.

Groups: names · arguments · values · inputs and results · loops and branches · devices ·
parameter names · initializers · limits.
A class's docstring is its entry in ``docs/errors.md``.
"""

from specc.elaborate.facts.calls import (
    BadImport,
    DuplicateName,
    MissingArgument,
    NoInputs,
    NotALayer,
    RecursiveBlock,
    RepeatedArgument,
    TooManyArguments,
    UnknownArgument,
    UnknownNet,
    UnusedBinding,
    WrongType,
)
from specc.elaborate.facts.control import (
    CarriedMismatch,
    LayerMadeInLoop,
    MisplacedReturn,
    NotDetermined,
    return_in_loop,
)
from specc.elaborate.facts.devices import BadDevice, DeviceConflict, UnknownDevice
from specc.elaborate.facts.parameters import (
    BadInitializer,
    LimitExceeded,
    NameClaimedTwice,
    ReservedName,
    SharingFault,
)
from specc.elaborate.facts.values import (
    AssertionFailed,
    BadLoss,
    BadOperands,
    BadValue,
    NoResult,
    TypeMismatch,
    UndecidedCondition,
    WrongInputCount,
    WrongResultCount,
)

__all__ = [
    "AssertionFailed",
    "BadDevice",
    "BadImport",
    "BadInitializer",
    "BadLoss",
    "BadOperands",
    "BadValue",
    "CarriedMismatch",
    "DeviceConflict",
    "DuplicateName",
    "LayerMadeInLoop",
    "LimitExceeded",
    "MisplacedReturn",
    "MissingArgument",
    "NameClaimedTwice",
    "NoInputs",
    "NoResult",
    "NotALayer",
    "NotDetermined",
    "RecursiveBlock",
    "RepeatedArgument",
    "ReservedName",
    "SharingFault",
    "TooManyArguments",
    "TypeMismatch",
    "UndecidedCondition",
    "UnknownArgument",
    "UnknownDevice",
    "UnknownNet",
    "UnusedBinding",
    "WrongInputCount",
    "WrongResultCount",
    "WrongType",
    "return_in_loop",
]
