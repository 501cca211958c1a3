"""nano: the embedded small AudioLDM 2, built from a seed without any download."""
