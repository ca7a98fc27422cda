"""What `parlance eval` measures, measured here with the public Python packages: figures that must agree."""
