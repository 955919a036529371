"""Identifiers: which texts are safe as Python names, and names that are unique in a scope."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata

MAX_NAME = 200

# What the emitted source itself refers to, so no variable or class may hide it.
_USED = {"F", "OrderedDict", "math", "nn", "self", "torch"}
RESERVED = frozenset(_USED | set(dir(builtins)) | {"_"})

# dir(nn.Module()) and the like, so that writing a file needs no torch; a test compares them.
_MODULE = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule
half ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict
to to_empty train training type xpu zero_grad _apply _backward_hooks _backward_pre_hooks _buffers
_call_impl _compiled_call_impl _forward_hooks _forward_hooks_always_called
_forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs _get_backward_hooks
_get_backward_pre_hooks _get_name _is_full_backward_hook _load_from_state_dict
_load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules
_named_members _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook
_register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward
_state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl
"""
MODULE_MEMBERS = frozenset({*_MODULE.split(), "reset_parameters"})
LIST_MEMBERS = MODULE_MEMBERS | {"_get_abs_string_index", "_get_item_by_idx"}
LIST_MEMBERS |= {"append", "extend", "insert", "pop"}
DICT_MEMBERS = MODULE_MEMBERS | {"clear", "items", "keys", "pop", "update", "values"}


def is_identifier(text: str) -> bool:
    """Whether Python takes ``text`` as a name and keeps it as it is.

    Python normalizes identifiers (NFKC), so a name that this changes would become another one.
    """
    return (
        text.isidentifier()
        and not keyword.iskeyword(text)
        and unicodedata.normalize("NFKC", text) == text
    )


def is_attribute(text: str) -> bool:
    """Whether ``self.text = ...`` sets just that: two leading underscores mangle a name."""
    return is_identifier(text) and not text.startswith("__")


def identifier(text: str, otherwise: str) -> str:
    """An identifier like ``text``, or ``otherwise`` where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    if is_attribute(text) and len(text) <= MAX_NAME:
        plain = text
    plain = re.sub(r"\W", "_", plain).lstrip("_0123456789")[:MAX_NAME]
    if keyword.iskeyword(plain):
        plain += "_"
    return plain if is_identifier(plain) else otherwise


def class_name(text: str, otherwise: str) -> str:
    """``text`` in camel case; a name that has capitals already is left as it is.

    >>> class_name("batch_norm1", ""), class_name("VGGBlock", ""), class_name("layer1.0", "")
    ('BatchNorm1', 'VGGBlock', 'Layer1_0')
    """
    plain = identifier(text, "")
    if plain[:1].isupper() or not plain:
        return plain or otherwise
    separator = "_" if "." in text else ""  # keeps layer1.0 apart from layer10
    return separator.join(part[:1].upper() + part[1:] for part in plain.split("_") if part)


class Scope:
    """Hands out names that differ from each other and from the reserved ones."""

    def __init__(self, taken: frozenset[str] = RESERVED) -> None:
        self._taken = set(taken)

    def unique(self, wanted: str) -> str:
        """``wanted``, or the first of ``wanted2``, ``wanted3``, ... that is free."""
        found, count = wanted, 1
        while found in self._taken:
            count += 1
            found = f"{wanted}_{count}" if wanted[-1:].isdigit() else f"{wanted}{count}"
        self._taken.add(found)
        return found

    def __contains__(self, text: str) -> bool:
        return text in self._taken
