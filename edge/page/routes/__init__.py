"""The page's routes: what can be seen, what can be done, and the way in."""
