"""The connectors that the contract suite tries, one module each, named after its sandbox."""
