"""Training a network by its recipe: data, the loop, progress, and the folder that a run leaves.

``train`` takes a program; ``loop.train``, below it, takes a network and is the loop itself. Both
rest on ``specc.targets.torch`` and know nothing of the text that the network was compiled from.
"""

from specc.training.api import TrainingFailed, train
from specc.training.result import Epoch, Progress, Result, Run

__all__ = ["Epoch", "Progress", "Result", "Run", "TrainingFailed", "train"]
