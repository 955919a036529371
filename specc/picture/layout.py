"""Where everything stands: boxes in layers from the top to the bottom, after Sugiyama.

K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Transactions on Systems, Man, and Cybernetics 11 (1981). A box stands in the layer
below the lowest of those that feed it; an arrow that passes layers gets a place in each; boxes of
a layer are ordered by the mean place of their neighbours, and then moved to it as far as the
others of the layer let them.

All lengths are pixels; a figure's own origin is its upper left corner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from specc.ir.flatten import FlatValue
from specc.picture.boxes import Box, Figure
from specc.picture.text import text_width, type_text

FONT = 12.0
ROW = 22.0
TITLE = 24.0
DOT = 7.0  # an input or output of a block that has one
PADDING = 12.0
GAP = 18.0  # between boxes side by side
RISE = 34.0  # between layers
LANE = 14.0  # the room of an arrow that passes a box
SWEEPS = 8


@dataclass(eq=False)
class Placed:
    """A box with its size, its place in its figure, and the figures inside it."""

    box: Box
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    figures: list[tuple[str, Laid, float, float]] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The x of its centre."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Arrow:
    """A line through ``points``, from the bottom of a box to the top of another."""

    value: FlatValue
    points: tuple[tuple[float, float], ...]
    labelled: bool


@dataclass(eq=False)
class Laid:
    """A figure with places."""

    width: float
    height: float
    boxes: list[Placed]
    arrows: list[Arrow]


@dataclass(eq=False)
class _Point:
    """What stands in a layer: a box, or an arrow that passes."""

    placed: Placed | None
    width: float
    above: list[_Point] = field(default_factory=list)
    below: list[_Point] = field(default_factory=list)
    centre: float = 0.0
    layer: int = 0


def lay_out(figure: Figure) -> Laid:
    """The figure with places for everything in it."""
    placed = {box: _measured(box) for box in figure.boxes}
    arrows = list(dict.fromkeys(figure.arrows()))
    points = {box: _Point(item, item.width) for box, item in placed.items()}
    depths = _layers(figure.boxes, arrows)
    layers: list[list[_Point]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for box in figure.boxes:
        points[box].layer = depths[box]
        layers[depths[box]].append(points[box])
    routes = [_route(points[a], points[b], layers) for a, b, _ in arrows]
    _order(layers)
    _align(layers)
    width, height = _place(layers)
    lines = _lines(arrows, routes, layers)
    return Laid(width, height, list(placed.values()), lines)


# ---- sizes ---------------------------------------------------------------------------------------


def _measured(box: Box) -> Placed:
    """The box with its size, what is inside laid out."""
    if is_dot(box):
        return Placed(box, DOT, DOT)
    if box.kind in ("input", "output"):
        label = f"{box.title}  {box.detail}"
        return Placed(box, text_width(label, FONT) + 2 * PADDING, ROW)
    if not box.figures:
        return Placed(box, max(row_width(box) + 2 * PADDING, 90.0), ROW * len(box.rows) + 6)
    inner = [(label, lay_out(figure)) for label, figure in box.figures]
    head = text_width("  ".join(heading(box)), FONT) + 2 * PADDING
    widths = sum(laid.width for _, laid in inner) + GAP * (len(inner) - 1) + 2 * PADDING
    width = max(head, widths)
    top = TITLE + (ROW if any(label for label, _ in inner) else 0.0)
    placed = Placed(box, width, top + max(laid.height for _, laid in inner) + PADDING)
    x = (width - widths) / 2 + PADDING
    for label, laid in inner:
        placed.figures.append((label, laid, x, top))
        x += laid.width + GAP
    return placed


def is_dot(box: Box) -> bool:
    """Whether it is an input or output without a name, a mere end of arrows."""
    return box.kind in ("input", "output") and not box.title


def row_width(box: Box) -> float:
    """The room that the rows of a box need: names, texts and shapes in columns."""
    name, text, shape = columns(box)
    return name + text + shape + PADDING * ((name > 0) + (shape > 0))


def columns(box: Box) -> tuple[float, float, float]:
    """The widths of the columns: names, texts (with notes), shapes."""
    name = max((text_width(row.name, FONT) for row in box.rows), default=0.0)
    text = max(
        (text_width(row.text, FONT) + text_width(row.note, FONT - 1) + 8 * bool(row.note))
        for row in box.rows
    )
    shape = max((text_width(row.shape, FONT - 1) for row in box.rows), default=0.0)
    return name, text, shape


def heading(box: Box) -> tuple[str, str]:
    """What stands above the figures of a box: its name, and its kind with how often it follows."""
    counted = f" × {box.count}" if box.count > 1 else ""
    return box.title, f"{box.detail}{counted}"


# ---- layers --------------------------------------------------------------------------------------


def _layers(boxes: Sequence[Box], arrows: Sequence[tuple[Box, Box, FlatValue]]) -> dict[Box, int]:
    """The layer of each box; what takes nothing stands right above what uses it first."""
    feeds: dict[Box, list[Box]] = {}
    fed: dict[Box, list[Box]] = {}
    for a, b, _ in arrows:
        feeds.setdefault(a, []).append(b)
        fed.setdefault(b, []).append(a)
    depth: dict[Box, int] = {}
    for box in boxes:  # in computing order, so what feeds a box has its layer already
        depth[box] = max((depth[other] + 1 for other in fed.get(box, ())), default=0)
    for box in reversed(boxes):
        if box not in fed and box.kind != "input" and box in feeds:
            depth[box] = min(depth[user] for user in feeds[box]) - 1
    lowest = min(depth.values(), default=0)
    last = max(depth.values(), default=0)
    return {box: (last if box.kind == "output" else layer) - lowest for box, layer in depth.items()}


def _route(start: _Point, end: _Point, layers: list[list[_Point]]) -> list[_Point]:
    """The points that an arrow passes, both ends included."""
    route = [start]
    for layer in range(start.layer + 1, end.layer):
        passing = _Point(None, LANE, layer=layer)
        layers[layer].append(passing)
        route.append(passing)
    route.append(end)
    for above, below in pairwise(route):
        above.below.append(below)
        below.above.append(above)
    return route


def _order(layers: list[list[_Point]]) -> None:
    """Orders each layer by the mean place of its neighbours, downwards and upwards in turns."""
    places = _places(layers)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else reversed(layers):
            keys = {}
            for point in layer:
                neighbours = point.above if downwards else point.below
                known = [places[other] for other in neighbours]
                keys[point] = sum(known) / len(known) if known else places[point]
            layer.sort(key=keys.__getitem__)  # stable, so ties keep the computing order
            places.update(_places([layer]))


def _places(layers: Sequence[Sequence[_Point]]) -> dict[_Point, float]:
    return {
        point: (index + 0.5) / len(layer) for layer in layers for index, point in enumerate(layer)
    }


def _align(layers: list[list[_Point]]) -> None:
    """Moves every point to the mean of its neighbours, as far as its layer lets it."""
    for layer in layers:
        _settle(layer, dict.fromkeys(layer, 0.0))
    for sweep in range(2 * SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {}
            for point in layer:
                near = [*point.above, *point.below]
                wanted[point] = (
                    sum(other.centre for other in near) / len(near) if near else point.centre
                )
            _settle(layer, wanted)


def _settle(layer: Sequence[_Point], wanted: Mapping[_Point, float]) -> None:
    """Sets the centres of a layer nearest to what is wanted, in the least squares' sense.

    The order and the gaps are kept: with the gaps taken out it is an isotonic regression, solved by
    pooling neighbours that are the wrong way round.
    """
    offsets, offset = [], 0.0
    for index, point in enumerate(layer):
        if index:
            offset += (layer[index - 1].width + point.width) / 2 + GAP
        offsets.append(offset)
    pools: list[tuple[float, int]] = []
    for point, shift in zip(layer, offsets, strict=True):
        mean, count = wanted[point] - shift, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    for point, mean, shift in zip(layer, means, offsets, strict=True):
        point.centre = mean + shift


# ---- places --------------------------------------------------------------------------------------


def _place(layers: list[list[_Point]]) -> tuple[float, float]:
    """Gives boxes their corners, and the figure's width and height."""
    everything = [point for layer in layers for point in layer]
    left = min((point.centre - point.width / 2 for point in everything), default=0.0)
    right = max((point.centre + point.width / 2 for point in everything), default=0.0)
    top = 0.0
    for layer in layers:
        height = max((p.placed.height for p in layer if p.placed), default=0.0)
        for point in layer:
            point.centre -= left
            if point.placed:
                point.placed.x = point.centre - point.width / 2
                point.placed.y = top + (height - point.placed.height) / 2
        top += height + RISE
    return right - left, max(top - RISE, 0.0)


def _lines(
    arrows: Sequence[tuple[Box, Box, FlatValue]],
    routes: Sequence[Sequence[_Point]],
    layers: Sequence[Sequence[_Point]],
) -> list[Arrow]:
    """The arrows as points; the first of each value bears its shape where its box does not."""
    bands = []
    for layer in layers:
        boxes = [point.placed for point in layer if point.placed]
        bands.append(
            (min(box.y for box in boxes), max(box.y + box.height for box in boxes))
            if boxes
            else (0.0, 0.0)
        )
    said: set[FlatValue] = set()
    lines = []
    for (source, _, value), route in zip(arrows, routes, strict=True):
        start, end = route[0].placed, route[-1].placed
        assert start is not None
        assert end is not None
        # Straight along the boxes of a layer, turning between the layers alone.
        points = [(route[0].centre, start.y + start.height)]
        points.append((route[0].centre, bands[route[0].layer][1]))
        for point in route[1:-1]:
            points += [(point.centre, edge) for edge in bands[point.layer]]
        landing = _landing(route[-2], route[-1])
        points += [(landing, bands[route[-1].layer][0]), (landing, end.y)]
        labelled = source.kind == "block" and value not in said
        said.add(value)
        lines.append(Arrow(value, tuple(points), labelled))
    return lines


def _landing(before: _Point, target: _Point) -> float:
    """Where on a box an arrow ends: those that come from several places end side by side."""
    sides = sorted(target.above, key=lambda point: point.centre)
    step = min(16.0, target.width / (len(sides) + 1))
    return target.centre + (sides.index(before) - (len(sides) - 1) / 2) * step


def label_of(value: FlatValue) -> str:
    """What an arrow says: the shape that it carries."""
    return type_text(value.type)
