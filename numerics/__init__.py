"""How it is computed: networks, training, sharpness, and slow oracles beside the fast routines."""

from theory.extras import need

need("numerics", "numerics", ("scipy", "torch"))
