"""`python -m experiments.training_set_size_1d`: run the study."""

import sys

from experiments.engine.study import main
from experiments.training_set_size_1d import STUDY

if __name__ == "__main__":
    sys.exit(main(STUDY))
