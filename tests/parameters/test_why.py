"""Which rule decides how a parameter starts, what it beat, and what changes it then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import specc
from specc.cli.main import main
from specc.parameters.why import Why

TEXT = """
block Own(n: int)(x: [N, D]) -> [N, n] {
    init { "fc.weight" ~ ones }
    param scale: [D] ~ normal(0, 0.1)
    x * scale |> fc: Linear(n, bias ~ constant(1))
}
net Example(x: [N, 8]) -> [N, 10] {
    x |> a: Own(32) |> out: Linear(10)
}
init {
    Linear.weight       ~ normal(std=0.01)
    "*.fc.weight"       ~ xavier_uniform
    Linear.bias         ~ zeros
    Own.scale           ~ ones
    "a.fc.weight"       += 1
    "a.fc.weight"[0, 0] = 42
}
"""


def why(name: str) -> Why:
    return specc.compile(TEXT).why(name)


def test_a_later_rule_beats_earlier_ones_and_these_the_layers_own() -> None:
    story = why("a.fc.weight")
    assert (story.won.kind, story.won.text) == ("rule", '"*.fc.weight" ~ xavier_uniform')
    assert [(r.kind, r.text) for r in story.beaten] == [
        ("rule", "Linear.weight ~ normal(std=0.01)"),
        ("rule", '"fc.weight" ~ ones'),
        ("kind", "kaiming_uniform(a=2.23606797749979)"),
    ]


def test_edits_come_last_and_in_order() -> None:
    assert [r.text for r in why("a.fc.weight").edits] == [
        '"a.fc.weight" += 1',
        '"a.fc.weight"[0, 0] = 42',
    ]
    assert why("out.weight").edits == ()


def test_what_is_written_at_the_layer_beats_a_rule() -> None:
    story = why("a.fc.bias")
    assert (story.won.kind, story.won.text) == ("inline", "bias ~ constant(1)")
    assert story.beaten[0].text == "Linear.bias ~ zeros"


def test_a_rule_beats_a_parameters_own() -> None:
    story = why("a.scale")
    assert story.won.text == "Own.scale ~ ones"
    assert [r.kind for r in story.beaten] == ["own"]


def test_a_place_is_that_of_the_text() -> None:
    place = why("a.scale").won.place
    assert place == "<text>:14:5"
    assert TEXT.splitlines()[13][4:].startswith("Own.scale")


def test_what_won_is_what_the_network_does() -> None:
    program = specc.compile(TEXT)
    for parameter in program.network.parameters:
        won = program.why(parameter.name).won.text
        assert won.endswith(str(parameter.initializer).replace("(val=1)", "(1)"))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(specc.SpecError) as caught:
        why("a.scal")
    (found,) = caught.value.diagnostics
    assert found.code == "unknown-name"
    assert "a.scale" in (found.help or "")


def test_another_name_of_a_shared_parameter_leads_to_it() -> None:
    text = (
        "net Tied(x: i64[N]) -> [N, 9] {\n embed = Embedding(9, 4)\n"
        " embed(x) |> head: Linear(9, bias=false, weight=embed.weight)\n}\n"
        "init { Embedding.weight ~ normal(std=0.1) }\n"
    )
    story = specc.compile(text).why("head.weight")
    assert story.name == "embed.weight"
    assert story.won.text == "Embedding.weight ~ normal(std=0.1)"


def test_a_compiled_network_keeps_the_result_alone() -> None:
    story = specc.Program.from_json(specc.compile(TEXT).to_json()).why("a.fc.weight")
    assert (story.won.kind, story.won.text) == ("compiled", "xavier_uniform")
    assert story.beaten == ()
    assert [r.text for r in story.edits] == ["+= 1", "[0, 0] = 42"]


def test_the_command_line_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.net").write_text(TEXT)
    assert main(["params", "own.net", "--why", "a.scale"]) == 0
    assert capsys.readouterr().out == (
        "a.scale\n"
        "  won   Own.scale ~ ones                 a rule               own.net:14:5\n"
        "  beat  scale ~ normal(mean=0, std=0.1)  the parameter's own  own.net:4:11\n"
    )
    assert main(["params", "own.net", "--why", "**.bias", "--format", "json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["won"]["kind"] for line in lines] == ["inline", "rule"]
    assert main(["params", "own.net", "--why", "scale"]) == 2
    assert "the nearest is 'a.scale'" in capsys.readouterr().err
