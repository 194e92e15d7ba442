"""Turns a checked drawing into arithmetic that runs on a device. Knows no thread, no file and no window."""
