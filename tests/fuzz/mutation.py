"""Texts that nearly are specs: seeded mutations of those in ``specs/`` and ``corpus/``.

A mutant is the same on every machine: it draws from its own generator, which is seeded by the seed,
its number and, where one spec is asked for, the spec's name alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "specs"
FOLDERS = (LIBRARY, ROOT / "tests" / "fuzz" / "corpus")

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*) | (?P<string>"[^"\n]*")
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?) | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<bracket>[()\[\]{}])
    | (?P<sign>\|>|->|\.\.\.|\.\.|\*\*|//|[=!<>+*/-]=|[-+*/%@=<>~:,.])""",
    re.VERBOSE,
)
_KEYWORDS = (
    *("net", "block", "def", "init", "train", "if", "else", "for", "in", "return", "assert"),
    *("param", "const", "while", "on", "and"),
)
_SIGNS = (
    *("|>", "->", "...", "..", "**", "//", "==", "!=", "+=", "+", "-", "*", "/", "%", "@", "="),
    *("<", ">", "~", ":", ",", ".", ";", "$", "?", "!", "`", "'", '"', "\\", "&", "^"),
)
_NUMBERS = (
    *("0", "1", "-1", "3", "7", "1000", "0.5", "1e999", "1e-999", "00", "1_000", "10**10**10"),
    *(
        "0..10**12",
        "2**63",
        "10**18",
        "-10**12",
        "9" * 30,
        "9" * 5000,
        "1/0",
        "0 % 0",
        "0x10",
        "1j",
    ),
)
_CONTROLS = "\0\1\x07\x08\x0b\x0c\x1b\x7f\x85\u2028\ud800\udfff\u202e\u2066\ufeff\xa0\u200b\r\uffff"
_SNIPPETS = (
    *("*", "**kw", "lambda x: x", "import os", "self.x", "def f(x):", "x = x", "return", "[", "{}"),
    *(
        '"{',
        '"}"',
        '"{{"',
        '"{x.__class__}"',
        '"\\x"',
        '"\\ud800"',
        "# \u202e",
        "@",
        "()",
        "if x {",
    ),
    *("for i in 0..10**12 { x = x }", "a = [a, a]", "(x, x, x)", "none", "true", "x[0]", "x[...]"),
    *("training", "while x { }", "on cuda:0 { }", "buffer b: [1]", "x |> x", "1 + relu", "-none"),
    *("x(x)", "Linear", "Linear()", "Linear(0)", "Linear(-1)", "Conv(1, 0)", "len(x)", "str(x)"),
)
_LARGE = 2**20
_DEEP = 10_000

_TALL = (
    *(("(", "1", ")"), ("[", "1", "]"), ("{a: ", "1", "}"), ("f(", "1", ")"), ("x[", "0", "]")),
    *(("-", "1", ""), ("not ", "true", ""), ("+", "1", ""), ("", "x", ".a"), ("", "x", "(1)")),
    *(("", "x", "[0]"), ("2 ** ", "1", ""), ("1 + ", "1", ""), ("1 if x else ", "1", "")),
    *(
        ("x or ", "x", ""),
        ("", "x", " |> relu"),
        ("*", "x", ""),
        ("a: ", "x", ""),
        ("if x {", "", "}"),
    ),
    *(
        ('"{', "x", '}"'),
        ("(", "", ""),
        ("[", "", ""),
        ("{", "", ""),
        ("", "", "}"),
        ("for i in ", "x", ""),
    ),
)


@dataclass(frozen=True)
class Mutant:
    """A text, what was done to it, and the characters that were put in or stood around a cut."""

    name: str
    text: str
    start: int
    end: int

    @property
    def lines(self) -> range:
        """The numbers (from 0) of the lines that hold what was changed.

        Where something was only taken out, those are the lines on both sides of the cut.
        """
        return range(
            self.text.count("\n", 0, max(0, self.start - 1)),
            self.text.count("\n", 0, self.end + 1) + 1,
        )


@dataclass(frozen=True)
class Spot:
    """A token of a text."""

    kind: str
    start: int
    end: int
    text: str


Edit = tuple[int, int, str]  # from, to, what stands there instead
Mutator = Callable[[random.Random, str, list[Spot]], Edit]


_USES = {
    "blocks": """net Any(x: [N, 8, 8, 8]) -> [N, 4, 4, 4] {
    x |> Residual(8) |> Bottleneck(2) |> VGGBlock(1, 4)
}""",
}


@cache
def specs(*folders: Path) -> dict[str, str]:
    """The texts that are mutated, by name: those of all folders, unless some are named."""
    return {
        path.stem: _with_a_net(path.stem, path.read_text("utf-8"))
        for folder in folders or FOLDERS
        for path in sorted(folder.glob("*.net"))
    }


def _with_a_net(name: str, text: str) -> str:
    """A file of blocks is compiled where a net applies them; any other net has to import them."""
    if re.search(r"^net\b", text, re.MULTILINE):
        return text
    return f"{text}\n{_USES.get(name, 'net Any(x: [N, 4]) -> [N, 4] { x }')}\n"


def mutant(number: int, seed: int = 0) -> Mutant:
    """Mutant ``number`` of a seed, of any of the specs.

    Most mutations are those that a hand makes; one of eight is meant to do harm.
    """
    generator = random.Random(f"{seed}:{number}")
    spec = generator.choice(sorted(specs()))
    return _mutated(generator, spec, number, _HARMFUL if number % 8 == 0 else _SLIPS)


def slip(spec: str, number: int, seed: int = 0) -> Mutant:
    """Slip ``number`` of a hand that writes this spec."""
    return _mutated(random.Random(f"{seed}:{spec}:{number}"), spec, number, _SLIPS)


def _mutated(
    generator: random.Random, spec: str, number: int, mutators: dict[str, Mutator]
) -> Mutant:
    text = specs()[spec]
    name = generator.choice(sorted(mutators))
    start, end, replacement = mutators[name](generator, text, _spots(text))
    changed = text[:start] + replacement + text[end:]
    return Mutant(f"{number}:{spec}:{name}", changed, start, start + len(replacement))


def _spots(text: str) -> list[Spot]:
    return [
        Spot(str(found.lastgroup), found.start(), found.end(), found.group())
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "comment"
    ]


def _one(generator: random.Random, spots: list[Spot], *kinds: str) -> Spot:
    chosen = [spot for spot in spots if not kinds or spot.kind in kinds]
    return generator.choice(chosen)


# ---- slips of a hand -----------------------------------------------------------------------------


def _drop(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots)
    return spot.start, spot.end, ""


def _duplicate(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots)
    return spot.start, spot.end, spot.text + generator.choice(["", " "]) + spot.text


def _swap(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    place = generator.randrange(len(spots) - 1)
    left, right = spots[place], spots[place + 1]
    between = text[left.end : right.start]
    return left.start, right.end, right.text + between + left.text


def _misspell(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots, "word", "string")
    word, place = spot.text, generator.randrange(len(spot.text))
    letter = generator.choice("abcdefghijklmnopqrstuvwxyz_A1")
    changed = generator.choice(
        [
            word[:place] + word[place + 1 :],
            word[:place] + letter + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
        ]
    )
    return spot.start, spot.end, changed


def _rename(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot, other = _one(generator, spots, "word"), _one(generator, spots, "word")
    return spot.start, spot.end, other.text


def _keyword(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots)
    return spot.start, spot.end, generator.choice(_KEYWORDS)


def _number(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots, "number")
    return spot.start, spot.end, generator.choice(_NUMBERS)


def _size(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, [spot for spot in spots if spot.text.isdecimal()])
    size = int(spot.text)
    return spot.start, spot.end, str(generator.choice([size + 1, size - 1, 2 * size, size // 2]))


def _sign(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots, "sign")
    return spot.start, spot.end, generator.choice(_SIGNS)


def _bracket_off(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots, "bracket")
    return spot.start, spot.end, ""


def _bracket_on(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots)
    return spot.start, spot.start, generator.choice("()[]{}")


def _snippet(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots)
    keep = generator.choice([spot.start, spot.end])
    return spot.start, keep, " " + generator.choice(_SNIPPETS) + " "


def _character(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    place = generator.randrange(len(text))
    return place, place + generator.randrange(2), chr(generator.randrange(0x20, 0x7F))


def _line(generator: random.Random, text: str) -> tuple[int, int]:
    place = generator.randrange(len(text))
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place) + 1
    return start, end or len(text)


def _line_off(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    return *_line(generator, text), ""


def _line_twice(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    start, end = _line(generator, text)
    return end, end, text[start:end]


def _line_from_elsewhere(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    (start, end), (there, _) = _line(generator, text), _line(generator, text)
    return there, there, text[start:end]


def _joined(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    ends = [found.start() for found in re.finditer("\n", text[:-1])]
    place = generator.choice(ends)
    return place, place + 1, " "


def _split(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    spot = _one(generator, spots)
    return spot.end, spot.end, "\n"


def _cut(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    return generator.randrange(len(text)), len(text), ""


# ---- texts that are meant to do harm -------------------------------------------------------------


def _control(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    place = generator.randrange(len(text))
    return place, place, generator.choice(_CONTROLS)


def _tall(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    before, core, behind = generator.choice(_TALL)
    spot = _one(generator, spots, "number", "word")
    return spot.start, spot.end, before * _DEEP + core + behind * _DEEP


def _long(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    unit = generator.choice(["a", "9", '"', "#", "é", " ", "\n", ".", "_", "{{", "\\", "0.", "\t"])
    spot = _one(generator, spots)
    many = unit * (_LARGE // len(unit.encode()))
    shape = generator.choice(["{}", '"{}"', "# {}\n", "a{}"])
    return spot.start, spot.end, shape.replace("{}", many)


def _many(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    unit = generator.choice(
        ["1, ", "x |> ", "a = 1\n", "relu, ", "f() ", "( ) ", '"a" ', "x = x\n"]
    )
    spot = _one(generator, spots)
    return spot.start, spot.start, unit * _DEEP


def _bomb(generator: random.Random, text: str, spots: list[Spot]) -> Edit:
    bomb = generator.choice(
        [
            "\n a0 = [1]\n for i in 0..100 { a0 = a0 + a0 }\n",
            "\n a0 = [1]\n for i in 0..100 { a0 = [a0, a0] }\n",
            '\n a0 = "ab"\n for i in 0..100 { a0 = "{a0}{a0}" }\n',
            "\n a0 = [i for i in 0..100000 for j in 0..100000 for k in 0..100000]\n",
            "\n for i in 0..100000 { for j in 0..100000 { } }\n",
            "\n a0 = zip(0..100000, 0..100000, 0..100000)\n",
            "\n const a0: [10**9, 10**9] = ones(10**9, 10**9)\n",
            "\n a0 = 10**10**10\n a1 = 2.0**10**6\n a2 = 9 ** 9 ** 9 ** 9\n",
        ]
    )
    bodies = [spot.end for spot in spots if spot.text == "{" and text[spot.end :][:1] == "\n"]
    place = generator.choice(bodies)
    return place, place, bomb


_SLIPS: dict[str, Mutator] = {
    "drop": _drop,
    "duplicate": _duplicate,
    "swap": _swap,
    "misspell": _misspell,
    "rename": _rename,
    "keyword": _keyword,
    "number": _number,
    "size": _size,
    "sign": _sign,
    "bracket off": _bracket_off,
    "bracket on": _bracket_on,
    "snippet": _snippet,
    "character": _character,
    "line off": _line_off,
    "line twice": _line_twice,
    "line from elsewhere": _line_from_elsewhere,
    "joined": _joined,
    "split": _split,
    "cut": _cut,
}
_HARMFUL: dict[str, Mutator] = {
    "control": _control,
    "tall": _tall,
    "long": _long,
    "many": _many,
    "bomb": _bomb,
}
