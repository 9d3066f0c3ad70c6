-- The schemas of a catalog.
SHOW SCHEMAS IN ${catalog}
