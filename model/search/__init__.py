"""Which network, which rates, and what each choice is worth: search and ablation."""
