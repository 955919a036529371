"""A network as a picture: boxes within boxes, from the top to the bottom, as SVG."""

from __future__ import annotations

from specc.picture.svg import picture

__all__ = ["picture"]
