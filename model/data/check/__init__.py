"""What to know of data before anything is trained on them."""
