"""What changes while somebody looks: news for open pages, and what keeps the projection up."""
