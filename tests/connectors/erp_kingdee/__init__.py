"""What is particular to Kingdee; the rest is the contract suite."""
