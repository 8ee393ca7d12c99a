"""Where cells come from, how they are cut, and how they are split."""
