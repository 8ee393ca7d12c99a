"""What the AC-GAN has to be compared with, on the same cells: networks, SVMs and a control."""
