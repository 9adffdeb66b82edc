"""The web page: plain files, copied into each site."""
