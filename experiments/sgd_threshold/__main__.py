"""`python -m experiments.sgd_threshold`: run the study."""

import sys

from experiments.engine.study import main
from experiments.sgd_threshold import STUDY

if __name__ == "__main__":
    sys.exit(main(STUDY))
