"""The check of a recipe: what is right, and for each way of being wrong its fact and its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from specc.frontend import syntax
from specc.frontend.diagnostics import Fact, Report
from specc.frontend.parse import parse, parse_expression
from specc.frontend.source import Source, Sources, Span
from specc.ir.recipe import Choice, Recipe
from specc.recipe.catalogue import Entry
from specc.recipe.check import check
from specc.recipe.kinds import number
from specc.recipe.values import shown

FAILED = object()
NET = "net Tiny(x: [N, 2]) -> [N, 1] { x |> Linear(1) }\n"


def evaluate(expression: syntax.Expression) -> object:
    """Literals, signs and lists; `broken` stands for what another check has reported already."""
    match expression:
        case syntax.Literal(value=value):
            return value
        case syntax.Unary(operator="-", operand=operand):
            value = evaluate(operand)
            assert isinstance(value, int | float)
            return -value
        case syntax.ListExpression(members=members):
            return tuple(evaluate(member.value) for member in members)
        case syntax.Name(name="broken"):
            return FAILED
        case _:
            return expression  # like a layer or a tensor: no plain value


class Checked:
    """A recipe or the facts that are wrong with it, and the texts that those point at."""

    def __init__(
        self, settings: str, overrides: Mapping[str, str] | None = None, defined: str = ""
    ) -> None:
        self.sources, self.report = Sources(), Report()
        source = Source("tiny.net", f"{NET}train {{\n{settings}\n}}\n")
        tree = parse(source, self.sources.add(source), self.report)
        assert tree is not None, self.report.facts
        block = tree.definitions[-1]
        assert isinstance(block, syntax.TrainDefinition)
        outside = {}
        for key, text in (overrides or {}).items():
            given = Source(f"--set {key}", text)
            value = parse_expression(given, self.sources.add(given), self.report)
            assert value is not None
            outside[key] = value
        self.where = block.span
        self.recipe = check(
            block.settings,
            evaluate,
            outside,
            self.report,
            block.span,
            failed=FAILED,
            defined=defined.split(),
            block_loss=lambda choice: None if evaluate(choice) is FAILED else Entry("", ""),
        )

    @property
    def errors(self) -> list[Fact]:
        return [fact for fact in self.report.facts if fact.severity == "error"]

    def only(self) -> Fact:
        assert self.recipe is None
        assert len(self.errors) == 1, [fact.message for fact in self.errors]
        return self.errors[0]

    def text(self, span: Span | None) -> str:
        assert span is not None
        return self.sources.text(span)


COMPLETE = "data = digits\nloss = cross_entropy\noptimizer = adam\nepochs = 2\n"


def test_defaults_are_filled_in() -> None:
    recipe = Checked(COMPLETE).recipe
    assert recipe == Recipe(
        data=Choice(name="digits", arguments={"resize": 8, "normalize": False, "test": 0.2}),
        loss=Choice(name="cross_entropy", arguments={"label_smoothing": 0.0}),
        optimizer=Choice(
            name="adam",
            arguments={"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
        ),
        epochs=2,
    )


def test_every_setting_is_read() -> None:
    checked = Checked(
        """
        data      = synthetic_regression(w=[1, 2.5, -3], b=0, examples=50, noise=0)
        loss      = mse
        optimizer = sgd(0.5, momentum=0.9, nesterov=true)
        schedule  = step(10, gamma=0.5)
        steps     = 7
        batch     = 5
        metrics   = [mae, mse]
        precision = f32
        seed      = 11
        """
    )
    recipe = checked.recipe
    assert recipe is not None, checked.errors
    assert not checked.report.facts
    assert recipe.data is not None
    assert recipe.data.arguments["w"] == (1.0, 2.5, -3.0)
    assert recipe.optimizer == Choice(
        name="sgd",
        arguments={"lr": 0.5, "momentum": 0.9, "weight_decay": 0.0, "nesterov": True},
    )
    assert recipe.schedule == Choice(name="step", arguments={"step_size": 10, "gamma": 0.5})
    assert (recipe.epochs, recipe.steps, recipe.batch, recipe.seed) == (None, 7, 5, 11)
    assert [metric.name for metric in recipe.metrics] == ["mae", "mse"]


def test_recipe_survives_json() -> None:
    recipe = Checked(COMPLETE).recipe
    assert recipe is not None
    again = Recipe.model_validate_json(recipe.model_dump_json())
    assert again == recipe
    assert repr(again) == repr(recipe)  # an int that became a float would be equal


def test_ints_become_floats_where_floats_are_meant() -> None:
    recipe = Checked(COMPLETE.replace("adam", "sgd(lr=1)")).recipe
    assert recipe is not None
    assert recipe.optimizer is not None
    assert type(recipe.optimizer.arguments["lr"]) is float


def test_one_metric_needs_no_list() -> None:
    recipe = Checked(COMPLETE + "metrics = accuracy").recipe
    assert recipe is not None
    assert recipe.metrics == (Choice(name="accuracy"),)


@pytest.mark.parametrize(
    ("written", "devices"),
    [
        ("cuda:*", ("cuda:*",)),
        ("cuda:1", ("cuda:1",)),
        ("cpu", ("cpu",)),
        ('["cuda:0", "cuda:1"]', ("cuda:0", "cuda:1")),
        ('"mps"', ("mps",)),
    ],
)
def test_devices_are_named_with_and_without_quotes(written: str, devices: tuple[str, ...]) -> None:
    recipe = Checked(COMPLETE + f"devices = {written}").recipe
    assert recipe is not None
    assert recipe.devices == devices


# Each: the settings, the code of the fact, the text it points at, a part of what it says.
WRONG = [
    # keys
    ("epoch = 3", "unknown-setting", "epoch", "did you mean 'epochs'?"),
    ("zebra = 3", "unknown-setting", "zebra", "there are data, loss"),
    ("epochs = 1\nepochs = 2", "repeated-setting", "epochs", "epochs is set twice"),
    ("devices = cpu:*", "bad-setting", "cpu:*", "devices must be a device such as cuda:0"),
    ("devices = tpu", "bad-setting", "tpu", 'not "tpu"'),
    ("devices = cuda:999", "bad-setting", "cuda:999", 'not "cuda:999"'),
    ('devices = ["cuda:0", 1]', "bad-setting", '["cuda:0", 1]', "devices must be a device"),
    # plain values: type and bounds of each
    ("epochs = 0", "bad-setting", "0", "epochs must be an int of at least 1, not 0"),
    ("epochs = 1.5", "bad-setting", "1.5", "epochs must be an int of at least 1, not 1.5"),
    ("epochs = true", "bad-setting", "true", "not true"),
    ('epochs = "3"', "bad-setting", '"3"', 'not "3"'),
    ("epochs = none", "bad-setting", "none", "not none"),
    ("epochs = [1]", "bad-setting", "[1]", "not [1]"),
    ("epochs = adam", "bad-setting", "adam", "not no plain value"),
    ("epochs = cuda:0", "bad-setting", "cuda:0", "not a device"),
    ("steps = 0", "bad-setting", "0", "steps must be an int of at least 1"),
    ("batch = -4", "bad-setting", "-4", "batch must be an int of at least 1, not -4"),
    ("seed = -1", "bad-setting", "-1", "seed must be an int from 0 to"),
    ("seed = 9223372036854775808", "bad-setting", "9223372036854775808", "seed must be"),
    ("precision = f33", "unknown-setting", "f33", "did you mean 'f32'?"),
    ("precision = 32", "bad-setting", "32", "precision must be one of f32, bf16, f16, f64, not 32"),
    # choices
    ("optimizer = adan", "unknown-setting", "adan", "there is no optimizer 'adan'"),
    ("optimizer = adan(lr=1)", "unknown-setting", "adan", "did you mean 'adam'?"),
    ("loss = cros_entropy", "unknown-setting", "cros_entropy", "did you mean 'cross_entropy'?"),
    ("data = mnist", "unknown-setting", "mnist", "there is no data set 'mnist'"),
    ("schedule = cosin", "unknown-setting", "cosin", "did you mean 'cosine'?"),
    ("metrics = [acuracy]", "unknown-setting", "acuracy", "did you mean 'accuracy'?"),
    ("optimizer = 3", "bad-setting", "3", "one of sgd, adam, adamw, not 3"),
    ("optimizer = [adam]", "bad-setting", "[adam]", "not a list"),
    ('loss = "mse"', "bad-setting", '"mse"', 'not "mse"'),
    ("optimizer = adam.fast", "bad-setting", "adam.fast", "not an expression"),
    ("metrics = 1", "bad-setting", "1", "a list of accuracy, mse, mae, not 1"),
    ("metrics = [best: accuracy]", "bad-setting", "best: accuracy", "a metric alone"),
    ("metrics = [*accuracy]", "bad-setting", "*accuracy", "a metric alone"),
    ("metrics = [mse, mse]", "repeated-setting", "mse", "mse is set twice"),
    # arguments
    ("optimizer = adam(rate=1)", "unknown-setting", "rate=1", "adam has no argument 'rate'"),
    ("optimizer = adam(weight_dekay=1)", "unknown-setting", "weight_dekay=1", "'weight_decay'"),
    ("loss = mse(scale=1)", "unknown-setting", "scale=1", "it takes no arguments"),
    ("optimizer = sgd", "missing-setting", "sgd", "sgd needs lr"),
    ("optimizer = sgd(momentum=0.5)", "missing-setting", "sgd(momentum=0.5)", "sgd needs lr"),
    ("data = npz()", "missing-setting", "npz()", "npz needs path"),
    ("optimizer = adam(1, 2)", "bad-setting", "2", "given by name, not by position"),
    ("data = digits(28)", "bad-setting", "28", "write resize=..."),
    ("loss = mse(1)", "bad-setting", "1", "must be left out"),
    ("optimizer = adam(lr=1, lr=2)", "repeated-setting", "lr=2", "lr of adam is set twice"),
    ("optimizer = adam(1, lr=2)", "repeated-setting", "lr=2", "lr of adam is set twice"),
    ("optimizer = adam(lr ~ zeros)", "bad-setting", "lr ~ zeros", "not an initializer"),
    ("optimizer = adam(lr=0)", "bad-setting", "0", "a number above 0, not 0"),
    ("optimizer = adam(lr=true)", "bad-setting", "true", "not true"),
    ("optimizer = adam(betas=0.9)", "bad-setting", "0.9", "a list of 2"),
    ("optimizer = adam(betas=[0.9])", "bad-setting", "[0.9]", "a list of 2"),
    ("optimizer = adam(betas=[0.9, 1])", "bad-setting", "[0.9, 1]", "below 1"),
    ("optimizer = adam(eps=-1)", "bad-setting", "-1", "eps of adam"),
    ("optimizer = adamw(weight_decay=-1)", "bad-setting", "-1", "weight_decay of adamw"),
    ("optimizer = sgd(lr=1, momentum=1)", "bad-setting", "1", "momentum of sgd"),
    ("optimizer = sgd(lr=1, nesterov=1)", "bad-setting", "1", "true or false"),
    ("schedule = cosine(eta_min=-1)", "bad-setting", "-1", "eta_min of cosine"),
    ("schedule = step(0)", "bad-setting", "0", "step_size of step"),
    ("schedule = step(1, gamma=0)", "bad-setting", "0", "gamma of step"),
    ("schedule = step(1, gamma=2)", "bad-setting", "2", "of at most 1"),
    ("schedule = constant(1)", "bad-setting", "1", "left out"),
    ("loss = cross_entropy(label_smoothing=2)", "bad-setting", "2", "at most 1"),
    ("data = digits(resize=7)", "bad-setting", "7", "an int from 8 to 256, not 7"),
    ("data = digits(normalize=1)", "bad-setting", "1", "true or false"),
    ("data = digits(test=1)", "bad-setting", "1", "above 0 and below 1"),
    ("data = synthetic_regression(w=[])", "bad-setting", "[]", "w of synthetic_regression"),
    ('data = synthetic_regression(w=["a"])', "bad-setting", '["a"]', "each a number"),
    ("data = synthetic_regression(examples=1)", "bad-setting", "1", "from 2 to 10000000"),
    ("data = synthetic_regression(noise=-1)", "bad-setting", "-1", "at least 0"),
    ("data = synthetic_regression(b=none)", "bad-setting", "none", "b of synthetic_regression"),
    ("data = synthetic_regression(seed=0.5)", "bad-setting", "0.5", "seed of"),
    ("data = npz(3)", "bad-setting", "3", "a path in quotes, not 3"),
    ('data = npz("")', "bad-setting", '""', "a path in quotes"),
    ('data = npz("x.npz", test=2)', "bad-setting", "2", "or none, not 2"),
    # paths
    ('data = npz("/etc/x.npz")', "path-outside", '"/etc/x.npz"', "leads out of the folder"),
    ('data = npz("../x.npz")', "path-outside", '"../x.npz"', "--set 'train.data"),
    ('data = npz("a/../../x.npz")', "path-outside", '"a/../../x.npz"', "leads out"),
    (r'data = npz("..\\x.npz")', "path-outside", r'"..\\x.npz"', "leads out"),
    ('data = npz("C:x.npz")', "path-outside", '"C:x.npz"', "leads out"),
    (r'data = npz("\\\\host\\x.npz")', "path-outside", r'"\\\\host\\x.npz"', "leads out"),
    # contradictions
    ("epochs = 1\nsteps = 5", "conflicting-settings", "5", "for epochs or for steps"),
    ("data = digits\nloss = mse", "conflicting-settings", "mse", "goes cross_entropy"),
    (
        "data = synthetic_regression\nloss = cross_entropy",
        "conflicting-settings",
        "cross_entropy",
        "with synthetic_regression goes mse or l1",
    ),
    ("loss = mse\nmetrics = [accuracy]", "conflicting-settings", "[accuracy]", "goes mse or mae"),
    ("metrics = [mae]\nloss = cross_entropy", "conflicting-settings", "[mae]", "goes accuracy"),
    (
        f"data = synthetic_regression(w=[{'1, ' * 99}1], examples=10000000)",
        "conflicting-settings",
        f"synthetic_regression(w=[{'1, ' * 99}1], examples=10000000)",
        "makes at most 268,435,456 numbers",
    ),
    (
        "optimizer = sgd(1, nesterov=true)",
        "conflicting-settings",
        "sgd(1, nesterov=true)",
        "needs momentum",
    ),
]


@pytest.mark.parametrize(("settings", "code", "place", "says"), WRONG, ids=[w[0] for w in WRONG])
def test_wrong_setting_gives_its_fact_at_its_place(
    settings: str, code: str, place: str, says: str
) -> None:
    checked = Checked(settings)
    fact = checked.only()
    assert fact.code == code
    assert checked.text(fact.where) == place
    diagnostic = fact.diagnostic()
    assert says in f"{diagnostic.message}\n{diagnostic.help or ''}"


def test_a_repeated_setting_shows_the_first() -> None:
    checked = Checked("batch = 1\nseed = 2\nbatch = 3")
    fact = checked.only()
    (first,) = fact.because
    assert fact.where is not None
    assert checked.text(first.span) == "batch"
    assert first.span.start < fact.where.start


def test_a_contradiction_shows_both_sides() -> None:
    checked = Checked("epochs = 3\nsteps = 5")
    (other,) = checked.only().because
    assert checked.text(other.span) == "3"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400])
def test_no_number_may_be_infinite(value: float) -> None:
    """A text cannot write them, but it can compute them."""
    with pytest.raises(ValueError, match="a finite number"):
        number(minimum=0).accept(value)
    assert len(shown(value)) < 40


def test_independent_problems_are_all_reported() -> None:
    checked = Checked("epoch = 1\nbatch = 0\noptimizer = adam(lr=0, betas=3)\nloss = mes")
    assert [checked.text(fact.where) for fact in checked.errors] == ["epoch", "0", "0", "3", "mes"]


def test_a_misspelt_argument_is_not_also_missing() -> None:
    fact = Checked("optimizer = sgd(lt=0.1)").only()
    assert fact.code == "unknown-setting"


def test_what_evaluation_reported_is_not_reported_again() -> None:
    checked = Checked("epochs = broken\noptimizer = adam(lr=broken)")
    assert checked.recipe is None
    assert not checked.report.facts


def test_a_block_is_the_loss_and_hides_the_built_in_one_of_its_name() -> None:
    for name in ("huberish", "mse"):
        checked = Checked(f"loss = {name}(1)", defined=name)
        assert checked.recipe is not None
        assert checked.recipe.loss == Choice(name=name)


def test_a_block_that_is_wrong_is_reported_once() -> None:
    checked = Checked("loss = broken", defined="broken")
    assert checked.recipe is None
    assert not checked.report.facts


def test_blocks_are_among_what_was_meant() -> None:
    assert Checked("loss = hubreish", defined="huberish").only().help == "did you mean 'huberish'?"


def test_an_incomplete_recipe_is_a_warning() -> None:
    checked = Checked("loss = mse")
    assert checked.recipe is not None
    (warning,) = checked.report.facts
    assert warning.severity == "warning"
    assert warning.where == checked.where
    assert warning.message == "a training run needs data, optimizer, epochs or steps"


# ---- from outside


def test_an_override_replaces_the_text() -> None:
    for key in ("epochs", "train.epochs"):
        recipe = Checked(COMPLETE, {key: "9"}).recipe
        assert recipe is not None
        assert recipe.epochs == 9


def test_an_override_is_checked_at_its_own_place() -> None:
    checked = Checked(COMPLETE, {"train.optimizer": "adam(rl=1)"})
    fact = checked.only()
    assert fact.where is not None
    assert checked.sources.files[fact.where.file].name == "--set train.optimizer"
    assert checked.text(fact.where) == "rl=1"


def test_an_unknown_override_is_a_fact() -> None:
    assert Checked(COMPLETE, {"train.epoch": "1"}).only().code == "unknown-setting"


def test_an_overridden_setting_is_still_checked() -> None:
    assert Checked(COMPLETE + "batch = 0", {"train.batch": "4"}).only().code == "bad-setting"


def test_steps_from_outside_replace_epochs() -> None:
    recipe = Checked(COMPLETE, {"train.steps": "5"}).recipe
    assert recipe is not None
    assert (recipe.epochs, recipe.steps) == (None, 5)


def test_both_lengths_from_outside_contradict() -> None:
    fact = Checked(COMPLETE, {"train.steps": "5", "train.epochs": "1"}).only()
    assert fact.code == "conflicting-settings"


def test_a_path_from_outside_may_lead_anywhere() -> None:
    settings = "loss = mse\noptimizer = adam\nepochs = 1"
    for path in ("../x.npz", str(Path("x.npz").absolute())):
        recipe = Checked(settings, {"data": f'npz("{path}")'}).recipe
        assert recipe is not None
        assert recipe.data is not None
        assert recipe.data.arguments["path"] == str(Path(path).absolute())
