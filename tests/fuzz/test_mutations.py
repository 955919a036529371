"""Whatever a text holds, it compiles or gives located diagnostics, soon and in little memory."""

from __future__ import annotations

import pytest

from specc.compiler import compile_network
from tests.fuzz.mutation import mutant, specs
from tests.fuzz.trial import MEGABYTES, SECONDS, Outcome, attempt_all

SHARE_THAT_TOUCHES = 0.95


def _assert_well(outcomes: list[Outcome], peak: float) -> None:
    escaped = [f"{outcome.name}: {outcome.escaped}" for outcome in outcomes if outcome.escaped]
    assert not escaped, "\n".join(escaped)
    slow = [f"{o.name}: {o.seconds:.1f} s" for o in outcomes if o.seconds > SECONDS]
    assert not slow, "\n".join(slow)
    assert peak < MEGABYTES
    failed = [outcome for outcome in outcomes if outcome.touches is not None]
    compiled = len(outcomes) - len(failed)
    assert failed, "no mutant was refused"
    assert compiled, "no mutant was compiled"
    elsewhere = [f"{o.name}: {', '.join(o.codes[:3])}" for o in failed if not o.touches]
    assert len(elsewhere) <= (1 - SHARE_THAT_TOUCHES) * len(failed), "\n".join(elsewhere)


@pytest.mark.parametrize("name", sorted(specs()))
def test_what_is_mutated_compiles(name: str) -> None:
    compile_network(specs()[name])


def test_mutants_are_the_same_on_every_run() -> None:
    assert [mutant(i) for i in range(50)] == [mutant(i) for i in range(50)]
    assert len({mutant(i).text for i in range(50)}) > 45
    assert mutant(1, seed=0) != mutant(1, seed=1)


def test_mutants_compile_or_are_refused_where_they_are_wrong() -> None:
    _assert_well(*attempt_all(range(300), processes=1))


@pytest.mark.slow
def test_many_mutants_compile_or_are_refused_where_they_are_wrong() -> None:
    _assert_well(*attempt_all(range(5000), processes=2))
