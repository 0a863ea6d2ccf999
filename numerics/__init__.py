"""How it is computed: networks, training, sharpness, and slow oracles beside the fast routines."""
