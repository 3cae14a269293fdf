"""The page "Runs": its list, its form, one run, several compared, and sweeps."""
