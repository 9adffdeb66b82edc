"""The annotator: a page on this machine on which masks are drawn and photographs are judged."""
