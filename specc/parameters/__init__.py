"""The parameters of a network or of a weight file, listed, measured and drawn.

``info`` says what each is, ``select`` picks by a pattern of names, ``table`` lays them out as text.
"""
