"""Focus: measured cheaply, chosen from a burst, swept with a stage, or told to the hand.

Nothing is imported here: `measure` brings OpenCV, `guide` needs nothing.
"""
