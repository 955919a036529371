"""Names of layers and parameters: which are allowed in a network."""

from __future__ import annotations

import keyword
import re
import unicodedata

# What torch.nn.Module and its containers need for themselves; a test compares it with torch's own.
RESERVED = frozenset(
    [
        "T_destination",
        "add_module",
        "append",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "clear",
        "compile",
        "copy",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extend",
        "extra_repr",
        "float",
        "forward",
        "get",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "insert",
        "ipu",
        "items",
        "keys",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "pop",
        "popitem",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "reset_parameters",
        "set_extra_state",
        "set_submodule",
        "setdefault",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "update",
        "values",
        "xpu",
        "zero_grad",
    ]
)

# Other names that begin with one underscore are those of many a published checkpoint.
_PRIVATE = frozenset(
    [
        "_apply",
        "_backward_hooks",
        "_backward_pre_hooks",
        "_buffers",
        "_call_impl",
        "_compiled_call_impl",
        "_forward_hooks",
        "_forward_hooks_always_called",
        "_forward_hooks_with_kwargs",
        "_forward_pre_hooks",
        "_forward_pre_hooks_with_kwargs",
        "_get_abs_string_index",
        "_get_backward_hooks",
        "_get_backward_pre_hooks",
        "_get_item_by_idx",
        "_get_name",
        "_is_full_backward_hook",
        "_load_from_state_dict",
        "_load_state_dict_post_hooks",
        "_load_state_dict_pre_hooks",
        "_maybe_warn_non_full_backward_hook",
        "_modules",
        "_named_members",
        "_non_persistent_buffers_set",
        "_parameters",
        "_register_load_state_dict_pre_hook",
        "_register_state_dict_hook",
        "_replicate_for_data_parallel",
        "_save_to_state_dict",
        "_slow_forward",
        "_state_dict_hooks",
        "_state_dict_pre_hooks",
        "_version",
        "_wrapped_call_impl",
    ]
)

_PART = re.compile(r"(?:[^\W\d]\w*|\d+)\Z")
MAX_LENGTH = 256


def problem_with(name: str) -> str | None:
    """Why ``name``, which may be dotted, cannot name a layer or parameter; None where it can."""
    if len(name) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    for part in name.split("."):
        if not _PART.match(part) or unicodedata.normalize("NFKC", part) != part:
            return "a name is made of letters, digits and underscores, its parts parted by dots"
        if part in RESERVED:
            return f"torch.nn.Module needs {part!r} for itself"
        if keyword.iskeyword(part):
            return f"{part!r} is a keyword of Python"
        if part.startswith("__") or part in _PRIVATE or part == "self":
            return f"torch.nn.Module needs {part!r} for itself"
    return None


def join(*parts: str) -> str:
    """A dotted name from its parts, empty ones left out.

    >>> join("", "encoder", "weight")
    'encoder.weight'
    """
    return ".".join(part for part in parts if part)
