"""Where records come from: the portal, GBIF, archives, tables; each gives pages of records."""
