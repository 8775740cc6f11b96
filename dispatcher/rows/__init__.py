"""Many jobs as rows of a file: read, refused with a reason, written out."""
