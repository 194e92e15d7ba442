"""The window. May use every other room; no other room knows it."""
