"""The Merkle tree of the log. No I/O."""
