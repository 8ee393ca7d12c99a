"""People of the reading room: who they are, how they come in, and what they looked at and did.

In a database of its own, never in the projection: that one is thrown away and made anew.
"""
