"""What tests are made of: given/when/then, fictional people, private servers, suites that adapters must pass."""
