"""What tests of accounts share."""

import pytest

both = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
"""Where the two databases could differ."""
