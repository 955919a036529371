"""The training recipe: what a ``train { }`` block may say, and the check of what it says."""
