"""`python -m edge` is `leukoscope-edge`."""

from edge.cli import main

main()
