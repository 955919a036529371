"""A laid-out figure as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.ops.registry import operators as built_in
from specc.picture.boxes import Row
from specc.picture.figure import figure_of
from specc.picture.layout import (
    FONT,
    PADDING,
    ROW,
    TITLE,
    Arrow,
    Laid,
    Placed,
    columns,
    heading,
    is_dot,
    label_of,
    lay_out,
)

_MARGIN = 24.0
_HEAD = 40.0

_COLOURS = {
    "parameters": "#4c78a8",
    "layer": "#72b7b2",
    "attention": "#b279a2",
    "function": "#c9ccd2",
    "block": "#72757c",
    "state": "#e0b46c",
}

_STYLE = """
text { font-family: Helvetica, Arial, "Liberation Sans", sans-serif; fill: #22252a; }
.name { fill: #6b7078; } .shape, .note { fill: #6b7078; } .note { font-style: italic; }
.box { fill: #ffffff; stroke: #c3c7ce; } .block { fill: #f6f7f9; stroke: #c3c7ce; }
.region { fill: #fff8ec; stroke: #e0b46c; stroke-dasharray: 5 3; }
.port { fill: #e8edf4; stroke: #c3c7ce; }
.arrow { fill: none; stroke: #8a8f98; stroke-width: 1.3; }
.title { font-weight: 600; fill: #22252a; }
"""


def picture(network: Network, operators: Mapping[str, Operator] | None = None) -> str:
    """The network as the text of an SVG file.

    ``operators`` is the table of operators, by default the built-in ones.
    """
    laid = lay_out(figure_of(network, built_in() if operators is None else operators))
    width, height = laid.width + 2 * _MARGIN, laid.height + 2 * _MARGIN + _HEAD
    root = Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        width=_number(width),
        height=_number(height),
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        role="img",
    )
    SubElement(root, "title").text = network.name
    SubElement(root, "style").text = _STYLE
    marker = SubElement(
        SubElement(root, "defs"),
        "marker",
        {"id": "head", "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "orient": "auto"},
        markerWidth="7",
        markerHeight="7",
    )
    SubElement(marker, "path", d="M0 0.5 L8 4 L0 7.5 z", fill="#8a8f98")
    SubElement(root, "rect", width="100%", height="100%", fill="#ffffff")
    _text(root, network.name, _MARGIN, _MARGIN + 14, 18, "title")
    _draw(SubElement(root, "g", transform=_moved(_MARGIN, _MARGIN + _HEAD)), laid)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _draw(parent: Element, laid: Laid) -> None:
    for arrow in laid.arrows:
        _arrow(parent, arrow)
    for placed in laid.boxes:
        group = SubElement(parent, "g", transform=_moved(placed.x, placed.y))
        if placed.box.kind in ("input", "output"):
            _port(group, placed)
        elif placed.figures:
            _container(group, placed)
        else:
            _rows(group, placed)


def _port(group: Element, placed: Placed) -> None:
    box = placed.box
    _rect(group, placed.width, placed.height, "port", radius=placed.height / 2)
    if is_dot(box):
        return
    label = _text(group, box.title, placed.width / 2, ROW / 2 + 4, FONT, "title", anchor="middle")
    shape = SubElement(label, "tspan", {"class": "shape", "font-weight": "400", "dx": "6"})
    shape.text = box.detail


def _container(group: Element, placed: Placed) -> None:
    box = placed.box
    _rect(group, placed.width, placed.height, "region" if box.kind == "region" else "block")
    name, kind = heading(box)
    text = _text(group, name, PADDING, TITLE - 7, FONT, "name")
    detail = SubElement(text, "tspan", {"class": "title", "dx": "6" if name else "0"})
    detail.text = kind
    for label, laid, x, y in placed.figures:
        if label:
            _text(group, label, x + laid.width / 2, y - 8, FONT, "name", anchor="middle")
        _draw(SubElement(group, "g", transform=_moved(x, y)), laid)


def _rows(group: Element, placed: Placed) -> None:
    box = placed.box
    _rect(group, placed.width, placed.height, "block" if box.kind == "block" else "box")
    name, _, _ = columns(box)
    for index, row in enumerate(box.rows):
        y = 3 + ROW * index
        _row(group, row, placed, y, name, box.count)


def _row(group: Element, row: Row, placed: Placed, y: float, name: float, count: int) -> None:
    line = SubElement(group, "g", transform=_moved(0, y))
    if row.tip:
        SubElement(line, "title").text = row.tip
    colour = _COLOURS[row.family]
    SubElement(line, "rect", x="3", y="3", width="3", height=_number(ROW - 6), fill=colour)
    x = PADDING
    if name:
        _text(line, row.name, x, ROW / 2 + 4, FONT, "name")
        x += name + PADDING
    text = _text(line, row.text + (f" × {count}" if count > 1 else ""), x, ROW / 2 + 4, FONT)
    if row.note:
        note = SubElement(text, "tspan", {"class": "note", "dx": "8", "font-size": "11"})
        note.text = row.note
    _text(line, row.shape, placed.width - PADDING, ROW / 2 + 4, FONT - 1, "shape", anchor="end")


def _arrow(parent: Element, arrow: Arrow) -> None:
    (x, y), *rest = arrow.points
    path = [f"M{_number(x)} {_number(y)}"]
    for end_x, end_y in rest:
        if (x, y) == (end_x, end_y):
            continue
        if x == end_x:
            path.append(f"V{_number(end_y)}")
        else:
            half = (y + end_y) / 2
            path.append(
                f"C{_number(x)} {_number(half)} {_number(end_x)} {_number(half)} "
                f"{_number(end_x)} {_number(end_y)}"
            )
        x, y = end_x, end_y
    SubElement(parent, "path", {"class": "arrow", "d": " ".join(path), "marker-end": "url(#head)"})
    if arrow.labelled:
        start_x, start_y = arrow.points[0]
        turn = next((x for x, _ in arrow.points if x != start_x), start_x)
        # On the side that the line does not turn to.
        side, anchor = (-6, "end") if turn > start_x + 1 else (6, "start")
        label = label_of(arrow.value)
        _text(parent, label, start_x + side, start_y + 14, FONT - 1, "shape", anchor=anchor)


def _rect(group: Element, width: float, height: float, kind: str, radius: float = 5.0) -> None:
    SubElement(
        group,
        "rect",
        {"class": kind, "rx": _number(radius)},
        width=_number(width),
        height=_number(height),
    )


def _text(
    parent: Element, text: str, x: float, y: float, size: float, kind: str = "", anchor: str = ""
) -> Element:
    attributes = {"x": _number(x), "y": _number(y), "font-size": _number(size)}
    if kind:
        attributes["class"] = kind
    if anchor:
        attributes["text-anchor"] = anchor
    element = SubElement(parent, "text", attributes)
    element.text = text
    return element


def _moved(x: float, y: float) -> str:
    return f"translate({_number(x)} {_number(y)})"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
