"""What the tables must hold in the end, worked out from the account and never from the product."""
