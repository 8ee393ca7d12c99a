"""The projection: slides, fields and cells in SQL, made of the bucket and holding nothing else."""
