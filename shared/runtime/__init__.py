"""Where everything is put together: settings, processes, the two editions, the command line."""
