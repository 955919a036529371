"""Placement as ONNX's own multi-device annotations, which came with version 11 of its files.

They say where a node's tensors are, by the names of the spec's logical devices. A runtime may
follow them or not; none of them changes a result.
"""

from __future__ import annotations

import onnx_ir as oir

from specc.ir.graph import Network
from specc.targets.onnx.opsets import ir_version

FIRST_VERSION = 11
"""The version of the file format from which on it has devices."""


def configuration(network: Network, opset: int) -> oir.ModelConfiguration | None:
    """The network's devices; None where it has none, or a file of this opset cannot hold them."""
    names = tuple(device.name for device in network.devices)
    if not names or ir_version(opset) < FIRST_VERSION:
        return None
    return oir.ModelConfiguration("devices", len(names), names)


def put(node: oir.Node, device: str, devices: oir.ModelConfiguration) -> None:
    """Says that a node runs on a device: all that it reads and gives is there, whole."""
    index = devices.device_names.index(device)
    values = dict.fromkeys(v for v in (*node.inputs, *node.outputs) if v is not None)
    specs = tuple(oir.ShardingSpec(value, (index,)) for value in values)
    node.device_configurations = (oir.NodeDeviceConfiguration(devices, specs),)
