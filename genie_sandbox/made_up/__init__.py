"""A made-up account: businesses, people, spaces, conversations, and the rows that they leave in system tables."""
