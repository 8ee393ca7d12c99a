"""The microscope's agent: cameras, capture, spool; from the press to the receipt."""
