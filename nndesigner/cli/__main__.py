"""python -m nndesigner.cli"""

from nndesigner.cli import main

main()
