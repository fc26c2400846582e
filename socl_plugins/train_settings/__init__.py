"""The recipes of learning from weak labels: files of numbers, as those of ``ltr.train_settings``."""
