"""The hand-built networks whose Python source is kept in ``tests/golden/python``."""

from __future__ import annotations

from specc.ir.attributes import Hole
from specc.ir.dims import symbol
from specc.ir.graph import Network
from tests.targets.networks import Body, initializer, network


def lenet() -> Network:
    """Convolutions and pools in one pipeline, Xavier by kind."""
    b = Body("LeNet", x="f32[N, 1, 28, 28]")
    x = b.layer("conv1", "Conv", 0, channels=6, kernel=5, padding=2)
    x = b.op("AvgPool", b.op("sigmoid", x), kernel=2)
    x = b.layer("conv2", "Conv", x, channels=16, kernel=5)
    x = b.op("AvgPool", b.op("sigmoid", x), kernel=2)
    x = b.op("flatten", x)
    x = b.op("sigmoid", b.layer("linear1", "Linear", x, features=120))
    x = b.op("sigmoid", b.layer("linear2", "Linear", x, features=84))
    x = b.layer("linear3", "Linear", x, features=10)
    xavier = initializer("xavier_uniform")
    rules = {"Conv.weight": xavier, "Linear.weight": xavier}
    return network(b.template(x), rules=rules, file="lenet.net")


def residual() -> Network:
    """Blocks that differ by numbers share a class; one of them has a downsampling branch."""
    identity = _residual_block(downsample=False)
    strided = _residual_block(downsample=True)
    shortcut = Body("downsample", "sequence", parameters=("in_channels", "channels"), x=_MAP)
    x = shortcut.layer("0", "Conv", 0, channels=8, kernel=1, stride=2, bias=False, holes=_CHANNELS)
    x = shortcut.layer("1", "BatchNorm", x, holes={"num_features": Hole("channels")})
    b = Body("TinyResNet", x="f32[N, 3, H, W]")
    x2 = b.layer("conv1", "Conv", 0, channels=8, kernel=3, padding=1, bias=False)
    x2 = b.op("relu", b.layer("bn1", "BatchNorm", x2))
    for name, template, channels, width, out in (
        ("layer1.0", 1, 8, 8, "f32[N, 8, H, W]"),
        ("layer1.1", 1, 8, 8, "f32[N, 8, H, W]"),
        ("layer2.0", 2, 16, 8, "f32[N, 16, H // 2, W // 2]"),
    ):
        arguments = {"channels": channels}
        if template == 2:
            arguments["in_channels"] = width
        b.block(name, template, **arguments)
        (x2,) = b.apply(name, x2, results=[out])
    x2 = b.op("mean", x2, dim=(2, 3))
    x2 = b.layer("fc", "Linear", x2, features=10)
    return network(shortcut.template(x), identity, strided, b.template(x2), file="resnet.net")


_MAP = "f32[N, 8, H, W]"
_CHANNELS = {"in_channels": Hole("in_channels"), "channels": Hole("channels")}


def _residual_block(*, downsample: bool):  # type: ignore[no-untyped-def]
    own = Hole("channels")
    kind = "Bottom" if downsample else "Residual"
    parameters = ("channels", "in_channels") if downsample else ("channels",)
    b = Body(
        kind,
        "block",
        parameters=parameters,
        documentation="Two convolutions and a shortcut (He et al., 2015).",
        x=_MAP,
    )
    stride = 2 if downsample else 1
    first = {"channels": own, "in_channels": Hole("in_channels") if downsample else own}
    options = {"channels": 8, "kernel": 3, "padding": 1, "bias": False}
    y = b.layer("conv1", "Conv", 0, stride=stride, holes=first, **options)
    y = b.op("relu", b.layer("bn1", "BatchNorm", y, holes={"num_features": own}))
    y = b.layer("conv2", "Conv", y, holes={"channels": own, "in_channels": own}, **options)
    y = b.layer("bn2", "BatchNorm", y, holes={"num_features": own}, name="y")
    x = 0
    if downsample:
        b.block("downsample", 0, in_channels=Hole("in_channels"), channels=own)
        (x,) = b.apply("downsample", x, results=[str(b.types[y])], names=("x",))
    return b.template(b.op("relu", b.op("add", x, y)))


def fixed_hidden() -> Network:
    """A constant, and one layer that is applied twice."""
    b = Body("FixedHidden", documentation="A hidden layer that is never trained.", x="f32[N, 20]")
    weight = b.own("rand_weight", "f32[20, 20]", "constant")
    x = b.layer("linear", "Linear", 0, features=20, name="x")
    x = b.op("relu", b.op("add", b.op("matmul", x, weight), right=1), name="x")
    (x,) = b.apply("linear", x, results=["f32[N, 20]"])
    rules = {"rand_weight": initializer("uniform", a=0.0, b=1.0)}
    return network(b.template(b.op("sum", x)), rules=rules)


def tied() -> Network:
    """An output layer that uses the embedding's weight and owns its bias alone."""
    b = Body("Tied", tokens="i64[N, T]")
    x = b.layer("embed", "Embedding", 0, num_embeddings=30, embedding_dim=8)
    x = b.op("gelu", b.layer("linear", "Linear", x, features=8))
    weight = b.read("embed.weight", "f32[30, 8]")
    x = b.layer("head", "Linear", x, features=30, borrowed={"weight": weight})
    return network(b.template(x), aliases={"head.weight": "embed.weight"})


def heads() -> Network:
    """Symbolic sizes, several results, and an operator without a class in a list."""
    b = Body("Heads", x="f32[N, T, 12]")
    x = b.layer("qkv", "Linear", 0, features=36)
    q, k, v = b.ops("chunk", x, chunks=3, dim=-1, names=("q", "k", "v"))
    n, t = symbol("N"), symbol("T")
    split = [b.op("reshape", y, sizes=(n, t, 3, 4)) for y in (q, k, v)]
    q, k, v = [b.op("transpose", y, dim0=1, dim1=2) for y in split]
    scores = b.op("matmul", q, b.op("transpose", k, dim0=-2, dim1=-1))
    scores = b.op("softmax", b.op("div", scores, right=2.0), dim=-1, name="scores")
    y = b.op("transpose", b.op("matmul", scores, v), dim0=1, dim1=2)
    y = b.op("reshape", y, sizes=(n, t, 12))
    return network(b.template(b.layer("proj", "Linear", y, features=12)))


def lists() -> Network:
    """Lists of layers: plain, labelled, and one through which several values flow."""
    plain = Body("features", "sequence", x="f32[N, 3, 8, 8]")
    x = plain.layer("0", "Conv", 0, channels=4, kernel=3, padding=1)
    x = plain.layer("1", "relu", x)
    x = plain.layer("2", "MaxPool", x, kernel=2)
    x = plain.layer("3", "abs", x)
    labelled = Body("classifier", "sequence", x="f32[N, 64]")
    y = labelled.layer("hidden", "Linear", 0, features=16)
    y = labelled.layer("act", "tanh", y)
    y = labelled.layer("out", "Linear", y, features=5)
    branches = Body("towers", "branches", x="f32[N, 4, 4, 4]")
    a = branches.layer("a", "Conv", 0, channels=2, kernel=1)
    c = branches.layer("b", "MaxPool", 0, kernel=3, stride=1, padding=1)
    joined = Body("mixed", "sequence", x="f32[N, 4, 4, 4]")
    joined.block("0", 2)
    p, q = joined.apply("0", 0, results=["f32[N, 2, 4, 4]", "f32[N, 4, 4, 4]"])
    r = joined.layer("1", "concat", p, q, dim=1)
    s = joined.layer("2", "Conv", r, channels=4, kernel=1)
    b = Body("Lists", x="f32[N, 3, 8, 8]")
    b.block("features", 0)
    b.block("mixed", 3)
    b.block("classifier", 1)
    (z,) = b.apply("features", 0, results=["f32[N, 4, 4, 4]"])
    (z,) = b.apply("mixed", z, results=["f32[N, 4, 4, 4]"])
    (z,) = b.apply("classifier", b.op("flatten", z), results=["f32[N, 5]"])
    rules = {
        "classifier.hidden.weight": initializer("normal", std=0.01),
        "Conv.bias": initializer("zeros"),
        "classifier.out.bias": initializer("constant", val=1),
    }
    return network(
        plain.template(x),
        labelled.template(y),
        branches.template(a, c),
        joined.template(s),
        b.template(z),
        rules=rules,
    )


def captured() -> Network:
    """A layer that its owner hands to two blocks."""
    inner = Body("Uses", "block", x="f32[N, 6]")
    inner.capture("norm")
    y = inner.layer("linear", "Linear", 0, features=6)
    (y,) = inner.apply("norm", y, results=["f32[N, 6]"])
    b = Body("Shares", x="f32[N, 6]")
    b.layers["norm"] = _layer_norm()
    b.block("first", 0)
    b.block("second", 0)
    (x,) = b.apply("first", 0, results=["f32[N, 6]"], captured={"norm": "norm"})
    (x,) = b.apply("second", x, results=["f32[N, 6]"], captured={"norm": "norm"})
    return network(inner.template(y), b.template(x))


def _layer_norm():  # type: ignore[no-untyped-def]
    b = Body("", x="f32[N, 6]")
    b.layer("norm", "LayerNorm", 0)
    return b.layers["norm"]


def own_state() -> Network:
    """Parameters of a block's own, and a layer without a name of its own."""
    inner = Body("MyLinear", "block", parameters=("in_features", "units"), x="f32[N, 5]")
    weight = inner.own("weight", "f32[$in_features, $units]")
    bias = inner.own("bias", "f32[$units]")
    y = inner.op("relu", inner.op("add", inner.op("matmul", 0, weight), bias))
    scaled = Body("Scaled", "block", x="f32[N, 4]")
    z = scaled.layer("", "LayerNorm", 0)
    b = Body("Net", x="f32[N, 5]")
    b.block("hidden", 0, in_features=5, units=3)
    b.block("out", 0, in_features=3, units=4)
    b.block("norm", 1)
    (x,) = b.apply("hidden", 0, results=["f32[N, 3]"])
    (x,) = b.apply("out", x, results=["f32[N, 4]"])
    (x,) = b.apply("norm", x, results=["f32[N, 4]"])
    rules = {
        "MyLinear.weight": initializer("normal"),
        "LayerNorm.weight": initializer("ones"),
    }
    return network(inner.template(y), scaled.template(z), b.template(x), rules=rules)


ZOO = {
    make.__name__: make
    for make in (
        lenet,
        residual,
        fixed_hidden,
        tied,
        heads,
        lists,
        captured,
        own_state,
    )
}
