-- Joins small files and sorts rows that are read together.
OPTIMIZE ${table}${where}${z_order}
