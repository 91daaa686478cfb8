"""Five services; each decides on its own data, and they meet only through events and calls."""
