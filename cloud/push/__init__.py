"""Tells readers' devices that a slide needs them, and nothing else about it."""
