"""What all pages are made of: one table, one timeline, one form, one progress, one set of charts."""
