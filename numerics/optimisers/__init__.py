"""SGD by robust means of per-example gradients, coordinate by coordinate (walker2023, section 5.5.1).

The optimisers are those of `torch.optim` in all but one thing: `step` takes the gradients of the examples of a batch, which
`per_example_gradients` finds without storing those of linear layers and convolutions.
"""

from numerics.optimisers.descent import MedianOfMeansSGD, WinsorizedSGD
from numerics.optimisers.gradients import ConvolutionGradients, Gradients, LinearGradients, per_example_gradients

__all__ = [
    "WinsorizedSGD",
    "MedianOfMeansSGD",
    # what a step takes
    "per_example_gradients",
    "Gradients",
    "LinearGradients",
    "ConvolutionGradients",
]
