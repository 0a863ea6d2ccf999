"""How it is computed: networks, training, sharpness, and slow oracles beside the fast routines.

What most users need is here, and is imported when it is asked for: `numerics/__init__.pyi` lists it. Each package has more;
`numerics.programs` has the flattest networks, and waits for cvxpy.
"""

from theory.extras import need

need("numerics", "numerics", ("lazy_loader", "scipy", "torch"))

import lazy_loader

# A process that needs no torch need not wait for it: seconds for each of those that a study starts.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
