"""``scan``: recurrent networks by hand equal torch.nn's, in PyTorch and in onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import specc
from specc.infer.session import run, session
from specc.verification import parity

SPECS = Path(__file__).resolve().parents[2] / "specs"
RNN_CELL = (SPECS / "rnn_scratch.net").read_text("utf-8").partition("net RNNScratch")[0]

RNN = f"""{RNN_CELL}
net Plain(x: [N, T, 5], h0: [N, 6]) -> (ys: [N, T, 6], h: [N, 6]) {{
    cell = RNNCell(6)
    ys, h = scan(cell, x, h0, dim=1)
    return ys, h
}}
"""

LSTM = """
block LSTMCell(hidden: int)(x: [N, D], h: [N, H], c: [N, H]) -> ([N, hidden], [N, hidden]) {
    i, f, g, o = (x |> ih: Linear(4 * hidden)) + (h |> hh: Linear(4 * hidden)) |> chunk(4, dim=1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c
}

net Memory(x: [T, N, 5], h0: [N, 6], c0: [N, 6]) -> ([T, N, 6], [N, 6], [N, 6]) {
    cell = LSTMCell(6)
    ys, h, c = scan(cell, x, (h0, c0), dim=0)
    return ys, h, c
}
"""


def agree(ours: tuple[torch.Tensor, ...], theirs: tuple[torch.Tensor, ...]) -> None:
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-6)


def gradients(
    results: tuple[torch.Tensor, ...], of: list[torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """Those of a sum that weighs every element of every result differently."""
    generator = torch.Generator().manual_seed(1)
    weighted = [(r * torch.randn(r.shape, generator=generator)).sum() for r in results]
    return torch.autograd.grad(torch.stack(weighted).sum(), of)


def test_an_rnn_by_hand_is_torchs() -> None:
    """Outputs and gradients, of the parameters, the input and the first state."""
    module = specc.compile(RNN).module()
    theirs = nn.RNN(5, 6, batch_first=True)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(module.cell.w_xh.T)
        theirs.weight_hh_l0.copy_(module.cell.w_hh.T)
        theirs.bias_ih_l0.copy_(module.cell.b_h)
        theirs.bias_hh_l0.zero_()
    x = torch.randn(3, 7, 5, requires_grad=True)
    h0 = torch.randn(3, 6, requires_grad=True)
    ours = module(x, h0)
    ys, h = theirs(x, h0[None])
    agree(ours, (ys, h[0]))
    cell = module.cell
    w_xh, w_hh, b_h, *rest = gradients(ours, [cell.w_xh, cell.w_hh, cell.b_h, x, h0])
    expected = [theirs.weight_ih_l0, theirs.weight_hh_l0, theirs.bias_ih_l0, x, h0]
    agree((w_xh.T, w_hh.T, b_h, *rest), gradients((ys, h[0]), expected))


def test_an_lstm_by_hand_is_torchs() -> None:
    """Two states, and time in the first dim."""
    module = specc.compile(LSTM).module()
    theirs = nn.LSTM(5, 6)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(module.cell.ih.weight)
        theirs.bias_ih_l0.copy_(module.cell.ih.bias)
        theirs.weight_hh_l0.copy_(module.cell.hh.weight)
        theirs.bias_hh_l0.copy_(module.cell.hh.bias)
    x = torch.randn(7, 3, 5, requires_grad=True)
    h0, c0 = torch.randn(2, 3, 6, requires_grad=True).unbind()
    ours = module(x, h0, c0)
    ys, (h, c) = theirs(x, (h0[None], c0[None]))
    agree(ours, (ys, h[0], c[0]))
    agree(
        gradients(ours, [*module.parameters(), x]),
        gradients(
            (ys, h[0], c[0]),
            [
                theirs.weight_ih_l0,
                theirs.bias_ih_l0,
                theirs.weight_hh_l0,
                theirs.bias_hh_l0,
                x,
            ],
        ),
    )


BIDIRECTIONAL = f"""{RNN_CELL}
block Direction(hidden: int, reverse = false)(x: [N, T, D], h: [N, hidden]) ->
        ([N, T, hidden], [N, hidden]) {{
    cell = RNNCell(hidden)
    scan(cell, x, h, dim=1, reverse=reverse)
}}
net Both(x: [N, T, 5], begin: [2, N, 6]) -> (ys: [N, T, 12], h: [2, N, 6]) {{
    left, last = Direction(6)(x, begin[0])
    right, first = Direction(6, reverse=true)(x, begin[1])
    return (left, right) |> concat(dim=2), (last, first) |> stack(dim=0)
}}
"""


def test_a_second_scan_from_the_end_makes_it_torchs_bidirectional_one() -> None:
    """Outputs, last states and all gradients, in PyTorch; outputs and states in onnxruntime."""
    program = specc.compile(BIDIRECTIONAL)
    module = program.module().double()  # so that sums over all steps are exact enough
    theirs = nn.RNN(5, 6, batch_first=True, bidirectional=True).double()
    ours_of, theirs_of = [], []
    for layer, suffix in ((module.direction1, "l0"), (module.direction2, "l0_reverse")):
        cell = layer.cell
        pairs = {"weight_ih": cell.w_xh.T, "weight_hh": cell.w_hh.T, "bias_ih": cell.b_h}
        with torch.no_grad():
            getattr(theirs, f"bias_hh_{suffix}").zero_()
            for name, value in pairs.items():
                getattr(theirs, f"{name}_{suffix}").copy_(value)
        ours_of += [cell.w_xh, cell.w_hh, cell.b_h]
        theirs_of += [getattr(theirs, f"{name}_{suffix}") for name in pairs]
    x = torch.randn(3, 7, 5, dtype=torch.float64, requires_grad=True)
    begin = torch.randn(2, 3, 6, dtype=torch.float64, requires_grad=True)
    ours, expected = module(x, begin), theirs(x, begin)
    agree(ours, expected)
    *found, by_x, by_begin = gradients(ours, [*ours_of, x, begin])
    turned = [g.T if g.dim() == 2 else g for g in found]  # torch.nn multiplies by the transpose
    agree((*turned, by_x, by_begin), gradients(expected, [*theirs_of, x, begin]))

    running = session(program.onnx().SerializeToString(), threads=1)
    theirs.float()
    for length in (1, 2, 9):
        x, begin = torch.randn(3, length, 5), torch.randn(2, 3, 6)
        found = run(running, {"x": x.numpy(), "begin": begin.numpy()})
        agree(tuple(map(torch.from_numpy, found.values())), theirs(x, begin))


def test_what_runs_from_the_end_stands_in_the_order_of_the_entries() -> None:
    """Two sequences, over the last dim: the sums of all entries from each to the end."""
    text = """
block Add(x: [N], y: [N], s: [N]) -> ([N], [N], [N]) { x * y, x + y + s, x + y + s }
net Sums(x: [N, T], y: [N, T]) -> ([N, T], [N, T], [N]) {
    products, sums, total = scan(Add(), (x, y), zeros(N), dim=-1, reverse=not false)
    return products, sums, total
}"""
    program = specc.compile(text)
    assert "in zip(reversed(x.unbind(1)), reversed(y.unbind(1)), strict=True):" in program.python()
    x, y = torch.randn(2, 3, 5)
    both = x + y
    from_the_end = both.flip(1).cumsum(1).flip(1)
    agree(program.module()(x, y), (x * y, from_the_end, both.sum(1)))
    model = program.onnx()
    onnx.checker.check_model(model, full_check=True)
    assert parity.verify(program.network, model).agrees
    assert specc.Program.from_json(program.to_json()).network == program.network


@pytest.mark.parametrize("text", [RNN, LSTM])
def test_onnxruntime_runs_it_at_any_length(text: str) -> None:
    program = specc.compile(text)
    model = program.onnx()
    assert [node.op_type for node in model.graph.node].count("Scan") == 1
    running = session(model.SerializeToString(), threads=1)
    module = program.module().eval()
    random = np.random.default_rng(0)
    for length in (1, 2, 9, 40):
        shapes = {"x": (length, 2, 5), "h0": (length, 6), "c0": (length, 6)}
        shapes |= {"h0": (2, 6), "c0": (2, 6)} if text is LSTM else {}
        names = [port.name for port in program.inputs]
        given = {n: random.standard_normal(shapes[n]).astype(np.float32) for n in names}
        with torch.no_grad():
            expected = module(*map(torch.from_numpy, given.values()))
        found = [torch.from_numpy(array) for array in run(running, given).values()]
        agree(tuple(found), tuple(expected))


@pytest.mark.parametrize("opset", range(17, 25))
def test_the_graph_is_valid_at_every_opset(opset: int) -> None:
    program = specc.compile(LSTM)
    model = program.onnx(opset=opset)
    onnx.checker.check_model(model, full_check=True)
    assert parity.verify(program.network, model).agrees


# ---- what may be run over what -------------------------------------------------------------------


def test_a_function_may_be_the_cell() -> None:
    """The sums of all entries so far, in a scan over the last dim."""
    text = "net Sums(x: [N, T]) -> ([N, T], [N]) { scan(add, x, zeros(N), dim=-1) }"
    module = specc.compile(text).module()
    x = torch.randn(3, 5)
    sums, last = module(x)
    agree((sums, last), (x.cumsum(1), x.sum(1)))


def test_several_sequences_run_side_by_side_and_several_results_are_stacked() -> None:
    text = """
block Masked(x: [N, D], keep: bool[N], h: [N, D]) -> ([N, D], [N, D], [N, D]) {
    moved = tanh(x + h)
    h = where(unsqueeze(keep, dim=1), moved, h)
    return h, moved, h
}
net Padded(x: [N, T, 4], keep: bool[N, T]) -> ([N, T, 4], [N, T, 4], [N, 4]) {
    kept, moved, h = scan(Masked(), (x, keep), zeros(N, 4), dim=1)
    return kept, moved, h
}"""
    program = specc.compile(text)
    x, keep = torch.randn(3, 6, 4), torch.arange(6) < torch.tensor([[6], [1], [3]])
    kept, _, h = program.module()(x, keep)
    lengths = torch.tensor([6, 1, 3])
    agree((h,), (kept[torch.arange(3), lengths - 1],))
    agree((program.module()(x[1:2, :1], keep[1:2, :1])[2],), (h[1:2],))
    assert parity.verify(program.network, program.onnx()).agrees


NESTED = f"""{RNN_CELL}
block Line(rnn: layer, hidden: int)(x: [N, W, D], h: [N, hidden]) -> [N, hidden] {{
    _ys, h = scan(rnn, x, h, dim=1)
    while max(abs(h)) > 0.5 {{ h = h / 2 }}
    return h
}}
net Pages(x: [N, H, W, 3]) -> ([N, H, 4], [N, 4], [N, W, 4]) {{
    rnn = RNNCell(4)
    ys, h = scan(Line(rnn, 4), x, zeros(N, 4), dim=1)
    again, _h = scan(rnn, x[:, 0], h, dim=1)
    if mean(h) > 0 {{ ys, h = scan(Line(rnn, 4), x, h, dim=1) }}
    return ys, h, again
}}
"""


def test_scans_nest_and_share_one_cell_with_others() -> None:
    program = specc.compile(NESTED)
    assert [p.name for p in program.network.parameters] == [
        f"line1.rnn.{name}" for name in ("w_xh", "w_hh", "b_h")
    ]  # owned where it is first applied
    module = program.module()
    assert sum(p.numel() for p in module.parameters()) == 3 * 4 + 4 * 4 + 4
    x = torch.randn(2, 3, 5, 3)
    h = torch.zeros(2, 4)
    expected = []

    def turn(h: torch.Tensor) -> torch.Tensor:
        for row in range(3):
            for column in range(5):
                h = module.line1.rnn(x[:, row, column], h)
            while h.abs().max() > 0.5:
                h = h / 2
            expected.append(h)
        return h

    h = turn(h)
    if h.mean() > 0:
        expected.clear()
        h = turn(h)
    ys, last, _ = module(x)
    agree((ys, last), (torch.stack(expected, 1), h))
    assert parity.verify(program.network, program.onnx()).agrees


def test_state_of_the_cell_is_updated_at_each_step() -> None:
    """A batch norm in the cell sees each entry as a batch, as it does in a loop by hand."""
    text = """
block Norm(x: [N, D], h: [N, D]) -> [N, D] { (x + h) |> bn: BatchNorm }
net Normed(x: [N, T, 3]) -> [N, T, 3] {
    norm = Norm()
    ys, _h = scan(norm, x, zeros(N, 3), dim=1)
    return ys
}"""
    module = specc.compile(text).module().train()
    by_hand = nn.BatchNorm1d(3)
    x = torch.randn(8, 4, 3)
    h = torch.zeros(8, 3)
    expected = []
    for x_t in x.unbind(1):
        h = by_hand(x_t + h)
        expected.append(h)
    agree((module(x),), (torch.stack(expected, 1),))
    agree((module.norm.bn.running_mean,), (by_hand.running_mean,))
    assert module.norm.bn.num_batches_tracked == 4


# ---- the text of it ------------------------------------------------------------------------------


def forward_of(text: str) -> str:
    lines = specc.compile(text).python().split("def forward")[-1].splitlines()[1:]
    return "\n".join(line[8:] for line in lines if "raise" not in line and "if " not in line)


def test_the_emitted_python_is_a_for_loop() -> None:
    assert (
        forward_of(RNN)
        == """\
N = x.shape[0]
h = h0
ys = []
for x_t in x.unbind(1):
    h = self.cell(x_t, h)
    ys.append(h)
ys = torch.stack(ys, dim=1)
return ys, h"""
    )


def test_from_the_end_it_is_a_for_loop_over_the_reversed_entries() -> None:
    lines = forward_of(RNN.replace("dim=1", "dim=1, reverse=true")).splitlines()
    assert lines[3] == "for x_t in reversed(x.unbind(1)):"
    assert lines[6] == "ys = torch.stack(ys[::-1], dim=1)"


def test_what_nobody_reads_is_not_collected() -> None:
    text = "net Last(x: [N, T]) -> [N] {\n _ys, h = scan(add, x, zeros(N), dim=1)\n return h\n}"
    assert "append" not in forward_of(text)


def test_names_that_are_needed_are_not_taken() -> None:
    """Results that are called as the sequence, and as what is read in the loop."""
    text = """
block Scaled(x: [...], s: [...]) -> [...] { x * 2 + s }
net Reused(x: [T, 3], x_t: [3]) -> ([T, 3], [3], [3]) {
    x, s = scan(Scaled(), x, x_t, dim=0)
    s, x_t = (x_t, s)
    return x, x_t, s
}"""
    program = specc.compile(text)
    x, begin = torch.randn(4, 3), torch.randn(3)
    expected = 2 * x.cumsum(0) + begin
    agree(program.module()(x, begin), (expected, expected[-1], begin))
