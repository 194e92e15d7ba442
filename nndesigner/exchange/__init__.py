"""What leaves the program: predictions on new data."""
