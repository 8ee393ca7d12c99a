"""Scans a slide: fields on a serpentine, until enough white cells are counted.

`plan` says where, `progress` keeps how far it came over a power cut, `run` does it. Nothing is
imported here: `settings` must stay light, `run` brings OpenCV.
"""
