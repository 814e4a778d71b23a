"""Questions over many tables, for pages and lists: figures, searches, histories."""
