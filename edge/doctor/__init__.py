"""`leukoscope-edge doctor`: what is well at this station, what is not, and what to do."""
