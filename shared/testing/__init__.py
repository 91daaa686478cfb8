"""What tests are made of: given/when/then, private servers, golden files, suites that adapters must pass."""
