"""The capture page: what a technician sees on a touch screen or a phone."""
