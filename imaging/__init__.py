"""What is done to pixels, by the same code at the microscope, in the cloud and in training.

An image is uint8, H×W×3, RGB, everywhere in leukoscope.
"""
