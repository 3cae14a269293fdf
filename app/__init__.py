"""The browser UI: reads controls, calls pkpo, shows figures."""
