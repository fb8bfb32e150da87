"""How the matcher is judged: laws, cases, and a game on real names."""
