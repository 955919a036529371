"""The parameters of a network or of a weight file, listed, measured and drawn.

``info`` says what each is, ``select`` picks by a pattern of names; ``statistics`` and ``measured``
say what the values are like; ``table``, ``blocks`` and ``picture`` lay them out and draw them.
``why`` tells how a parameter comes to start as it does.
"""
