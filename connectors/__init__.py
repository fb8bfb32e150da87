"""One package per kind of system, all of one shape: the vendor's protocol in the vendor's words, nothing else."""
