"""einsum: sums of products of tensors, said by the letters of their dims."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.arguments import TEXT, Argument
from specc.ops.axes import int64, product
from specc.ops.binary import require_equal_dtypes
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Operands, Splat, call
from specc.ops.operator import Inference, Input, Operator, Torch, Values, reject, sample
from specc.ops.parts import sized
from specc.ops.shape import reshaped
from specc.ops.tolerances import SUMMED

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_END = 2**63 - 1
_TERM = r"[A-Za-z ]*(?:\.\.\.)?[A-Za-z ]*"


def _terms(equation: str, types: Sequence[TensorType]) -> tuple[list[str], str]:
    """The letters of each tensor, and of the result, those that an ellipsis stands for included.

    An ellipsis stands for the dims without a letter, the last of them alike in all tensors.
    """
    left, _, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [letter for letter in _LETTERS if letter not in equation]
    counts = [
        type_.rank - len(term.replace("...", ""))
        for term, type_ in zip(terms, types, strict=True)
        if "..." in term
    ]
    dims = "".join(free[: max(counts, default=0)])
    written = [
        term.replace("...", dims[len(dims) - (type_.rank - len(term) + 3) :])
        for term, type_ in zip(terms, types, strict=True)
    ]
    return written, result.replace("...", dims)


def _infer(c: Inference, *types: TensorType) -> TensorType:
    equation = c["equation"]
    written = re.fullmatch(f"{_TERM}(?:,{_TERM})*->{_TERM}", equation) is not None
    c.require(
        written, "equation", 'letters for the dims of each tensor and of the result: "ij,jk->ik"'
    )
    left, _, right = equation.replace(" ", "").partition("->")
    given = left.split(",")
    c.require(len(given) == len(types), "equation", f"one with letters for {len(types)} tensors")
    once = len(set(right.replace("...", ""))) == len(right.replace("...", ""))
    c.require(once, "equation", "one that names a dim of the result once")
    known = "..." not in right or "..." in left
    known = known and set(right.replace("...", "")) <= set(left)
    c.require(known, "equation", "one whose result has letters of the tensors alone")
    c.floating()
    require_equal_dtypes(c, *range(len(types)))
    for operand, letters in enumerate(given):
        count = len(letters.replace("...", ""))
        expected = f"a tensor of {count} dims for `{letters}`"
        if "..." in letters:
            c.rank(operand, expected.replace("of", "of at least"), least=count)
        else:
            c.rank(operand, expected, count)
    sizes: dict[str, Dim] = {}
    terms, result = _terms(equation, types)
    for operand, (letters, type_) in enumerate(zip(terms, types, strict=True)):
        for letter, size in zip(letters, type_.shape, strict=True):
            first = sizes.setdefault(letter, size)
            mismatch = SizeMismatch(
                operator="einsum",
                operands=(operand,),
                what=f"the dim `{letter}`" if letter in equation else "a dim of the ellipsis",
                expected=str(first),
                found=str(size),
            )
            c.same_size(first, size, Fault(mismatch), f"the dim {letter} is one size")
    return types[0].with_shape(tuple(sizes[letter] for letter in result))


def _to_onnx(b: Builder, s: Site) -> Handle:
    """Matrix products of two tensors at a time.

    onnxruntime's Einsum divides by sizes: one of 0, an empty batch, ends the process.
    """
    terms, result = _terms(s["equation"], s.types)
    sizes: dict[str, Dim] = {}
    for letters, type_ in zip(terms, s.types, strict=True):
        sizes |= zip(letters, type_.shape, strict=True)
    first, *others = (
        _Lettered(b, sizes, value, letters).diagonals()
        for value, letters in zip(s.inputs, terms, strict=True)
    )
    for place, other in enumerate(others, start=2):
        first = first.times(other, wanted=set(result).union(*terms[place:]))
    given = first.summed(set(result)).ordered(result).value
    return b.op("Identity", given) if given is s.x else given


@dataclass(frozen=True)
class _Lettered:
    """A value of the graph whose dims have letters."""

    builder: Builder
    sizes: Mapping[str, Dim]
    value: Handle
    letters: str

    def with_(self, value: Handle, letters: str) -> _Lettered:
        return replace(self, value=value, letters=letters)

    def diagonals(self) -> _Lettered:
        """With each letter once: of two dims with one letter every (size + 1)-th entry."""
        again = next((one for one in self.letters if self.letters.count(one) > 1), None)
        if again is None:
            return self
        first = self.letters.index(again)
        second = self.letters.index(again, first + 1)
        rest = [axis for axis in range(len(self.letters)) if axis not in (first, second)]
        b, size = self.builder, self.sizes[again]
        value = b.op("Transpose", self.value, perm=[*rest, first, second])
        letters = "".join(self.letters[axis] for axis in rest)
        shape = [self.sizes[letter] for letter in letters]
        value = reshaped(b, value, [*shape, size, size], [*shape, size * size])
        last, step = int64(b, [len(rest)]), b.sizes([size + 1])
        value = b.op("Slice", value, int64(b, [0]), int64(b, [_END]), last, step)
        return self.with_(value, letters + again).diagonals()

    def summed(self, wanted: Collection[str]) -> _Lettered:
        """Summed over the dims whose letters are not ``wanted``."""
        axes = [axis for axis, letter in enumerate(self.letters) if letter not in wanted]
        if not axes:
            return self
        value = self.builder.op("ReduceSum", self.value, int64(self.builder, axes), keepdims=0)
        return self.with_(value, "".join(one for one in self.letters if one in wanted))

    def ordered(self, letters: str) -> _Lettered:
        """With its dims in the order of ``letters``, which are its own."""
        if letters == self.letters:
            return self
        order = [self.letters.index(letter) for letter in letters]
        return self.with_(self.builder.op("Transpose", self.value, perm=order), letters)

    def factor(self, *groups: str) -> Handle:
        """The value with each group of its letters as one dim."""
        ordered = self.ordered("".join(groups))
        dims = [product([self.sizes[letter] for letter in group]) for group in groups]
        shape = [self.sizes[letter] for letter in ordered.letters]
        if dims != shape:
            return reshaped(self.builder, ordered.value, shape, dims)
        if len(groups) > 2 and self.letters[0] != groups[0]:
            # Else onnxruntime makes the transposition a part of the product, which ends the
            # process where a size is 0.
            return sized(self.builder, ordered.value, dims)
        return ordered.value

    def times(self, other: _Lettered, wanted: Collection[str]) -> _Lettered:
        """The product, summed over the dims whose letters are not ``wanted``."""
        left = self.summed({*wanted, *other.letters})
        right = other.summed({*wanted, *self.letters})
        shared = [letter for letter in left.letters if letter in right.letters]
        batch = "".join(letter for letter in shared if letter in wanted)
        inner = "".join(letter for letter in shared if letter not in wanted)
        rows = "".join(letter for letter in left.letters if letter not in shared)
        columns = "".join(letter for letter in right.letters if letter not in shared)
        kind = "MatMul" if inner else "Mul"  # of a column and a row
        value = self.builder.op(
            kind, left.factor(*batch, rows, inner), right.factor(*batch, inner, columns)
        )
        grouped = [self.sizes[letter] for letter in batch]
        grouped += [product([self.sizes[letter] for letter in group]) for group in (rows, columns)]
        letters = batch + rows + columns
        shape = [self.sizes[letter] for letter in letters]
        if grouped != shape:
            value = reshaped(self.builder, value, grouped, shape)
        return self.with_(value, letters)


def _multiply_adds(attributes: Values, types: tuple[TensorType, ...], result: TensorType) -> Dim:
    """The tensors are joined from left to right, and summed over what nothing behind needs."""
    terms, given = _terms(attributes["equation"], types)
    sizes: dict[str, Dim] = {}
    for letters, type_ in zip(terms, types, strict=True):
        sizes |= zip(letters, type_.shape, strict=True)
    total: Dim = 0
    joined = set(terms[0]) & set(given).union(*terms[1:])
    for place, letters in enumerate(terms[1:], start=2):
        joined |= set(letters) & joined.union(given, *terms[place:])  # the others are summed before
        total = total + product([sizes[letter] for letter in sorted(joined)])
        joined &= set(given).union(*terms[place:])
    return total


OPERATORS = (
    Operator(
        name="einsum",
        summary='Products of tensors, summed over what the result lacks: `"nij,njk->nik"`.',
        details=(
            "A letter names a dim, which has one size wherever it occurs; twice in one tensor it "
            "takes the diagonal. `...` stands for the dims without a letter, of one size in all "
            'tensors, where one may have fewer of them. The result is always written: "ii->" is '
            "the trace."
        ),
        family="einsum",
        tolerance=SUMMED,
        inputs=(Input("tensors", variadic=True),),
        promotes_from=0,
        arguments=(Argument("equation", TEXT),),
        infer=_infer,
        torch=Torch(call("torch.einsum", Attr("equation"), Splat(Operands()))),
        onnx={17: _to_onnx},
        onnx_note=(
            "It is `MatMul` of two tensors at a time, `Mul` where nothing is summed: onnxruntime's "
            "`Einsum` ends the process where a batch is empty."
        ),
        multiply_adds=_multiply_adds,
        samples=(
            sample("f32[N, T, 4]", "f32[N, S, 4]", equation="ntd,nsd->nts"),
            sample("f32[N, 2, T, 4]", "f32[4, 2, 3]", equation="n h t d, d h e -> n t e h"),
            sample("f32[A, B]", "f32[B, C]", "f32[C, 5]", equation="ab,bc,cd->da"),
            sample("f32[N, 3]", "f32[M]", equation="ni,m->nmi"),
            sample("f32[N, 3, T]", equation="nit->tn"),
            sample("f32[N, T]", "f32[N, T]", equation="nt,nt->"),
            sample("f64[N, T]", "f64[T]", equation="Nt,t->N"),
            sample("f32[N, 2, T, 4]", "f32[N, 2, 4, 3]", equation="...ij,...jk->...ik"),
            sample("f32[N, T, 4]", "f32[4, 3]", equation="...j, jk -> ...k"),
            sample("f32[N, T, 4]", "f32[T, 4]", equation="...j,...j->..."),
            sample("f32[N, 2, 3]", equation="...a->a..."),
            sample("f32[N, T]", "f32[T]", equation="...,...->"),
            sample("f32[3, 3]", equation="ii->i"),
            sample("f32[N, 3, 3]", equation="...ii->..."),
            sample("f32[]", "f32[N]", equation=",i->i"),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", "f32[3, 4]", equation="ij,jk"),
            reject("bad-argument", "f32[2, 3]", "f32[3, 4]", equation="ij->i"),
            reject("bad-argument", "f32[2, 3]", equation="ij->ik"),
            reject("bad-argument", "f32[2, 2]", equation="ij->jj"),
            reject("bad-argument", "f32[2, 2]", equation="ij->...j"),
            reject("bad-argument", "f32[2, 2]", equation="i...j...->i"),
            reject("rank-mismatch", "f32[2]", equation="...ij->ij"),
            reject("size-mismatch", "f32[2, 3]", equation="ii->i"),
            reject("size-mismatch", "f32[2, 3]", "f32[4, 3]", equation="...j,...j->..."),
            reject("rank-mismatch", "f32[2, 3]", equation="ijk->i"),
            reject("size-mismatch", "f32[2, 3]", "f32[4, 3]", equation="ij,jk->ik"),
            reject("dtype-mismatch", "f32[2]", "f64[2]", equation="i,i->"),
            reject("dtype-mismatch", "i64[2]", equation="i->"),
        ),
    ),
)
