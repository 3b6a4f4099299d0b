"""All of ``migrate02`` that touches a disk: read, walk, replace, keep a backup and put it back."""
