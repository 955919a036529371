"""What a recipe freezes gets no gradient and does not change, and the rest trains as ever."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import specc
from specc.frontend.diagnostics import SpecError
from specc.recipe.complete import complete
from specc.training import Result
from specc.training.fit import dataset
from specc.training.loop import batches

NET = """
net Tuned(x: [N, 64]) -> [N, 10] {
    x |> features: [Linear(16), BatchNorm, relu] |> head: Linear(10)
}
train {
    data = digits
    loss = cross_entropy
    optimizer = adam(lr=1e-2, weight_decay=0.1)
    steps = 5
    batch = 64
}
"""


def trained(text: str = NET, *, freeze: object = (), **settings: object) -> Result:
    program = specc.compile(text, settings={"freeze": freeze, **settings})
    return specc.train(program, device="cpu")


def changed(result: Result, text: str = NET) -> set[str]:
    before = specc.compile(text).module().state_dict()
    after = result.module.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def complaints(text: str, **settings: object) -> list[tuple[str, str | None]]:
    with pytest.raises(SpecError) as caught:
        specc.compile(text, settings=settings)
    sources = caught.value.sources
    return [(d.code, d.primary and sources.text(d.primary.span)) for d in caught.value.diagnostics]


# ---- what does not change ------------------------------------------------------------------------


def test_without_it_everything_changes() -> None:
    assert changed(trained()) == set(specc.compile(NET).module().state_dict())


def test_frozen_parameters_and_statistics_stay_as_they_are() -> None:
    result = trained(freeze=["features.**"])
    assert changed(result) == {"head.weight", "head.bias"}
    assert result.module.features[0].weight.grad is None
    assert not result.module.features[0].weight.requires_grad


def test_statistics_follow_the_data_where_the_weights_alone_are_frozen() -> None:
    found = changed(trained(freeze=["features.*.weight", "features.*.bias"]))
    assert found == {
        *("head.weight", "head.bias", "features.1.running_mean", "features.1.running_var"),
        "features.1.num_batches_tracked",
    }


def test_a_frozen_batch_norm_normalizes_with_the_statistics_that_it_has() -> None:
    """The run is one by hand, in which the normalization is in eval mode."""
    program = specc.compile(NET, settings={"freeze": ["features.**"], "steps": 2})
    recipe = complete(program.network.recipe)
    data = dataset(program.network, recipe)
    module = program.module(seed=recipe.seed)
    linear, norm, head = nn.Linear(64, 16), nn.BatchNorm1d(16), nn.Linear(16, 10)
    linear.load_state_dict(module.features[0].state_dict())
    head.load_state_dict(module.head.state_dict())
    norm.eval()
    update = torch.optim.Adam(head.parameters(), lr=1e-2, weight_decay=0.1)
    order = torch.Generator().manual_seed(recipe.seed)
    for _, index in zip(range(2), batches(len(data.train), 64, order), strict=False):
        x, y = data.train[index]
        update.zero_grad()
        F.cross_entropy(head(F.relu(norm(linear(x)))), y).backward()
        update.step()
    result = specc.train(program, device="cpu")
    torch.testing.assert_close(result.module.head.state_dict(), head.state_dict())


def test_a_buffer_of_a_block_is_not_set_where_it_is_frozen() -> None:
    text = (
        """
block Mean()(x: [N, C]) -> [N, C] {
    buffer average: [C] ~ zeros
    if training { average = 0.9 * average + 0.1 * mean(x, dim=0) }
    return x - average |> inner: Dropout(0.5)
}
"""
        + NET
    ).replace("|> head", "|> center: Mean |> head")
    assert "center.average" in changed(trained(text), text)
    assert "center.average" not in changed(trained(text, freeze=["center.*"]), text)


def test_a_shared_parameter_is_frozen_under_any_of_its_names() -> None:
    text = """
net Tied(x: [N, 64]) -> [N, 64] {
    a = Linear(64)
    x |> a |> relu |> b: Linear(64, weight=a.weight)
}
""" + NET[NET.index("train") :]
    assert changed(trained(text, freeze=["b.weight"]), text) == {"a.bias", "b.bias"}


# ---- where it is said ----------------------------------------------------------------------------


def test_the_recipe_says_it_in_the_file() -> None:
    text = NET.replace("batch = 64", 'batch = 64\n    freeze = ["head.*"]')
    assert "head.weight" not in changed(specc.train(specc.compile(text), device="cpu"))
    program = specc.compile(text)
    assert program.network.recipe.freeze == ("head.*",)
    assert [p.name for p in program.parameters() if p.frozen] == ["head.weight", "head.bias"]


def test_a_setting_from_outside_takes_its_place() -> None:
    text = NET.replace("batch = 64", 'batch = 64\n    freeze = ["head.*"]')
    assert "head.weight" in changed(trained(text, freeze=[]))


def test_the_weight_file_carries_it(tmp_path: Path) -> None:
    program = specc.compile(NET, settings={"freeze": ["features.**"], "steps": 1})
    specc.train(program, tmp_path, device="cpu")
    loaded, _ = specc.load(tmp_path / "model.safetensors")
    assert loaded.network.recipe.freeze == ("features.**",)


# ---- what is wrong -------------------------------------------------------------------------------


def test_a_pattern_that_matches_nothing_is_shown_at_its_place() -> None:
    text = NET.replace("batch = 64", 'freeze = ["head.*", "featurse.**"]')
    assert complaints(text) == [("unused-pattern", '"featurse.**"')]


def test_a_pattern_from_outside_is_checked_too() -> None:
    assert complaints(NET, freeze=["haed.*"]) == [("unused-pattern", '"haed.*"')]


@pytest.mark.parametrize("value", ["1", '"head.*"', "[1]", '[""]', "none"])
def test_it_takes_a_list_of_patterns(value: str) -> None:
    assert [code for code, _ in complaints(NET, freeze=value)] == ["bad-setting"]


def test_a_name_without_quotes_is_one_error() -> None:
    with pytest.raises(SpecError) as caught:
        specc.compile(NET.replace("steps = 5", "steps = 5\n    freeze = [head]"))
    assert [found.code for found in caught.value.diagnostics] == ["unknown-name"]


def test_a_recipe_made_in_python_is_checked_when_the_run_starts() -> None:
    program = specc.compile(NET)
    recipe = program.network.recipe.model_copy(update={"freeze": ("haed.*",)})
    with pytest.raises(SpecError) as caught:
        specc.train(program, recipe=recipe, device="cpu")
    assert caught.value.diagnostics[0].help == "the nearest is 'head.weight'"


def test_freezing_everything_leaves_nothing_to_train() -> None:
    with pytest.raises(SpecError) as caught:
        trained(freeze=["**"])
    (found,) = caught.value.diagnostics
    assert found.code == "nothing-to-train"
    assert found.help == "`freeze` leaves none of them: freeze fewer"
