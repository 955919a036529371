"""Edits of initial values: the emitted file and the keyed values agree, edits included."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import specc
from specc.ir.graph import Network
from specc.ir.initializer import Edit
from specc.targets.initial_values import initial_values
from specc.targets.python import source
from tests.targets.networks import Body, initializer, network
from tests.targets.test_python import module_of

EMBEDDINGS = """
net Tokens(x: i64[N, T]) -> [N, T, 40] {
    a = x |> first:  Embedding(30, 40, padding_idx=2)
    b = x |> second: Embedding(30, 40, padding_idx=-1%s)
    c = x |> third:  Embedding(30, 40)
    return a + b + c
}
%s
"""

MLP = """
net MLP(x: [N, 40]) -> [N, 30] {
    const scale: [40] ~ ones
    x * scale |> hidden: Linear(60) |> relu |> out: Linear(30)
}
%s
"""


def edited(text: str, **edits: tuple[Edit, ...]) -> Network:
    """The network of ``text`` with edits after those that it has; ``__`` in a name is a dot."""
    made = specc.compile(text).network
    by_name = {name.replace("__", "."): value for name, value in edits.items()}
    assert by_name.keys() <= {p.name for p in made.parameters}
    parameters = tuple(
        p.model_copy(update={"edits": (*p.edits, *by_name.get(p.name, ()))})
        for p in made.parameters
    )
    return made.model_copy(update={"parameters": parameters})


def agree_in_law(made: Network) -> None:
    """The emitted file alone starts as the keyed values do: zeros where zeros, and alike spread."""
    emitted = module_of(made).state_dict()
    for name, keyed in initial_values(made.parameters, 3):
        found = emitted[name].numpy()
        np.testing.assert_array_equal(found == 0, keyed == 0, err_msg=name)
        error = 6 * keyed.std() * (2 / keyed.size) ** 0.5 + 1e-6  # six of the mean's own deviations
        assert abs(found.mean() - keyed.mean()) < error, name
        assert abs(found.std() - keyed.std()) < error, name


def test_a_padding_row_starts_at_zero_of_itself() -> None:
    made = edited(EMBEDDINGS % ("", ""))
    assert "reset_parameters" not in source(made)
    agree_in_law(made)


def test_an_initializer_draws_the_padding_row_too() -> None:
    net = "net Net(x: i64[N]) { x |> table: Embedding(30, 40, padding_idx=-1, weight ~ normal) }"
    made = edited(net)
    assert "        nn.init.normal_(self.table.weight)\n" in source(made)
    assert module_of(made).table.weight[29].ne(0).all()
    agree_in_law(made)


def test_a_loop_over_embeddings_leaves_a_padding_row_that_stays_zero() -> None:
    # All three start normal, but only the first as a padded embedding does.
    made = edited(EMBEDDINGS % (", weight ~ normal", ""))
    assert "with torch.no_grad():\n            self.first.weight[2] = 0\n" in source(made)
    agree_in_law(made)


def test_a_rule_for_the_kind_clears_no_row() -> None:
    made = edited(EMBEDDINGS % ("", "init { Embedding.weight ~ uniform(1, 2) }"))
    assert "no_grad" not in source(made)
    assert module_of(made).first.weight.ge(1).all()
    agree_in_law(made)


def test_edits_come_after_the_initializers() -> None:
    made = edited(
        MLP % "init { Linear.weight ~ normal(std=0.1) }",
        hidden__weight=(Edit(operator="+=", value=1), Edit(index=(0, 0), value=42)),
        scale=(Edit(index=(3,), operator="-=", value=0.5),),
    )
    assert (
        "        with torch.no_grad():\n"
        "            self.scale[3] -= 0.5\n"
        "            self.hidden.weight += 1\n"
        "            self.hidden.weight[0, 0] = 42\n"
    ) in source(made)
    ours = module_of(made)
    assert ours.hidden.weight[0, 0] == 42
    assert abs(float(ours.hidden.weight.detach()[1:].mean()) - 1) < 0.02
    assert ours.scale[:4].tolist() == [1, 1, 1, 0.5]
    assert isinstance(ours.hidden.weight, torch.nn.Parameter)
    agree_in_law(made)


def test_resetting_twice_edits_once() -> None:
    made = edited(
        MLP % "",
        hidden__weight=(Edit(operator="+=", value=1),),
        scale=(Edit(operator="*=", value=3),),
        out__bias=(Edit(index=(4,), value=7),),
    )
    ours = module_of(made)
    ours.reset_parameters()
    assert abs(float(ours.hidden.weight.detach().mean()) - 1) < 0.02
    assert ours.scale.eq(3).all()
    assert ours.out.bias[4] == 7
    agree_in_law(made)


def test_a_set_element_needs_no_drawing_anew() -> None:
    text = source(edited(MLP % "", out__bias=(Edit(index=(4,), value=7),)))
    assert "self.out.bias[4] = 7" in text
    assert "nn.init" not in text


@pytest.mark.parametrize("operator", ["=", "+=", "-=", "*=", "/="])
@pytest.mark.parametrize("index", [(), (1,), (1, 2)])
@pytest.mark.parametrize(("dtype", "value"), [("f32", 2.5), ("f64", 0.1), ("i64", 3)])
@pytest.mark.parametrize("name", ["table", "lambda"])  # the second is no attribute in Python
def test_every_edit_is_numpys(
    operator: str, index: tuple[int, ...], dtype: str, value: float, name: str
) -> None:
    b = Body("Net", x=f"{dtype}[2, 3]")
    y = b.op("add", 0, b.own(name, f"{dtype}[2, 3]", "constant"))
    made = network(b.template(y), rules={name: initializer("constant", val=-7)})
    (parameter,) = made.parameters
    edits = (Edit(index=index, operator=operator, value=value),)
    made = made.model_copy(update={"parameters": (parameter.model_copy(update={"edits": edits}),)})
    ((_, keyed),) = initial_values(made.parameters, 0)
    np.testing.assert_array_equal(module_of(made).state_dict()[name].numpy(), keyed)
