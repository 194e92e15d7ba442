"""The drawing surface: items follow the document, gestures edit it."""
