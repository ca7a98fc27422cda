"""Where sentences come from: one source a file, each gives `Text`s with its licence."""
