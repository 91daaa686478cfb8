"""One module per aggregate: commands, decide, evolve, errors. No I/O."""
