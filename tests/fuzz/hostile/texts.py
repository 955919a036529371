"""Specs that try to become code, to reach a file, or to confuse who reads the diagnostics.

Each stands beside the code with which it is refused, or ``INERT`` where it is a network like any
other: then what is made from it must be harmless too.
"""

from __future__ import annotations

INERT = "inert"


def net(body: str, header: str = "net A(x: [N, 4]) -> [N, 4]") -> str:
    """A net with this body."""
    return f"{header} {{\n    {body}\n}}\n"


def _layer(label: str) -> str:
    return net(f'x |> "{label}": Linear(4)')


def _train(settings: str) -> str:
    return net("x |> Linear(4)") + f"train {{\n    {settings}\n}}\n"


def _init(rule: str) -> str:
    return net("x |> Linear(4)") + f"init {{\n    {rule}\n}}\n"


LABELS = {
    "label that ends a string": (
        _layer('a\\"); import os; os.system(\\"id\\") #'),
        "reserved-name",
    ),
    "label with a line end": (_layer("a\\nimport os"), "reserved-name"),
    "label with a carriage return": (_layer("a\\rimport os"), "reserved-name"),
    "label with a line separator": (_layer("a\\u2028import os"), "reserved-name"),
    "label with a null": (_layer("a\\0b"), "reserved-name"),
    "label of dunders": (_layer("__class__"), "reserved-name"),
    "dotted dunders": (_layer("a.__class__.__base__"), "reserved-name"),
    "label that is a keyword of Python": (_layer("class"), "reserved-name"),
    "label lambda": (_layer("lambda"), "reserved-name"),
    "label that is a call": (_layer("exec(1)"), "reserved-name"),
    "label that imports": (_layer("__import__('os')"), "reserved-name"),
    "label with a path": (_layer("../../etc/passwd"), "reserved-name"),
    "label with an absolute path": (_layer("/etc/passwd"), "reserved-name"),
    "label with a URL": (_layer("http://localhost/a"), "reserved-name"),
    "label of dots": (_layer(".."), "reserved-name"),
    "label that begins with a dot": (_layer(".a"), "reserved-name"),
    "empty label": (_layer(""), "reserved-name"),
    "label forward": (_layer("forward"), "reserved-name"),
    "label train": (_layer("train"), "reserved-name"),
    "label state_dict": (_layer("state_dict"), "reserved-name"),
    "label training": (_layer("training"), "reserved-name"),
    "label self": (_layer("self"), "reserved-name"),
    "label torch": (_layer("torch"), INERT),
    "label super": (_layer("super"), INERT),
    "label with a backslash": (_layer("a\\\\"), "reserved-name"),
    "label with triple quotes": (_layer('\\"\\"\\"'), "reserved-name"),
    "label with braces": (_layer("{{0.__class__}}"), "reserved-name"),
    "label with a percent sign": (_layer("%s%n"), "reserved-name"),
    "label of full-width letters": (_layer("\\uff45\\uff58\\uff45\\uff43"), "reserved-name"),
    "label with a mark of direction": (_layer("a\\u202eb"), "reserved-name"),
    "label that is 5,000 characters long": (_layer("a" * 5000), "reserved-name"),
    "label of 5,000 parts": (_layer(".".join("a" * 5000)), "reserved-name"),
    "label that is built and hostile": (
        net('s = "a\\"); import os #"\n    x |> "{s}": Linear(4)'),
        "reserved-name",
    ),
    "label with a hole": (_layer("{x.__class__}"), "wrong-type"),
    "label with a call in a hole": (_layer("{eval(1)}"), "unknown-name"),
    "label with a format": (_layer("{4!r:>1000000000}"), "unexpected-character"),
}
NAMES = {
    "net called like a keyword": (net("x", "net class(x: [N, 4])"), INERT),
    "net called like a builtin": (net("x", "net exec(x: [N, 4])"), INERT),
    "net called torch": (net("x |> Linear(4)", "net torch(x: [N, 4])"), INERT),
    "net called nn": (net("x |> Linear(4)", "net nn(x: [N, 4])"), INERT),
    "net of dunders": (net("x", "net __init__(x: [N, 4])"), INERT),
    "block called torch": (
        "block torch(x: [N, D]) = x |> Linear(4)\n" + net("x |> torch"),
        INERT,
    ),
    "input called self": (net("self", "net A(self: [N, 4])"), "syntax"),
    "input called torch": (net("torch |> Linear(4)", "net A(torch: [N, 4])"), INERT),
    "input called __class__": (net("__class__", "net A(__class__: [N, 4])"), INERT),
    "input called lambda": (net("lambda + 1", "net A(lambda: [N, 4])"), "reserved-name"),
    "hyperparameter called __import__": (
        net("x |> Linear(__import__)", "net A(__import__ = 4)(x: [N, 4])"),
        INERT,
    ),
    "size called import": (net("x + 1", "net A(x: [import, 4])"), "reserved-word"),
    "size called exec": (net("x + 1", "net A(x: [exec, 4])"), INERT),
    "size called torch": (net("reshape(x, 4 * torch)", "net A(x: [torch, 4])"), INERT),
    "output called __dict__": (net("x", "net A(x: [N, 4]) -> (__dict__: [N, 4])"), INERT),
    "parameter called forward": (
        net("param forward: [4] ~ zeros\n    x + forward"),
        "reserved-name",
    ),
    "parameter called __class__": (
        net("param __class__: [4] ~ zeros\n    x + __class__"),
        "reserved-name",
    ),
}
CODE = {
    "import": ("import os\n" + net("x"), "syntax"),
    "import in a body": (net("import os\n    x"), "syntax"),
    "from os": ("from os import system\n" + net("x"), "bad-import"),
    "dunder import": (net('__import__("os")\n    x'), "unknown-name"),
    "eval": (net('eval("1")\n    x'), "unknown-name"),
    "open": (net('a = open("/etc/passwd")\n    x'), "unknown-name"),
    "getattr": (net('a = getattr(x, "__class__")\n    x'), "unknown-name"),
    "attribute of a tensor": (net("x.__class__\n    x"), "wrong-type"),
    "attribute of a layer": (net("Linear.__init__\n    x"), "wrong-type"),
    "attribute of a string": (net('a = "a".__class__\n    x'), "wrong-type"),
    "attribute of a number": (net("a = (1).__class__.__base__\n    x"), "wrong-type"),
    "method of a string": (net('a = "a".format(x)\n    x'), "wrong-type"),
    "format of a value": (net('a = "{x.__class__.__init__.__globals__}"\n    x'), "wrong-type"),
    "keyword of torch": (net("x |> Linear(4, device=cuda)"), "unknown-name"),
    "argument called __class__": (net("x |> Linear(4, __class__=1)"), "unknown-argument"),
    "lambda": (net("f = lambda a: a\n    x"), "syntax"),
    "decorator": ("@property\n" + net("x"), "syntax"),
    "backquotes": (net("a = `id`\n    x"), "unexpected-character"),
    "semicolon": (net("x; import os"), "unexpected-character"),
    "documentation that ends a docstring": (
        '# """\n# import os\n# os.system("id")\n# """ \\\n' + net("x |> Linear(4)"),
        INERT,
    ),
    "documentation with a backslash": ("# \\\n" + net("x |> Linear(4)"), INERT),
    "documentation with an encoding": ("# coding: rot13\n" + net("x |> Linear(4)"), INERT),
    "message of an assert": (
        net('assert N >= 2, "\\"); import os; os.system(\\"id\\") #"\n    x'),
        INERT,
    ),
    "message of an assert with braces": (net('assert N >= 2, "{{0}} %s %(a)s"\n    x'), INERT),
    "string for a mode": (net('x |> Linear(4, bias="); import os")'), "bad-argument"),
    "pattern of rearrange": (
        net('x |> rearrange("n d -> __import__(os)")'),
        "bad-argument",
    ),
    "axis called like a keyword": (net('x |> rearrange("class def -> def class")'), INERT),
}
FILES = {
    "import of a path that climbs": ('from "../secret.net" import A\n' + net("x"), "bad-import"),
    "import of an absolute path": ('from "/etc/passwd" import A\n' + net("x"), "bad-import"),
    "import of a URL": ('from "https://localhost/a.net" import A\n' + net("x"), "bad-import"),
    "import of a UNC path": ('from "\\\\\\\\host\\\\a.net" import A\n' + net("x"), "bad-import"),
    "import of a null byte": ('from "a\\0.net" import A\n' + net("x"), "bad-import"),
    "import of a link that leads out": ('from "link.net" import A\n' + net("x"), "bad-import"),
    "import of a link to itself": ('from "circle.net" import A\n' + net("x"), "bad-import"),
    "import of a folder": ('from "folder.net" import A\n' + net("x"), "bad-import"),
    "import of a pipe": ('from "pipe.net" import A\n' + net("x"), "bad-import"),
    "import of itself": ('from "main.net" import A\n' + net("x"), "bad-import"),
    "import of a built path": ('from "{1}.net" import A\n' + net("x"), "invalid-string"),
    "import of a long path": (f'from "{"a" * 9000}.net" import A\n' + net("x"), "bad-import"),
    "import of a module of Python": ("from std.os import A\n" + net("x"), "bad-import"),
    "import of std that climbs": ('from "std/../../a.net" import A\n' + net("x"), "bad-import"),
    "data from a path that climbs": (_train('data = npz("../../secret.npz")'), "path-outside"),
    "data from a URL": (_train('data = npz("http://localhost/a.npz")'), INERT),
    "data that is no data set": (_train('data = "/etc/passwd"'), "bad-setting"),
    "data with a hostile argument": (_train("data = digits(resize=__import__)"), "unknown-name"),
    "loss of dunders": (_train("loss = __import__"), "unknown-setting"),
    "setting of dunders": (_train("__class__ = 1"), "unknown-setting"),
    "metric that is a string": (_train("metrics = [\"__import__('os')\"]"), "bad-setting"),
}
RULES = {
    "pattern that is a regular expression": (_init('"(a+)+$" ~ zeros'), "unused-pattern"),
    "pattern of many stars": (_init(f'"{"*a" * 90}" ~ zeros'), "unused-pattern"),
    "pattern of dunders": (_init('"__class__.*" ~ zeros'), "unused-pattern"),
    "initializer that is code": (_init('"*.weight" ~ __import__("os")'), "unknown-name"),
    "initializer with a hostile mode": (
        _init('"*.weight" ~ kaiming_normal(mode="); import os")'),
        "bad-initializer",
    ),
}
NUMBERS = {
    "power of powers": (net("a = 9 ** 9 ** 9 ** 9\n    x"), "limit-exceeded"),
    "huge integer": (net(f"a = {'9' * 90}\n    x"), "limit-exceeded"),
    "infinity": (net("x * 1e999"), "syntax"),
    "no number": (net("x * (1e308 * 10 - 1e308 * 10)"), "bad-value"),
    "division by zero": (net("x |> Linear(4 // 0)"), "bad-value"),
    "negative size": (net("x |> Linear(-4)"), "bad-argument"),
    "size that overflows": (net("reshape(x, 2 ** 62)"), "limit-exceeded"),
    "size of zero": (net("x |> Linear(0)"), "bad-argument"),
    "index out of the world": (net("x[:, 10 ** 17]"), "bad-argument"),
    "recursion": ("block R(x: [N, D]) = x |> R\n" + net("x |> R"), "recursive-block"),
    "recursion of two": (
        "block P(x: [N, D]) = x |> Q\nblock Q(x: [N, D]) = x |> P\n" + net("x |> P"),
        "recursive-block",
    ),
    "function without an end": ("def f(n) = f(n + 1)\n" + net("a = f(0)\n    x"), "limit-exceeded"),
}

PYTHON = {
    "import of a Python module": ("import os\n" + net("x |> relu"), "syntax"),
    "import from a Python module": ("from os import system\n" + net("x |> relu"), "bad-import"),
    "import from a host's module": (
        "from tests.extension.own_ops import swish2\n" + net("x |> swish2"),
        "bad-import",
    ),
    "import of a Python file": (
        'from "own_ops.py" import swish2\n' + net("x |> swish2"),
        "bad-import",
    ),
    "import from std of a Python module": (
        "from std.os import system\n" + net("x |> system"),
        "bad-import",
    ),
    "operator by module and name": (net('x |> "os:system"'), "not-a-layer"),
    "operator by a dotted name": (net("x |> os.system"), "unknown-name"),
    "operator with a module argument": (net('x |> relu(module="os")'), "unknown-argument"),
    "operator of another program": (net("x |> swish9"), "unknown-name"),
    "recipe that names operators": (_train('ops = "os:system"'), "unknown-setting"),
}

TEXTS: dict[str, tuple[str, str]] = {
    name: entry
    for group in (LABELS, NAMES, CODE, FILES, RULES, NUMBERS, PYTHON)
    for name, entry in group.items()
}
