"""`python -m cloud` is `leukoscope-cloud`."""

from cloud.cli import main

main()
