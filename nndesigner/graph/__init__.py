"""The drawing: a frozen value, pure edits of it, what is wrong with it and how to mend it. Knows no data and no window."""
