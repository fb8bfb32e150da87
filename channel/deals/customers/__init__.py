"""Who can be claimed: parties of all systems, direct customers and firms known from claims, with their match keys kept up to date."""
