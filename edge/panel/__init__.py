"""The button and the light at the microscope, through gpiozero."""
