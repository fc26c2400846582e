"""SoCL recipes."""
