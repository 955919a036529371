"""Reading a size back from the text that ``str`` gave it."""

from __future__ import annotations

import re

from specc.ir.expr import MAX_DEGREE, MAX_DEPTH, MAX_DIGITS, MAX_WIDTH, Dim, DimTooLarge, symbol

_TOKEN = re.compile(r"\s*(?:(\d+)|(\$\w+|[^\W\d]\w*)|(\*\*|//|[-+*%()]))", re.ASCII)
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "//": 2, "%": 2, "neg": 3, "**": 4}
_MAX_NESTING = 4 * MAX_DEPTH


def parse_dim(text: str) -> Dim:
    """The size that `text` denotes: integers, names, ``+ - * // % **`` and parentheses.

    Inverse to ``str``. Raises ValueError where the text is no size, and DimTooLarge, which is one,
    where it is too long, too deep or has too many digits.

    >>> parse_dim("(H - 3) // 2 + 1"), parse_dim("2 * 3")
    (<(H - 1) // 2>, 6)
    """
    if len(text) > MAX_WIDTH:
        raise DimTooLarge(f"a size is written with more than {MAX_WIDTH} characters")
    operands: list[Dim] = []
    operators: list[str] = []
    wants_operand = True
    # Dijkstra's shunting yard: two stacks, so that no nesting reaches Python's own.
    for token in _tokens(text):
        if token[0].isalnum() or token[0] in "_$":
            _expect(wants_operand, text)
            operands.append(int(token) if token[0].isdigit() else symbol(token))
            wants_operand = False
        elif token == "(" or (wants_operand and token == "-"):
            _expect(wants_operand, text)
            operators.append("neg" if token == "-" else "(")
            if len(operators) > _MAX_NESTING:
                raise DimTooLarge("a size is nested too deeply")
        elif token == ")":
            _expect(not wants_operand, text)
            while operators and operators[-1] != "(":
                _apply(operators.pop(), operands)
            _expect(bool(operators), text)
            operators.pop()
        else:
            _expect(not wants_operand, text)
            # ** binds to the right, so it waits for its equals; the others take them first.
            limit = _PRECEDENCE[token] + (token == "**")
            while operators and operators[-1] != "(" and _PRECEDENCE[operators[-1]] >= limit:
                _apply(operators.pop(), operands)
            operators.append(token)
            wants_operand = True
    _expect(not wants_operand and "(" not in operators, text)
    while operators:
        _apply(operators.pop(), operands)
    (result,) = operands
    return result


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        _expect(match is not None, text)
        assert match is not None
        token = match[match.lastindex or 0]
        if token.isdigit() and len(token) > MAX_DIGITS:
            raise DimTooLarge(f"a size has more than {MAX_DIGITS} digits")
        tokens.append(token)
        position = match.end()
    return tokens


def _expect(holds: bool, text: str) -> None:
    if not holds:
        raise ValueError(f"not a size: {text[:80]!r}")


def _apply(operator: str, operands: list[Dim]) -> None:
    right = operands.pop()
    if operator == "neg":
        operands.append(-right)
        return
    operands.append(_binary(operator, operands.pop(), right))
    if isinstance(operands[-1], int) and abs(operands[-1]) >= 10**MAX_DIGITS:
        raise DimTooLarge(f"a size has more than {MAX_DIGITS} digits")


def _binary(operator: str, left: Dim, right: Dim) -> Dim:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "**":
        if not isinstance(right, int) or not 0 <= right <= MAX_DEGREE:
            raise ValueError(f"a size to the power of {str(right)[:80]}")
        return left**right
    if right == 0:
        raise ValueError("a size is divided by 0")
    return left // right if operator == "//" else left % right
