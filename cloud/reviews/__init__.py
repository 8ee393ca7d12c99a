"""What readers did with a slide: an append-only, signed chain in the bucket."""
