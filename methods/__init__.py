"""The methods of the two papers this benchmark is built around."""
