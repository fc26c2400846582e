"""TransT with weak labels."""
