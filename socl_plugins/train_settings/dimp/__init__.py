"""DiMP with weak labels."""
