"""One file a recipe, read from top to bottom; its figures stand in `settings/`."""
