"""How each parameter starts: which of inline, rule and default it is, and the edits after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from specc.elaborate.context import Context, Frame, ParameterRecord
from specc.elaborate.definitions import Use, run_initializer
from specc.elaborate.facts import BadInitializer
from specc.elaborate.init_rules import DirectEdit, Rule, matches, rank, report_unused
from specc.elaborate.initializers import Start
from specc.elaborate.scope import Scope
from specc.elaborate.statements import run_statements
from specc.elaborate.values import DefinedCall
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.initialize import catalogue
from specc.initialize.requirements import holds
from specc.ir.graph import DefinedInitializer, Parameter
from specc.ir.initializer import Edit, Initializer
from specc.ir.types import DType, TensorType


@dataclass(frozen=True)
class Candidate:
    """One text that says how a parameter starts.

    ``inline`` stands at the layer, ``rule`` in an ``init`` block, ``own`` is the ``~`` of a
    ``param``, ``kind`` how every layer of this kind starts. ``text`` is what is written, or for a
    kind its initializer; ``span`` is the place of that, or of the parameter or layer.
    """

    kind: Literal["inline", "rule", "own", "kind"]
    text: str
    span: Span


@dataclass(frozen=True)
class Origin:
    """Why a parameter starts as it does.

    ``candidates`` are all that apply, the one that won first and each before those that it beats;
    ``edits`` are the rules that then change it, in order.
    """

    candidates: tuple[Candidate, ...]
    edits: tuple[Span, ...] = ()


def resolve_parameters(
    context: Context, *, complete: bool
) -> tuple[tuple[Parameter, ...], dict[str, Origin]]:
    """Every parameter with its initializer: inline beats a rule, a later rule an earlier one.

    Reports initializers and edits that do not fit, and where the parameters are ``complete``,
    patterns that match none of them.
    """
    rules: dict[str, list[Rule]] = {}
    edits: dict[str, list[DirectEdit]] = {}
    for rule in sorted(context.rules, key=rank):
        context.steps += 3 * len(context.parameters)
        context.spend(rule.span)
        matched = matches(context, rule.target)
        if complete and not matched:
            report_unused(context, rule.target)
        for record in matched:
            if isinstance(rule, Rule):
                rules.setdefault(record.name, []).append(rule)
            else:
                edits.setdefault(record.name, []).append(rule)
    resolver = _Resolver(context)
    parameters, origins = [], {}
    for record in context.parameters.values():
        applied = rules.get(record.name, [])
        edited = edits.get(record.name, [])
        parameters.append(resolver.parameter(record, applied, edited))
        origins[record.name] = _origin(context, record, applied, edited)
    return tuple(parameters), origins


def _origin(
    context: Context, record: ParameterRecord, rules: list[Rule], edits: list[DirectEdit]
) -> Origin:
    found = []
    if record.inline is not None:
        span = record.inline[1]
        found.append(Candidate("inline", _text(context, span), span))
    found += [Candidate("rule", _text(context, rule.span), rule.span) for rule in rules[::-1]]
    start = record.default
    text = _text(context, start.span) if isinstance(start, DefinedCall) else str(start)
    if record.slot in record.owner.state:
        found.append(Candidate("own", f"{record.slot} ~ {text}", record.span))
    else:
        text = "; ".join([text, *map(str, record.edits)])
        found.append(Candidate("kind", text, record.span))
    return Origin(tuple(found), tuple(edit.span for edit in edits))


def _text(context: Context, span: Span) -> str:
    return " ".join(context.sources.text(span).split())


class _Resolver:
    """Settles parameter by parameter; equal runs of a definition are one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._runs: dict[tuple[DefinedCall, TensorType], DefinedInitializer | None] = {}
        self._failed: set[DefinedCall] = set()

    def parameter(
        self, record: ParameterRecord, rules: list[Rule], edits: list[DirectEdit]
    ) -> Parameter:
        start, place = record.default, record.span
        of_default = record.edits
        if rules:
            start, place, of_default = rules[-1].initializer, rules[-1].span, ()
        if record.inline is not None:
            (start, place), of_default = record.inline, ()
        return Parameter(
            name=record.name,
            role=record.role,
            type=record.type,
            initializer=self._settled(record, start, place),
            edits=(*of_default, *self._edits(record, edits)),
            layer=record.layer,
            slot=record.slot,
            span=record.span,
        )

    def _settled(
        self, record: ParameterRecord, start: Start, place: Span
    ) -> Initializer | DefinedInitializer:
        if isinstance(start, Initializer):
            self._check_shape(record, start, place)
            return start
        key = (start, record.type)
        if key not in self._runs and start not in self._failed:
            frame = Frame(self._context, Scope())
            use = Use(record.name, record.type, place)
            self._runs[key] = run_initializer(frame, start, use, run_statements)
            if self._runs[key] is None:
                self._failed.add(start)  # for another shape it would fail likewise
        return self._runs.get(key) or Initializer(name="zeros")

    def _check_shape(self, record: ParameterRecord, start: Initializer, place: Span) -> None:
        problem = catalogue.problem(start, _sizes(record), record.type.dtype)
        if problem is None:
            return
        fact = BadInitializer(
            where=place,
            problem=f"{start.name} {problem.reason}",
            detail=f"this is the initial value of {record.name}",
        )
        if place != record.span:
            fact = replace(fact, because=(Label(record.span, f"{record.name} is {record.type}"),))
        self._context.report.add(fact)

    def _edits(self, record: ParameterRecord, edits: list[DirectEdit]) -> list[Edit]:
        made = []
        for direct in edits:
            try:
                self._context.spend(direct.span)
                made.append(_fitted(record, direct))
            except Fault as fault:
                self._context.report.add(fault.fact)
        return made


def _sizes(record: ParameterRecord) -> tuple[int, ...]:
    return tuple(dim for dim in record.type.shape if isinstance(dim, int))


def _fitted(record: ParameterRecord, direct: DirectEdit) -> Edit:
    """The edit for one parameter. Raises a Fault where its index or value does not fit."""
    because = (Label(record.span, f"{record.name} is {record.type}"),)
    edit = direct.within(record.type.rank)
    dtype = record.type.dtype
    wrong = edit.problem(_sizes(record))
    if wrong is not None:
        problem, entry = wrong
        where = direct.value_span
        if entry is not None:
            where = direct.index_spans[0].to(direct.index_spans[-1])
        raise Fault(BadInitializer(where=where, because=because, problem=problem))
    if not holds(dtype, edit.value) or isinstance(direct.value, bool) is not (dtype is DType.BOOL):
        problem = f"a parameter of {dtype.value} cannot hold this value"
        raise Fault(BadInitializer(where=direct.value_span, because=because, problem=problem))
    if dtype is DType.BOOL and edit.operator != "=":
        problem = f"`{edit.operator}` is for numbers"
        raise Fault(BadInitializer(where=direct.span, because=because, problem=problem))
    return edit
