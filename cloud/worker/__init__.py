"""The worker: frames from the broker in, results into the store, results and receipts out."""
