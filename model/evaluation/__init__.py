"""Figures of a trained classifier, their intervals and their controls."""
