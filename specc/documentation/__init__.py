"""Pages that are made from the compiler's own tables, for the terminal and for ``docs/``."""
