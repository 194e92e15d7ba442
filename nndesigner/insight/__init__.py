"""Looks into a network: what its nodes compute and how well it answers. Runs on the session thread, knows no window."""
