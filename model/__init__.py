"""Data sets, the AC-GAN, its evaluation and its export into a bundle that `cloud` runs."""
