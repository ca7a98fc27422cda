"""Shared torch code: what every recipe is put together from."""
