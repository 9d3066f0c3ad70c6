"""Tables in Unity Catalog, through a SQL warehouse."""
