"""Everything on one machine: broker and store as child processes, bound to 127.0.0.1."""
