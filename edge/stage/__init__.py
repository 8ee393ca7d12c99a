"""Stages: what moves slide and focus."""
