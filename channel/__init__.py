"""The rules of the channel, a room each."""
