"""The results of one slide, added up from the bucket and published."""
