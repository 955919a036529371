"""The invariants of a network: real ones hold all of them, and each is broken by itself below."""

from __future__ import annotations

import contextlib
import copy
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import specc
from specc.frontend.diagnostics import SpecError
from specc.invariants import INVARIANTS, Unsound, require_sound, verify
from specc.ir.graph import Branch, Network, Region
from specc.ir.types import parse_type
from specc.ops.operator import Drawn
from specc.ops.registry import operators
from specc.ops.single import single
from tests.ir.devices import BROKEN_DEVICES
from tests.ir.losses import BROKEN_LOSSES
from tests.ir.regions import BROKEN_REGIONS, CONTROL
from tests.ir.specs import NAMES
from tests.ir.starts import BROKEN_STARTS
from tests.ir.texts import (
    ATTENTION,
    HANDED,
    LISTS,
    RESIDUAL,
    SHARED,
    STATE,
    SYMBOLIC,
    TEXTS,
    TIED,
)
from tests.targets.networks import Body, network

Tree = dict[str, Any]


def tree_of(text: str) -> Tree:
    """A compiled network as plain data, to be changed."""
    tree: Tree = json.loads(specc.compile(text).to_json())
    return tree


def problems_of(tree: Tree) -> set[str]:
    """The invariants that a network in plain data breaks."""
    return {problem.invariant for problem in verify(Network.model_validate_json(json.dumps(tree)))}


# ---- parts of a tree -----------------------------------------------------------------------------


def template(tree: Tree, name: str) -> Tree:
    return next(t for t in tree["templates"] if t["name"] == name)


def root(tree: Tree) -> Tree:
    found: Tree = tree["templates"][tree["root"]]
    return found


def node(owner: Tree, kind: str, position: int = 0) -> Tree:
    return [n for n in owner["body"]["nodes"] if n["kind"] == kind][position]


def block_layer(owner: Tree) -> Tree:
    return next(layer for layer in owner["layers"].values() if layer["kind"] == "block")


def applied(owner: Tree, name: str) -> Tree:
    return next(n for n in owner["body"]["nodes"] if n.get("layer") == name)


# ---- sound networks ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_compiled_network_is_sound(text: str) -> None:
    assert verify(specc.compile(text).network) == []


def test_a_network_with_loops_and_branches_is_sound() -> None:
    network = specc.compile(CONTROL).network
    assert verify(network) == []
    assert specc.Program.from_json(specc.compile(CONTROL).to_json()).network == network


def test_regions_within_regions_are_bounded_and_need_no_stack() -> None:
    """A network built in memory may nest without end; that is found before anything recurses."""
    network = specc.compile("net Deep(x: [N], c: bool[]) -> [N] { return relu(x) }").network
    root = network.templates[network.root]
    empty = Region(inputs=(), nodes=(), results=())
    inner = empty
    for _ in range(2000):
        branch = Branch(condition=1, then=inner, otherwise=empty, results=())
        inner = Region.model_construct(inputs=(), nodes=(branch,), results=())
    body = root.body.model_copy(update={"nodes": (*inner.nodes, *root.body.nodes)})
    deep = root.model_copy(update={"body": body})
    (problem,) = verify(network.model_copy(update={"templates": (deep,)}))
    assert problem.invariant == "ending-applications"


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_that_ships_is_sound(name: str) -> None:
    assert verify(specc.compile(f"std.{name}").network) == []


def _samples() -> list[Any]:
    return [
        pytest.param(operator.name, index, id=f"{operator.name}-{index}")
        for operator in operators().values()
        for index in range(len(operator.samples))
    ]


@pytest.mark.parametrize(("name", "index"), _samples())
def test_every_use_of_every_operator_is_sound(name: str, index: int) -> None:
    """A rule gives the same attributes when it runs again on those that it derived."""
    operator = operators()[name]
    sample = operator.samples[index]
    types = tuple(
        parse_type(drawn.type if isinstance(drawn, Drawn) else drawn) for drawn in sample.inputs
    )
    for as_layer in (None, True):
        problems = verify(single(operator, types, sample.arguments, as_layer=as_layer))
        assert [str(problem) for problem in problems] == []


# ---- each invariant, broken ----------------------------------------------------------------------


def absolute_source(tree: Tree) -> None:
    tree["sources"][0]["name"] = "/srv/x.net"


def climbing_source(tree: Tree) -> None:
    tree["sources"][0]["name"] = "specs/../../x.net"


def drive_source(tree: Tree) -> None:
    tree["sources"][0]["name"] = "C:x.net"


def unprintable_source(tree: Tree) -> None:
    tree["sources"][0]["name"] = "x\x1b[2J.net"


def place_beyond_the_text(tree: Tree) -> None:
    node(root(tree), "application")["span"] = [0, 5, 10**6]


def place_in_no_text(tree: Tree) -> None:
    tree["parameters"][0]["span"] = [7, 0, 0]


def network_name(tree: Tree) -> None:
    tree["name"] = "x: __import__('os')"


def layer_name(tree: Tree) -> None:
    layers = root(tree)["layers"]
    layers["forward"] = layers.pop("inner")


def block_without_a_name(tree: Tree) -> None:
    root(tree)["layers"][""] = {"kind": "block", "template": 0, "arguments": {}}


def name_that_an_unnamed_layer_needs(tree: Tree) -> None:
    root(tree)["layers"]["weight"] = root(tree)["layers"]["linear1"]


def value_name(tree: Tree) -> None:
    root(tree)["body"]["inputs"][0]["name"] = "x)\n"


def repeated_input(tree: Tree) -> None:
    tree["inputs"] *= 2


def endless_path(tree: Tree) -> None:
    node(root(tree), "application")["layer"] = "a." * 3000


def no_root(tree: Tree) -> None:
    tree["root"] = 99


def negative_root(tree: Tree) -> None:
    tree["root"] = -1


def root_with_holes(tree: Tree) -> None:
    tree["root"] = tree["templates"].index(template(tree, "Residual"))


def no_template(tree: Tree) -> None:
    block_layer(root(tree))["template"] = 99


def negative_template(tree: Tree) -> None:
    block_layer(root(tree))["template"] = -1


def no_operator(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["operator"] = "Linera"


def undeclared_hole(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["features"] = {"hole": "width"}


def undeclared_size(tree: Tree) -> None:
    node(root(tree), "operation")["results"][0]["type"] = "f32[N, $width]"


def size_in_state(tree: Tree) -> None:
    template(tree, "MyLinear")["state"][0]["type"] = "f32[$nothing, 4]"


def repeated_value(tree: Tree) -> None:
    body = root(tree)["body"]
    body["nodes"][-1]["results"][0]["id"] = 0
    body["results"] = [0]


def unknown_operand(tree: Tree) -> None:
    node(root(tree), "operation")["inputs"] = [999]


def operand_of_itself(tree: Tree) -> None:
    operation = node(root(tree), "operation")
    operation["inputs"] = [operation["results"][0]["id"]]


def unknown_result(tree: Tree) -> None:
    root(tree)["body"]["results"] = [999]


def list_that_is_none(tree: Tree) -> None:
    template(tree, "Residual")["kind"] = "sequence"


def list_out_of_order(tree: Tree) -> None:
    template(tree, "Sequential")["body"]["results"] = [1]


def list_that_skips_a_member(tree: Tree) -> None:
    body = template(tree, "Sequential")["body"]
    body["nodes"][1]["inputs"] = [body["inputs"][0]["id"]]


def list_that_feeds_a_member_what_is_not_its_own(tree: Tree) -> None:
    node = template(tree, "Sequential")["body"]["nodes"][1]
    node["inputs"] = [*node["inputs"], *node["inputs"]]


def template_in_itself(tree: Tree) -> None:
    index = next(i for i, t in enumerate(tree["templates"]) if t["kind"] == "sequence")
    layer = {"kind": "block", "template": index, "arguments": {}}
    tree["templates"][index]["layers"]["9"] = layer


def missing_argument(tree: Tree) -> None:
    template(tree, "Residual")["layers"]["downsample"]["arguments"].pop("channels")


def superfluous_argument(tree: Tree) -> None:
    block_layer(root(tree))["arguments"]["extra"] = 1


def doubling_templates(tree: Tree) -> None:
    """Thirty templates, each of which holds the one before twice."""
    base = {"name": "Bomb", "kind": "block", "body": {"inputs": [], "nodes": [], "results": []}}
    start = len(tree["templates"])
    tree["templates"].append(base)
    for index in range(start, start + 30):
        layer = {"kind": "block", "template": index, "arguments": {}}
        tree["templates"].append({**base, "layers": {"a": layer, "b": layer}})


def deep_templates(tree: Tree) -> None:
    base = {"name": "Deep", "kind": "block", "body": {"inputs": [], "nodes": [], "results": []}}
    start = len(tree["templates"])
    tree["templates"].append(base)
    for index in range(start, start + 5000):
        layer = {"kind": "block", "template": index, "arguments": {}}
        tree["templates"].append({**base, "layers": {"a": layer}})


def no_layer(tree: Tree) -> None:
    node(root(tree), "application")["layer"] = "nowhere.weight"


def layer_inside_an_operator(tree: Tree) -> None:
    node(root(tree), "application")["layer"] = "inner.weight"


def missing_size(tree: Tree) -> None:
    owner = next(t for t in tree["templates"] if any(n.get("sizes") for n in t["body"]["nodes"]))
    next(n for n in owner["body"]["nodes"] if n.get("sizes"))["sizes"].popitem()


def superfluous_size(tree: Tree) -> None:
    node(root(tree), "application")["sizes"] = {"size": 3}


def nothing_handed(tree: Tree) -> None:
    applied(root(tree), "second")["captured"] = {}


def negative_size(tree: Tree) -> None:
    node(root(tree), "operation")["results"][0]["type"] = "f32[N, -8]"


def enormous_size(tree: Tree) -> None:
    node(root(tree), "operation")["results"][0]["type"] = f"f32[N, {10**30}]"


def enormous_rank(tree: Tree) -> None:
    node(root(tree), "operation")["results"][0]["type"] = f"f32[{', '.join('1' * 65)}]"


def unknown_symbol(tree: Tree) -> None:
    node(root(tree), "operation")["results"][0]["type"] = "f32[N, Q]"


def endless_application(tree: Tree) -> None:
    """A block is handed to itself, which it then applies, handing itself on."""
    applied(root(tree), "second")["captured"] = {"core": "second"}
    captures = next(t for t in tree["templates"] if t["layers"].get("core") == {"kind": "captured"})
    for inner in captures["body"]["nodes"]:
        if inner["kind"] == "application":
            inner["captured"] = {"core": "core"}


def other_input_type(tree: Tree) -> None:
    tree["inputs"][0]["type"] = "f32[N, 9]"


def no_outputs(tree: Tree) -> None:
    tree["outputs"] = []


def attribute_of_another_kind(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["bias"] = "yes"


def attribute_out_of_range(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["features"] = -8


def attribute_that_is_a_bool(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["features"] = True


def attribute_beyond_64_bits(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["features"] = 2**63


def missing_attribute(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"].pop("bias")


def superfluous_attribute(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["momentum"] = 0.5


def underived_attribute(tree: Tree) -> None:
    root(tree)["layers"]["inner"]["attributes"]["in_features"] = 9


def wrong_result_dtype(tree: Tree) -> None:
    node(root(tree), "operation")["results"][0]["type"] = "f64[N, 8]"


def wrong_operand_count(tree: Tree) -> None:
    node(root(tree), "operation")["inputs"] *= 3


def block_of_two_inputs(tree: Tree) -> None:
    next(n for n in root(tree)["body"]["nodes"] if n.get("layer") == "fc")
    applied(root(tree), "layer1")["inputs"] *= 2


def layer_in_place(tree: Tree) -> None:
    layer = root(tree)["layers"]["inner"]
    root(tree)["body"]["nodes"].append(
        {
            "kind": "operation",
            "operator": "Linear",
            "attributes": layer["attributes"],
            "inputs": [0],
            "results": [{"id": 999, "type": "f32[N, 8]"}],
        }
    )


def constraint_on_nothing(tree: Tree) -> None:
    condition = {"relation": ">=", "left": "Q - 3", "right": 1, "reason": "why not"}
    tree["constraints"].append(condition)


def idle_layer(tree: Tree) -> None:
    root(tree)["layers"]["idle"] = root(tree)["layers"]["inner"]


def borrowed_input(tree: Tree) -> None:
    next(n for n in root(tree)["body"]["nodes"] if n.get("borrowed"))["borrowed"]["weight"] = 0


def nothing_borrowed(tree: Tree) -> None:
    next(n for n in root(tree)["body"]["nodes"] if n.get("borrowed"))["borrowed"] = {}


def other_state_read(tree: Tree) -> None:
    reads = [n for n in template(tree, "MyLinear")["body"]["nodes"] if n["kind"] == "read"]
    next(n for n in reads if n["path"] == "bias")["path"] = "weight"


def no_state_read(tree: Tree) -> None:
    reads = [n for n in template(tree, "MyLinear")["body"]["nodes"] if n["kind"] == "read"]
    next(n for n in reads if n["path"] == "bias")["path"] = "nothing"


def no_parameters(tree: Tree) -> None:
    tree["parameters"] = []


def parameter_of_another_shape(tree: Tree) -> None:
    tree["parameters"][0]["type"] = "f32[8, 9]"


def parameter_of_another_slot(tree: Tree) -> None:
    tree["parameters"][0]["slot"] = ""


def parameter_of_nobody(tree: Tree) -> None:
    tree["parameters"].append({**tree["parameters"][0], "name": "outer.weight"})


def parameter_twice(tree: Tree) -> None:
    tree["parameters"].append(tree["parameters"][0])


def no_alias(tree: Tree) -> None:
    tree["aliases"] = {}


def alias_of_nothing(tree: Tree) -> None:
    tree["aliases"]["other.weight"] = "nothing.weight"


def alias_over_a_parameter(tree: Tree) -> None:
    tree["aliases"]["embed.weight"] = "embed.weight"


def alias_with_a_bad_name(tree: Tree) -> None:
    tree["aliases"]["a b"] = "embed.weight"


def unknown_initializer(tree: Tree) -> None:
    tree["parameters"][0]["initializer"] = {"name": "magic", "arguments": {}}


def initializer_of_another_shape(tree: Tree) -> None:
    bias = next(p for p in tree["parameters"] if p["slot"] == "bias")
    bias["initializer"] = {"name": "eye", "arguments": {}}


UNNAMED = "net A(x: [N, 4]) -> [N, 4] { x |> _: LayerNorm |> Linear(4) }"

BROKEN: list[tuple[str, str, Callable[[Tree], None]]] = [
    ("relative-sources", SHARED, absolute_source),
    ("relative-sources", SHARED, climbing_source),
    ("relative-sources", SHARED, drive_source),
    ("relative-sources", SHARED, unprintable_source),
    ("places-in-sources", SHARED, place_beyond_the_text),
    ("places-in-sources", SHARED, place_in_no_text),
    ("valid-names", SHARED, network_name),
    ("valid-names", SHARED, layer_name),
    ("valid-names", SHARED, block_without_a_name),
    ("valid-names", UNNAMED, name_that_an_unnamed_layer_needs),
    ("valid-names", SHARED, value_name),
    ("valid-names", SHARED, repeated_input),
    ("bounded-paths", SHARED, endless_path),
    ("existing-root", SHARED, no_root),
    ("existing-root", SHARED, negative_root),
    ("existing-root", RESIDUAL, root_with_holes),
    ("existing-templates", RESIDUAL, no_template),
    ("existing-templates", RESIDUAL, negative_template),
    ("known-operators", SHARED, no_operator),
    ("declared-holes", SHARED, undeclared_hole),
    ("declared-holes", SHARED, undeclared_size),
    ("declared-holes", STATE, size_in_state),
    ("unique-values", SHARED, repeated_value),
    ("defined-values", SHARED, unknown_operand),
    ("defined-values", SHARED, operand_of_itself),
    ("defined-values", SHARED, unknown_result),
    ("wired-lists", RESIDUAL, list_that_is_none),
    ("wired-lists", LISTS, list_out_of_order),
    ("wired-lists", LISTS, list_that_skips_a_member),
    ("wired-lists", LISTS, list_that_feeds_a_member_what_is_not_its_own),
    ("acyclic-templates", LISTS, template_in_itself),
    ("filled-parameters", RESIDUAL, missing_argument),
    ("filled-parameters", RESIDUAL, superfluous_argument),
    ("bounded-layers", SHARED, doubling_templates),
    ("bounded-layers", SHARED, deep_templates),
    ("existing-layers", SHARED, no_layer),
    ("existing-layers", SHARED, layer_inside_an_operator),
    ("filled-sizes", RESIDUAL, missing_size),
    ("filled-sizes", SHARED, superfluous_size),
    ("handed-layers", HANDED, nothing_handed),
    ("bounded-sizes", SHARED, negative_size),
    ("bounded-sizes", SHARED, enormous_size),
    ("bounded-sizes", SHARED, enormous_rank),
    ("known-sizes", SHARED, unknown_symbol),
    ("ending-applications", HANDED, endless_application),
    ("matching-ports", SHARED, other_input_type),
    ("matching-ports", SHARED, no_outputs),
    ("accepted-attributes", SHARED, attribute_of_another_kind),
    ("accepted-attributes", SHARED, attribute_out_of_range),
    ("accepted-attributes", SHARED, attribute_that_is_a_bool),
    ("accepted-attributes", SHARED, missing_attribute),
    ("accepted-attributes", SHARED, superfluous_attribute),
    ("accepted-attributes", SHARED, underived_attribute),
    ("bounded-numbers", SHARED, attribute_beyond_64_bits),
    ("inferred-types", SHARED, wrong_result_dtype),
    ("inferred-types", SHARED, wrong_operand_count),
    ("fitting-blocks", RESIDUAL, block_of_two_inputs),
    ("stateless-operations", SHARED, layer_in_place),
    ("known-constraints", SYMBOLIC, constraint_on_nothing),
    ("applied-layers", SHARED, idle_layer),
    ("fitting-borrows", TIED, borrowed_input),
    ("fitting-borrows", TIED, nothing_borrowed),
    ("agreeing-state", STATE, other_state_read),
    ("agreeing-state", STATE, no_state_read),
    ("owned-parameters", SHARED, no_parameters),
    ("owned-parameters", SHARED, parameter_of_another_shape),
    ("owned-parameters", SHARED, parameter_of_another_slot),
    ("owned-parameters", SHARED, parameter_of_nobody),
    ("owned-parameters", SHARED, parameter_twice),
    ("owned-aliases", TIED, no_alias),
    ("owned-aliases", TIED, alias_of_nothing),
    ("owned-aliases", TIED, alias_over_a_parameter),
    ("owned-aliases", TIED, alias_with_a_bad_name),
    ("fitting-initializers", SHARED, unknown_initializer),
    ("fitting-initializers", SHARED, initializer_of_another_shape),
    *BROKEN_DEVICES,
    *BROKEN_REGIONS,
    *BROKEN_STARTS,
    *BROKEN_LOSSES,
]


@pytest.mark.parametrize(
    ("invariant", "text", "edit"), BROKEN, ids=[e.__name__ for *_, e in BROKEN]
)
def test_just_the_broken_invariant_is_named(
    invariant: str, text: str, edit: Callable[[Tree], None]
) -> None:
    tree = tree_of(text)
    edit(tree)
    assert problems_of(tree) == {invariant}


def test_every_invariant_is_broken_above() -> None:
    assert {name for name, _, _ in BROKEN} == {invariant.name for invariant in INVARIANTS}


def test_every_invariant_says_what_must_hold() -> None:
    assert len({invariant.name for invariant in INVARIANTS}) == len(INVARIANTS)
    assert all(invariant.summary.endswith(".") for invariant in INVARIANTS)


def test_a_problem_says_where() -> None:
    tree = tree_of(SHARED)
    unknown_operand(tree)
    (problem,) = verify(Network.model_validate_json(json.dumps(tree)))
    index = tree["root"]
    assert str(problem) == (
        f"template {index} (Shared), node 1: value 999 is not defined yet [defined-values]"
    )


def test_an_unsound_network_can_be_an_exception() -> None:
    tree = tree_of(SHARED)
    no_root(tree)
    with pytest.raises(Unsound, match="there is no template 99"):
        require_sound(Network.model_validate_json(json.dumps(tree)))
    require_sound(specc.compile(SHARED).network)


# ---- size ----------------------------------------------------------------------------------------


def chain(length: int) -> Network:
    body = Body("Chain", x="f32[N, 3]")
    value = 0
    for _ in range(length):
        value = body.op("relu", value)
    return network(body.template(value))


def test_a_body_of_a_hundred_thousand_nodes_is_verified_in_seconds() -> None:
    long = chain(100_000)
    start = time.process_time()
    assert verify(long) == []
    assert time.process_time() - start < 15


def test_a_problem_at_every_node_is_named_a_few_times() -> None:
    network_ = chain(1000)
    tree = json.loads(network_.model_dump_json())
    for entry in tree["templates"][0]["body"]["nodes"]:
        entry["span"] = [9, 9, 9]
    problems = verify(Network.model_validate_json(json.dumps(tree)))
    assert 1 < len(problems) < 20


# ---- hostile networks ----------------------------------------------------------------------------

TREES = {name: tree_of(text) for name, text in TEXTS.items() if name != "recipe"}
HOSTILE = [
    *(None, True, -1, 0, 1, 2**31, 10**25, 0.5, float("nan"), float("inf")),
    *("", "x", "..", "$size", "N", "f32[]", "i64[N, -1]", "bool[$channels, 2]", "weight", "inner"),
    *([], [0], [0, 0, 0], {}, {"hole": "channels"}, {"size": "N"}, {"dtype": "bool"}),
    {"size": "N // (N - N + 1)"},
]


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a tree, as the keys that lead there."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in entries:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


PLACES = {name: places(tree) for name, tree in TREES.items()}


@settings(max_examples=400)
@given(st.data())
def test_a_network_with_anything_anywhere_is_sound_or_refused(data: st.DataObject) -> None:
    """What verification lets through, targets build; nothing but SpecError is ever raised."""
    name = data.draw(st.sampled_from(sorted(TREES)))
    tree = json.loads(json.dumps(TREES[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(PLACES[name]))
        owner = tree
        try:
            for key in path:
                owner = owner[key]
            owner[last] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
        except (LookupError, TypeError):  # an earlier change has cut this place off
            continue
    text = json.dumps(tree)
    try:
        program = specc.Program.from_json(text)
    except SpecError as error:
        refused = error
    else:
        build(program)
        return
    assert {diagnostic.code for diagnostic in refused.diagnostics} == {"bad-ir"}


def build(program: specc.Program) -> None:
    """Lowers a program; a target may have its own reasons to refuse it."""
    for lower in (program.python, program.onnx):
        with contextlib.suppress(SpecError):
            lower()


def test_attention_is_fuzzed_too() -> None:
    """Guards the test above: the trees that it changes are those of real networks."""
    assert problems_of(tree_of(ATTENTION)) == set()
    assert len(PLACES["attention"]) > 500
