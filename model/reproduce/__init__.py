"""The paper's experiments, run again in one command, and under splits that do not leak."""
