"""Start nndesigner: python main.py [project.nnd]."""

from nndesigner.cli import gui

# The guard matters: a spawned child process imports this file again and must not open a second window.
if __name__ == "__main__":
    raise SystemExit(gui())
