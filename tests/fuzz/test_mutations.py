"""Whatever a text holds, it compiles or gives located diagnostics, soon and in little memory."""

from __future__ import annotations

import sys
from functools import partial

import pytest

from specc.compiler import compile_network
from tests.fuzz.mutation import LIBRARY, mutant, slip, specs
from tests.fuzz.trial import MEGABYTES, SECONDS, Outcome, attempt, attempt_all

SHARE_THAT_TOUCHES = 0.95
SLIPS = 300  # of each spec of the library


def _assert_well(outcomes: list[Outcome], peak: float) -> str:
    """Asserts what holds of all; gives those that are refused elsewhere than where they changed."""
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
    listed = "\n".join([f"{len(elsewhere)} of {len(failed)} are said elsewhere", *elsewhere, ""])
    assert len(elsewhere) <= (1 - SHARE_THAT_TOUCHES) * len(failed), listed
    return listed


@pytest.mark.parametrize("name", sorted(specs()))
def test_what_is_mutated_compiles(name: str) -> None:
    compile_network(specs()[name])


def test_mutants_are_the_same_on_every_run() -> None:
    assert [mutant(i) for i in range(50)] == [mutant(i) for i in range(50)]
    assert len({mutant(i).text for i in range(50)}) > 45
    assert mutant(1, seed=0) != mutant(1, seed=1)
    assert slip("lenet", 1) == slip("lenet", 1)
    assert len({slip("lenet", i).text for i in range(50)}) > 45


def test_mutants_compile_or_are_refused_where_they_are_wrong() -> None:
    _assert_well(*attempt_all(mutant, range(300), processes=1))


@pytest.mark.parametrize("name", sorted(specs(LIBRARY)))
def test_slips_in_a_spec_compile_or_are_refused(name: str) -> None:
    outcomes = [attempt(slip(name, number)) for number in range(20)]
    assert not [f"{o.name}: {o.escaped}" for o in outcomes if o.escaped]


@pytest.mark.slow
def test_many_slips_in_each_spec_are_refused_where_they_are_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each spec of the library, broken in as many ways; a new one is taken in by itself."""
    outcomes: list[Outcome] = []
    most = 0.0
    for name in sorted(specs(LIBRARY)):
        of_spec, peak = attempt_all(partial(slip, name), range(SLIPS), processes=2)
        assert len(of_spec) == SLIPS
        outcomes += of_spec
        most = max(most, peak)
    listed = _assert_well(outcomes, most)
    with capsys.disabled():
        sys.stdout.write(f"\n{listed}")


@pytest.mark.slow
def test_many_mutants_compile_or_are_refused_where_they_are_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = _assert_well(*attempt_all(mutant, range(5000), processes=2))
    with capsys.disabled():
        sys.stdout.write(f"\n{listed}")
