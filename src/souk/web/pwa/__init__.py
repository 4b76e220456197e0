"""The shop as an application that is installed: manifest, service worker, offline page."""
