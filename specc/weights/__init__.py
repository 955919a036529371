"""Weight files: safetensors read with suspicion and written whole, and whether weights fit a net.

``files`` makes files appear whole or not at all; ``header`` judges what a file says of itself;
``safetensors`` reads and writes; ``fit`` compares with what a network wants. ``facts`` holds what
can be wrong.
"""
