"""The loop of steps, and the thread boundary around it. Knows no window."""
