"""The signature of an operator, written as the header of a block, and its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from specc.extension.expressions import free_names, value_of
from specc.frontend import syntax
from specc.frontend.diagnostics import Report, SpecError
from specc.frontend.parse import parse
from specc.frontend.source import Source, Sources
from specc.ir.types import DType
from specc.ops.arguments import DTYPE, FLAG, FLOAT, INT, REQUIRED, SIZE, TEXT, Argument, Kind
from specc.ops.arguments import several as list_of

_KINDS: Mapping[str, Kind] = {
    "int": INT,
    "float": FLOAT,
    "bool": FLAG,
    "str": TEXT,
    "dtype": DTYPE,
    "list": list_of(INT),
}


@dataclass(frozen=True)
class Pattern:
    """The shape of an input or result: dim expressions, of which one may be ``...``.

    ``dtype`` is None where the header names none: any floating-point dtype, the same for all.
    """

    name: str
    dims: tuple[syntax.Expression, ...]
    dtype: DType | None
    text: str

    @property
    def names(self) -> set[str]:
        """The names in it that stand as a dim of their own."""
        return {dim.name for dim in self.dims if isinstance(dim, syntax.Name)}


@dataclass(frozen=True)
class Slot:
    """A parameter or buffer: its shape, and its initializer, which may depend on a condition."""

    name: str
    role: str
    dims: tuple[syntax.Expression, ...]
    initializer: syntax.Expression
    condition: syntax.Expression | None

    @property
    def names(self) -> set[str]:
        """All names that it depends on; those of initializers among them."""
        nodes = [*self.dims, self.initializer, *([self.condition] if self.condition else [])]
        return {name for node in nodes for name in free_names(node)}


@dataclass(frozen=True)
class Header:
    """A signature, taken apart."""

    name: str
    arguments: tuple[Argument, ...]
    inputs: tuple[Pattern, ...]
    results: tuple[Pattern, ...]
    slots: tuple[Slot, ...]

    @property
    def sizes(self) -> set[str]:
        """The names that the shapes of the inputs bind."""
        bound = {name for pattern in self.inputs for name in pattern.names}
        return bound - {argument.name for argument in self.arguments}

    @property
    def shaping(self) -> set[str]:
        """The names that shapes or state depend on."""
        dims = [dim for pattern in (*self.inputs, *self.results) for dim in pattern.dims]
        names = {name for dim in dims for name in free_names(dim)}
        return names.union(*(slot.names for slot in self.slots))


def read(signature: str, state: Sequence[str], kinds: Mapping[str, Kind]) -> Header:
    """Reads ``Name(hyperparameters)(inputs) -> results`` and declarations of state.

    Raises SpecError where a text does not parse, and ValueError where it means nothing here.
    """
    source = Source("<operator>", "\n".join([f"block {signature} {{", *state, "return 0", "}"]))
    sources, report = Sources(), Report()
    tree = parse(source, sources.add(source), report)
    if tree is None or report.failed:
        raise SpecError([fact.diagnostic() for fact in report.facts], sources)
    (definition, *more) = tree.definitions
    if more or not isinstance(definition, syntax.ModuleDefinition) or definition.inputs is None:
        raise ValueError(f"{signature!r} is not Name(hyperparameters)(inputs) -> results")
    sized = _sizes_among(definition)
    arguments = tuple(_argument(one, kinds, sized) for one in definition.hyperparameters)
    if unknown := kinds.keys() - {argument.name for argument in arguments}:
        raise ValueError(f"{definition.name} has no hyperparameter {sorted(unknown)[0]!r}")
    return Header(
        name=definition.name,
        arguments=arguments,
        inputs=tuple(_input(one, source) for one in definition.inputs),
        results=tuple(_pattern(o.name or "", o.shape, source) for o in definition.outputs),
        slots=tuple(_slots(definition)),
    )


def _sizes_among(definition: syntax.ModuleDefinition) -> set[str]:
    """The names that stand as a dim of their own, so those of hyperparameters that are sizes."""
    shapes = [one.annotation for one in definition.inputs or ()]
    shapes += [output.shape for output in definition.outputs]
    shapes += [s.shape for s in definition.body if isinstance(s, syntax.StateDeclaration)]
    found = [shape for shape in shapes if isinstance(shape, syntax.ShapeAnnotation)]
    return {dim.name for shape in found for dim in shape.dims if isinstance(dim, syntax.Name)}


def _argument(parameter: syntax.Parameter, kinds: Mapping[str, Kind], sized: set[str]) -> Argument:
    default = REQUIRED if parameter.default is None else value_of(parameter.default, {})
    kind = kinds.get(parameter.name) or _kind(parameter, default)
    if kind is INT and parameter.name in sized:
        kind = SIZE
    if default is not REQUIRED:
        try:
            default = kind.accept(default)
        except ValueError as error:
            raise ValueError(f"the default of {parameter.name} must be {error}") from None
    return Argument(parameter.name, kind, default)


def _kind(parameter: syntax.Parameter, default: object) -> Kind:
    if isinstance(parameter.annotation, syntax.Name):
        known = ", ".join(_KINDS)
        if parameter.annotation.name not in _KINDS:
            raise ValueError(f"{parameter.name} is none of {known}; `kinds` may say what it is")
        return _KINDS[parameter.annotation.name]
    for type_, kind in (
        (bool, FLAG),
        (int, INT),
        (float, FLOAT),
        (str, TEXT),
        (tuple, list_of(INT)),
    ):
        if isinstance(default, type_):
            return kind
    raise ValueError(f"{parameter.name} has no type: write `{parameter.name}: int`, or `kinds`")


def _input(parameter: syntax.Parameter, source: Source) -> Pattern:
    if parameter.default is not None or not isinstance(
        parameter.annotation, syntax.ShapeAnnotation
    ):
        raise ValueError(f"the input {parameter.name!r} is written `{parameter.name}: [N, D]`")
    return _pattern(parameter.name, parameter.annotation, source)


def _pattern(name: str, annotation: syntax.ShapeAnnotation, source: Source) -> Pattern:
    if sum(isinstance(dim, syntax.Ellipsis) for dim in annotation.dims) > 1:
        raise ValueError("a shape has one `...` at most")
    dtype = None
    if annotation.dtype is not None:
        try:
            dtype = DType(annotation.dtype.name)
        except ValueError:
            raise ValueError(f"{annotation.dtype.name!r} is no dtype") from None
    text = source.text[annotation.span.start : annotation.span.end]
    return Pattern(name, annotation.dims, dtype, text)


def _slots(definition: syntax.ModuleDefinition) -> Iterator[Slot]:
    for statement in definition.body[:-1]:
        if (
            not isinstance(statement, syntax.StateDeclaration)
            or statement.role == "const"
            or statement.shape is None
            or statement.initializer is None
        ):
            raise ValueError("state is written `param weight: [D] ~ normal`, or `buffer ...`")
        initializer: syntax.Expression = statement.initializer
        condition: syntax.Expression | None = None
        if isinstance(initializer, syntax.Conditional):
            otherwise, condition = initializer.otherwise, initializer.condition
            if not isinstance(otherwise, syntax.Literal) or otherwise.value is not None:
                raise ValueError(f"{statement.name} is there `if` something holds, `else none`")
            initializer = initializer.then
        role = {"param": "parameter", "buffer": "buffer"}[statement.role]
        yield Slot(statement.name, role, statement.shape.dims, initializer, condition)
