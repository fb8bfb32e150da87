"""Messages and questions as the rules of any room make them."""
