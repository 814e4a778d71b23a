"""The operator's pages (NiceGUI): thin over the admin API, which they call in-process; only the roof imports them."""
