"""Pictures of figures, by matplotlib's objects alone: no window, no global state."""
