-- How many files a table has, how large they are, and by which columns it is laid out.
DESCRIBE DETAIL ${table}
