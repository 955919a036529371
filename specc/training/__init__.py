"""Training a network by its recipe: data, the loop, progress, and the folder that a run leaves.

``loop.train`` is the way in. It rests on ``specc.targets.torch`` and knows nothing of the text that
the network was compiled from.
"""
