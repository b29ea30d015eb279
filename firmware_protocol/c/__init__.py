"""The sensor's side in C99 for firmware authors, and how Python compiles and turns it by hand."""
