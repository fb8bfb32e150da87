"""Registration of customers, and who is protected."""
