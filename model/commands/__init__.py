"""The commands of `leukoscope-model`, a file a room. They import TensorFlow late or never."""
