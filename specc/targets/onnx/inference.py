"""What is known once a network no longer trains: ``training`` is false, and what follows from it.

ONNX here is inference, so a branch on such a condition is no ``If``: one side alone is there.
"""

from __future__ import annotations

from specc.ir.flatten import FlatOperation, FlatValue


class Known:
    """The scalar bools whose value is known, by way of ``and``, ``or`` and ``not`` too."""

    def __init__(self) -> None:
        self._values: dict[FlatValue, bool] = {}

    def get(self, value: FlatValue) -> bool | None:
        """The bool that ``value`` always holds, None where the inputs decide."""
        return self._values.get(value)

    def set(self, value: FlatValue, known: bool | None) -> None:
        """Records what ``value`` holds; None says that the inputs decide."""
        if known is None:
            self._values.pop(value, None)
        else:
            self._values[value] = known

    def learn(self, operation: FlatOperation) -> None:
        """Records what the result of ``operation`` holds, where that follows."""
        if len(operation.results) == 1 and operation.results[0].type.rank == 0:
            self.set(operation.results[0], self._result(operation))

    def _result(self, operation: FlatOperation) -> bool | None:
        if operation.operator == "training":
            return False
        if operation.operator not in ("logical_and", "logical_or", "logical_not"):
            return None
        known = [self.get(value) for value in operation.inputs]
        literals = (operation.attributes.get(side) for side in ("left", "right"))
        known += [literal for literal in literals if isinstance(literal, bool)]
        if operation.operator == "logical_not":
            return None if known[0] is None else not known[0]
        decisive = operation.operator == "logical_or"  # what decides, whatever the other is
        if decisive in known:
            return decisive
        return None if None in known else not decisive
