"""What travels: topics, messages, the model-bundle manifest and the broker connection.

Both ends of every wire import this room, and this room imports none of theirs.
"""
