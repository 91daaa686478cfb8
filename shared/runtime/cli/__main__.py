"""`python -m shared.runtime.cli` is `jianding`."""

from shared.runtime.cli import main

main()
