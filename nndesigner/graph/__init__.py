"""The drawing: a frozen value, pure edits of it, what is wrong with it, and cures. Knows no data and no window."""
