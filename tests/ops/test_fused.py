"""ONNX's own operators are used from the opset on that has them, and formulas below it."""

from collections import Counter

import pytest

import specc

OPSETS = (17, 18, 20, 21, 23, 24)

# What a net applies, the node that does all of it, and the first opset that has this node.
FUSED = [
    ("LayerNorm", "LayerNormalization", 17),
    ("BatchNorm", "BatchNormalization", 17),
    ("InstanceNorm", "InstanceNormalization", 17),
    ("softmax", "Softmax", 17),
    ("log_softmax", "LogSoftmax", 17),
    ("hardswish", "HardSwish", 17),
    ("mish", "Mish", 18),
    ("gelu", "Gelu", 20),
    ('gelu(approximate="tanh")', "Gelu", 20),
    ("GroupNorm(2)", "GroupNormalization", 21),
    ("RMSNorm", "RMSNormalization", 23),
    ("RMSNorm(elementwise_affine=false)", "RMSNormalization", 23),
]


def nodes(text: str, opset: int) -> Counter[str]:
    """How many nodes of each type the graph of a net has."""
    return Counter(node.op_type for node in specc.compile(text).onnx(opset=opset).graph.node)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(("layer", "node", "since"), FUSED)
def test_a_fused_operator_is_used_from_its_opset_on(
    layer: str, node: str, since: int, opset: int
) -> None:
    found = nodes(f"net A(x: [N, 4, H, 8]) {{ x |> {layer} }}", opset)
    if opset >= since:
        assert found == {node: 1}
    else:
        assert node not in found
        assert found.total() > 1


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("dims", ["N, 4, T, 8", "N, T, 8"])
@pytest.mark.parametrize("arguments", ["", "causal=true", "scale=0.5"])
def test_attention_is_one_node_from_23_on(dims: str, arguments: str, opset: int) -> None:
    text = f"net A(q: [{dims}], k: [{dims}], v: [{dims}]) {{ attention(q, k, v, {arguments}) }}"
    found = nodes(text, opset)
    assert found == {"Attention": 1} if opset >= 23 else found["Softmax"] == 1


@pytest.mark.parametrize("opset", OPSETS)
def test_masks_and_grouped_queries_are_arguments_of_that_node(opset: int) -> None:
    text = (
        "net A(q: [N, 4, T, 8], k: [N, 2, T, 8], v: [N, 2, T, 8], mask: bool[N, 1, T, T]) {"
        " attention(q, k, v, mask, causal=true) }"
    )
    found = nodes(text, opset)
    assert found == {"Attention": 1} if opset >= 23 else found["Softmax"] == 1


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("dims", ["N, 4, T, 8", "N, T, 8"])
def test_rotary_embedding_is_one_node_from_23_on(dims: str, opset: int) -> None:
    text = f"net A(x: [{dims}], c: [N, T, 4], s: [N, T, 4]) {{ rotary_embedding(x, c, s) }}"
    if dims == "N, T, 8":  # where the angles are the same for all, and spread over the batch
        text = text.replace("[N, T, 4]", "[T, 4]")
    found = nodes(text, opset)
    assert found["RotaryEmbedding"] == (opset >= 23)
    assert ("Mul" in found) == (opset < 23)


@pytest.mark.parametrize(
    "text",
    [
        "net A(x: f64[N, 4, H, W]) { x |> GroupNorm(2) }",
        "net A(x: [N, 4]) { x |> GroupNorm(2) }",
        "net A(x: f64[N, 4]) { x |> RMSNorm }",
        "net A(x: f64[N, T, 8]) { attention(x, x, x) }",
        "net A(x: f64[N, T, 8], c: f64[T, 4]) { rotary_embedding(x, c, c) }",
        "net A(x: [N, 4]) { x |> silu }",
    ],
)
def test_where_the_fused_operator_would_lose_something_formulas_stand(text: str) -> None:
    fused = {"GroupNormalization", "RMSNormalization", "Attention", "RotaryEmbedding", "Swish"}
    assert not nodes(text, 24).keys() & fused
