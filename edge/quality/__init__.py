"""What a technician sees of a picture's fitness: bands for now, a trend over the days."""
