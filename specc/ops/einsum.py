"""einsum: sums of products of tensors, said by the letters of their dims."""

from __future__ import annotations

import re

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.arguments import TEXT, Argument
from specc.ops.axes import product
from specc.ops.binary import require_equal_dtypes
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Operands, Splat, call
from specc.ops.operator import Inference, Input, Operator, Torch, Values, reject, sample
from specc.ops.tolerances import SUMMED


def _terms(equation: str) -> tuple[list[str], str]:
    """The letters of each tensor, and of the result."""
    left, _, right = equation.replace(" ", "").partition("->")
    return left.split(","), right


def _infer(c: Inference, *types: TensorType) -> TensorType:
    equation = c["equation"]
    written = re.fullmatch(r"[A-Za-z ,]*->[A-Za-z ]*", equation) is not None
    c.require(
        written, "equation", 'letters for the dims of each tensor and of the result: "ij,jk->ik"'
    )
    terms, result = _terms(equation)
    count = len(terms)
    c.require(count == len(types), "equation", f"one with letters for {len(types)} tensors")
    for letters in (*terms, result):
        once = len(set(letters)) == len(letters)
        c.require(once, "equation", "one that names a dim of a tensor once")
    known = set("".join(terms))
    c.require(set(result) <= known, "equation", "one whose result has letters of the tensors alone")
    c.floating()
    require_equal_dtypes(c, *range(len(types)))
    sizes: dict[str, Dim] = {}
    for operand, (letters, type_) in enumerate(zip(terms, types, strict=True)):
        expected = f"a tensor of {len(letters)} dims for `{letters}`"
        c.rank(operand, expected, len(letters))
        for letter, size in zip(letters, type_.shape, strict=True):
            first = sizes.setdefault(letter, size)
            mismatch = SizeMismatch(
                operator="einsum",
                operands=(operand,),
                what=f"the dim `{letter}`",
                expected=str(first),
                found=str(size),
            )
            c.same_size(first, size, Fault(mismatch), f"the dim {letter} is one size")
    return types[0].with_shape(tuple(sizes[letter] for letter in result))


def _to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("Einsum", *s.inputs, equation=s["equation"].replace(" ", ""))


def _multiply_adds(attributes: Values, types: tuple[TensorType, ...], result: TensorType) -> Dim:
    """The tensors are joined from left to right, and summed over what nothing behind needs."""
    terms, given = _terms(attributes["equation"])
    sizes: dict[str, Dim] = {}
    for letters, type_ in zip(terms, types, strict=True):
        sizes |= zip(letters, type_.shape, strict=True)
    total: Dim = 0
    joined = set(terms[0])
    for place, letters in enumerate(terms[1:], start=2):
        joined |= set(letters)
        total = total + product([sizes[letter] for letter in sorted(joined)])
        joined &= set(given).union(*terms[place:])
    return total


OPERATORS = (
    Operator(
        name="einsum",
        summary='Products of tensors, summed over what the result lacks: `"nij,njk->nik"`.',
        details=(
            "A letter names a dim, which has one size wherever it occurs. The result is written "
            "out; an ellipsis, and a letter twice in one tensor, are not taken."
        ),
        family="einsum",
        tolerance=SUMMED,
        inputs=(Input("tensors", variadic=True),),
        promotes_from=0,
        arguments=(Argument("equation", TEXT),),
        infer=_infer,
        torch=Torch(call("torch.einsum", Attr("equation"), Splat(Operands()))),
        onnx={17: _to_onnx},
        multiply_adds=_multiply_adds,
        samples=(
            sample("f32[N, T, 4]", "f32[N, S, 4]", equation="ntd,nsd->nts"),
            sample("f32[N, 2, T, 4]", "f32[4, 2, 3]", equation="n h t d, d h e -> n t e h"),
            sample("f32[A, B]", "f32[B, C]", "f32[C, 5]", equation="ab,bc,cd->da"),
            sample("f32[N, 3]", "f32[M]", equation="ni,m->nmi"),
            sample("f32[N, 3, T]", equation="nit->tn"),
            sample("f32[N, T]", "f32[N, T]", equation="nt,nt->"),
            sample("f64[N, T]", "f64[T]", equation="Nt,t->N"),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", "f32[3, 4]", equation="ij,jk"),
            reject("bad-argument", "f32[2, 3]", "f32[3, 4]", equation="ij->i"),
            reject("bad-argument", "f32[2, 3]", equation="ij->ik"),
            reject("bad-argument", "f32[2, 2]", equation="ii->i"),
            reject("bad-argument", "f32[2, 2]", equation="ij->jj"),
            reject("bad-argument", "f32[2, 2]", equation="...j->j"),
            reject("rank-mismatch", "f32[2, 3]", equation="ijk->i"),
            reject("size-mismatch", "f32[2, 3]", "f32[4, 3]", equation="ij,jk->ik"),
            reject("dtype-mismatch", "f32[2]", "f64[2]", equation="i,i->"),
            reject("dtype-mismatch", "i64[2]", equation="i->"),
        ),
    ),
)
