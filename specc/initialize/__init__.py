"""Initial values: one implementation for every target, keyed by (seed, parameter name).

``catalogue`` says which initializers there are and what each draws (no numpy, so that checking a
spec stays quick); ``values`` draws it.
"""
