"""Fetching pictures politely: paces, requests, what to do after which answer."""
