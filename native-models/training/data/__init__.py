"""Training data: texts, voices, augmentation, sound events, responses, shards. Start at `build.py`."""
