-- Files that nothing refers to any more, a thousand at most.
VACUUM ${table} DRY RUN
