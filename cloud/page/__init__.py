"""The reading room: the page of those who read, correct and sign."""
