"""The roomy view of the data: every sample in a gallery, and what all of them are like. Labels are mended here."""
