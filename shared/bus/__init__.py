"""Transport. It may lose, repeat or reorder anything: the log is the truth."""
