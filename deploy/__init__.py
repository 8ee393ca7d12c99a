"""How leukoscope's parts are put on machines."""
