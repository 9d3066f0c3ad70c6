-- The properties of a table or a view.
SHOW TBLPROPERTIES ${relation}
