"""Who may do what with whom, keys and signatures, and the vault for personal data."""
