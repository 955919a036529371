"""Compiled models beside their published implementations."""

from __future__ import annotations

from bench.module_speed import columns, compared
from bench.report import Report

NAME = "model_speed"


def run(*, tiny: bool = False) -> Report:
    """Times forward and training step of ResNet-50 and GPT-2."""
    report = Report(
        name=NAME,
        title="Speed of compiled models",
        method=(
            "`specs/resnet.net` and `specs/gpt2.net`, compiled, beside torchvision's and "
            "transformers' classes, with the reference's weights and the same answers up to 1e-5 "
            "of the greatest; GPT-2 on both sides without dropout, which the two draw differently. "
        ),
        columns=columns("published"),
    )
    options = ("--published", "--tiny") if tiny else ("--published",)
    return compared(report, 2 if tiny else 30, *options)
