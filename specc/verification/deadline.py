"""A time limit on a PyTorch module, for networks whose loops may not end.

A run-time loop turns a tensor into a bool at each turn, and PyTorch lets a function mode see every
call of its interface, that one included. So the limit is kept inside the process, on any platform,
and the module may hold operators that no other process knows; a thread or a process that is killed
could not say where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from torch.overrides import TorchFunctionMode


class Deadline(TorchFunctionMode):
    """Raises TimeoutError from the first call of PyTorch after ``seconds``.

    >>> import torch
    >>> with Deadline(0.01):
    ...     while torch.tensor(True):
    ...         pass
    Traceback (most recent call last):
    TimeoutError: 0.01 s have passed
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._end = 0.0

    def __enter__(self) -> Deadline:
        self._end = monotonic() + self._seconds
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Calls ``func`` as it would be called without the mode."""
        if monotonic() > self._end:
            raise TimeoutError(f"{self._seconds:g} s have passed")
        return func(*args, **(kwargs or {}))
