"""einsum at any equation and size, 0 among them, against torch.einsum."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import specc
from specc.infer.session import run, session

LETTERS = "abcdef"


def equation_at(seed: int) -> tuple[list[str], str]:
    """Terms of up to four letters, some with one of them twice, and a result."""
    drawn = random.Random(seed)
    terms = []
    for _ in range(drawn.choice([1, 2, 2, 2, 3])):
        if drawn.random() < 0.85:
            terms.append("".join(drawn.sample(LETTERS, drawn.randint(0, 4))))
        else:
            terms.append("".join(drawn.choices(LETTERS[:3], k=drawn.randint(2, 3))))
    used = sorted(set("".join(terms)))
    return terms, "".join(drawn.sample(used, drawn.randint(0, len(used))))


@pytest.mark.parametrize("seed", range(80))
def test_any_equation_gives_what_it_gives_in_pytorch(seed: int) -> None:
    terms, result = equation_at(seed)
    drawn = random.Random(-seed)
    known = {letter: drawn.choice([1, 2, 3, 4]) for letter in LETTERS}
    symbolic = {letter for letter in LETTERS if drawn.random() < 0.6}
    dims = {one: one.upper() * 2 if one in symbolic else str(known[one]) for one in LETTERS}
    headers = [f"x{i}: [{', '.join(dims[one] for one in term)}]" for i, term in enumerate(terms)]
    names = [f"x{i}" for i in range(len(terms))]
    equation = f"{','.join(terms)}->{result}"
    body = f'einsum({", ".join(names)}, equation="{equation}")'
    program = specc.compile(f"net A({', '.join(headers)}) {{ {body} }}")
    running = session(program.onnx().SerializeToString())
    for empty in (False, True):
        sizes = {
            one: 0 if empty and one in symbolic and drawn.random() < 0.4 else known[one]
            for one in LETTERS
        }
        tensors = [torch.randn([sizes[one] for one in term]) for term in terms]
        expected = torch.einsum(equation, *tensors).numpy()
        given = run(running, dict(zip(names, (t.numpy() for t in tensors), strict=True)))
        (found,) = given.values()
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
