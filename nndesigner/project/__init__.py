"""The project as the user keeps it: the file, older versions of it, recovery after a crash. Knows no window."""
