"""Published claims, one paper a module; `bounds.catalogue` lists them by hand."""
