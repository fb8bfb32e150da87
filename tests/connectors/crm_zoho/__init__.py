"""What is particular to the Zoho CRM connector; what every connector must do is in tests/contract."""
