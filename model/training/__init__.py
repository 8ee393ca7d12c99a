"""The AC-GAN: its networks, augmentation, batches and training."""
