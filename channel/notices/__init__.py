"""What people hear and are asked: messages and questions as values; `sync.notices` puts them on record."""
