"""From a finished run to a bundle that `cloud` loads, and back."""
