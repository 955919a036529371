"""Runs lark's LALR table over a text: what ``Lark.parse`` does, several times as fast.

An expression grammar with a level for each precedence reduces every name through some fifteen rules
that change nothing. Which state those chains end in depends on two states and one kind of token
alone, so each is looked up after its first time. The table, the lexer, the callbacks and the errors
are lark's own; a test compares the trees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from lark import Lark, Token
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_interactive_parser import InteractiveParser

_END = "$END"


class _Reduce(NamedTuple):
    """A rule to reduce by: its callback, how many values it takes, and what it becomes."""

    callback: Callable[[list[Any]], Any]
    size: int
    origin: str
    passes_through: bool


_Action = int | _Reduce  # an int is the state to shift to


class Driver:
    """Lark's parser of one grammar, ready to run."""

    def __init__(self, lark: Lark) -> None:
        self._lark = lark
        conf = lark.parse_interactive("", start=lark.options.start[0]).parser_state.parse_conf
        self._table: dict[Any, dict[str, _Action]] = {
            state: {
                str(kind): argument
                if action is Shift
                else _Reduce(
                    conf.callbacks[argument],
                    len(argument.expansion),
                    str(argument.origin.name),
                    argument.options.expand1
                    and argument.alias is None
                    and len(argument.expansion) == 1,
                )
                for kind, (action, argument) in actions.items()
            }
            for state, actions in conf.states.items()
        }
        self._chains: dict[tuple[Any, Any, str], Any] = {}

    def parse(self, text: str, start: str) -> Any:
        """What the callbacks make of ``text`` as the rule ``start``.

        Raises:
            UnexpectedInput: as ``Lark.parse`` does.
        """
        interactive = self._lark.parse_interactive(text, start)
        state = interactive.parser_state
        try:
            token: Token | None = None
            for token in interactive.lexer_thread.lex(state):  # type: ignore[no-untyped-call]
                self._feed(interactive, token)
            end = Token.new_borrow_pos(_END, "", token) if token else Token(_END, "", 0, 1, 1)
            self._feed(interactive, end)
        except UnexpectedInput as error:
            error.interactive_parser = interactive
            raise
        return state.value_stack[-1]

    def _feed(self, interactive: InteractiveParser, token: Token) -> None:
        """Reduces as often as the token asks for, then shifts it; the end is only reduced to."""
        parser = interactive.parser_state
        states, values, table = parser.state_stack, parser.value_stack, self._table
        kind = token.type
        end_state = parser.parse_conf.end_state
        while True:
            action = table[states[-1]].get(kind)
            if action is None:
                parser.feed_token(token)  # raises lark's own error
                raise AssertionError(f"lark takes {token!r} where its table has no entry")
            if not isinstance(action, _Reduce):
                states.append(action)
                values.append(token)
                return
            if action.passes_through:
                key = (states[-2], states[-1], kind)
                chained = self._chains.get(key)
                if chained is None:
                    chained = self._chains[key] = self._pass_through(*key)
                states[-1] = chained
            else:
                size = action.size
                reduced = values[-size:] if size else []
                if size:
                    del states[-size:], values[-size:]
                values.append(action.callback(reduced))
                goto = table[states[-1]][action.origin]
                assert not isinstance(goto, _Reduce)
                states.append(goto)
            if kind == _END and states[-1] == end_state:
                return

    def _pass_through(self, below: Any, state: Any, kind: str) -> Any:
        """The state in which a chain of rules that change nothing ends, above ``below``."""
        action = self._table[state].get(kind)
        while isinstance(action, _Reduce) and action.passes_through:
            state = self._table[below][action.origin]
            action = self._table[state].get(kind)
        return state
