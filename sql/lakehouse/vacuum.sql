-- Removes files that nothing refers to any more.
VACUUM ${table}
