"""What a script needs to run a study of `experiments`, or one of its own: `Study` and `main`."""

from experiments.engine.study import Study, main

__all__ = ["Study", "main"]
