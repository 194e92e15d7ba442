"""Live views of a run: curves, predictions, confusion matrix, and trying the network on new data."""
