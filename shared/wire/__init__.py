"""How our words become bytes and back: CloudEvents, canonical JSON, command schemas."""
